/** The part of the state that the address keeps: what reloads and links bring back. It stays in the fragment, which no server sees. */

export const TABS = ["explore", "compare", "directions", "invert", "runs"] as const;
export type Tab = (typeof TABS)[number];
export const SORTS = ["effect", "number", "changed"] as const;
export type Sort = (typeof SORTS)[number];

export interface Address {
  code: string | null;
  pinned: string | null;
  partner: string | null;
  look: string;
  attribute: string | null;
  sort: Sort;
  tab: Tab;
  locked: number[];
  smooth: boolean;
}

export const START: Address = {
  code: null,
  pinned: null,
  partner: null,
  look: "plain",
  attribute: null,
  sort: "effect",
  tab: "explore",
  locked: [],
  smooth: false,
};

function oneOf<T extends string>(known: readonly T[], given: string | null, otherwise: T): T {
  return known.find((one) => one === given) ?? otherwise;
}

export function readAddress(fragment: string): Address {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  return {
    code: given.get("code"),
    pinned: given.get("pin"),
    partner: given.get("with"),
    look: given.get("look") ?? START.look,
    attribute: given.get("attribute"),
    sort: oneOf(SORTS, given.get("sort"), START.sort),
    tab: oneOf(TABS, given.get("tab"), START.tab),
    locked: (given.get("locked") ?? "").split(",").filter(Boolean).map(Number).filter(Number.isInteger),
    smooth: given.get("smooth") === "1",
  };
}

export function writeAddress(state: Address): string {
  const kept = new URLSearchParams();
  if (state.code) kept.set("code", state.code);
  if (state.pinned) kept.set("pin", state.pinned);
  if (state.partner) kept.set("with", state.partner);
  if (state.look !== START.look) kept.set("look", state.look);
  if (state.attribute) kept.set("attribute", state.attribute);
  if (state.sort !== START.sort) kept.set("sort", state.sort);
  if (state.tab !== START.tab) kept.set("tab", state.tab);
  if (state.locked.length) kept.set("locked", state.locked.join(","));
  if (state.smooth) kept.set("smooth", "1");
  return `#${kept.toString()}`;
}

let later: ReturnType<typeof setTimeout> | undefined;

/** Browsers refuse an address that changes too often, as with a slider; then it is put a little later. */
export function putAddress(address: string): void {
  clearTimeout(later);
  try {
    history.replaceState(null, "", address);
  } catch {
    later = setTimeout(() => putAddress(address), 1000);
  }
}
