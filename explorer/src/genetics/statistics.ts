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
  overall: ArrayLike<number>;
  /** A variant's mean less the overall one, freed from its sampling noise, [G, V, A]. */
  effect: ArrayLike<number>;
  /** The 95 % interval of the measured difference, [G, V, A]. */
  low: ArrayLike<number>;
  high: ArrayLike<number>;
  /** Draws that contain each variant, [G, V]. */
  count: ArrayLike<number>;
  /** How strong a gene is, the part of the variance that it explains, how doubtful it is, whether it acts; [G, A]. */
  score: ArrayLike<number>;
  explained: ArrayLike<number>;
  q_value: ArrayLike<number>;
  acts: ArrayLike<number>;
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
    count: Array.from({ length: from.variants }, (_, variant) => from.count[gene * from.variants + variant]!),
  }));
  const order = genes
    .slice()
    .sort((a, b) => b.score - a.score || a.q_value - b.q_value || a.gene - b.gene)
    .map((row) => row.gene);
  return {
    attribute: from.attributes[attribute]!,
    mean: from.overall[attribute]!,
    draws: from.draws,
    order,
    acting: genes.filter((row) => from.acts[row.gene * width + attribute]).length,
    genes,
  };
}

function meanAt(from: Statistics, gene: number, variant: number, attribute: number): number {
  const effect = from.effect[(gene * from.variants + variant) * from.attributes.length + attribute]!;
  return from.overall[attribute]! + effect;
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
