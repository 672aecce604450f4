/** Where the part of a picture lies that a model is given: always of the shape of the model's own pictures. */

import type { Crop } from "../backend/types";

export interface Size {
  width: number;
  height: number;
}

/** Pixels that the shorter side of a part keeps, where the picture has them. */
const LEAST = 16;

/** Width by height of a shape. */
export function aspectOf({ width, height }: Size): number {
  return width / height;
}

/** The width of the largest part of a picture that has a shape. */
export function widest(picture: Size, shape: Size): number {
  return Math.min(picture.width, picture.height * aspectOf(shape));
}

/** The part's height: what the shape asks for its width. */
export function heightOf(crop: Crop, shape: Size): number {
  return crop.size / aspectOf(shape);
}

/** The largest part, in the middle. */
export function central(picture: Size, shape: Size): Crop {
  const size = widest(picture, shape);
  const place = (room: number) => Math.max(0, Math.floor(room / 2));
  const middle = { left: place(picture.width - size), top: 0, size };
  return { ...middle, top: place(picture.height - heightOf(middle, shape)) };
}

/** The nearest part that lies in the picture and is not too small. */
export function within(wanted: Crop, picture: Size, shape: Size): Crop {
  const most = widest(picture, shape);
  const size = Math.max(Math.min(most, LEAST * Math.max(1, aspectOf(shape))), Math.min(most, wanted.size));
  const place = (value: number, room: number) => Math.max(0, Math.min(room, Math.round(value)));
  return {
    left: place(wanted.left, picture.width - size),
    top: place(wanted.top, picture.height - heightOf({ ...wanted, size }, shape)),
    size,
  };
}

/** The part of another width about the same middle, as far as the picture allows. */
export function sized(crop: Crop, size: number, picture: Size, shape: Size): Crop {
  const grown = { ...crop, size };
  const left = crop.left + (crop.size - size) / 2;
  const top = crop.top + (heightOf(crop, shape) - heightOf(grown, shape)) / 2;
  return within({ left, top, size }, picture, shape);
}
