/** Before and after in one frame, with a border that moves between them. */

import { useSignal } from "@preact/signals";
import { Slider, percent } from "../parts/controls";
import { Picture } from "../parts/Picture";

export function Wipe({ before, after }: { before: string; after: string }) {
  const share = useSignal(0.5);
  const follow = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = event.currentTarget.getBoundingClientRect();
    share.value = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  return (
    <>
      <div class="frame wipe" onPointerDown={follow} onPointerMove={follow}>
        {/* Each is seen on its own side only: one that is clear in places would show the other. */}
        <div class="under" style={{ clipPath: `inset(0 0 0 ${100 * share.value}%)` }}>
          <Picture code={after} alt="After: the picture shown" priority="click" class="large" />
        </div>
        <div class="cover" style={{ clipPath: `inset(0 ${100 - 100 * share.value}% 0 0)` }}>
          <Picture code={before} alt="Before: the picture to compare with" priority="click" class="large" />
        </div>
        <div class="border" style={{ left: `${100 * share.value}%` }} aria-hidden="true" />
        <span class="corner-label left-label" aria-hidden="true">
          before
        </span>
        <span class="corner-label right-label" aria-hidden="true">
          after
        </span>
      </div>
      <Slider
        label="Border"
        value={share.value}
        min={0}
        max={1}
        step={0.01}
        shown={percent(share.value)}
        onInput={(value) => (share.value = value)}
      />
    </>
  );
}
