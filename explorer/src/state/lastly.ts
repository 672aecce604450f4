/** Sliders tell of every key: the last of many wishes for one thing is done, once they pause, and one thing at a time. */

const PAUSE = 400;

export type Lastly = (thing: string, work: () => Promise<unknown>, pause?: number) => void;

export function lastly(): Lastly {
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let last: Promise<unknown> = Promise.resolve();
  return (thing, work, pause = PAUSE) => {
    clearTimeout(timers.get(thing));
    timers.set(thing, setTimeout(() => (last = last.then(work).catch(() => undefined)), pause));
  };
}
