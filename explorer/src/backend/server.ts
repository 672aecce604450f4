/** The page in front of a server: every question is one request of the API. */

import { ask, get, send, sent, API } from "./http";
import { ServerSessions } from "./serverSessions";
import type {
  Asking,
  Backend,
  BreedRequest,
  Children,
  Crop,
  Desk,
  DiceRequest,
  Directions,
  Diversity,
  EditRequest,
  Edited,
  Events,
  FileRequest,
  GeneTable,
  Info,
  MoveRequest,
  MutateRequest,
  Run,
} from "./types";

/** Pictures with more pixels than a square of this side are sent smaller where they are shown small. */
const THUMBNAIL = 128;

export async function openServer(): Promise<ServerBackend> {
  return new ServerBackend(await get<Info>("info"));
}

export class ServerBackend implements Backend, Desk {
  readonly kind = "server";
  readonly sessions = new ServerSessions();
  readonly desk = this;
  private readonly tab = crypto.getRandomValues(new Uint32Array(2)).join("-");

  constructor(readonly info: Info) {}

  async picture(code: string, look: string, asking: Asking): Promise<string> {
    const { hash = "", height = 1, width = 1 } = this.info.model ?? {};
    // The height of as many pixels in the model's shape.
    const size = Math.max(1, Math.round(THUMBNAIL * Math.sqrt(height / width)));
    const small = asking.priority === "thumbnail" && height > size;
    const shown = small ? (look === "plain" ? `size=${size}` : `${look},size=${size}`) : look;
    const path = `pictures/${hash}/${encodeURIComponent(shown)}/${encodeURIComponent(code)}.png`;
    const headers: Record<string, string> = { "X-Priority": asking.priority };
    if (asking.slot) headers["X-Slot"] = `${this.tab}-${asking.slot}`;
    const answer = await ask(path, { headers, ...(asking.signal ? { signal: asking.signal } : {}) });
    await answer.blob();
    // The picture now lies in the browser's own cache, where an <img> finds it under the same address.
    return `${API}/${path}`;
  }

  dice = (request: DiceRequest) => send<Children>("dice", request);
  mutate = (request: MutateRequest) => send<Children>("mutate", request);
  breed = (request: BreedRequest) => send<Children>("breed", request);
  diversity = (codes: string[], look: string) => send<Diversity>("diversity", { codes, look });
  genes = (attribute: string) => get<GeneTable>(`genes/${encodeURIComponent(attribute)}`);
  lines = (codes: string[], look: string) => send<{ python: string; cli: string }>("lines", { codes, look });
  judge = (codes: string[], look: string) =>
    send<{ attributes: string[]; probabilities: number[][] }>("judge", { codes, look });
  edit = (request: EditRequest) => send<Edited>("edit", request);
  directions = () => get<Directions>("directions");
  fitDirections = () => send<Directions>("directions/fit", {});
  move = (request: MoveRequest) => send<Edited>("move", request);
  run = () => get<Run>("run");

  async file(request: FileRequest): Promise<Blob> {
    return (await sent("files", request)).blob();
  }

  directionEvents(onChange: () => void): Events {
    return listen("directions/events", ["progress", "ready", "failed"], onChange);
  }

  runEvents(onChange: () => void): Events {
    return listen("run/events", ["changed"], onChange);
  }

  async invert(file: Blob, crop: Crop | null, steps: number, look: string) {
    const asked = new URLSearchParams({ steps: String(steps), look });
    if (crop) for (const [name, value] of Object.entries(crop)) asked.set(name, String(value));
    const headers = { "Content-Type": file.type.startsWith("image/") ? file.type : "application/octet-stream" };
    const answer = await ask(`inversions?${asked.toString()}`, { method: "POST", headers, body: file });
    return answer.json() as Promise<{ id: string; steps: number; target: string }>;
  }

  inversionEvents(id: string, onEvent: (name: string, data: unknown) => void): Events {
    return listen(`inversions/${id}/events`, ["progress", "note", "done", "cancelled", "failed"], onEvent);
  }

  async cancelInversion(id: string): Promise<void> {
    await ask(`inversions/${id}`, { method: "DELETE" });
  }

  gridAddress(address: string): string {
    return address.replace(/^\//, "");
  }
}

const ENDS = ["ready", "done", "cancelled", "failed"];

/** What happens, until it ends; `lost` where the server knows nothing of it. */
function listen(path: string, names: string[], onEvent: (name: string, data: unknown) => void): Events {
  const source = new EventSource(`${API}/${path}`);
  for (const name of names) {
    source.addEventListener(name, (event) => {
      const { data } = event as MessageEvent<string>;
      // The browser would ask again for what has ended.
      if (ENDS.includes(name)) source.close();
      onEvent(name, data ? (JSON.parse(data) as unknown) : {});
    });
  }
  source.addEventListener("error", () => source.readyState === EventSource.CLOSED && onEvent("lost", {}));
  return source;
}
