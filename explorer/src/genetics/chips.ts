/** Which variants a row shows, how they are colored, and what is said of them. */

import type { GeneRow, GeneTable } from "../backend/types";

export const SHADES = 5;

/** Variants from the lowest effect on the attribute to the highest; by number where nothing is known. */
export function rankVariants(row: GeneRow | undefined, variants: number): number[] {
  const order = Array.from({ length: variants }, (_, variant) => variant);
  return row ? order.sort((a, b) => row.shrunk[a]! - row.shrunk[b]! || row.effect[a]! - row.effect[b]! || a - b) : order;
}

/** `most` of the ranked variants at even steps, both ends among them, and always the present one. */
export function sampleVariants(ranked: readonly number[], most: number, present: number): number[] {
  if (ranked.length <= most) return [...ranked];
  const step = (ranked.length - 1) / (most - 1);
  const places = Array.from({ length: most }, (_, index) => Math.round(index * step));
  const own = ranked.indexOf(present);
  if (!places.includes(own)) {
    const nearest = places.reduce((best, place, index) =>
      Math.abs(place - own) < Math.abs(places[best]! - own) && index > 0 && index < most - 1 ? index : best, 1);
    places[nearest] = own;
  }
  return places.sort((a, b) => a - b).map((place) => ranked[place]!);
}

/** The effect that the strongest hundredth of all variants have: what the deepest color stands for. */
export function scaleOf(table: GeneTable): number {
  const all = table.genes.flatMap((row) => Array.from(row.shrunk, Math.abs)).sort((a, b) => a - b);
  return Math.max(all[Math.floor(0.99 * (all.length - 1))] ?? 0, 0.01);
}

/** −5 (far less of the attribute) to 5 (far more); 0 where the average lies within the interval and the effect is small. */
export function shade(effect: number, scale: number): number {
  return Math.round(SHADES * Math.max(-1, Math.min(1, effect / scale)));
}

export function describeVariant(table: GeneTable, row: GeneRow, variant: number): string {
  const clip = (value: number) => Math.max(0, Math.min(1, value));
  const [value, low, high] = [row.effect[variant]!, row.low[variant]!, row.high[variant]!].map(
    (effect) => `${Math.round(100 * clip(table.mean + effect))} %`,
  );
  const seen = row.count[variant]!;
  const name = table.attribute.replaceAll("_", " ");
  return seen
    ? `${name} ${value} (measured ${low} to ${high}), seen ${seen} times; all pictures ${Math.round(100 * table.mean)} %`
    : `${name}: never seen in the survey`;
}
