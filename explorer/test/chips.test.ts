import { describe, expect, it } from "vitest";
import { describeVariant, rankVariants, sampleVariants, shade } from "../src/genetics/chips";
import type { GeneTable } from "../src/backend/types";

const row = {
  gene: 0,
  score: 1,
  explained: 0.2,
  q_value: 0,
  effect: [0.1, -0.3, 0.2, 0],
  shrunk: [0.1, -0.25, 0.15, 0],
  low: [0, -0.4, 0.1, -0.1],
  high: [0.2, -0.2, 0.9, 0.1],
  count: [10, 20, 30, 0],
};
const table: GeneTable = { attribute: "Long_Hair", mean: 0.4, draws: 60, order: [0], acting: 1, genes: [row] };

describe("chips", () => {
  it("stand in the order of the effect, or of the number", () => {
    expect(rankVariants(row, 4)).toEqual([1, 3, 0, 2]);
    expect(rankVariants(undefined, 3)).toEqual([0, 1, 2]);
  });

  it("keep both ends and the present variant when there is room for some", () => {
    const ranked = Array.from({ length: 256 }, (_, index) => 255 - index);
    for (const present of [0, 255, 100, 101, 7]) {
      const shown = sampleVariants(ranked, 24, present);
      expect(shown).toContain(present);
      expect([shown[0], shown.at(-1), new Set(shown).size]).toEqual([255, 0, 24]);
      expect(shown).toEqual([...shown].sort((a, b) => b - a));
    }
    expect(sampleVariants([2, 0, 1], 24, 1)).toEqual([2, 0, 1]);
  });

  it("are said in words, with value, interval within 0 and 100 % and count", () => {
    expect(describeVariant(table, row, 2)).toBe(
      "Long Hair 60 % (measured 50 % to 100 %), seen 30 times; all pictures 40 %",
    );
    expect(describeVariant(table, row, 3)).toBe("Long Hair: never seen in the survey");
    expect([shade(0.5, 0.3), shade(-0.06, 0.3), shade(0, 0.3)]).toEqual([5, -1, 0]);
  });
});
