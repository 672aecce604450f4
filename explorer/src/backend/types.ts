/** What the page asks of whoever draws for it: the server, or this very browser (a static site). */

export type PanelName = "population" | "tree" | "genome" | "attributes" | "directions" | "invert" | "compare" | "runs";

export interface ModelInfo {
  name: string;
  reference: string;
  hash: string;
  weights: string;
  kind: "genome" | "continuous";
  height: number;
  width: number;
  channels: number;
  num_ws: number;
  w_dim: number;
  num_genes: number;
  num_variants: number;
  bands: Record<string, string>;
  label_names: string[];
  label_dim: number;
  three_d: boolean;
  label: string;
  attributes: string[];
  dead_variants: number[][];
  gene_usage: number[];
  card: string;
}

export interface Info {
  version: string;
  device: string;
  model: ModelInfo | null;
  run: boolean;
  panels: { name: PanelName; available: boolean; reason: string }[];
  limits: { upload_bytes: number; upload_pixels: number; codes: number; children: number };
}

export interface Child {
  code: string;
  operation: string;
  parents: string[];
  arguments: Record<string, unknown>;
}

export interface Diversity {
  genes: number | null;
  pictures: number | null;
  judge: string;
}

export interface Children {
  children: Child[];
  seed: number;
  notes: string[];
  diversity: Diversity | null;
}

export interface DiceRequest {
  count: number;
  seed: number;
  where?: string;
  temperature: number;
  look: string;
}

export interface MutateRequest {
  code: string;
  count: number;
  rate: number;
  locked: number[];
  seed: number;
}

export interface BreedRequest {
  parents: [string, string];
  count: number;
  cross: "uniform" | "block" | "gene";
  genes?: number[];
  share: number;
  rate: number;
  locked: number[];
  seed: number;
}

export interface GeneRow {
  gene: number;
  score: number;
  explained: number;
  q_value: number;
  effect: ArrayLike<number>;
  low: ArrayLike<number>;
  high: ArrayLike<number>;
  shrunk: ArrayLike<number>;
  count: ArrayLike<number>;
}

export interface GeneTable {
  attribute: string;
  mean: number;
  draws: number;
  order: number[];
  acting: number;
  genes: GeneRow[];
}

export interface AttributeChange {
  name: string;
  before: number;
  after: number;
  requested: number;
  achieved: number;
  wanted: boolean;
  held: boolean;
}

export interface Edited {
  child: Child;
  genes: number[];
  attributes: AttributeChange[];
  side_effect: number;
  distance: number;
  judge: string;
}

export interface EditRequest {
  code: string;
  wishes: string;
  hold: string;
  genes: number;
  rank: number;
  look: string;
}

export interface Directions {
  state: "none" | "fitting" | "ready" | "failed" | "unavailable";
  reason: string;
  done: number;
  total: number;
  attributes: { name: string; auc: number | null; balanced_accuracy: number | null; positives: number }[];
  components: { name: string; explained: number }[];
}

export interface MoveRequest {
  code: string;
  moves: { name: string; strength: number; layers?: string }[];
  hold: string[];
  look: string;
}

export interface FileRequest {
  kind: "sheet" | "mix" | "way";
  codes: string[];
  look: string;
  format: "png" | "webp" | "gif";
  columns?: number;
  band?: string;
  steps?: number;
  moving?: boolean;
}

export interface Inverted {
  code: string;
  projection: string;
  verdict: "own" | "near" | "outside" | null;
  sentence: string;
  distance: number;
  judge: string;
}

/** A part of a picture in its pixels. */
export interface Crop {
  left: number;
  top: number;
  /** Its width; the shape of the model's pictures says how high it is. */
  size: number;
}

export interface Run {
  name: string;
  live: boolean;
  kimg: number;
  total_kimg: number | null;
  eta_seconds: number | null;
  rate: number | null;
  health: string;
  kimg_axis: number[];
  losses: Record<string, (number | null)[]>;
  signals: Record<string, (number | null)[]>;
  metrics: { name: string; kimg: number[]; value: number[]; best: number }[];
  grids: { kimg: number; address: string }[];
  events: string[];
}

export type Priority = "click" | "hover" | "thumbnail";

export interface Asking {
  priority: Priority;
  /** A newer request of the same slot replaces one that is not drawn yet. */
  slot?: string;
  signal?: AbortSignal;
}

/** A request that was given up: nothing to tell anybody. */
export class Dropped extends Error {}

export interface Events {
  close(): void;
}

export interface Backend {
  readonly kind: "server" | "static";
  readonly info: Info;
  /** The address of a picture that an `<img>` shows at once. */
  picture(code: string, look: string, asking: Asking): Promise<string>;
  dice(request: DiceRequest): Promise<Children>;
  mutate(request: MutateRequest): Promise<Children>;
  breed(request: BreedRequest): Promise<Children>;
  diversity(codes: string[], look: string): Promise<Diversity>;
  genes(attribute: string): Promise<GeneTable>;
  file(request: FileRequest): Promise<Blob>;
  lines(codes: string[], look: string): Promise<{ python: string; cli: string }>;
  sessions: SessionStore;
  /** What only a server can do; null in a static site. */
  desk: Desk | null;
}

export interface Desk {
  judge(codes: string[], look: string): Promise<{ attributes: string[]; probabilities: number[][] }>;
  edit(request: EditRequest): Promise<Edited>;
  directions(): Promise<Directions>;
  fitDirections(): Promise<Directions>;
  directionEvents(onChange: () => void): Events;
  move(request: MoveRequest): Promise<Edited>;
  invert(file: Blob, crop: Crop | null, steps: number, look: string): Promise<{ id: string; steps: number; target: string }>;
  inversionEvents(id: string, onEvent: (name: string, data: unknown) => void): Events;
  cancelInversion(id: string): Promise<void>;
  run(): Promise<Run>;
  gridAddress(address: string): string;
  runEvents(onChange: () => void): Events;
}

export interface SessionNode {
  id: number;
  code: string;
  look: string;
  parents: number[];
  operation: string;
  arguments: Record<string, unknown>;
  created: string;
  favorite: boolean;
}

export interface Pointer {
  current: number | null;
  undo: boolean;
  redo: boolean;
}

export interface Session extends Pointer {
  name: string;
  model: string;
  nodes: SessionNode[];
}

export interface NewNode {
  code: string;
  look: string;
  parents: number[];
  operation: string;
  arguments: Record<string, unknown>;
}

/** What a store of sessions tells by itself. */
export interface SessionWatcher {
  /** Why the last change is on this page alone; "" when it is kept. */
  unkept(words: string): void;
  /** Another tab has gone on with a session. */
  changed(name: string): void;
}

export interface SessionStore {
  watch?(watcher: SessionWatcher): void;
  list(): Promise<{ name: string; nodes: number; changed: string }[]>;
  open(name: string): Promise<Session>;
  create(name: string): Promise<Session>;
  add(name: string, nodes: NewNode[], select: number | null): Promise<Pointer & { nodes: SessionNode[] }>;
  select(name: string, node: number): Promise<Pointer>;
  step(name: string, way: "undo" | "redo"): Promise<Pointer>;
  favorite(name: string, node: number, favorite: boolean): Promise<SessionNode>;
  exported(name: string): Promise<Blob>;
  imported(text: string): Promise<Session>;
}
