import type { Backend } from "./types";

export async function openServer(): Promise<Backend> {
  throw new Error("not yet");
}
