import { describe, expect, it } from "vitest";
import { randomOf } from "../src/genetics/random";
import { drawByWish, geneTable, tableOf, type Statistics } from "../src/genetics/statistics";

/** Two genes of three variants and one attribute; only gene 1 acts. */
const toy: Statistics = {
  attributes: ["Smiling"],
  genes: 2,
  variants: 3,
  draws: 300,
  mean: [0.5],
  effect: [0.02, -0.01, -0.01, 0.31, -0.42, 0.12],
  shrunk: [0, 0, 0, 0.3, -0.4, 0.1],
  low: [-0.1, -0.1, -0.1, 0.2, -0.5, -0.1],
  high: [0.1, 0.1, 0.1, 0.4, -0.3, 0.3],
  count: [100, 100, 100, 90, 110, 100],
  score: [0, 1.2],
  explained: [0, 0.4],
  q_value: [1, 0],
  order: [1, 0],
  acting: [1],
};
const wish = { attribute: 0, present: true };

describe("statistics", () => {
  it("become the table of one attribute, the strongest gene first", () => {
    const table = tableOf(toy, 0);
    expect([table.order, table.acting, table.mean]).toEqual([[1, 0], 1, 0.5]);
    expect(Array.from(table.genes[1]!.effect)).toEqual([0.31, -0.42, 0.12].map(Math.fround));
    expect(table.genes[1]!.count).toEqual([90, 110, 100]);
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
});
