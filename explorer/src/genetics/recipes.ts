/** Codes as the pictures' addresses have them: a plain code, style vectors, mixes and ways between; see docs/explorer.md. */

import { CodeError } from "./strings";

/** What changes: layers that another code drives, or how far the way to it goes; as `stylegenes/styles.py` reads it. */
export type Step = { base: string; layers: number[] } | { base: string; share: number };

const MOST_STEPS = 16;

export interface Recipe {
  base: string;
  steps: Step[];
}

/** Throws a CodeError in words for what the package refuses too. */
export function parseRecipe(code: string, layers: number): Recipe {
  const [base = "", ...steps] = code.split("~");
  if (steps.length > MOST_STEPS) {
    throw new CodeError(`a code string of ${steps.length} steps is refused; at most ${MOST_STEPS} are read`);
  }
  return { base, steps: steps.map((step) => parseStep(step, layers)) };
}

function parseStep(step: string, layers: number): Step {
  const exchange = /^([^@]*)@(.*)$/s.exec(step);
  if (exchange) return { base: exchange[1]!, layers: layerNumbers(exchange[2]!, layers) };
  const [base, share] = /^([^*]*)\*(\d(?:\.\d{1,12})?)$/.exec(step)?.slice(1) ?? [];
  if (base === undefined || Number(share) > 1) {
    throw new CodeError(
      `“${step.slice(0, 40)}” is no step of a code string; CODE@0-3 exchanges layers, CODE*0.5 goes half of the way`,
    );
  }
  return { base, share: Number(share) };
}

/** A plain code names one picture of the model's own: no style vectors and no steps. */
export function isPlain(code: string): boolean {
  return !code.startsWith("w.") && !code.includes("~");
}

export function mixed(row: string, column: string, layers: string): string {
  return isSimple(column) ? `${row}~${column}@${layers}` : row;
}

export function between(start: string, end: string, share: number): string {
  if (share <= 0) return start;
  if (share >= 1) return end;
  return `${start}~${end}*${Number(share.toFixed(6))}`;
}

/** A code that another recipe may name: it has no steps of its own. */
export function isSimple(code: string): boolean {
  return !code.includes("~");
}

/** Layers of a model with so many, from text like `0-3+7`; bounded as the package bounds it, since a link can hold any text. */
export function layerNumbers(text: string, count: number): number[] {
  if (!/^\d{1,4}(-\d{1,4})?(\+\d{1,4}(-\d{1,4})?)*$/.test(text)) throw new CodeError(`“${text.slice(0, 40)}” are no layers`);
  const found = text.split("+").flatMap(numbersBetween);
  if (!found.length || found.some((layer) => layer >= count)) {
    throw new CodeError(`layers “${text.slice(0, 40)}”: this model has layers 0 to ${count - 1}`);
  }
  return found;
}

/** The numbers of a range like `0-7`, or the one that is written alone. */
export function numbersBetween(range: string): number[] {
  const [first, last] = range.split("-").map(Number);
  return Array.from({ length: Math.max(0, (last ?? first!) - first! + 1) }, (_, index) => first! + index);
}

export interface Look {
  psi: number;
  cutoff: number | null;
}

/** The part of a look that a static site can follow: truncation. */
export function parseLook(look: string): Look {
  const part = look.split(",").find((one) => one.startsWith("psi="));
  const [psi, cutoff] = (part?.slice(4) ?? "1").split(":");
  return { psi: Number(psi), cutoff: cutoff === undefined ? null : Number(cutoff) };
}
