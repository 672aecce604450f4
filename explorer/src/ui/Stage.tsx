/** The picture that everything is about, and what can be done with it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "./context";
import { Button, Select, Slider, words } from "./parts/controls";
import { Picture, usePicture } from "./parts/Picture";
import type { Priority } from "../backend/types";

export function Stage() {
  const app = useApp();
  const preview = app.preview.value;
  const code = preview?.code ?? app.code.value;
  const node = app.code.value ? app.session.nodeOf(app.code.value) : null;
  return (
    <section class="stage" aria-label="Picture">
      <div class={`frame${preview ? " previewing" : ""}`}>
        <Picture
          code={code}
          alt={preview ? `Preview: ${preview.words}` : `The picture of ${app.code.value ?? "no code yet"}`}
          priority={preview ? "hover" : "click"}
          slot={preview ? "hover" : "stage"}
          class="large"
        />
        {app.showDifference.value && app.pinned.value && code && <Difference before={app.pinned.value} after={code} />}
      </div>
      <p class="caption" data-testid="caption">
        {preview ? `Preview · ${preview.words}` : describe(node)}
      </p>
      <LookDials />
      <div class="actions" role="toolbar" aria-label="This picture">
        <Button
          icon="heart"
          label={node?.favorite ? "No favorite any more" : "Make it a favorite"}
          hotkey="f"
          pressed={node?.favorite ?? false}
          onClick={() => void app.favorite()}
        />
        <Button
          icon="pin"
          label="Pin as the original that others are compared with"
          hotkey="p"
          pressed={app.pinned.value !== null && app.pinned.value === app.code.value}
          onClick={() => app.togglePin()}
        />
        <Button
          icon="pair"
          label="Choose as the second parent"
          hotkey="m"
          pressed={app.partner.value !== null && app.partner.value === app.code.value}
          onClick={() => app.setPartner(app.code.value)}
        />
        <Button icon="children" label="Make children" hotkey="b" onClick={() => void app.breed()} />
        <Button
          icon="difference"
          label="Show where it differs from the pinned original"
          hotkey="x"
          pressed={app.showDifference.value}
          disabled={app.pinned.value === null}
          onClick={() => (app.showDifference.value = !app.showDifference.value)}
        />
        <Button
          icon={app.smooth.value ? "smooth" : "pixels"}
          label="Smooth the enlarged pixels"
          hotkey="s"
          pressed={app.smooth.value}
          onClick={() => (app.smooth.value = !app.smooth.value)}
        />
      </div>
    </section>
  );
}

/** The label of a conditional model, and the side from which a 3D one is seen; a static site has them built in. */
function LookDials() {
  const { backend, drawn, model } = useApp();
  if (!model || backend.kind === "static" || !(model.label_dim || model.three_d)) return null;
  const single = Array.from({ length: model.label_dim }, (_, column) => `${column}:1`);
  // One of several columns, or of other values, is offered where the model was opened with it or a link brings it.
  const opened = model.label.replace("label=", "");
  const labels = [...new Set([...single, opened, drawn.label.value])]
    .filter(Boolean)
    .map((label) => [label, labelInWords(label, model.label_names)] as const);
  return (
    <div class="row">
      {labels.length > 0 && (
        <Select label="Label" value={drawn.label.value} options={labels} onChange={(label) => (drawn.label.value = label)} />
      )}
      {model.three_d && (
        <>
          <Slider label="Yaw" value={drawn.yaw.value} min={-60} max={60} step={2} shown={`${drawn.yaw.value}°`} onInput={(yaw) => (drawn.yaw.value = yaw)} />
          <Slider label="Pitch" value={drawn.pitch.value} min={-30} max={30} step={2} shown={`${drawn.pitch.value}°`} onInput={(pitch) => (drawn.pitch.value = pitch)} />
        </>
      )}
    </div>
  );
}

/** `0:1;7:0.5` by the names of its columns. */
export function labelInWords(label: string, names: readonly string[]): string {
  const parts = label.split(";").map((part) => {
    const [column = "", value = "1"] = part.split(":");
    const name = words(names[Number(column)] || `label ${column}`);
    return value === "1" ? name : `${name} ${value}`;
  });
  return parts.join(", ");
}

function describe(node: { id: number; operation: string; parents: number[] } | null): string {
  if (!node) return " ";
  const from = node.parents.length ? ` of ${node.parents.map((id) => `#${id}`).join(" × ")}` : "";
  return `#${node.id} · ${madeBy(node.operation)}${from}`;
}

const MADE: Record<string, string> = {
  dice: "diced",
  mutate: "child",
  breed: "child",
  swap: "one gene changed",
  edit: "edited",
  move: "moved along a direction",
  invert: "inverted",
  paste: "pasted",
  open: "opened",
  mix: "mixed styles",
  between: "on the way",
};

/** An operation in words; what others named shows as they named it. */
export function madeBy(operation: string): string {
  return Object.hasOwn(MADE, operation) ? MADE[operation]! : operation;
}

/** How far each pixel is from the pinned original's, the most different channel counts. */
function Difference({ before, after }: { before: string; after: string }) {
  const [first, second] = [usePixels(before, "click"), usePixels(after, "hover", "difference")];
  const place = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (first && second) paint(place.current!, first, second);
  }, [first, second]);
  return <canvas ref={place} class="difference pixels" role="img" aria-label="Where it differs from the original" />;
}

/** Read as soon as they are there: the address of a picture that no `<img>` shows is not good for ever. */
function usePixels(code: string, priority: Priority, slot?: string): ImageData | null {
  const address = usePicture(code, undefined, priority, slot);
  const [pixels, setPixels] = useState<ImageData | null>(null);
  useEffect(() => {
    let live = true;
    if (address) void pixelsOf(address).then((found) => live && setPixels(found));
    return () => {
      live = false;
    };
  }, [address]);
  return pixels;
}

async function pixelsOf(address: string): Promise<ImageData> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function paint(canvas: HTMLCanvasElement, a: ImageData, b: ImageData): void {
  canvas.width = a.width;
  canvas.height = a.height;
  const map = new ImageData(a.width, a.height);
  for (let at = 0; at < map.data.length; at += 4) {
    const far = Math.max(...[0, 1, 2, 3].map((channel) => Math.abs(a.data[at + channel]! - b.data[at + channel]!)));
    map.data.set([255, 64, 129, Math.min(235, 2 * far)], at);
  }
  canvas.getContext("2d")!.putImageData(map, 0, 0);
}
