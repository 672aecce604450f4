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

/** An iTXt chunk, uncompressed UTF-8. */
function textChunk(key: string, value: string): Uint8Array {
  const data = new TextEncoder().encode(`iTXt${key}\0\0\0\0\0${value}`);
  const chunk = new Uint8Array(data.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length - 4);
  chunk.set(data, 4);
  view.setUint32(data.length + 4, crc32(data));
  return chunk;
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
