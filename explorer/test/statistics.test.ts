import { describe, expect, it } from "vitest";
import { randomOf } from "../src/genetics/random";
import { drawByWish, estimate, expected, geneTable, ranked, scaleOf, type Statistics } from "../src/genetics/statistics";

/** Two genes of three variants and one attribute; only gene 1 acts. */
const toy: Statistics = {
  attributes: ["Smiling"],
  genes: 2,
  variants: 3,
  draws: 300,
  overall: [0.5],
  mean: [0.52, 0.49, 0.49, 0.8, 0.1, 0.6],
  shrunk: [0.5, 0.5, 0.5, 0.8, 0.1, 0.6],
  error: [0.05, 0.05, 0.05, 0.05, 0.05, 0.3],
  seen: [100, 100, 100, 90, 110, 100],
  explained: [0, 0.4],
  doubt: [1, 0],
};
const wish = { attribute: 0, present: true };

describe("statistics", () => {
  it("tell value, interval within 0 and 1, and count", () => {
    expect(estimate(toy, 1, 2, 0)).toEqual({ value: 0.6, low: 0.6 - 1.96 * 0.3, high: 1, seen: 100 });
    expect(ranked(toy, 1, 0)).toEqual([1, 2, 0]);
    expect(scaleOf(toy, 0)).toBeCloseTo(0.3);
  });

  it("make the tables of Eq. 6", () => {
    const table = geneTable(toy, 1, [wish], 0.5);
    const weights = [0.8, 0.1, 0.6].map((p) => p ** 2);
    const all = weights[0]! + weights[1]! + weights[2]!;
    table.forEach((p, variant) => expect(p).toBeCloseTo(weights[variant]! / all));
    geneTable(toy, 0, [wish], 0.5).forEach((p) => expect(p).toBeCloseTo(1 / 3));
    expect(geneTable(toy, 1, [{ ...wish, present: false }], 1)[1]).toBeCloseTo(0.9 / (0.2 + 0.9 + 0.4));
  });

  it("draw what was wished for more often", () => {
    const drawn = drawByWish(toy, [wish], 0.5, 400, randomOf(1));
    expect(drawn.filter((genotype) => genotype[1] === 1).length).toBeLessThan(20);
    expect(new Set(drawn.map((genotype) => genotype[0])).size).toBe(3);
  });

  it("add up to what a genotype is expected to show", () => {
    expect(expected(toy, [0, 1])[0]).toBeCloseTo(0.1);
    expect(expected(toy, [0, 0])[0]).toBeCloseTo(0.8);
  });
});
