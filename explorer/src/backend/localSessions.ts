/** Sessions of a static site, in this browser's own storage; nodes are only ever added, undo moves a pointer. */

import { freeName, readSession, writeSession } from "./sessionFiles";
import type { NewNode, Pointer, Session, SessionNode, SessionStore } from "./types";

interface Kept {
  name: string;
  model: string;
  nodes: SessionNode[];
  /** Nodes that were current, in order, and which of these is now. */
  trail: number[];
  place: number;
  changed: string;
}

export class BrowserSessions implements SessionStore {
  private readonly held = new Map<string, Kept>();

  /** `model` is in the keys of the storage, `weights` in files, as those of a server have it. */
  constructor(
    private readonly model: string,
    private readonly weights: string,
  ) {}

  private key(name: string): string {
    return `stylegenes/${this.model}/${name}`;
  }

  private load(name: string): Kept {
    const held = this.held.get(name);
    if (held) return held;
    const text = storage()?.getItem(this.key(name));
    if (!text) throw new Error(`there is no session “${name}” in this browser`);
    const kept = parsed(text);
    if (!kept) throw new Error(`the session “${name}” in this browser is damaged`);
    this.held.set(name, kept);
    return kept;
  }

  private save(kept: Kept): void {
    kept.changed = new Date().toISOString();
    this.held.set(kept.name, kept);
    try {
      storage()?.setItem(this.key(kept.name), JSON.stringify(kept));
    } catch {
      // A full storage loses nothing that is on the page: the session goes on, and can still be exported.
    }
  }

  async list() {
    const all = storage();
    const prefix = this.key("");
    const keys = all ? Object.keys(all).filter((key) => key.startsWith(prefix)) : [];
    return keys
      .filter((key) => parsed(all?.getItem(key) ?? ""))
      .map((key) => this.load(key.slice(prefix.length)))
      .map((kept) => ({ name: kept.name, nodes: kept.nodes.length, changed: kept.changed }));
  }

  async open(name: string): Promise<Session> {
    const kept = this.load(name);
    return { name, model: kept.model, nodes: kept.nodes.slice(), ...pointer(kept) };
  }

  async create(name: string): Promise<Session> {
    if (storage()?.getItem(this.key(name))) throw new Error(`there is a session “${name}” already`);
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
    kept.nodes.push(...nodes);
    if (select !== null) step(kept, nodes[select]!.id);
    this.save(kept);
    return { nodes, ...pointer(kept) };
  }

  async select(name: string, node: number): Promise<Pointer> {
    const kept = this.load(name);
    step(kept, node);
    this.save(kept);
    return pointer(kept);
  }

  async step(name: string, way: "undo" | "redo"): Promise<Pointer> {
    const kept = this.load(name);
    const place = kept.place + (way === "undo" ? -1 : 1);
    if (place < 0 || place >= kept.trail.length) throw new Error(`nothing to ${way}`);
    kept.place = place;
    this.save(kept);
    return pointer(kept);
  }

  async favorite(name: string, node: number, favorite: boolean): Promise<SessionNode> {
    const kept = this.load(name);
    const index = kept.nodes.findIndex((one) => one.id === node);
    if (index < 0) throw new Error(`there is no picture ${node} in this session`);
    kept.nodes[index] = { ...kept.nodes[index]!, favorite };
    this.save(kept);
    return kept.nodes[index];
  }

  async exported(name: string): Promise<Blob> {
    return new Blob([writeSession(this.load(name), this.weights)], { type: "application/json" });
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

function step(kept: Kept, node: number): void {
  kept.trail = [...kept.trail.slice(0, kept.place + 1), node];
  kept.place = kept.trail.length - 1;
}

function pointer(kept: Kept): Pointer {
  return {
    current: kept.trail[kept.place] ?? null,
    undo: kept.place > 0,
    redo: kept.place < kept.trail.length - 1,
  };
}
