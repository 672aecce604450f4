/** What a survey says of variants, as `stylegenes/explorer/site.py` and the server hand it over. */

import type { GeneTable } from "../backend/types";
import type { Random } from "./random";

/** Everything [genes, variants, attributes] is one flat row, the attribute fastest. */
export interface Statistics {
  attributes: readonly string[];
  genes: number;
  variants: number;
  draws: number;
  /** Mean probability over all draws, [A]. */
  mean: ArrayLike<number>;
  /** A variant's mean less the overall one, as it was measured, with its 95 % interval; [G, V, A]. */
  effect: ArrayLike<number>;
  low: ArrayLike<number>;
  high: ArrayLike<number>;
  /** The same freed from sampling noise, [G, V, A]. */
  shrunk: ArrayLike<number>;
  /** Draws that contain each variant, [G, V]. */
  count: ArrayLike<number>;
  /** How strong a gene is, the part of the variance that it explains, how doubtful that is; [G, A]. */
  score: ArrayLike<number>;
  explained: ArrayLike<number>;
  q_value: ArrayLike<number>;
  /** Genes, the strongest first, [A, G]; and how many of them act, [A]. */
  order: ArrayLike<number>;
  acting: ArrayLike<number>;
}

export interface Wish {
  attribute: number;
  present: boolean;
}

const FLOOR = 1e-4;

/** What is known of all genes for one attribute, as the server's `/genes/{attribute}`. */
export function tableOf(from: Statistics, attribute: number): GeneTable {
  const width = from.attributes.length;
  const column = (all: ArrayLike<number>, gene: number) =>
    Float32Array.from({ length: from.variants }, (_, variant) => all[(gene * from.variants + variant) * width + attribute]!);
  const genes = Array.from({ length: from.genes }, (_, gene) => ({
    gene,
    score: from.score[gene * width + attribute]!,
    explained: from.explained[gene * width + attribute]!,
    q_value: from.q_value[gene * width + attribute]!,
    effect: column(from.effect, gene),
    low: column(from.low, gene),
    high: column(from.high, gene),
    shrunk: column(from.shrunk, gene),
    count: Array.from({ length: from.variants }, (_, variant) => from.count[gene * from.variants + variant]!),
  }));
  return {
    attribute: from.attributes[attribute]!,
    mean: from.mean[attribute]!,
    draws: from.draws,
    order: Array.from({ length: from.genes }, (_, place) => from.order[attribute * from.genes + place]!),
    acting: from.acting[attribute]!,
    genes,
  };
}

function meanAt(from: Statistics, gene: number, variant: number, attribute: number): number {
  return from.mean[attribute]! + from.shrunk[(gene * from.variants + variant) * from.attributes.length + attribute]!;
}

/** Eq. 6: the probability of each variant of a gene under the wishes, [V]. */
export function geneTable(from: Statistics, gene: number, wishes: readonly Wish[], temperature: number): number[] {
  const scores = Array.from({ length: from.variants }, (_, variant) =>
    wishes.reduce((sum, wish) => {
      const mean = meanAt(from, gene, variant, wish.attribute);
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
