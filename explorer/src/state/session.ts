/** The session as signals: all pictures that were made, which one is current, and how they descend. */

import { batch, computed, signal } from "@preact/signals";
import type { NewNode, Pointer, Session, SessionNode, SessionStore } from "../backend/types";

export interface Generation {
  key: string;
  operation: string;
  parents: number[];
  arguments: Record<string, unknown>;
  nodes: SessionNode[];
}

const NAME = "stylegenes.session";

export class SessionState {
  readonly name = signal("");
  readonly nodes = signal<SessionNode[]>([]);
  readonly current = signal<number | null>(null);
  readonly undo = signal(false);
  readonly redo = signal(false);
  readonly byId = computed(() => new Map(this.nodes.value.map((node) => [node.id, node])));
  readonly currentNode = computed(() => this.byId.value.get(this.current.value ?? -1) ?? null);
  readonly favorites = computed(() => this.nodes.value.filter((node) => node.favorite));
  readonly generations = computed(() => generationsOf(this.nodes.value));
  /** Why what was made last will be lost with this page; "" while all is kept. */
  readonly unkept = signal("");

  constructor(private readonly store: SessionStore) {
    store.watch?.({
      unkept: (words) => (this.unkept.value = words),
      changed: (name) => {
        // What is wrong with it is said when this page changes it next.
        if (name === this.name.value) void this.refresh().catch(() => {});
      },
    });
  }

  /** The session that this browser used last, or a new one. */
  async open(): Promise<void> {
    const all = await this.store.list();
    const last = remembered();
    const known = all.find((one) => one.name === last);
    if (known) return this.adopt(await this.store.open(known.name));
    await this.create(freeName(all.map((one) => one.name)));
  }

  async create(name: string): Promise<void> {
    this.adopt(await this.store.create(name));
  }

  async change(name: string): Promise<void> {
    this.adopt(await this.store.open(name));
  }

  list() {
    return this.store.list();
  }

  exported(): Promise<Blob> {
    return this.store.exported(this.name.value);
  }

  async imported(text: string): Promise<void> {
    this.adopt(await this.store.imported(text));
  }

  private adopt(session: Session): void {
    batch(() => {
      this.name.value = session.name;
      this.nodes.value = session.nodes;
      this.point(session);
    });
    remember(session.name);
  }

  private point(pointer: Pointer): void {
    this.current.value = pointer.current;
    this.undo.value = pointer.undo;
    this.redo.value = pointer.redo;
  }

  /** Take in what another tab added; the picture shown here stays. */
  private async refresh(): Promise<void> {
    const session = await this.store.open(this.name.value);
    if (session.name !== this.name.value) return;
    batch(() => {
      this.nodes.value = session.nodes;
      this.undo.value = session.undo;
      this.redo.value = session.redo;
    });
  }

  /** Go where the session stands, be it at a picture that another tab added. */
  private async follow(pointer: Pointer): Promise<void> {
    if (pointer.current !== null && !this.byId.value.has(pointer.current)) await this.refresh();
    batch(() => this.point(pointer));
  }

  async add(nodes: NewNode[], select: number | null): Promise<SessionNode[]> {
    const found = await this.store.add(this.name.value, nodes, select);
    batch(() => {
      this.nodes.value = [...this.nodes.value, ...found.nodes];
      this.point(found);
    });
    return found.nodes;
  }

  async select(id: number): Promise<void> {
    if (id === this.current.value) return;
    this.point(await this.store.select(this.name.value, id));
  }

  async step(way: "undo" | "redo"): Promise<SessionNode | null> {
    await this.follow(await this.store.step(this.name.value, way));
    return this.currentNode.value;
  }

  async favorite(node: SessionNode): Promise<SessionNode> {
    const now = await this.store.favorite(this.name.value, node.id, !node.favorite);
    this.nodes.value = this.nodes.value.map((one) => (one.id === now.id ? now : one));
    return now;
  }

  nodeOf(code: string): SessionNode | null {
    const current = this.currentNode.value;
    if (current?.code === code) return current;
    return this.nodes.value.findLast((node) => node.code === code) ?? null;
  }

  idOf(code: string): number | null {
    return this.nodeOf(code)?.id ?? null;
  }
}

/** Pictures that were made at once stand together; the newest generation comes first. */
export function generationsOf(nodes: readonly SessionNode[]): Generation[] {
  const found = new Map<string, Generation>();
  for (const node of nodes) {
    const made = node.arguments["batch"];
    const key = made === undefined ? `${node.id}` : `${node.operation} ${node.parents.join()} ${JSON.stringify(made)}`;
    const known = found.get(key);
    if (known) known.nodes.push(node);
    else {
      const { operation, parents } = node;
      found.set(key, { key, operation, parents, arguments: node.arguments, nodes: [node] });
    }
  }
  return [...found.values()].reverse();
}

export interface Placed {
  node: SessionNode;
  level: number;
  role: "ancestor" | "current" | "child";
}

/** Everybody that a picture descends from, and its children, each on the level of its generation. */
export function familyOf(nodes: ReadonlyMap<number, SessionNode>, id: number, most = 24): Placed[] {
  // Parents stand before their children, so that one pass is enough however long a line of descent is.
  const depth = new Map<number, number>();
  for (const node of nodes.values()) {
    depth.set(node.id, 1 + Math.max(-1, ...node.parents.map((parent) => depth.get(parent) ?? -1)));
  }
  const ancestors = new Set<number>();
  const waiting = [id];
  while (waiting.length && ancestors.size < 4 * most) {
    for (const parent of nodes.get(waiting.shift()!)?.parents ?? []) {
      if (!ancestors.has(parent) && nodes.has(parent)) {
        ancestors.add(parent);
        waiting.push(parent);
      }
    }
  }
  const children = [...nodes.values()].filter((node) => node.parents.includes(id)).slice(-most);
  const placed = (one: number, role: Placed["role"]) => ({ node: nodes.get(one)!, level: depth.get(one) ?? 0, role });
  return [
    ...[...ancestors].map((one) => placed(one, "ancestor")),
    placed(id, "current"),
    ...children.map((child) => placed(child.id, "child")),
  ];
}

function freeName(taken: string[]): string {
  const day = new Date().toISOString().slice(0, 10);
  for (let number = 1; ; number++) {
    const name = number === 1 ? day : `${day}-${number}`;
    if (!taken.includes(name)) return name;
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // A browser that keeps nothing opens a new session next time.
  }
}
