/** A picture of one's own becomes a code: dropped, cropped, projected, and then taken by every other panel. */

import { useSignal } from "@preact/signals";
import { useApp } from "../context";
import { Button, Slider } from "../parts/controls";
import { Picture } from "../parts/Picture";
import { Cropper } from "./Cropper";
import type { Progress } from "../../state/inversion";

export function Invert() {
  const { inversion, model } = useApp();
  const { given, crop, steps, work, running, sending } = inversion;
  return (
    <div class="invert">
      <Drop onFile={(file) => void inversion.take(file)} />
      {given.value && crop.value && (
        <>
          <Cropper picture={given.value} shape={model!} crop={crop.value} onCrop={(next) => (crop.value = next)} />
          <div class="row">
            <Slider
              label="Steps"
              value={steps.value}
              min={20}
              max={1000}
              step={20}
              shown={String(steps.value)}
              onInput={(value) => (steps.value = value)}
            />
            <Button
              primary
              text="Invert"
              label="Invert this picture"
              disabled={sending.value || running.value}
              onClick={() => void inversion.start()}
            />
            {running.value && <Button text="Cancel" label="Cancel the inversion" onClick={() => void inversion.cancel()} />}
          </div>
        </>
      )}
      {work.value && <Outcome work={work.value} />}
    </div>
  );
}

function Drop({ onFile }: { onFile: (file: File) => void }) {
  const over = useSignal(false);
  return (
    <label
      class={`drop${over.value ? " over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => (over.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        const file = event.dataTransfer?.files[0];
        if (file) onFile(file);
      }}
    >
      <strong>Drop a picture here</strong>
      <span class="hint">or choose a file; it goes to this server alone and is not kept</span>
      <input
        type="file"
        accept="image/*"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

function Outcome({ work }: { work: Progress }) {
  const app = useApp();
  const { result } = work;
  return (
    <section class="outcome" aria-label="The inversion">
      <div class="row">
        <figure>
          <img class="picture pixels" src={work.target} alt="What the model is given" />
          <figcaption>given</figcaption>
        </figure>
        <figure>
          <Picture code={work.code} look={work.look} alt="What the model makes of it" priority="hover" slot="inversion" />
          <figcaption>{result ? "found" : "so far"}</figcaption>
        </figure>
        {result && result.projection !== result.code && (
          <figure>
            <Picture code={result.projection} look={work.look} alt="Before it was brought to a genotype" />
            <figcaption>in W</figcaption>
          </figure>
        )}
      </div>
      {!result && (
        <>
          <progress max={Math.max(1, work.total)} value={work.done} aria-label="Progress of the inversion" />
          <p class="hint">
            {work.what}: {work.done} of {work.total}
          </p>
        </>
      )}
      {work.notes.map((note) => (
        <p key={note} class="hint">
          {note}
        </p>
      ))}
      {result && (
        <>
          <p class={`verdict ${result.verdict ?? ""}`}>{result.sentence}</p>
          <p class="hint">
            Distance {result.distance.toFixed(3)} ({result.judge}).
          </p>
          <div class="row">
            <Button primary text="Take it" label="Take it as the picture shown" onClick={() => void app.show({ code: result.code, operation: "invert" }, "the inverted picture")} />
            {result.projection !== result.code && (
              <Button text="Take it in W" label="Take it in W, as it was projected" onClick={() => void app.show({ code: result.projection, operation: "invert" }, "the inverted picture in W")} />
            )}
          </div>
        </>
      )}
    </section>
  );
}
