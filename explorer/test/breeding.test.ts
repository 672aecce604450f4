import { describe, expect, it } from "vitest";
import { breed, changedGenes, dice, diversity, mutate, type Breeding } from "../src/genetics/breeding";
import { randomOf } from "../src/genetics/random";

const shape = { genes: 32, variants: 256 };
const plain: Breeding = {
  count: 12,
  mutation: 0,
  locked: new Set(),
  cross: "uniform",
  share: 0.5,
  chosen: new Set(),
};
const [a, b] = dice(shape, 2, randomOf(1)) as [number[], number[]];

describe("breeding", () => {
  it("gives every child genes of its parents alone without mutation", () => {
    for (const cross of ["uniform", "block"] as const) {
      for (const child of breed(shape, [a, b], { ...plain, cross }, randomOf(2))) {
        expect(child.every((variant, gene) => variant === a[gene] || variant === b[gene])).toBe(true);
      }
    }
  });

  it("takes the share of the second parent that was asked for", () => {
    const taken = breed(shape, [a, b], { ...plain, share: 0.2, count: 200 }, randomOf(3));
    const mean = taken.reduce((sum, child) => sum + changedGenes(a, child).length, 0) / taken.length / shape.genes;
    expect(mean).toBeGreaterThan(0.15);
    expect(mean).toBeLessThan(0.25);
  });

  it("exchanges the chosen genes and keeps locked ones", () => {
    const how = { ...plain, cross: "gene" as const, chosen: new Set([3, 7]), locked: new Set([7]), count: 1 };
    expect(changedGenes(a, breed(shape, [a, b], how, randomOf(4))[0]!)).toEqual([3]);
  });

  it("mutates unlocked genes at the rate", () => {
    const locked = new Set([0, 1, 2, 3]);
    let hits = 0;
    const random = randomOf(5);
    for (let i = 0; i < 500; i++) {
      const genes = changedGenes(a, mutate(a, 0.1, shape, locked, random));
      expect(genes.some((gene) => locked.has(gene))).toBe(false);
      hits += genes.length;
    }
    expect(hits / 500 / 28).toBeCloseTo(0.1, 1);
  });

  it("widens and narrows children by the rate of mutation", () => {
    const at = (mutation: number) => diversity(breed(shape, [a], { ...plain, mutation }, randomOf(6)));
    expect(at(0.4)).toBeGreaterThan(at(0.1));
    expect(at(0.02)).toBeLessThan(at(0.1));
  });

  it("is repeated by its seed and ends where no other child is possible", () => {
    const how = { ...plain, mutation: 0.1 };
    expect(breed(shape, [a], how, randomOf(7))).toEqual(breed(shape, [a], how, randomOf(7)));
    expect(breed(shape, [a], plain, randomOf(7)).every((child) => child.join() === a.join())).toBe(true);
    expect(breed({ genes: 3, variants: 1 }, [[0, 0, 0]], how, randomOf(7)).length).toBe(12);
  });
});
