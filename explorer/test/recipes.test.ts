import { describe, expect, it } from "vitest";
import { express, type Latent } from "../src/backend/express";
import { childShare, readFloats, slerp, writeFloats } from "../src/genetics/continuous";
import { layerNumbers, parseRecipe } from "../src/genetics/recipes";
import { randomOf } from "../src/genetics/random";
import { CodeError } from "../src/genetics/strings";
import { numbersOf } from "../src/state/making";

describe("a recipe", () => {
  it("is read as the package reads it", () => {
    const steps = [{ base: "B", layers: [0, 1, 2, 5] }, { base: "w.C", share: 0.25 }];
    expect(parseRecipe("A~B@0-2+5~w.C*0.25", 6)).toEqual({ base: "A", steps });
    expect(parseRecipe("A", 6)).toEqual({ base: "A", steps: [] });
  });
  it("that the package refuses is refused in words", () => {
    for (const step of ["B", "B*", "B*x", "B*1.5", "B*-1", "B*.5", "B*1e-1", "B*0.5*0.5", "", "@", "B@", "B@6", "B@0-9", "B@2-1", "B@0,1"]) {
      expect(() => parseRecipe(`A~${step}`, 6), step).toThrow(CodeError);
    }
    expect(() => parseRecipe(`A${"~B*0.5".repeat(17)}`, 6)).toThrow("at most 16 are read");
  });
  it("names layers that a link may not make too many", () => {
    for (const text of ["", "x", "0-99999999999", "1.5", "-1", "0+"]) expect(() => layerNumbers(text, 9), text).toThrow(/are no layers/);
    expect(() => layerNumbers("9", 9)).toThrow("this model has layers 0 to 8");
  });
});

describe("the way between two codes of a Gaussian", () => {
  const [a, b] = [Float32Array.of(2, 0), Float32Array.of(0, 4)];
  const sizes = { num_ws: 2, w_dim: 2, num_genes: 0, num_variants: 0 };
  const latent = (straight: boolean): Latent => ({ mean: [0, 0], label: [], z_dim: 2, straight, draws: 0, fixed: 1 });
  const at = async (code: string, straight: boolean) => [
    ...(await express(code, { psi: 1, cutoff: null }, latent(straight), sizes, (one) => readFloats(one, 2))),
  ];
  const [start, end] = [writeFloats(a), writeFloats(b)];

  it("is the great arc where the latent's own is, and else the line", async () => {
    const arc = 3 * Math.SQRT1_2;
    const close = (found: number[], expected: number[]) => found.forEach((one, index) => expect(one).toBeCloseTo(expected[index]!));
    close(await at(`${start}~${end}*0.5`, false), [arc, arc, arc, arc]);
    expect(await at(`${start}~${end}*0.5`, true)).toEqual([1, 2, 1, 2]);
    // Style vectors, and what was exchanged already, have no code to go from.
    expect(await at(`w.${start}~${end}*0.5`, false)).toEqual([1, 2, 1, 2]);
    expect(await at(`${start}~${start}@0~${end}*0.5`, false)).toEqual([1, 2, 1, 2]);
  });
  it("stands still between a code and itself", () => {
    expect([...slerp(a, a, 0.3)]).toEqual([2, 0]);
    expect([...slerp(Float32Array.of(0, 0), b, 0.5)].every(Number.isFinite)).toBe(true);
  });
  it("has children a quarter to both sides of the share", () => {
    const random = randomOf(3);
    const shares = Array.from({ length: 500 }, () => childShare(0.5, random));
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0.25);
    expect(Math.max(...shares)).toBeLessThanOrEqual(0.75);
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.45);
  });
});

describe("genes that somebody wrote", () => {
  it("are numbers and ranges, and anything else is said", () => {
    expect(numbersOf(" 0-2, 12,")).toEqual([0, 1, 2, 12]);
    for (const text of ["a", "12345", "1;2", "3,x"]) expect(() => numbersOf(text), text).toThrow(/are no genes/);
  });
});
