import { beforeEach, describe, expect, it } from "vitest";
import { BrowserSessions } from "../src/backend/localSessions";
import { SessionState } from "../src/state/session";

const node = (code: string) => ({ code, look: "plain", parents: [], operation: "dice", arguments: {} });

/** A browser's storage of so many letters, whose keys are its own properties. */
class FakeStorage {
  [key: string]: unknown;
  constructor(room: { letters: number }) {
    Object.defineProperty(this, "room", { value: room });
  }
  getItem(key: string): string | null {
    return Object.hasOwn(this, key) ? (this[key] as string) : null;
  }
  setItem(key: string, text: string): void {
    const others = Object.keys(this).filter((one) => one !== key);
    const letters = others.reduce((sum, one) => sum + (this[one] as string).length, text.length);
    if (letters > (this["room"] as { letters: number }).letters) throw new DOMException("full", "QuotaExceededError");
    this[key] = text;
  }
}

const room = { letters: Infinity };
let listeners: ((event: { key: string | null }) => void)[] = [];

function opened(localStorage: FakeStorage | null) {
  const window = {
    get localStorage() {
      if (!localStorage) throw new DOMException("blocked", "SecurityError");
      return localStorage;
    },
    addEventListener: (_: string, listen: (typeof listeners)[number]) => listeners.push(listen),
  };
  Object.assign(globalThis, { window });
}

/** A tab with its page's state of the session `s`. */
async function tab(): Promise<SessionState> {
  const state = new SessionState(new BrowserSessions("m", "weights"));
  const known = (await state.list()).some((one) => one.name === "s");
  await (known ? state.change("s") : state.create("s"));
  return state;
}

const codes = (state: SessionState) => state.nodes.value.map((one) => one.code);
const settled = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  room.letters = Infinity;
  listeners = [];
  opened(new FakeStorage(room));
});

describe("two tabs", () => {
  it("keep what either has made", async () => {
    const a = await tab();
    await a.add([node("base")], 0);
    const b = await tab();
    for (const code of ["A1", "A2", "A3"]) await a.add([node(code)], 0);
    await b.add([node("B1")], 0);
    await a.favorite("base");
    expect(codes(await tab())).toEqual(["base", "A1", "A2", "A3", "B1"]);
    expect((await tab()).favorites.value.map((one) => one.code)).toEqual(["base"]);
    expect(b.nodes.value.at(-1)!.id).toBe(5);
    await b.goTo(node("base"));
    expect((await tab()).current.value).toBe(1);
  });
  it("see what the other has made, and stay where they are", async () => {
    const [a, b] = [await tab(), await tab()];
    await a.add([node("A1")], 0);
    await b.add([node("B1")], 0);
    for (const listen of listeners) listen({ key: "stylegenes/m/s" });
    for (const listen of listeners) listen({ key: "stylegenes/other/s" });
    for (const listen of listeners) listen({ key: null });
    await settled();
    expect([codes(a), codes(b)]).toEqual([["A1", "B1"], ["A1", "B1"]]);
    expect([a.currentNode.value?.code, b.currentNode.value?.code]).toEqual(["A1", "B1"]);
    expect([a.undo.value, b.undo.value]).toEqual([true, true]);
  });
  it("undo what the other has made, though it was not seen", async () => {
    const [a, b] = [await tab(), await tab()];
    await b.add([node("B1")], 0);
    await a.add([node("A1")], 0);
    await a.step("undo");
    expect(a.currentNode.value?.code).toBe("B1");
  });
});

describe("a full storage", () => {
  it("is said once, and what is new can still be exported", async () => {
    const store = new BrowserSessions("m", "weights");
    const words: string[] = [];
    store.watch({ unkept: (told) => words.push(told), changed: () => {} });
    await store.create("s");
    await store.add("s", [node("kept")], 0);
    expect(words).toEqual([]);
    room.letters = 400;
    for (const code of ["x".repeat(300), "y"]) await store.add("s", [node(code)], 0);
    expect(words).toEqual([expect.stringContaining("no more room")]);
    expect(words[0]).toContain("“s”");
    const file = JSON.parse(await (await store.exported("s")).text()) as { nodes: { code: string }[] };
    expect(file.nodes.map((one) => one.code)).toEqual(["kept", "x".repeat(300), "y"]);
    expect((await store.open("s")).nodes).toHaveLength(3);
    expect(codes(await tab())).toEqual(["kept"]);
    room.letters = Infinity;
    await store.select("s", 1);
    expect(words.at(-1)).toBe("");
    expect(codes(await tab())).toHaveLength(3);
  });
  it("does not let one tab destroy what another could still keep", async () => {
    const [a, b] = [await tab(), await tab()];
    room.letters = 300;
    await a.add([node("x".repeat(300))], 0);
    expect(a.unkept.value).not.toBe("");
    room.letters = Infinity;
    await b.add([node("B1")], 0);
    await expect(a.add([node("A2")], 0)).rejects.toThrow(/another tab went on/);
    expect(codes(await tab())).toEqual(["B1"]);
    expect(JSON.parse(await (await a.exported()).text()).nodes).toHaveLength(1);
  });
  it("takes new sessions onto the page alone", async () => {
    room.letters = 0;
    const state = await tab();
    await state.add([node("a")], 0);
    expect(state.unkept.value).toContain("“s”");
    expect((await state.list()).map((one) => one.name)).toEqual(["s"]);
    await expect(state.create("s")).rejects.toThrow(/already/);
  });
});

describe("a browser that keeps nothing", () => {
  it("has its sessions on the page, and says so", async () => {
    opened(null);
    const state = await tab();
    await state.add([node("a")], 0);
    await state.add([node("b")], 0);
    await state.step("undo");
    expect(state.currentNode.value?.code).toBe("a");
    expect(state.unkept.value).toContain("keeps nothing");
  });
});

describe("a session that others have damaged", () => {
  it("is said, unless the page still has it", async () => {
    const a = await tab();
    await a.add([node("a")], 0);
    window.localStorage.setItem("stylegenes/m/s", "{");
    await expect(new BrowserSessions("m", "weights").open("s")).rejects.toThrow(/damaged/);
    await expect(new BrowserSessions("m", "weights").open("t")).rejects.toThrow(/no session/);
    await a.add([node("b")], 0);
    expect(codes(await tab())).toEqual(["a", "b"]);
  });
});
