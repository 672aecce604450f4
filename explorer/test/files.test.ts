import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodePng, planesOf, withText } from "../src/backend/files";

describe("planesOf", () => {
  it("shows every number of channels as the package does", () => {
    expect([1, 2, 3, 4, 5].map(planesOf)).toEqual([[0, 0, 0, null], [0, 0, 0, 1], [0, 1, 2, null], [0, 1, 2, 3], [0, 1, 2, null]]);
  });
});

/** The chunks of a PNG by their kinds. */
function chunksOf(file: Buffer): [string, Buffer][] {
  const found: [string, Buffer][] = [];
  for (let at = 8; at < file.length; at += file.readUInt32BE(at) + 12) {
    const length = file.readUInt32BE(at);
    found.push([file.toString("latin1", at + 4, at + 8), file.subarray(at + 8, at + 8 + length)]);
  }
  return found;
}

describe("encodePng", () => {
  it("keeps every value, of what is clear too, and takes texts", async () => {
    const pixels = Uint8ClampedArray.from({ length: 4 * 3 * 2 }, (_, index) => (index % 4 === 3 ? index % 8 : 10 * index));
    const png = await withText(await encodePng(pixels, 3, 2), { Codes: "ä" });
    const chunks = chunksOf(Buffer.from(await png.arrayBuffer()));
    expect(chunks.map(([kind]) => kind)).toEqual(["IHDR", "iTXt", "IDAT", "IEND"]);
    const [[, head], [, text], [, packed]] = chunks as [[string, Buffer], [string, Buffer], [string, Buffer]];
    expect([...head]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 6, 0, 0, 0]);
    expect(text.toString()).toBe("Codes\0\0\0\0\0ä");
    const rows = inflateSync(packed);
    expect([...rows]).toEqual([0, ...pixels.subarray(0, 12), 0, ...pixels.subarray(12)]);
  });
});
