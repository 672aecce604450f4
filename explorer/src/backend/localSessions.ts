/**
 * Sessions of a static site, in this browser's own storage; nodes are only ever added, undo moves a pointer.
 *
 * Other tabs write into the same storage, so that it is read before every change.
 */

import { freeName, readSession, writeSession } from "./sessionFiles";
import type { NewNode, Pointer, Session, SessionNode, SessionStore, SessionWatcher } from "./types";

interface Kept {
  name: string;
  model: string;
  nodes: SessionNode[];
  /** Nodes that were current, in order, and which of these is now. */
  trail: number[];
  place: number;
  changed: string;
}

/** A session as this page knows it. */
interface Held {
  kept: Kept;
  /** What the storage held when this page last looked. */
  text: string | null;
  /** Whether the page has more than the storage, which took no more. */
  ahead: boolean;
}

const EXPORT = "export it (Sessions, Export as JSON)";
const TWO = `another tab went on with this session while this one could keep nothing: ${EXPORT}, then reload the page`;

export class BrowserSessions implements SessionStore {
  private readonly held = new Map<string, Held>();
  private watcher: SessionWatcher | null = null;
  private told = "";

  /** `model` is in the keys of the storage, `weights` in files, as those of a server have it. */
  constructor(
    private readonly model: string,
    private readonly weights: string,
  ) {}

  private key(name: string): string {
    return `stylegenes/${this.model}/${name}`;
  }

  watch(watcher: SessionWatcher): void {
    this.watcher = watcher;
    const prefix = this.key("");
    window.addEventListener("storage", (event) => {
      if (event.key?.startsWith(prefix)) watcher.changed(event.key.slice(prefix.length));
    });
  }

  /** A session as it is now, whichever tab changed it last. */
  private load(name: string): Kept {
    const held = this.held.get(name);
    const text = storage()?.getItem(this.key(name)) ?? null;
    // Where the storage holds nothing, or nothing any more, the page still has its own.
    if (held && (text === held.text || text === null)) return held.kept;
    if (held?.ahead) throw new Error(TWO);
    if (text === null) throw new Error(`there is no session “${name}” in this browser`);
    const kept = parsed(text) ?? held?.kept;
    if (!kept) throw new Error(`the session “${name}” in this browser is damaged`);
    this.held.set(name, { kept, text, ahead: false });
    return kept;
  }

  private save(changed: Kept): void {
    const [all, key] = [storage(), this.key(changed.name)];
    const kept = { ...changed, changed: new Date().toISOString() };
    const text = JSON.stringify(kept);
    try {
      all?.setItem(key, text);
      this.held.set(kept.name, { kept, text: all && text, ahead: !all });
    } catch {
      // A full storage loses nothing that is on the page: the session goes on, and can still be exported.
      this.held.set(kept.name, { kept, text: all?.getItem(key) ?? null, ahead: true });
    }
    this.tell();
  }

  /** Say, once, which session is on this page alone. */
  private tell(): void {
    const name = [...this.held].find(([, held]) => held.ahead)?.[0];
    const why = storage() ? "this browser has no more room for this site" : "this browser keeps nothing for this site";
    const words = name === undefined ? "" : `${why}, so that the session “${name}” ends with this page: ${EXPORT}`;
    if (words !== this.told) this.watcher?.unkept((this.told = words));
  }

  async list() {
    const all = storage();
    const prefix = this.key("");
    const keys = all ? Object.keys(all).filter((key) => key.startsWith(prefix)) : [];
    const found = new Map([...this.held].map(([name, { kept }]) => [name, kept]));
    for (const key of keys) {
      const kept = parsed(all?.getItem(key) ?? "");
      if (kept) found.set(key.slice(prefix.length), kept);
    }
    return [...found].map(([name, kept]) => ({ name, nodes: kept.nodes.length, changed: kept.changed }));
  }

  async open(name: string): Promise<Session> {
    const kept = this.load(name);
    return { name, model: kept.model, nodes: kept.nodes.slice(), ...pointer(kept) };
  }

  async create(name: string): Promise<Session> {
    const taken = this.held.has(name) || storage()?.getItem(this.key(name));
    if (taken) throw new Error(`there is a session “${name}” already`);
    this.save({ name, model: this.model, nodes: [], trail: [], place: -1, changed: "" });
    return this.open(name);
  }

  async add(name: string, added: NewNode[], select: number | null) {
    const kept = this.load(name);
    const start = kept.nodes.length + 1;
    const nodes = added.map((node, index) => ({
      ...node,
      id: start + index,
      parents: node.parents.map((parent) => (parent < 0 ? start - parent - 1 : parent)),
      created: new Date().toISOString(),
      favorite: false,
    }));
    const more = { ...kept, nodes: [...kept.nodes, ...nodes] };
    return { nodes, ...this.moved(select === null ? more : step(more, nodes[select]!.id)) };
  }

  async select(name: string, node: number): Promise<Pointer> {
    return this.moved(step(this.load(name), node));
  }

  async step(name: string, way: "undo" | "redo"): Promise<Pointer> {
    const kept = this.load(name);
    const place = kept.place + (way === "undo" ? -1 : 1);
    if (place < 0 || place >= kept.trail.length) throw new Error(`nothing to ${way}`);
    return this.moved({ ...kept, place });
  }

  private moved(kept: Kept): Pointer {
    this.save(kept);
    return pointer(kept);
  }

  async favorite(name: string, node: number, favorite: boolean): Promise<SessionNode> {
    const kept = this.load(name);
    const index = kept.nodes.findIndex((one) => one.id === node);
    if (index < 0) throw new Error(`there is no picture ${node} in this session`);
    const now = { ...kept.nodes[index]!, favorite };
    this.save({ ...kept, nodes: kept.nodes.with(index, now) });
    return now;
  }

  async exported(name: string): Promise<Blob> {
    const held = this.held.get(name);
    const kept = held?.ahead ? held.kept : this.load(name);
    return new Blob([writeSession(kept, this.weights)], { type: "application/json" });
  }

  async imported(text: string): Promise<Session> {
    const given = readSession(text, this.weights);
    const name = freeName(given.name, new Set((await this.list()).map((one) => one.name)));
    this.save({ ...given, name, model: this.model, changed: "" });
    return this.open(name);
  }
}

/** What a storage holds that other pages of the host may write into too. */
function parsed(text: string): Kept | null {
  try {
    const kept = JSON.parse(text) as Kept | null;
    return Array.isArray(kept?.nodes) && Array.isArray(kept.trail) && typeof kept.name === "string" ? kept : null;
  } catch {
    return null;
  }
}

function storage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function step(kept: Kept, node: number): Kept {
  const trail = [...kept.trail.slice(0, kept.place + 1), node];
  return { ...kept, trail, place: trail.length - 1 };
}

function pointer(kept: Kept): Pointer {
  return {
    current: kept.trail[kept.place] ?? null,
    undo: kept.place > 0,
    redo: kept.place < kept.trail.length - 1,
  };
}
