/** Children of one genotype or of two, and how far children differ; the page's side of `analysis/breeding.py`. */

import { below, type Random } from "./random";
import type { Genotype, Shape } from "./strings";

export const CROSSES = ["uniform", "block", "gene"] as const;
export type Cross = (typeof CROSSES)[number];

export interface Breeding {
  count: number;
  mutation: number;
  locked: ReadonlySet<number>;
  cross: Cross;
  /** The second parent's share of the genes, 0 to 1. */
  share: number;
  /** Genes of the second parent, for the cross gene by gene. */
  chosen: ReadonlySet<number>;
}

export function dice(shape: Shape, count: number, random: Random): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: shape.genes }, () => below(random, shape.variants)));
}

/** Each gene that is not locked becomes, with chance `rate`, another variant of its own. */
export function mutate(
  genotype: Genotype,
  rate: number,
  shape: Shape,
  locked: ReadonlySet<number>,
  random: Random,
): number[] {
  return genotype.map((variant, gene) => {
    const hit = random() < rate;
    const step = 1 + below(random, Math.max(1, shape.variants - 1));
    return hit && !locked.has(gene) && shape.variants > 1 ? (variant + step) % shape.variants : variant;
  });
}

/** One child of two; locked genes come from the first parent. */
export function cross(a: Genotype, b: Genotype, how: Breeding, random: Random): number[] {
  const genes = a.length;
  // A block's length is drawn around the share.
  const spread = (random() - 0.5) * Math.min(how.share, 1 - how.share);
  const length = Math.round((how.share + spread) * genes);
  const first = below(random, genes);
  return a.map((variant, gene) => {
    const chance = random();
    const fromB =
      how.cross === "uniform"
        ? chance < how.share
        : how.cross === "block"
          ? (gene - first + genes) % genes < length
          : how.chosen.has(gene);
    return fromB && !how.locked.has(gene) ? b[gene]! : variant;
  });
}

export function breed(shape: Shape, parents: readonly Genotype[], how: Breeding, random: Random): number[][] {
  const children: number[][] = [];
  const seen = new Set<string>();
  for (let tries = 0; children.length < how.count && tries < how.count * 8; tries++) {
    const [a, b] = [parents[0]!, parents[1]];
    const child = mutate(b ? cross(a, b, how, random) : a, how.mutation, shape, how.locked, random);
    const key = child.join();
    // Twins of a parent or of each other are no new pictures; they are taken only where nothing else comes.
    const twin = seen.has(key) || parents.some((parent) => parent.join() === key);
    if (!twin || tries >= how.count * 4) {
      seen.add(key);
      children.push(child);
    }
  }
  return children;
}

export function distance(a: Genotype, b: Genotype): number {
  let different = 0;
  for (let gene = 0; gene < a.length; gene++) if (a[gene] !== b[gene]) different++;
  return different / Math.max(1, a.length);
}

/** Mean share of genes in which two of them differ, 0 to 1. */
export function diversity(genotypes: readonly Genotype[]): number {
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < genotypes.length; i++) {
    for (let j = 0; j < i; j++, pairs++) sum += distance(genotypes[i]!, genotypes[j]!);
  }
  return pairs ? sum / pairs : 0;
}

export function changedGenes(a: Genotype, b: Genotype): number[] {
  return a.flatMap((variant, gene) => (variant === b[gene] ? [] : [gene]));
}
