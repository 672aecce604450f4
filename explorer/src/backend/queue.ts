/** One picture at a time, the most urgent first; what nobody waits for any more is never begun. */

import { Dropped, type Asking, type Priority } from "./types";

const RANK: Record<Priority, number> = { click: 0, hover: 1, thumbnail: 2 };

interface Waiting<T> {
  key: string;
  rank: number;
  slot: string | undefined;
  work: () => Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
  signal: AbortSignal | undefined;
}

export class Queue<T> {
  private waiting: Waiting<T>[] = [];
  private busy = false;

  add(key: string, work: () => Promise<T>, asking: Asking): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const one = { key, rank: RANK[asking.priority], slot: asking.slot, work, resolve, reject, signal: asking.signal };
      if (one.slot !== undefined) {
        const replaced = this.waiting.filter((other) => other.slot === one.slot);
        this.waiting = this.waiting.filter((other) => other.slot !== one.slot);
        replaced.forEach((other) => other.reject(new Dropped()));
      }
      this.place(one);
      void this.next();
    });
  }

  /** What waits already is wanted more urgently. */
  raise(key: string, priority: Priority): void {
    const one = this.waiting.find((other) => other.key === key);
    if (!one || one.rank <= RANK[priority]) return;
    this.waiting.splice(this.waiting.indexOf(one), 1);
    this.place({ ...one, rank: RANK[priority] });
  }

  private place(one: Waiting<T>): void {
    const place = this.waiting.findIndex((other) => other.rank > one.rank);
    this.waiting.splice(place < 0 ? this.waiting.length : place, 0, one);
  }

  private async next(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let one = this.waiting.shift(); one; one = this.waiting.shift()) {
      if (one.signal?.aborted) {
        one.reject(new Dropped());
        continue;
      }
      try {
        one.resolve(await one.work());
      } catch (error) {
        one.reject(error);
      }
    }
    this.busy = false;
  }
}
