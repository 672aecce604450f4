import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Backend, Info } from "../src/backend/types";
import { App } from "../src/state/app";

const desk = { invert: vi.fn(), inversionEvents: vi.fn(), cancelInversion: vi.fn() };
const close = vi.fn();
let app: App;
let tell: (name: string, data?: unknown) => void;
let begun: (answer: object) => void;

const file = (name: string) => new File(["x"], name);
const settled = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(async () => {
  vi.resetAllMocks();
  vi.stubGlobal("createImageBitmap", async () => ({ width: 40, height: 40, close: () => {} }));
  const limits = { upload_bytes: 1e6, upload_pixels: 1e6 };
  const info = { model: { height: 32, width: 32, attributes: [], label: "" }, panels: [], limits } as unknown as Info;
  app = new App({ info, sessions: {}, desk } as unknown as Backend);
  desk.invert.mockImplementation(() => new Promise((resolve) => (begun = resolve)));
  desk.inversionEvents.mockImplementation((_: string, onEvent: typeof tell) => ((tell = onEvent), { close }));
  await app.inversion.take(file("first.png"));
});

async function start(id = "one") {
  const started = app.inversion.start();
  begun({ id, steps: 9, target: "data:" });
  await started;
}

describe("an inversion", () => {
  it("is begun once, however often it is asked for", async () => {
    void app.inversion.start();
    expect(app.inversion.sending.value).toBe(true);
    await app.inversion.start();
    begun({ id: "one", steps: 9, target: "data:" });
    await settled();
    await app.inversion.start();
    expect([desk.invert.mock.calls.length, app.inversion.running.value]).toEqual([1, true]);
    tell("note", { text: "enlarged" });
    tell("note", { text: "enlarged" });
    tell("progress", { what: "searching", done: 3, total: 9 });
    expect(app.inversion.work.value).toMatchObject({ notes: ["enlarged"], done: 3 });
    tell("done", { code: "x", sentence: "reached" });
    expect(app.inversion.running.value).toBe(false);
  });
  it("of a photo that was left while it was sent is given up", async () => {
    const started = app.inversion.start();
    await app.inversion.take(file("second.png"));
    begun({ id: "one", steps: 9, target: "data:" });
    await started;
    expect(app.inversion.work.value).toBe(null);
    expect(desk.cancelInversion).toHaveBeenCalledWith("one");
  });
  it("of a photo that is left while it runs is given up too, and its picture let go", async () => {
    const gone = vi.spyOn(URL, "revokeObjectURL");
    await start();
    const { address } = app.inversion.given.value!;
    await app.inversion.take(file("second.png"));
    expect([desk.cancelInversion.mock.calls, app.inversion.work.value, gone.mock.calls]).toEqual([[["one"]], null, [[address]]]);
    expect(close).toHaveBeenCalled();
  });
  it("that the server has lost is said, and can be begun again", async () => {
    await start();
    tell("lost");
    expect(app.trouble.value).toContain("does not know this photo any more");
    expect(app.inversion.running.value).toBe(false);
    await start("two");
    expect(app.inversion.work.value?.id).toBe("two");
  });
});
