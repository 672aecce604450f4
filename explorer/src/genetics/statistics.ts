/** What a survey says of variants, as `stylegenes/explorer/site.py` and the server hand it over. */

import type { Random } from "./random";
import type { Genotype } from "./strings";

/** Everything [genes, variants, attributes] is one flat row, the attribute fastest. */
export interface Statistics {
  attributes: readonly string[];
  genes: number;
  variants: number;
  draws: number;
  /** Mean probability over all draws, [A]. */
  overall: readonly number[];
  mean: ArrayLike<number>;
  error: ArrayLike<number>;
  /** Means freed from their sampling noise, [G, V, A]. */
  shrunk: ArrayLike<number>;
  /** Draws that contain each variant, [G, V]. */
  seen: ArrayLike<number>;
  /** Part of the attribute's variance that a gene explains, [G, A]. */
  explained: ArrayLike<number>;
  /** False-discovery rate at which a gene is said to act, [G, A]. */
  doubt: ArrayLike<number>;
}

export interface Wish {
  attribute: number;
  present: boolean;
}

export interface Estimate {
  value: number;
  low: number;
  high: number;
  seen: number;
}

const FLOOR = 1e-4;

export function estimate(from: Statistics, gene: number, variant: number, attribute: number): Estimate {
  const row = gene * from.variants + variant;
  const at = row * from.attributes.length + attribute;
  const value = from.mean[at] ?? 0;
  const half = 1.96 * (from.error[at] ?? 0);
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half), seen: from.seen[row] ?? 0 };
}

export function shrunkAt(from: Statistics, gene: number, variant: number, attribute: number): number {
  return from.shrunk[(gene * from.variants + variant) * from.attributes.length + attribute] ?? 0;
}

/** Variants of a gene from the lowest mean of an attribute to the highest. */
export function ranked(from: Statistics, gene: number, attribute: number): number[] {
  const order = Array.from({ length: from.variants }, (_, variant) => variant);
  const mean = order.map((variant) => estimate(from, gene, variant, attribute).value);
  return order.sort((a, b) => mean[a]! - mean[b]! || a - b);
}

/** Where a variant lies between the extremes of the whole genome, −1 to 1; 0 is the average picture. */
export function association(from: Statistics, gene: number, variant: number, attribute: number, scale: number): number {
  const far = estimate(from, gene, variant, attribute).value - (from.overall[attribute] ?? 0);
  return Math.max(-1, Math.min(1, far / Math.max(scale, 1e-6)));
}

/** The distance from the average that 99 % of all variants stay within. */
export function scaleOf(from: Statistics, attribute: number): number {
  const far: number[] = [];
  for (let row = 0; row < from.genes * from.variants; row++) {
    far.push(Math.abs((from.mean[row * from.attributes.length + attribute] ?? 0) - (from.overall[attribute] ?? 0)));
  }
  far.sort((a, b) => a - b);
  return far[Math.floor(0.99 * (far.length - 1))] ?? 1;
}

/** Eq. 6: the probability of each variant of a gene under the wishes, [V]. */
export function geneTable(from: Statistics, gene: number, wishes: readonly Wish[], temperature: number): number[] {
  const scores = Array.from({ length: from.variants }, (_, variant) =>
    wishes.reduce((sum, wish) => {
      const mean = shrunkAt(from, gene, variant, wish.attribute);
      const likelihood = wish.present ? mean : 1 - mean;
      return sum + Math.log(Math.min(1 - FLOOR, Math.max(FLOOR, likelihood))) / temperature;
    }, 0),
  );
  const top = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - top));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / all);
}

/** Genotypes drawn by wish from the tables of the genes. */
export function drawByWish(
  from: Statistics,
  wishes: readonly Wish[],
  temperature: number,
  count: number,
  random: Random,
): number[][] {
  const tables = Array.from({ length: from.genes }, (_, gene) => geneTable(from, gene, wishes, temperature));
  return Array.from({ length: count }, () => tables.map((table) => pick(table, random())));
}

function pick(table: readonly number[], chance: number): number {
  let left = chance;
  for (let variant = 0; variant < table.length; variant++) {
    left -= table[variant]!;
    if (left < 0) return variant;
  }
  return table.length - 1;
}

/** What the statistics add up to for a genotype, [A]: the average picture and each variant's part, within 0 and 1. */
export function expected(from: Statistics, genotype: Genotype): number[] {
  return from.attributes.map((_, attribute) => {
    const average = from.overall[attribute] ?? 0;
    const sum = genotype.reduce((total, variant, gene) => total + shrunkAt(from, gene, variant, attribute) - average, 0);
    return Math.max(0, Math.min(1, average + sum));
  });
}
