/** Pictures as files that carry their codes: text chunks of PNG, under the same keys as the package's files. */

const SIGNATURE = 8;
const HEADER = 25;

function crc32(bytes: Uint8Array): number {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** A chunk of a PNG: its length, its kind and what it holds, and a sum of the two. */
function chunkOf(kind: string, held: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(held.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, held.length);
  chunk.set(new TextEncoder().encode(kind), 4);
  chunk.set(held, 8);
  view.setUint32(held.length + 8, crc32(chunk.subarray(4, held.length + 8)));
  return chunk;
}

/** An iTXt chunk, uncompressed UTF-8. */
function textChunk(key: string, value: string): Uint8Array {
  return chunkOf("iTXt", new TextEncoder().encode(`${key}\0\0\0\0\0${value}`));
}

/** RGBA pixels as PNG, every value as it is: a canvas forgets the colors of what is nearly clear. */
export async function encodePng(pixels: Uint8ClampedArray, width: number, height: number): Promise<Blob> {
  const row = 4 * width;
  // Each row begins with the number of its filter: none.
  const rows = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  // 8 bits, RGBA.
  head.setUint16(8, 0x0806);
  const parts = [
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunkOf("IHDR", new Uint8Array(head.buffer)),
    chunkOf("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunkOf("IEND", new Uint8Array()),
  ];
  return new Blob(parts as BlobPart[], { type: "image/png" });
}

/** The PNG with `text` inside; the package reads it back (`stylegenes sample --codes FILE`). */
export async function withText(png: Blob, text: Record<string, string>): Promise<Blob> {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const chunks = Object.entries(text).map(([key, value]) => textChunk(key, value));
  const parts = [bytes.subarray(0, SIGNATURE + HEADER), ...chunks, bytes.subarray(SIGNATURE + HEADER)];
  return new Blob(parts as BlobPart[], { type: "image/png" });
}

/** Which channels are red, green, blue and alpha: gray is all three, and of five or more the first three are shown. */
export function planesOf(channels: number): [number, number, number, number | null] {
  const alpha = channels === 2 || channels === 4 ? channels - 1 : null;
  return channels < 3 ? [0, 0, 0, alpha] : [0, 1, 2, alpha];
}

export interface SheetLayout {
  columns: number;
  scale: number;
  gap: number;
}

/** Pictures of one size in rows on white paper, each pixel repeated `scale` times. */
export async function sheet(pictures: ImageBitmap[], layout: SheetLayout): Promise<Blob> {
  const first = pictures[0]!;
  const [stepX, stepY] = [first.width, first.height].map((size) => size * layout.scale + layout.gap) as [number, number];
  const rows = Math.ceil(pictures.length / layout.columns);
  const canvas = new OffscreenCanvas(
    Math.min(layout.columns, pictures.length) * stepX + layout.gap,
    rows * stepY + layout.gap,
  );
  const paper = canvas.getContext("2d")!;
  paper.imageSmoothingEnabled = false;
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, canvas.width, canvas.height);
  pictures.forEach((picture, index) => {
    const x = layout.gap + (index % layout.columns) * stepX;
    const y = layout.gap + Math.floor(index / layout.columns) * stepY;
    const [wide, high] = [first.width * layout.scale, first.height * layout.scale];
    // What is clear in a picture stays clear in the file.
    paper.clearRect(x, y, wide, high);
    paper.drawImage(picture, x, y, wide, high);
  });
  return canvas.convertToBlob({ type: "image/png" });
}
