/** The survey's numbers of a static site: one binary file and a table of what is where. */

import type { Statistics } from "../genetics/statistics";
import type { Latent } from "./express";
import type { ModelInfo } from "./types";

export type NumberTable = { name: string; type: string; start: number; length: number }[];

const KINDS = { i2: Int16Array, u4: Uint32Array, f4: Float32Array };

export function readNumbers(bytes: ArrayBuffer, table: NumberTable, model: ModelInfo, latent: Latent): Statistics {
  const found = new Map(
    table.map(({ name, type, start, length }) => {
      const raw = new KINDS[type as keyof typeof KINDS](bytes, start, length);
      // Whole numbers stand for shares between −1 and 1.
      return [name, type === "i2" ? Float32Array.from(raw, (value) => value / latent.fixed) : raw] as const;
    }),
  );
  const get = (name: string) => {
    const numbers = found.get(name);
    if (!numbers) throw new Error(`the survey's numbers lack “${name}”; export the site again`);
    return numbers;
  };
  return {
    attributes: model.attributes,
    genes: model.num_genes,
    variants: model.num_variants,
    draws: latent.draws,
    mean: get("mean"),
    effect: get("effect"),
    low: get("low"),
    high: get("high"),
    shrunk: get("shrunk"),
    count: get("count"),
    score: get("score"),
    explained: get("explained"),
    q_value: get("q_value"),
    order: get("order"),
    acting: get("acting"),
  };
}
