/** The part of a picture that is used, of the model's shape: dragged, or moved with the arrow keys, and sized with a slider. */

import { useRef } from "preact/hooks";
import { Slider, percent } from "../parts/controls";
import { aspectOf, heightOf, sized, widest, within, type Size } from "../../state/cropping";
import type { Crop } from "../../backend/types";

interface Props {
  picture: Size & { address: string };
  /** Of the model's pictures. */
  shape: Size;
  crop: Crop;
  onCrop: (crop: Crop) => void;
}

export function Cropper({ picture, shape, crop, onCrop }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const held = useRef<{ x: number; y: number; crop: Crop } | null>(null);
  const { width, height } = picture;
  const [most, high] = [widest(picture, shape), heightOf(crop, shape)];
  const put = (next: Crop) => onCrop(within(next, picture, shape));
  const scale = () => width / (place.current?.getBoundingClientRect().width || width);
  const step = Math.max(1, Math.round(Math.min(width, height) / 50));
  const keys: Record<string, [number, number]> = {
    ArrowLeft: [-step, 0],
    ArrowRight: [step, 0],
    ArrowUp: [0, -step],
    ArrowDown: [0, step],
  };
  return (
    <div class="cropper">
      <div class="crop-area" ref={place} style={{ "--photo": aspectOf(picture) }}>
        <img src={picture.address} alt="The picture that was given" draggable={false} />
        <div
          class="crop"
          role="slider"
          tabIndex={0}
          aria-label="The part that is used; the arrow keys move it"
          aria-valuenow={Math.round(crop.left)}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, Math.round(width - crop.size))}
          aria-valuetext={`from ${[crop.left, crop.top].map(Math.round).join(", ")}, ${Math.round(crop.size)} pixels wide and ${Math.round(high)} high`}
          style={{
            left: `${(100 * crop.left) / width}%`,
            top: `${(100 * crop.top) / height}%`,
            width: `${(100 * crop.size) / width}%`,
            height: `${(100 * high) / height}%`,
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
          onPointerCancel={() => (held.current = null)}
          onKeyDown={(event) => {
            const way = keys[event.key];
            if (!way) return;
            event.preventDefault();
            put({ ...crop, left: crop.left + way[0], top: crop.top + way[1] });
          }}
        />
      </div>
      <Slider
        label="Size of the part"
        value={crop.size / most}
        min={0.1}
        max={1}
        step={0.01}
        shown={percent(crop.size / most)}
        onInput={(share) => onCrop(sized(crop, share * most, picture, shape))}
      />
    </div>
  );
}
