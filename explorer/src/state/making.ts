/** New pictures: asked for, and put into the session as one generation. */

import { freshSeed } from "../genetics/random";
import { numbersBetween } from "../genetics/recipes";
import type { Children } from "../backend/types";
import type { App } from "./app";

export async function dice(app: App): Promise<void> {
  const wishes = [...app.wishes.value].map(([name, wanted]) => `${name}=${wanted ? 1 : 0}`).join(",");
  const asked = {
    count: app.count.value,
    seed: freshSeed() >>> 1,
    temperature: app.temperature.value,
    look: app.look.value,
    ...(wishes ? { where: wishes } : {}),
  };
  const wish = app.wish();
  const found = await app.attempt(() => app.backend.dice(asked));
  if (found) await keep(app, found, app.isLast(wish) ? wish : null, wishes ? `by wish: ${wishes}` : "new pictures");
}

/** Children of the picture shown, or of it and the second parent. */
export async function breed(app: App): Promise<void> {
  const [code, partner] = [app.code.value, app.partner.value];
  if (!code) return;
  const two = partner !== null && partner !== code;
  const common = {
    count: app.count.value,
    rate: app.rate.value,
    locked: [...app.locked.value],
    seed: freshSeed() >>> 1,
  };
  const found = await app.attempt(async () => {
    if (!two) return app.backend.mutate({ ...common, code });
    const genes = app.cross.value === "gene" ? { genes: numbersOf(app.crossGenes.value) } : {};
    return app.backend.breed({ ...common, ...genes, cross: app.cross.value, share: app.share.value, parents: [code, partner] });
  });
  if (found) await keep(app, found, null, "children");
}

/** Add a generation; its first picture is shown where a `wish` for that is given. */
async function keep(app: App, found: Children, wish: number | null, words: string): Promise<void> {
  const look = app.look.value;
  const made = found.children.map((child) => ({ ...child, look, arguments: { ...child.arguments, batch: found.seed } }));
  const add = () => app.session.add(made, wish === null ? null : 0);
  const added = await (wish === null ? app.attempt(add, false) : app.follow(add, false, wish));
  if (added !== null) app.say([`${made.length} ${words}`, ...found.notes].join(". "));
}

/** Numbers and ranges like `0-7,12`. */
export function numbersOf(text: string): number[] {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  const wrong = parts.find((part) => !/^\d{1,4}(-\d{1,4})?$/.test(part));
  if (wrong !== undefined) throw new Error(`“${wrong.slice(0, 40)}” are no genes; write numbers and ranges like 0-7,12`);
  return parts.flatMap(numbersBetween);
}
