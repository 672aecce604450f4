/** The square of a picture that is used: dragged, or moved with the arrow keys, and sized with a slider. */

import { useRef } from "preact/hooks";
import { Slider, percent } from "../parts/controls";
import type { Crop } from "../../backend/types";

interface Props {
  picture: { address: string; width: number; height: number };
  crop: Crop;
  onCrop: (crop: Crop) => void;
}

export function centralSquare(width: number, height: number): Crop {
  const size = Math.min(width, height);
  return { left: Math.floor((width - size) / 2), top: Math.floor((height - size) / 2), size };
}

export function Cropper({ picture, crop, onCrop }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const held = useRef<{ x: number; y: number; crop: Crop } | null>(null);
  const { width, height } = picture;
  const most = Math.min(width, height);
  const put = (next: Crop) => {
    const size = Math.max(Math.min(16, most), Math.min(most, next.size));
    const within = (value: number, end: number) => Math.round(Math.max(0, Math.min(end - size, value)));
    onCrop({ left: within(next.left, width), top: within(next.top, height), size });
  };
  const scale = () => width / (place.current?.getBoundingClientRect().width || width);
  const step = Math.max(1, Math.round(most / 50));
  const keys: Record<string, [number, number]> = {
    ArrowLeft: [-step, 0],
    ArrowRight: [step, 0],
    ArrowUp: [0, -step],
    ArrowDown: [0, step],
  };
  return (
    <div class="cropper">
      <div class="crop-area" ref={place}>
        <img src={picture.address} alt="The picture that was given" draggable={false} />
        <div
          class="crop"
          role="slider"
          tabIndex={0}
          aria-label="The square that is used; the arrow keys move it"
          aria-valuenow={crop.left}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, width - crop.size)}
          aria-valuetext={`from ${crop.left}, ${crop.top}, ${crop.size} pixels wide`}
          style={{
            left: `${(100 * crop.left) / width}%`,
            top: `${(100 * crop.top) / height}%`,
            width: `${(100 * crop.size) / width}%`,
            height: `${(100 * crop.size) / height}%`,
          }}
          onPointerDown={(event) => {
            held.current = { x: event.clientX, y: event.clientY, crop };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            const start = held.current;
            if (!start) return;
            const [dx, dy] = [event.clientX - start.x, event.clientY - start.y].map((far) => far * scale());
            put({ ...start.crop, left: start.crop.left + dx!, top: start.crop.top + dy! });
          }}
          onPointerUp={() => (held.current = null)}
          onKeyDown={(event) => {
            const way = keys[event.key];
            if (!way) return;
            event.preventDefault();
            put({ ...crop, left: crop.left + way[0], top: crop.top + way[1] });
          }}
        />
      </div>
      <Slider
        label="Size of the square"
        value={crop.size / most}
        min={0.1}
        max={1}
        step={0.01}
        shown={percent(crop.size / most)}
        onInput={(share) => {
          const size = Math.round(share * most);
          const [x, y] = [crop.left + crop.size / 2, crop.top + crop.size / 2];
          put({ left: x - size / 2, top: y - size / 2, size });
        }}
      />
    </div>
  );
}
