/** Codes as the pictures' addresses have them: a plain code, style vectors, mixes and ways between; see docs/explorer.md. */

export interface Step {
  base: string;
  /** Layers that the step's code drives, as text like `0-3+7`; or how far the way goes. */
  layers?: string;
  share?: number;
}

export interface Recipe {
  base: string;
  steps: Step[];
}

export function parseRecipe(code: string): Recipe {
  const [base = "", ...steps] = code.split("~");
  return {
    base,
    steps: steps.map((step) => {
      const [other = "", layers] = step.split("@");
      if (layers !== undefined) return { base: other, layers };
      const [start = "", share] = step.split("*");
      return { base: start, share: Number(share) };
    }),
  };
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

/** Bounded as the package bounds it, since a link can hold any text. */
export function layerNumbers(text: string): number[] {
  if (!/^\d{1,4}(-\d{1,4})?([+,]\d{1,4}(-\d{1,4})?)*$/.test(text)) throw new Error(`“${text.slice(0, 40)}” are no layers`);
  return text.split(/[+,]/).flatMap((part) => {
    const [first, last] = part.split("-").map(Number);
    return Array.from({ length: Math.max(0, (last ?? first!) - first! + 1) }, (_, index) => first! + index);
  });
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
