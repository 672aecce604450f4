/** The pictures on the way from one code to another, side by side and as an animation. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useApp } from "../context";
import { Button, Slider } from "../parts/controls";
import { Picture } from "../parts/Picture";
import { Roving } from "../parts/Roving";
import { downloadFile } from "../share";
import { between, isSimple } from "../../genetics/recipes";
import type { FileRequest } from "../../backend/types";

const STEPS = 12;
const FRAME_MS = 90;

export function Way({ start, end }: { start: string; end: string }) {
  const app = useApp();
  const place = useSignal(0.5);
  const playing = useSignal(false);
  useEffect(() => {
    if (!playing.value) return;
    let way = 1;
    const timer = setInterval(() => {
      if (place.value >= 1) way = -1;
      if (place.value <= 0) way = 1;
      place.value = Math.max(0, Math.min(1, Math.round(STEPS * place.value + way) / STEPS));
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [playing.value]);
  if (!isSimple(end)) return <p class="hint">The picture shown is mixed already; ways go between plain pictures.</p>;
  const codes = Array.from({ length: STEPS + 1 }, (_, index) => between(start, end, index / STEPS));
  const at = between(start, end, place.value);
  const take = () => {
    const words = "the picture on the way";
    if (at === start || at === end) return app.open(at, words);
    return app.show({ code: at, operation: "between", parents: [start, end] }, words);
  };
  const asked = { kind: "way" as const, codes: [start, end], look: app.look.value, steps: 24 } satisfies Partial<FileRequest>;
  return (
    <>
      <div class="frame">
        <Picture code={at} alt="The picture on the way" priority="hover" slot="way" class="large" />
      </div>
      <div class="row">
        <Button
          icon={playing.value ? "pause" : "play"}
          label={playing.value ? "Stop the animation" : "Play the animation"}
          onClick={() => (playing.value = !playing.value)}
        />
        <Slider
          label="Place on the way"
          value={place.value}
          min={0}
          max={1}
          step={1 / STEPS}
          shown={`${Math.round(100 * place.value)} %`}
          onInput={(value) => {
            playing.value = false;
            place.value = value;
          }}
        />
        <Button text="Take this picture" label="Take this picture of the way" onClick={() => void take()} />
      </div>
      <Roving label="Pictures on the way" class="strip">
        {codes.map((code, index) => (
          <button
            key={code}
            type="button"
            data-cell=""
            class="cell"
            aria-label={`${Math.round((100 * index) / STEPS)} % of the way`}
            aria-pressed={Math.abs(place.value - index / STEPS) < 1e-6}
            onClick={() => (place.value = index / STEPS)}
          >
            <Picture code={code} alt="" />
          </button>
        ))}
      </Roving>
      <div class="row" role="group" aria-label="Downloads">
        <Button icon="save" text="Strip (PNG)" label="Save the strip (PNG)" onClick={() => void downloadFile(app, { ...asked, kind: "sheet", codes, columns: codes.length, format: "png" }, "way")} />
        {app.backend.kind === "server" && (
          <>
            <Button icon="save" text="GIF" label="Save the animation as GIF" onClick={() => void downloadFile(app, { ...asked, format: "gif", moving: true }, "way")} />
            <Button icon="save" text="WebP" label="Save the animation as WebP" onClick={() => void downloadFile(app, { ...asked, format: "webp", moving: true }, "way")} />
          </>
        )}
      </div>
    </>
  );
}
