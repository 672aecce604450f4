import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BrowserSessions } from "../src/backend/localSessions";
import type { Backend, Info, NewNode } from "../src/backend/types";
import { putAddress } from "../src/state/address";
import { App } from "../src/state/app";
import { lastly } from "../src/state/lastly";
import { toString } from "../src/genetics/strings";

const shape = { genes: 2, variants: 4 };
const code = (...genotype: number[]) => toString(shape, genotype);
const [first, second, third] = [code(0, 0), code(1, 1), code(2, 2)];
const parse = (one: NewNode) => [one.code, one.parents];

/** Answers when it is let, as a server does. */
class SlowSessions extends BrowserSessions {
  private ready: Promise<void> = Promise.resolve();
  hold(): () => void {
    let letGo = () => {};
    this.ready = new Promise((resolve) => (letGo = resolve));
    return letGo;
  }
  override async add(...asked: Parameters<BrowserSessions["add"]>) {
    await this.ready;
    return super.add(...asked);
  }
  override async step(...asked: Parameters<BrowserSessions["step"]>) {
    await this.ready;
    return super.step(...asked);
  }
}

let store: SlowSessions;
let app: App;
const nodes = () => app.session.nodes.value;
const dice = vi.fn();

beforeEach(async () => {
  vi.stubGlobal("window", { addEventListener: () => {} });
  store = new SlowSessions("m", "weights");
  dice.mockReset().mockResolvedValue({ children: [{ code: third, operation: "dice", parents: [], arguments: {} }], seed: 1, notes: [] });
  const model = { num_genes: shape.genes, num_variants: shape.variants, attributes: [], label: "" };
  const info = { model, panels: [] } as unknown as Info;
  app = new App({ info, sessions: store, dice } as unknown as Backend);
  await app.session.create("A");
  await app.show({ code: first, operation: "dice" }, "");
});
afterEach(() => vi.useRealTimers());

describe("what a session is asked while it is slow to answer", () => {
  it("descends from what was asked before", async () => {
    const letGo = store.hold();
    const swaps = [app.swap(0, 3), app.swap(1, 2)];
    letGo();
    await Promise.all(swaps);
    expect(nodes().map(parse)).toEqual([[first, []], [code(3, 0), [1]], [code(3, 2), [2]]]);
  });
  it("does not put what was undone over what was chosen since", async () => {
    await app.show({ code: second, operation: "dice" }, "");
    const letGo = store.hold();
    const undone = app.step("undo");
    const chosen = app.select(nodes()[1]!);
    letGo();
    await Promise.all([undone, chosen]);
    expect([app.code.value, app.session.currentNode.value?.code]).toEqual([second, second]);
  });
  it("does not put what was diced over what was chosen since", async () => {
    await app.show({ code: second, operation: "dice" }, "");
    let answer = (_: unknown) => {};
    dice.mockReturnValue(new Promise((resolve) => (answer = resolve)));
    const diced = app.dice();
    await app.select(nodes()[0]!);
    answer({ children: [{ code: third, operation: "dice", parents: [], arguments: {} }], seed: 1, notes: [] });
    await diced;
    expect([app.code.value, app.session.currentNode.value?.code, nodes().length]).toEqual([first, first, 3]);
  });
  it("steps as often as it was asked, and no farther than there is", async () => {
    for (const one of [second, third]) await app.show({ code: one, operation: "dice" }, "");
    await Promise.all([app.step("undo"), app.step("undo"), app.step("undo")]);
    expect([app.code.value, app.session.current.value, app.trouble.value]).toEqual([first, 1, ""]);
  });
  it("stays in its session where another one is opened", async () => {
    await store.create("B");
    const letGo = store.hold();
    const work = [app.swap(0, 3), app.change(() => app.session.change("B")), app.swap(1, 2)];
    letGo();
    await Promise.all(work);
    expect((await store.open("A")).nodes.map(parse)).toEqual([[first, []], [code(3, 0), [1]]]);
    expect(nodes().map((one) => one.code)).toEqual([third]);
    expect([app.session.name.value, app.code.value, app.trouble.value]).toEqual(["B", third, ""]);
  });
  it("knows what is to be a favorite before it has its number", async () => {
    const letGo = store.hold();
    const work = [app.swap(0, 3), app.favorite()];
    letGo();
    await Promise.all(work);
    expect(nodes().map((one) => one.favorite)).toEqual([false, true]);
  });
});

describe("what is made of a picture", () => {
  const child = { code: third, operation: "edit", parents: [first], arguments: {} };
  beforeEach(() => app.show({ code: second, operation: "dice" }, ""));

  it("is its child, whatever is shown meanwhile", async () => {
    await app.take(child, "", false);
    expect(nodes().map(parse).at(-1)).toEqual([third, [1]]);
    expect([app.code.value, app.session.currentNode.value?.code]).toEqual([second, second]);
    await app.take({ ...child, code: code(0, 1) }, "", true);
    expect([app.code.value, nodes().at(-1)!.parents]).toEqual([code(0, 1), [1]]);
  });
  it("is nobody's child where it was pasted, inverted or pinned", async () => {
    await app.show({ code: third, operation: "invert" }, "");
    await app.open(code(0, 1), "the pinned picture");
    expect(nodes().slice(2).map((one) => [one.operation, one.parents])).toEqual([["invert", []], ["open", []]]);
  });
});

describe("a session that is opened", () => {
  it("and fails leaves its complaint and makes no pictures", async () => {
    await app.change(() => app.session.imported("{"));
    expect(app.trouble.value).toContain("damaged");
    expect([dice.mock.calls.length, app.code.value, nodes().length]).toEqual([0, first, 1]);
  });
  it("shows where it stands, be it at its beginning; only an empty one gets pictures", async () => {
    await app.step("undo");
    await store.add("A", [{ code: second, look: "plain", parents: [], operation: "dice", arguments: {} }], null);
    vi.spyOn(store, "open").mockResolvedValueOnce({ ...(await store.open("A")), current: null });
    await app.change(() => app.session.change("A"));
    expect([app.code.value, dice.mock.calls.length]).toEqual([first, 0]);
    await app.change(() => app.session.create("C"));
    expect([app.code.value, dice.mock.calls.length]).toEqual([third, 1]);
  });
});

describe("a preview", () => {
  it("ends with the picture or the panel that it was of", async () => {
    for (const change of [() => app.swap(0, 3), () => (app.side.value = "attributes")]) {
      app.preview.value = { code: second, words: "gene 0" };
      await change();
      expect(app.preview.value).toBe(null);
    }
  });
});

describe("wishes of sliders", () => {
  it("are done once they pause, the last one of each thing, one after another", async () => {
    vi.useFakeTimers();
    const [wish, done] = [lastly(), [] as string[]];
    const work = (name: string) => async () => {
      done.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      done.push(`${name} ends`);
    };
    for (const name of ["a1", "a2", "a3"]) {
      wish("a", work(name));
      await vi.advanceTimersByTimeAsync(300);
    }
    wish("b", () => Promise.reject(new Error("no")));
    wish("c", work("c"));
    await vi.advanceTimersByTimeAsync(5000);
    expect(done).toEqual(["a3 begins", "a3 ends", "c begins", "c ends"]);
  });
});

describe("the address", () => {
  it("is put a little later where the browser takes no more for now", () => {
    vi.useFakeTimers();
    const replaceState = vi.fn().mockImplementationOnce(() => {
      throw new DOMException("too often", "SecurityError");
    });
    vi.stubGlobal("history", { replaceState });
    putAddress("#a");
    vi.advanceTimersByTime(2000);
    expect(replaceState.mock.calls.map((asked) => asked[2])).toEqual(["#a", "#a"]);
  });
});
