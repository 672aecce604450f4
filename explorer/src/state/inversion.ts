/** A photo on its way into the model; it goes on whichever part of the page is shown. */

import { computed, signal } from "@preact/signals";
import { central } from "./cropping";
import type { Crop, Events, Inverted } from "../backend/types";
import type { App } from "./app";

export interface Given {
  file: File;
  address: string;
  width: number;
  height: number;
}

export interface Progress {
  id: string;
  /** As it is inverted: with the label of a conditional model, and not truncated. */
  look: string;
  target: string;
  what: string;
  done: number;
  total: number;
  code: string | null;
  notes: string[];
  result: Inverted | null;
}

export class InversionState {
  readonly given = signal<Given | null>(null);
  readonly crop = signal<Crop | null>(null);
  readonly steps = signal(200);
  readonly work = signal<Progress | null>(null);
  readonly running = computed(() => this.work.value !== null && this.work.value.result === null);
  readonly sending = signal(false);
  private events: Events | null = null;

  constructor(private readonly app: App) {}

  private get desk() {
    return this.app.backend.desk!;
  }

  /** Take another photo; the one before it is given up. */
  async take(file: File): Promise<void> {
    const found = await this.app.attempt(() => measured(file, this.app.backend.info.limits));
    if (!found) return;
    if (this.given.value) URL.revokeObjectURL(this.given.value.address);
    this.given.value = found;
    this.crop.value = central(found, this.app.model!);
    if (this.running.value) void this.cancel();
    this.end();
    this.app.say(`${file.name} is ready to be cropped`);
  }

  async start(): Promise<void> {
    const [picture, look] = [this.given.value, this.app.drawn.told.value];
    if (!picture || this.sending.value || this.running.value) return;
    this.sending.value = true;
    const begun = await this.app.attempt(() => this.desk.invert(picture.file, this.crop.value, this.steps.value, look));
    this.sending.value = false;
    if (!begun) return;
    if (picture !== this.given.value) return void this.app.attempt(() => this.desk.cancelInversion(begun.id), false);
    const { id, steps: total, target } = begun;
    this.events?.close();
    this.work.value = { id, look, target, what: "waiting", done: 0, total, code: null, notes: [], result: null };
    this.events = this.desk.inversionEvents(id, (name, data) => this.hear(name, data));
  }

  async cancel(): Promise<void> {
    const id = this.work.value?.id;
    if (id !== undefined) await this.app.attempt(() => this.desk.cancelInversion(id));
  }

  private hear(name: string, data: unknown): void {
    const now = this.work.value;
    if (!now) return;
    const told = data as Partial<Progress> & { text?: string; detail?: string };
    if (name === "progress") this.work.value = { ...now, ...told, code: told.code ?? now.code };
    // Who listens again is told again.
    if (name === "note") this.work.value = { ...now, notes: [...new Set([...now.notes, told.text ?? ""])] };
    if (name === "done") {
      const result = data as Inverted;
      this.work.value = { ...now, result, code: result.code, done: now.total };
      this.app.say(`inverted. ${result.sentence}`);
    }
    if (name === "failed") this.app.trouble.value = told.detail ?? "the inversion failed";
    if (name === "lost") this.app.trouble.value = "the server does not know this photo any more; invert it again";
    if (["failed", "cancelled", "lost"].includes(name)) this.end();
  }

  private end(): void {
    this.events?.close();
    this.work.value = null;
  }
}

/** The file's size in pixels, if it is a picture that may be sent. */
async function measured(file: File, limits: { upload_bytes: number; upload_pixels: number }): Promise<Given> {
  if (file.size > limits.upload_bytes) {
    const most = Math.round(limits.upload_bytes / 1e6);
    throw new Error(`${file.name} has ${(file.size / 1e6).toFixed(0)} MB; at most ${most} MB are taken`);
  }
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name} is no picture that this browser can read, or it is broken`);
  });
  const { width, height } = bitmap;
  bitmap.close();
  if (width * height > limits.upload_pixels) {
    throw new Error(`${file.name} has ${width} × ${height} pixels, more than are taken; make it smaller first`);
  }
  return { file, address: URL.createObjectURL(file), width, height };
}
