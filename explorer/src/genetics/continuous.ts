/** Codes that are rows of numbers: as text, and on the way between one another. */

import { normal, type Random } from "./random";
import { fromBase64, toBase64 } from "./strings";

/** Children of two lie so far to both sides of the share that was asked for; `analysis/population.py` has the same. */
const SPREAD = 0.25;

export function readFloats(text: string, count: number): Float32Array {
  const bytes = fromBase64(text, 4 * count);
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: count }, (_, index) => view.getFloat32(4 * index, true));
}

export function writeFloats(numbers: Float32Array): string {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, index) => view.setFloat32(4 * index, number, true));
  return toBase64(bytes);
}

export function randomZ(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => normal(random));
}

/** How far a child lies on the way from its first parent to the second. */
export function childShare(share: number, random: Random): number {
  return Math.max(0, Math.min(1, share + SPREAD * (2 * random() - 1)));
}

/** The great arc between two z, whose length goes linearly; the package's `slerp`, but for opposite ends. */
export function slerp(start: Float32Array, end: Float32Array, share: number): Float32Array {
  const [from, a] = lengthAndWay(start);
  const [to, b] = lengthAndWay(end);
  const length = from + share * (to - from);
  const cosine = a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  const [sine, across] = lengthAndWay(a.map((value, at) => b[at]! - cosine * value));
  const angle = share * Math.atan2(sine, cosine);
  return start.map((_, at) => (a[at]! * Math.cos(angle) + across[at]! * Math.sin(angle)) * length);
}

function lengthAndWay(numbers: ArrayLike<number>): [number, number[]] {
  const all = Array.from(numbers);
  const length = Math.hypot(...all);
  return [length, all.map((value) => (length ? value / length : 0))];
}
