import { describe, expect, it, vi } from "vitest";
import { Gallery } from "../src/backend/gallery";
import { LocalBackend } from "../src/backend/local";
import { Queue } from "../src/backend/queue";

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("a picture that waits as a thumbnail", () => {
  it("is hurried by a click, and by nothing less", async () => {
    const [queue, drawn] = [new Queue<void>(), [] as string[]];
    const add = (key: string) =>
      queue.add(key, async () => {
        drawn.push(key);
        await settled();
      }, { priority: "thumbnail" });
    const all = ["a", "b", "c", "d"].map(add);
    queue.raise("d", "click");
    queue.raise("c", "thumbnail");
    queue.raise("a", "click");
    await Promise.all(all);
    expect(drawn).toEqual(["a", "d", "b", "c"]);
  });
});

describe("drawn pictures", () => {
  it("are let go in the order in which they were wanted, but none that is shown, has just come or is not drawn yet", async () => {
    vi.useFakeTimers();
    const shown = new Set<string>();
    const gone: string[] = [];
    vi.stubGlobal("URL", { revokeObjectURL: (address: string) => gone.push(address) });
    const gallery = new Gallery(3, (address) => shown.has(address));
    for (let i = 0; i < 8; i++) gallery.keep(`key ${i}`, Promise.resolve(`blob ${i}`));
    gallery.keep("waits", new Promise(() => {}));
    await vi.advanceTimersByTimeAsync(900);
    expect(gone).toEqual([]);
    shown.add("blob 1");
    void gallery.find("key 0");
    await vi.advanceTimersByTimeAsync(200);
    expect(gone).toEqual(["blob 2", "blob 3", "blob 4", "blob 5", "blob 6"]);
    expect(await gallery.find("key 0")).toBe("blob 0");
    expect(gallery.find("key 2")).toBeUndefined();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
});

describe("a worker that breaks", () => {
  it("lets nobody wait for ever", async () => {
    const worker = { postMessage: () => {}, onerror: (_: { message: string }) => {} };
    vi.stubGlobal("Worker", function () {
      return worker;
    });
    const site = { info: { model: { hash: "m", weights: "w", num_genes: 0 } }, latent: {}, labels: [], numbers: null };
    const backend = new LocalBackend(site as never, "", null);
    const waiting = backend.picture("a", "plain", { priority: "click" });
    await settled();
    worker.onerror({ message: "no memory" });
    await expect(waiting).rejects.toThrow("cannot draw here: no memory");
    await expect(backend.picture("b", "plain", { priority: "click" })).rejects.toThrow("cannot draw here");
  });
});
