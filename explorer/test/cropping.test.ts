import { describe, expect, it } from "vitest";
import { aspectOf, central, heightOf, sized, widest, within } from "../src/state/cropping";

const SHAPES = [[48, 32], [32, 48], [32, 32], [128, 8], [8, 128], [56, 24]].map(([width, height]) => ({ width: width!, height: height! }));
const PICTURES = [[200, 128], [128, 200], [90, 90], [1000, 3], [3, 1000], [1, 1], [20, 11]].map(([width, height]) => ({ width: width!, height: height! }));
const PAIRS = PICTURES.flatMap((picture) => SHAPES.map((shape) => [picture, shape] as const));
const WANTED = [
  { left: -50, top: -50, size: 30 },
  { left: 1e6, top: 1e6, size: 1e6 },
  { left: 3, top: 2, size: 0 },
  { left: 10.4, top: 0.6, size: 17.3 },
];

describe("the part of a picture that is used", () => {
  it.each(PAIRS)("of %j lies within it and has the shape of %j", (picture, shape) => {
    const all = [central(picture, shape), ...WANTED.map((wanted) => within(wanted, picture, shape))];
    for (const crop of [...all, ...WANTED.map((wanted) => sized(central(picture, shape), wanted.size, picture, shape))]) {
      const high = heightOf(crop, shape);
      expect(crop.size / high).toBeCloseTo(aspectOf(shape), 9);
      expect(Math.min(crop.left, crop.top, crop.size, high)).toBeGreaterThanOrEqual(0);
      expect(crop.left + crop.size).toBeLessThanOrEqual(picture.width + 1e-9);
      expect(crop.top + high).toBeLessThanOrEqual(picture.height + 1e-9);
    }
  });

  it.each(PAIRS)("of %j is at first the largest of the shape of %j, in the middle", (picture, shape) => {
    const crop = central(picture, shape);
    const rest = [picture.width - crop.size, picture.height - heightOf(crop, shape)];
    expect(Math.min(...rest)).toBeCloseTo(0, 9);
    expect(crop.size).toBe(widest(picture, shape));
    expect(Math.abs(crop.left - rest[0]! / 2)).toBeLessThan(1);
    expect(Math.abs(crop.top - rest[1]! / 2)).toBeLessThan(1);
  });

  it("grows and shrinks about its middle, until it meets an edge", () => {
    const [picture, shape] = [{ width: 200, height: 200 }, { width: 48, height: 32 }];
    expect(sized({ left: 40, top: 60, size: 120 }, 60, picture, shape)).toEqual({ left: 70, top: 80, size: 60 });
    expect(sized({ left: 0, top: 0, size: 60 }, 120, picture, shape)).toEqual({ left: 0, top: 0, size: 120 });
    expect(sized({ left: 0, top: 0, size: 60 }, 1, picture, shape).size).toBe(24);
  });
});
