/** A picture of one's own becomes a code: dropped, cropped, projected, and then taken by every other panel. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../context";
import { Button, Slider } from "../parts/controls";
import { Picture } from "../parts/Picture";
import { Cropper } from "./Cropper";
import { central } from "./cropping";
import type { Crop, Events, Inverted } from "../../backend/types";

interface Given {
  file: File;
  address: string;
  width: number;
  height: number;
}

interface Progress {
  id: string;
  /** As it is inverted: with the label of a conditional model, and not truncated. */
  look: string;
  target: string;
  what: string;
  done: number;
  total: number;
  code: string | null;
  notes: string[];
  result: Inverted | null;
}

export function Invert() {
  const app = useApp();
  const shape = app.model!;
  const given = useSignal<Given | null>(null);
  const crop = useSignal<Crop | null>(null);
  const steps = useSignal(200);
  const work = useSignal<Progress | null>(null);
  const events = useRef<Events | null>(null);
  useEffect(() => () => events.current?.close(), []);
  const take = async (file: File) => {
    const found = await app.attempt(() => look(file, app.backend.info.limits));
    if (!found) return;
    if (given.value) URL.revokeObjectURL(given.value.address);
    given.value = found;
    crop.value = central(found, shape);
    work.value = null;
    app.say(`${file.name} is ready to be cropped`);
  };
  const start = async () => {
    const { value: picture } = given;
    if (!picture) return;
    const told = app.drawn.told.value;
    const begun = await app.attempt(() => app.backend.desk!.invert(picture.file, crop.value, steps.value, told));
    if (!begun) return;
    work.value = { id: begun.id, look: told, target: begun.target, what: "waiting", done: 0, total: begun.steps, code: null, notes: [], result: null };
    events.current?.close();
    events.current = app.backend.desk!.inversionEvents(begun.id, (name, data) => {
      const now = work.value;
      if (!now || now.id !== begun.id) return;
      const told = data as Partial<Progress> & { text?: string; detail?: string };
      if (name === "progress") work.value = { ...now, ...told, code: told.code ?? now.code };
      if (name === "note") work.value = { ...now, notes: [...now.notes, told.text ?? ""] };
      if (name === "done") {
        const result = data as Inverted;
        work.value = { ...now, result, code: result.code, done: now.total };
        app.say(`inverted. ${result.sentence}`);
      }
      if (name === "failed") app.trouble.value = told.detail ?? "the inversion failed";
      if (["done", "failed", "cancelled"].includes(name)) events.current?.close();
      if (name === "failed" || name === "cancelled") work.value = null;
    });
  };
  return (
    <div class="invert">
      <Drop onFile={(file) => void take(file)} />
      {given.value && crop.value && (
        <>
          <Cropper picture={given.value} shape={shape} crop={crop.value} onCrop={(next) => (crop.value = next)} />
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
            <Button primary text="Invert" label="Invert this picture" disabled={working(work.value)} onClick={() => void start()} />
            {working(work.value) && (
              <Button text="Cancel" label="Cancel the inversion" onClick={() => void app.attempt(() => app.backend.desk!.cancelInversion(work.value!.id))} />
            )}
          </div>
        </>
      )}
      {work.value && <Outcome work={work.value} />}
    </div>
  );
}

function working(work: Progress | null): boolean {
  return work !== null && work.result === null;
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
            <Button primary text="Take it" label="Take it as the picture shown" onClick={() => void app.show(result.code, "invert", "the inverted picture")} />
            {result.projection !== result.code && (
              <Button text="Take it in W" label="Take it in W, as it was projected" onClick={() => void app.show(result.projection, "invert", "the inverted picture in W")} />
            )}
          </div>
        </>
      )}
    </section>
  );
}

/** The file's size in pixels, if it is a picture that may be sent. */
async function look(file: File, limits: { upload_bytes: number; upload_pixels: number }): Promise<Given> {
  if (file.size > limits.upload_bytes) {
    const most = Math.round(limits.upload_bytes / 1e6);
    throw new Error(`${file.name} has ${(file.size / 1e6).toFixed(0)} MB; at most ${most} MB are taken`);
  }
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name} is no picture that this browser can read, or it is broken`);
  });
  const { width, height } = bitmap;
  bitmap.close();
  if (width * height > limits.upload_pixels) {
    throw new Error(`${file.name} has ${width} × ${height} pixels, more than are taken; make it smaller first`);
  }
  return { file, address: URL.createObjectURL(file), width, height };
}
