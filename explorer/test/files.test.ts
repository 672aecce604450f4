import { describe, expect, it } from "vitest";
import { planesOf } from "../src/backend/files";

describe("planesOf", () => {
  it("shows every number of channels as the package does", () => {
    expect([1, 2, 3, 4, 5].map(planesOf)).toEqual([[0, 0, 0, null], [0, 0, 0, 1], [0, 1, 2, null], [0, 1, 2, 3], [0, 1, 2, null]]);
  });
});
