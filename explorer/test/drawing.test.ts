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
  it("are let go the longest unwanted first, but none that is shown or not drawn yet", async () => {
    const gone = vi.spyOn(URL, "revokeObjectURL");
    const gallery = new Gallery(3, (address) => address === "blob:shown");
    gallery.keep("late", new Promise(() => {}));
    for (const key of ["shown", "a", "b"]) gallery.keep(key, Promise.resolve(`blob:${key}`));
    await settled();
    expect(gone.mock.calls).toEqual([["blob:a"]]);
    gallery.keep("broken", Promise.reject(new Error()));
    await settled();
    void gallery.find("shown");
    void gallery.find("b");
    gallery.keep("c", Promise.resolve("blob:c"));
    gallery.keep("d", Promise.resolve("blob:d"));
    await settled();
    expect(gone.mock.calls.map(([address]) => address)).toEqual(["blob:a", "blob:b", "blob:c"]);
    expect(["late", "shown", "d", "broken"].map((key) => gallery.find(key) !== undefined)).toEqual([true, true, true, false]);
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
