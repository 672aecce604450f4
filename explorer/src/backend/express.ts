/** Codes to style vectors, as `Generator.express` makes them: what a static site does before the network draws. */

import { readFloats, slerp, writeFloats } from "../genetics/continuous";
import { isPlain, parseRecipe, type Look } from "../genetics/recipes";
import { fromString } from "../genetics/strings";

export interface Latent {
  /** The mean of w, which truncation pulls towards. */
  mean: number[];
  label: number[];
  z_dim: number;
  /** Whether the way between two codes is the straight line between their w. */
  straight: boolean;
  draws: number;
  fixed: number;
}

export interface Sizes {
  num_ws: number;
  w_dim: number;
  num_genes: number;
  num_variants: number;
}

/** w of a plain code: a genome's bank is at hand, a mapping network is run. */
export type Expression = (code: string) => Promise<Float32Array> | Float32Array;

export function bankExpression(bank: Float32Array, sizes: Sizes): Expression {
  const width = sizes.w_dim / sizes.num_genes;
  const shape = { genes: sizes.num_genes, variants: sizes.num_variants };
  return (code) => {
    const w = new Float32Array(sizes.w_dim);
    fromString(shape, code).forEach((variant, gene) => {
      const start = (gene * sizes.num_variants + variant) * width;
      w.set(bank.subarray(start, start + width), gene * width);
    });
    return w;
  };
}

/** Style vectors [num_ws, w_dim] of a code, layer by layer in one row. */
export async function express(code: string, look: Look, latent: Latent, sizes: Sizes, plain: Expression) {
  const { base: first, steps } = parseRecipe(code, sizes.num_ws);
  let ws = await base(first, sizes, plain);
  for (const [index, step] of steps.entries()) {
    const other = await base(step.base, sizes, plain);
    if ("layers" in step) {
      for (const layer of step.layers) {
        const start = layer * sizes.w_dim;
        ws.set(other.subarray(start, start + sizes.w_dim), start);
      }
    } else if (index === 0 && !latent.straight && isPlain(first) && isPlain(step.base)) {
      // Of two plain codes the latent has a way of its own.
      const [start, end] = [first, step.base].map((one) => readFloats(one, latent.z_dim)) as [Float32Array, Float32Array];
      ws = await base(writeFloats(slerp(start, end, step.share)), sizes, plain);
    } else {
      for (let at = 0; at < ws.length; at++) ws[at] = ws[at]! + step.share * (other[at]! - ws[at]!);
    }
  }
  truncate(ws, look, latent, sizes);
  return ws;
}

function truncate(ws: Float32Array, look: Look, latent: Latent, sizes: Sizes): void {
  const end = look.cutoff === null ? sizes.num_ws : Math.min(look.cutoff, sizes.num_ws);
  for (let at = 0; look.psi !== 1 && at < end * sizes.w_dim; at++) {
    const mean = latent.mean[at % sizes.w_dim]!;
    ws[at] = mean + look.psi * (ws[at]! - mean);
  }
}

async function base(code: string, sizes: Sizes, plain: Expression) {
  const all = sizes.num_ws * sizes.w_dim;
  if (code.startsWith("w.")) {
    const text = code.slice(2);
    const whole = text.length > Math.ceil((4 * sizes.w_dim * 8) / 6);
    return whole ? readFloats(text, all) : repeated(readFloats(text, sizes.w_dim), sizes.num_ws);
  }
  return repeated(await plain(code), sizes.num_ws);
}

function repeated(w: Float32Array, times: number): Float32Array {
  const ws = new Float32Array(w.length * times);
  for (let layer = 0; layer < times; layer++) ws.set(w, layer * w.length);
  return ws;
}
