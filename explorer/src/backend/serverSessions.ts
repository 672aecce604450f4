import { ask, get, send } from "./http";
import type { NewNode, Pointer, Session, SessionNode, SessionStore } from "./types";

const path = (name: string) => `sessions/${encodeURIComponent(name)}`;

export class ServerSessions implements SessionStore {
  list = () => get<{ name: string; nodes: number; changed: string }[]>("sessions");
  open = (name: string) => get<Session>(path(name));
  create = (name: string) => send<Session>("sessions", { name });
  add = (name: string, nodes: NewNode[], select: number | null) =>
    send<Pointer & { nodes: SessionNode[] }>(`${path(name)}/nodes`, { nodes, select });
  select = (name: string, node: number) => send<Pointer>(`${path(name)}/select`, { node });
  step = (name: string, way: "undo" | "redo") => send<Pointer>(`${path(name)}/${way}`, {});
  favorite = (name: string, node: number, favorite: boolean) =>
    send<SessionNode>(`${path(name)}/favorites/${node}`, { favorite }, "PUT");

  async exported(name: string): Promise<Blob> {
    return (await ask(`${path(name)}/export`)).blob();
  }

  async imported(text: string): Promise<Session> {
    const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: text };
    return (await ask("sessions/import", how)).json() as Promise<Session>;
  }
}
