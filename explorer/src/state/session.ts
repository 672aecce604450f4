/** The session as signals: all pictures that were made, which one is current, and how they descend. */

import { batch, computed, signal } from "@preact/signals";
import { Dropped, type NewNode, type Pointer, type Session, type SessionNode, type SessionStore } from "../backend/types";

/** A picture that becomes a node: it descends from codes, whose nodes are known when its turn comes. */
export interface Made extends Omit<NewNode, "parents"> {
  parents: string[];
}

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
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly store: SessionStore) {
    store.watch?.({
      unkept: (words) => (this.unkept.value = words),
      changed: (name) => {
        // What is wrong with it is said when this page changes it next.
        if (name === this.name.value) void this.here(() => this.refresh()).catch(() => {});
      },
    });
  }

  /** The session that this browser used last, or a new one. */
  async open(): Promise<void> {
    const all = await this.store.list();
    const last = remembered();
    const known = all.find((one) => one.name === last);
    if (known) return this.change(known.name);
    await this.create(freeName(all.map((one) => one.name)));
  }

  create(name: string): Promise<void> {
    return this.inTurn(async () => this.adopt(await this.store.create(name)));
  }

  change(name: string): Promise<void> {
    return this.inTurn(async () => this.adopt(await this.store.open(name)));
  }

  list() {
    return this.store.list();
  }

  exported(): Promise<Blob> {
    return this.store.exported(this.name.value);
  }

  imported(text: string): Promise<void> {
    return this.inTurn(async () => this.adopt(await this.store.imported(text)));
  }

  /** Whatever is asked of the store waits for what was asked before, and stands on its answer. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }

  /** A change of this session; once another one is open it is given up. */
  private here<T>(work: (name: string) => Promise<T>): Promise<T> {
    const name = this.name.value;
    return this.inTurn(async () => {
      if (name !== this.name.value) throw new Dropped();
      return work(name);
    });
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

  add(made: readonly Made[], select: number | null): Promise<void> {
    return this.here((name) => this.put(name, made, select));
  }

  private async put(name: string, made: readonly Made[], select: number | null): Promise<void> {
    const known = (codes: string[]) => codes.map((code) => this.nodeOf(code)?.id).filter((id) => id !== undefined);
    const nodes = made.map((one): NewNode => ({ ...one, parents: known(one.parents) }));
    const found = await this.store.add(name, nodes, select);
    batch(() => {
      this.nodes.value = [...this.nodes.value, ...found.nodes];
      this.point(found);
    });
  }

  /** Go to a picture of the session; one that it does not have is added. */
  goTo(made: Made): Promise<void> {
    return this.here(async (name) => {
      const node = this.nodeOf(made.code);
      if (node === null) return this.put(name, [made], 0);
      if (node.id !== this.current.value) this.point(await this.store.select(name, node.id));
    });
  }

  step(way: "undo" | "redo"): Promise<void> {
    return this.here(async (name) => {
      if (this[way].value) await this.follow(await this.store.step(name, way));
    });
  }

  /** The node of a code, now a favorite or no longer; null where the session does not have it. */
  favorite(code: string): Promise<SessionNode | null> {
    return this.here(async (name) => {
      const node = this.nodeOf(code);
      if (node === null) return null;
      const now = await this.store.favorite(name, node.id, !node.favorite);
      this.nodes.value = this.nodes.value.map((one) => (one.id === now.id ? now : one));
      return now;
    });
  }

  nodeOf(code: string): SessionNode | null {
    const current = this.currentNode.value;
    if (current?.code === code) return current;
    return this.nodes.value.findLast((node) => node.code === code) ?? null;
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
