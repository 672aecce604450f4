import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CodeError, fromString, toString } from "../src/genetics/strings";

interface Written {
  genes: number;
  variants: number;
  codes: number[][];
  strings: string[];
}

/** What the Python package wrote; tests/explorer/test_strings.py makes sure that it still does. */
const written = JSON.parse(readFileSync(new URL("strings.json", import.meta.url), "utf8")) as Written[];

describe("genotype strings", () => {
  for (const shape of written) {
    it(`are the package's for ${shape.genes} genes × ${shape.variants} variants`, () => {
      expect(shape.codes.map((code) => toString(shape, code))).toEqual(shape.strings);
      expect(shape.strings.map((text) => fromString(shape, text))).toEqual(shape.codes);
    });
  }

  it("refuse a wrong letter, a foreign character, another length and another genome in words", () => {
    const [first, second] = [written[0]!, written[3]!];
    const text = first.strings[0]!;
    const wrong = text.slice(0, 5) + (text[5] === "A" ? "B" : "A") + text.slice(6);
    expect(() => fromString(first, wrong)).toThrow("has a wrong letter or belongs to another model");
    expect(() => fromString(first, text.replace(/.$/, "!"))).toThrow("it holds “!”");
    expect(() => fromString(first, text.slice(1))).toThrow("a code string of this model has 46");
    expect(() => fromString(second, text)).toThrow(CodeError);
  });

  it("refuse variants that the genome lacks, though the check sum is right", () => {
    const shape = { genes: 4, variants: 10 };
    for (const crafted of [[0, 0, 0, 15], [10, 9, 9, 9]]) {
      expect(() => fromString(shape, toString(shape, crafted))).toThrow("variants of this genome are 0 to 9");
    }
    expect(fromString(shape, toString(shape, [9, 9, 9, 9]))).toEqual([9, 9, 9, 9]);
  });
});
