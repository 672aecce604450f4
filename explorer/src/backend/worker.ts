/** Draws pictures beside the page's own thread: ONNX Runtime in plain WASM, one thread, nothing from elsewhere. */

import * as ort from "onnxruntime-web/wasm";
import { readFloats } from "../genetics/continuous";
import { parseLook } from "../genetics/recipes";
import { bankExpression, express, type Expression, type Latent, type Sizes } from "./express";
import { encodePng, planesOf } from "./files";

export interface Start {
  kind: "start";
  /** The folder of the site, with a slash at the end. */
  place: string;
  latent: Latent;
  sizes: Sizes & { channels: number; height: number; width: number };
}

export interface Draw {
  kind: "draw";
  id: number;
  code: string;
  look: string;
}

export type Answer = { id: number; picture: Blob } | { id: number; error: string };

interface Ready {
  start: Start;
  session: ort.InferenceSession;
  plain: Expression;
}

let ready: Promise<Ready> | null = null;

self.onmessage = (event: MessageEvent<Start | Draw>) => {
  const message = event.data;
  if (message.kind === "start") {
    ready = open(message);
    ready.catch(() => undefined);
    return;
  }
  draw(message).then(
    (picture) => postMessage({ id: message.id, picture } satisfies Answer),
    (error: unknown) =>
      postMessage({ id: message.id, error: error instanceof Error ? error.message : String(error) } satisfies Answer),
  );
};

async function open(start: Start): Promise<Ready> {
  const [runtime, bytes] = await Promise.all([
    unpacked(`${start.place}runtime/ort.wasm.gz`),
    loaded(`${start.place}model/generator.onnx`),
  ]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = runtime;
  const session = await ort.InferenceSession.create(new Uint8Array(bytes), { executionProviders: ["wasm"] });
  return { start, session, plain: await expression(start) };
}

async function expression(start: Start): Promise<Expression> {
  if (start.sizes.num_genes) {
    return bankExpression(new Float32Array(await loaded(`${start.place}model/bank.bin`)), start.sizes);
  }
  const bytes = new Uint8Array(await loaded(`${start.place}model/latent.onnx`));
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return async (code) => {
    const z = new ort.Tensor("float32", readFloats(code, start.latent.z_dim), [1, start.latent.z_dim]);
    return (await session.run({ code: z }))["w"]!.data as Float32Array;
  };
}

async function loaded(address: string): Promise<ArrayBuffer> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} is missing (${answer.status}); export the site again`);
  return answer.arrayBuffer();
}

async function unpacked(address: string): Promise<ArrayBuffer> {
  const bytes = await loaded(address);
  // Some hosts unpack .gz on the way; then the file begins as WASM does.
  if (new Uint8Array(bytes, 0, 1)[0] === 0) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function draw(request: Draw): Promise<Blob> {
  if (ready === null) throw new Error("nothing can be drawn yet");
  const { start, session, plain } = await ready;
  const { sizes, latent } = start;
  const ws = await express(request.code, parseLook(request.look), latent, sizes, plain);
  const feeds: Record<string, ort.Tensor> = { ws: new ort.Tensor("float32", ws, [1, sizes.num_ws, sizes.w_dim]) };
  if (latent.label.length) feeds["label"] = new ort.Tensor("float32", latent.label, [1, latent.label.length]);
  const image = (await session.run(feeds))["image"]!.data as Float32Array;
  return toPng(image, sizes.channels, sizes.height, sizes.width);
}

/** A picture [C, H, W] in −1 to 1 as PNG, rounded as the package rounds. */
async function toPng(image: Float32Array, channels: number, height: number, width: number): Promise<Blob> {
  const pixels = new ImageData(width, height);
  const area = width * height;
  const planes = planesOf(channels);
  planes.forEach((plane, channel) => {
    for (let at = 0; at < area; at++) {
      const value = plane === null ? 255 : image[plane * area + at]! * 127.5 + 127.5;
      pixels.data[4 * at + channel] = Math.max(0, Math.min(255, Math.round(value)));
    }
  });
  if (planes[3] !== null) return encodePng(pixels.data, width, height);
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
