/** Requests to the API, whose errors are sentences for people. */

import { Dropped } from "./types";

export const API = "api/v1";

const PATIENCE = 4;

/** The answer, or an error in the server's own words; a full queue is waited for as long as it says. */
export async function ask(path: string, how: RequestInit = {}): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`${API}/${path}`, how).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "AbortError") throw new Dropped();
      throw new Error("the server does not answer; is it still running?");
    });
    if (answer.ok) return answer;
    if (answer.status === 503 && tries < PATIENCE) {
      await pause(1000 * Math.min(5, Number(answer.headers.get("Retry-After")) || 1), how.signal ?? null);
      continue;
    }
    if (answer.status === 409 && path.startsWith("pictures/")) throw new Dropped();
    throw new Error(await words(answer));
  }
}

export async function get<T>(path: string): Promise<T> {
  return (await ask(path)).json() as Promise<T>;
}

export async function send<T>(path: string, body: unknown, method = "POST"): Promise<T> {
  return (await sent(path, body, method)).json() as Promise<T>;
}

export function sent(path: string, body: unknown, method = "POST"): Promise<Response> {
  return ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

async function words(answer: Response): Promise<string> {
  try {
    const { detail } = (await answer.json()) as { detail: unknown };
    return typeof detail === "string" ? detail : JSON.stringify(detail);
  } catch {
    return `the server answered ${answer.status}`;
  }
}

function pause(time: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, time);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Dropped());
    });
  });
}
