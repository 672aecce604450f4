/** Sessions as files: the server's format, so that a session goes from a static site to a server and back. */

import type { SessionNode } from "./types";

const FORMAT = "stylegenes-session";
const VERSION = 1;
const LONGEST_NAME = 80;

/** A session as a browser keeps it: its nodes, those that were current in order, and which of these is now. */
export interface Told {
  name: string;
  nodes: SessionNode[];
  trail: number[];
  place: number;
}

interface Step {
  id: number;
  node: number;
  previous: number | null;
}

export function writeSession(told: Told, model: string): string {
  const steps = told.trail.map((node, at): Step => ({ id: at + 1, node, previous: at || null }));
  const { name, nodes } = told;
  const step = told.place < 0 ? null : told.place + 1;
  return JSON.stringify({ format: FORMAT, version: VERSION, name, model, nodes, steps, step }, null, 1);
}

/** What a file holds, with nodes numbered anew; anybody may have written it, so that nothing in it is believed. */
export function readSession(text: string, model: string): Told {
  const given = object(parsed(text));
  if (given["format"] !== FORMAT || given["version"] !== VERSION) throw broken("its format is another");
  if (given["model"] !== model) throw new Error("this session is of another model");
  const name = string(given["name"], "name").trim();
  if (!name || name.length > LONGEST_NAME || /[/\\\p{Cc}]/u.test(name)) throw broken("its name");
  const known = new Map<unknown, number>();
  const nodes = list(given["nodes"], "nodes").map((one, index) => {
    const node = readNode(object(one), index + 1, known);
    known.set(object(one)["id"], node.id);
    return node;
  });
  return { name, nodes, ...readTrail(list(given["steps"], "steps").map(object), given["step"] ?? null, known) };
}

/** The name, or the next one that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) {
    const end = `-${number}`;
    free = name.slice(0, LONGEST_NAME - end.length) + end;
  }
  return free;
}

function readNode(one: Record<string, unknown>, id: number, known: ReadonlyMap<unknown, number>): SessionNode {
  return {
    id,
    code: string(one["code"], "code"),
    look: string(one["look"], "look"),
    parents: list(one["parents"], "parents").map((parent) => mapped(known, parent)),
    operation: string(one["operation"], "operation"),
    arguments: object(one["arguments"]),
    created: string(one["created"], "created"),
    favorite: one["favorite"] === true,
  };
}

/** The nodes of the steps that lead to the one where the session stands, and of those that were undone. */
function readTrail(steps: Record<string, unknown>[], last: unknown, known: ReadonlyMap<unknown, number>): Pick<Told, "trail" | "place"> {
  const byId = new Map(steps.map((one) => [one["id"], one]));
  const trail: number[] = [];
  for (let at = last; at !== null; ) {
    const step = byId.get(at);
    if (!step || trail.length > steps.length) throw broken("its steps");
    trail.unshift(mapped(known, step["node"]));
    at = step["previous"] ?? null;
  }
  const place = trail.length - 1;
  // Of several steps that follow one, the newest is redone.
  const next = new Map<unknown, Record<string, unknown>>(steps.map((one) => [one["previous"] ?? null, one]));
  for (let step = next.get(last); step && trail.length < steps.length; step = next.get(step["id"])) {
    trail.push(mapped(known, step["node"]));
  }
  return { trail, place };
}

function mapped(known: ReadonlyMap<unknown, number>, id: unknown): number {
  const found = known.get(id);
  if (found === undefined) throw broken("a picture that is none of those before it");
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken("it is not JSON");
  }
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw broken("a part is missing");
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw broken(`its ${what}`);
  return value;
}

function string(value: unknown, what: string): string {
  if (typeof value !== "string" || !value) throw broken(`its ${what}`);
  return value;
}

function broken(what: string): Error {
  return new Error(`this file is no session of stylegenes, or it is damaged: ${what}`);
}
