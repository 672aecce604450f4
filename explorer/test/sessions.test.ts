import { describe, expect, it } from "vitest";
import { freeName, readSession, writeSession } from "../src/backend/sessionFiles";
import type { SessionNode } from "../src/backend/types";
import { isLabel } from "../src/state/look";
import { familyOf, generationsOf } from "../src/state/session";

const node = (id: number, more: object = {}): SessionNode => ({
  id,
  code: "x",
  look: "plain",
  parents: [],
  operation: "dice",
  arguments: {},
  created: "2026",
  favorite: false,
  ...more,
});
const file = (more: object = {}) => {
  const about = { format: "stylegenes-session", version: 1, name: "ours", model: "m" };
  return JSON.stringify({ ...about, nodes: [node(7)], steps: [{ id: 3, node: 7, previous: null }], step: 3, ...more });
};

describe("files of sessions", () => {
  it("hold what was written", () => {
    const told = { name: "ours", nodes: [node(1), node(2, { parents: [1], favorite: true })], trail: [1, 2, 1], place: 2 };
    expect(readSession(writeSession(told, "m"), "m")).toEqual(told);
    const undone = readSession(writeSession({ ...told, place: 0 }, "m"), "m");
    expect([undone.trail, undone.place]).toEqual([[1, 2, 1], 0]);
    const steps = [[1, null, 7], [2, 1, 7], [3, 1, 8], [4, 3, 7]].map(([id, previous, node]) => ({ id, previous, node }));
    const undoneThere = readSession(file({ nodes: [node(7), node(8)], steps, step: 1 }), "m");
    expect([undoneThere.trail, undoneThere.place]).toEqual([[1, 2, 1], 0]);
    expect(readSession(writeSession({ name: "n", nodes: [], trail: [], place: -1 }, "m"), "m").place).toBe(-1);
  });
  it("of a server are numbered anew, so that what is added later has numbers of its own", () => {
    const nodes = [node(40), node(41, { parents: [40] }), node(2, { parents: [41] })];
    const found = readSession(file({ nodes, steps: [{ id: 9, node: 2, previous: null }], step: 9 }), "m");
    expect(found.nodes.map((one) => [one.id, one.parents])).toEqual([[1, []], [2, [1]], [3, [2]]]);
    expect(found.trail).toEqual([3]);
  });
  it("that anybody may have written are refused in words", () => {
    const wrong = [
      "",
      "null",
      "[]",
      "{",
      file({ format: "another" }),
      file({ version: 2 }),
      file({ model: "other" }),
      file({ name: "" }),
      file({ name: "a/b" }),
      file({ name: "a\u0000" }),
      file({ name: "n".repeat(81) }),
      file({ nodes: null }),
      file({ nodes: [null] }),
      file({ nodes: [{}] }),
      file({ nodes: [node(1, { arguments: null })], steps: [], step: null }),
      file({ nodes: [node(1, { parents: null })], steps: [], step: null }),
      file({ nodes: [node(1, { parents: [1] })], steps: [], step: null }),
      file({ nodes: [node(1, { code: { toString: 1 } })], steps: [], step: null }),
      file({ steps: [{ id: 3, node: 8, previous: null }] }),
      file({ steps: [{ id: 3, node: 7, previous: 3 }] }),
      file({ step: 4 }),
    ];
    for (const text of wrong) expect(() => readSession(text, "m"), text).toThrow(/this (file|session) is/);
  });
  it("change no prototype", () => {
    const text = file().replace('"arguments":{}', '"arguments":{"__proto__":{"stain":1}}');
    expect(readSession(text, "m").nodes).toHaveLength(1);
    expect(({} as { stain?: number }).stain).toBeUndefined();
  });
  it("get the next free name, which is not too long either", () => {
    expect(freeName("a", new Set(["a", "a-2"]))).toBe("a-3");
    expect(freeName("n".repeat(80), new Set(["n".repeat(80)]))).toBe(`${"n".repeat(78)}-2`);
  });
});

describe("a session", () => {
  it("is shown whatever stands in its arguments", () => {
    const odd = { toString: 1, valueOf: 1 };
    const found = generationsOf([node(1, { arguments: { batch: odd } }), node(2, { arguments: { batch: 5 } }), node(3, { arguments: { batch: 5 } })]);
    expect(found.map((one) => one.nodes.length)).toEqual([2, 1]);
  });
  it("may be of very many generations", () => {
    const nodes = new Map(Array.from({ length: 50_000 }, (_, id) => [id, node(id, { parents: id ? [id - 1] : [] })]));
    const family = familyOf(nodes, 49_999);
    expect(family.find((one) => one.role === "current")?.level).toBe(49_999);
    expect(family.find((one) => one.node.id === 49_998)?.level).toBe(49_998);
  });
});

describe("a label in a link", () => {
  it("is of columns that the model has", () => {
    for (const text of ["0:1", "2", "0:0.5;2:1"]) expect(isLabel(text, 3), text).toBe(true);
    for (const text of ["", "3:1", "9:9", "0:1;3:1", "0:", ":1", "0:1;", "x", "0:999", "0:1.2.3"]) expect(isLabel(text, 3), text).toBe(false);
    expect(isLabel("0:1", 0)).toBe(false);
  });
});

