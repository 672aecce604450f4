/** Genotype strings: base64 of one whole number and a check sum, as `stylegenes/latents/genome.py` writes them. */

export interface Shape {
  genes: number;
  variants: number;
}

export type Genotype = readonly number[];

export class CodeError extends Error {}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let letter = 0; letter <= Math.min(left, 3); letter++) text += LETTERS[(word >> (18 - 6 * letter)) & 63];
  }
  return text;
}

export function fromBase64(text: string, numBytes: number): Uint8Array {
  const given = text.trim();
  const shown = given.length <= 60 ? given : `${given.slice(0, 60)}…`;
  const length = Math.ceil((numBytes * 8) / 6);
  const foreign = /[^A-Za-z0-9_-]/.exec(given);
  if (foreign) {
    throw new CodeError(`“${shown}” is no code string: it holds “${foreign[0]}”; letters, digits, - and _ make one`);
  }
  if (given.length !== length) {
    throw new CodeError(`“${shown}” has ${given.length} characters; a code string of this model has ${length}`);
  }
  const bytes = new Uint8Array(numBytes);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of given) {
    held = ((held << 6) | LETTERS.indexOf(letter)) & 0xffff;
    bits += 6;
    if (bits >= 8 && at < numBytes) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
  }
  return bytes;
}

/** CRC-16 with polynomial 0x1021, from 0, unreflected (XMODEM). */
export function crc16(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1) & 0xffff;
  }
  return sum;
}

export function bitsOf(shape: Shape): number {
  return Math.max(1, Math.ceil(Math.log2(shape.variants)));
}

function checkSum(shape: Shape, packed: Uint8Array): number {
  const name = new TextEncoder().encode(`${shape.genes}x${shape.variants}`);
  const all = new Uint8Array(name.length + packed.length);
  all.set(name);
  all.set(packed, name.length);
  return crc16(all);
}

export function toString(shape: Shape, genotype: Genotype): string {
  const bits = bitsOf(shape);
  const numBytes = Math.ceil((shape.genes * bits) / 8);
  const bytes = new Uint8Array(numBytes + 2);
  for (let gene = 0; gene < shape.genes; gene++) {
    const lowest = (shape.genes - 1 - gene) * bits;
    for (let bit = 0; bit < bits; bit++) {
      const place = lowest + bit;
      if (((genotype[gene] ?? 0) >> bit) & 1) bytes[numBytes - 1 - (place >> 3)]! |= 1 << (place & 7);
    }
  }
  const sum = checkSum(shape, bytes.subarray(0, numBytes));
  bytes[numBytes] = sum >> 8;
  bytes[numBytes + 1] = sum & 255;
  return toBase64(bytes);
}

/** Throws a CodeError in words for a string that is damaged or another model's. */
export function fromString(shape: Shape, text: string): number[] {
  const bits = bitsOf(shape);
  const numBytes = Math.ceil((shape.genes * bits) / 8);
  const data = fromBase64(text, numBytes + 2);
  const packed = data.subarray(0, numBytes);
  if (checkSum(shape, packed) !== data[numBytes]! * 256 + data[numBytes + 1]!) {
    throw new CodeError(
      `“${text.trim()}” has a wrong letter or belongs to another model; ` +
        `this genome has ${shape.genes} genes × ${shape.variants} variants`,
    );
  }
  const genotype: number[] = [];
  for (let gene = 0; gene < shape.genes; gene++) {
    const lowest = (shape.genes - 1 - gene) * bits;
    let variant = 0;
    for (let bit = 0; bit < bits; bit++) {
      const place = lowest + bit;
      variant |= ((packed[numBytes - 1 - (place >> 3)]! >> (place & 7)) & 1) << bit;
    }
    genotype.push(variant);
  }
  const most = Math.max(...genotype);
  if (most >= shape.variants) {
    throw new CodeError(`“${text.trim()}” holds variant ${most}; variants of this genome are 0 to ${shape.variants - 1}`);
  }
  return genotype;
}
