/** The page without a server: a worker draws, the genetics are the page's own, the session is the browser's. */

import { breed, dice, diversity } from "../genetics/breeding";
import { childShare, randomZ, readFloats, slerp, writeFloats } from "../genetics/continuous";
import { randomOf } from "../genetics/random";
import { isPlain } from "../genetics/recipes";
import { drawByWish, tableOf, type Statistics, type Wish } from "../genetics/statistics";
import { CodeError, fromString, toString, type Shape } from "../genetics/strings";
import type { Latent } from "./express";
import { sheet, withText } from "./files";
import { Gallery } from "./gallery";
import { linesOf } from "./lines";
import { BrowserSessions } from "./localSessions";
import { readNumbers, type NumberTable } from "./numbers";
import { Queue } from "./queue";
import type { Answer, Draw, Start } from "./worker";
import {
  Dropped,
  type Asking,
  type Backend,
  type BreedRequest,
  type Children,
  type DiceRequest,
  type Diversity,
  type FileRequest,
  type GeneTable,
  type Info,
  type ModelInfo,
  type MutateRequest,
} from "./types";

interface Site {
  info: Info;
  latent: Latent;
  /** What a conditional model was told, as `--label` takes it: it is built in. */
  labels: string[];
  numbers: NumberTable | null;
}

/** Pictures that are kept, of a few kilobytes each. */
const MOST_PICTURES = 600;

export async function openSite(): Promise<LocalBackend> {
  const place = new URL(".", location.href).href;
  const answer = await fetch(`${place}site.json`);
  if (!answer.ok) throw new Error("site.json is missing beside this page; export the site again");
  const site = (await answer.json()) as Site;
  const numbers = site.numbers ? await fetch(`${place}model/numbers.bin`).then((found) => found.arrayBuffer()) : null;
  return new LocalBackend(site, place, numbers);
}

export class LocalBackend implements Backend {
  readonly kind = "static";
  readonly desk = null;
  readonly info: Info;
  readonly sessions: BrowserSessions;
  private readonly model: ModelInfo;
  private readonly statistics: Statistics | null;
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly queue = new Queue<string>();
  private readonly pictures = new Gallery(MOST_PICTURES, (address) =>
    [...document.images].some((image) => image.src === address),
  );
  private readonly answers = new Map<number, (answer: Answer) => void>();
  private asked = 0;
  private broken = "";

  constructor(
    private readonly site: Site,
    place: string,
    numbers: ArrayBuffer | null,
  ) {
    this.info = site.info;
    this.model = site.info.model!;
    this.sessions = new BrowserSessions(this.model.hash, this.model.weights);
    this.statistics =
      numbers && site.numbers ? readNumbers(numbers, site.numbers, this.model, site.latent) : null;
    this.worker.onmessage = (event: MessageEvent<Answer>) => {
      this.answers.get(event.data.id)?.(event.data);
      this.answers.delete(event.data.id);
    };
    this.worker.onerror = (event) => {
      this.broken = `this browser cannot draw here: ${event.message || "its worker does not start"}; load the page again`;
      for (const [id, answer] of this.answers) answer({ id, error: this.broken });
      this.answers.clear();
    };
    this.worker.postMessage({ kind: "start", place, latent: site.latent, sizes: this.model } satisfies Start);
  }

  private get shape(): Shape {
    return { genes: this.model.num_genes, variants: this.model.num_variants };
  }

  picture(code: string, look: string, asking: Asking): Promise<string> {
    const key = `${look} ${code}`;
    const known = this.pictures.find(key);
    if (known) {
      this.queue.raise(key, asking.priority);
      // Whoever asked first may have given up; then it is drawn for the next.
      return known.catch((error: unknown) => {
        if (error instanceof Dropped && !asking.signal?.aborted) return this.picture(code, look, asking);
        throw error;
      });
    }
    const drawn = this.queue.add(key, () => this.draw(code, look), asking);
    this.pictures.keep(key, drawn);
    return drawn;
  }

  private draw(code: string, look: string): Promise<string> {
    if (this.broken) return Promise.reject(new Error(this.broken));
    const id = this.asked++;
    return new Promise((resolve, reject) => {
      this.answers.set(id, (answer) => {
        if ("error" in answer) reject(new Error(answer.error));
        else resolve(URL.createObjectURL(answer.picture));
      });
      this.worker.postMessage({ kind: "draw", id, code, look } satisfies Draw);
    });
  }

  private shown(genotypes: number[][], operation: string, parents: string[], given: object, seed: number): Children {
    const children = genotypes.map((genotype) => ({
      code: toString(this.shape, genotype),
      operation,
      parents,
      arguments: { ...given, seed },
    }));
    return { children, seed, notes: [], diversity: null };
  }

  async dice(request: DiceRequest): Promise<Children> {
    const random = randomOf(request.seed);
    if (!this.model.num_genes) {
      const codes = Array.from({ length: request.count }, () => randomZ(this.site.latent.z_dim, random));
      return this.continuous(codes, "dice", [], request.seed);
    }
    const given = { where: request.where ?? "", temperature: request.temperature };
    if (!request.where) return this.shown(dice(this.shape, request.count, random), "dice", [], {}, request.seed);
    if (!this.statistics) throw new Error("this model has no survey to wish by");
    const wishes = this.wishes(request.where);
    const drawn = drawByWish(this.statistics, wishes, request.temperature, request.count, random);
    const note = "Drawn by the survey's tables alone; a server also looks at each picture and is more often right.";
    return { ...this.shown(drawn, "dice", [], given, request.seed), notes: [note] };
  }

  private wishes(text: string): Wish[] {
    return text.split(",").map((part) => {
      const [name = "", value] = part.split("=");
      const attribute = this.model.attributes.indexOf(name);
      if (attribute < 0) throw new Error(`there is no attribute “${name}”`);
      return { attribute, present: value === "1" };
    });
  }

  async mutate(request: MutateRequest): Promise<Children> {
    const random = randomOf(request.seed);
    if (!this.model.num_genes) {
      const from = this.readZ(request.code);
      const codes = Array.from({ length: request.count }, () =>
        slerp(from, randomZ(this.site.latent.z_dim, random), request.rate),
      );
      return this.continuous(codes, "mutate", [request.code], request.seed);
    }
    const parent = fromString(this.shape, request.code);
    const how = { ...PLAIN, count: request.count, mutation: request.rate, locked: new Set(request.locked) };
    const children = breed(this.shape, [parent], how, random);
    return this.shown(children, "mutate", [request.code], { rate: request.rate, locked: request.locked }, request.seed);
  }

  async breed(request: BreedRequest): Promise<Children> {
    const random = randomOf(request.seed);
    if (!this.model.num_genes) {
      const [a, b] = request.parents.map((code) => this.readZ(code)) as [Float32Array, Float32Array];
      const codes = Array.from({ length: request.count }, () => {
        return slerp(slerp(a, b, childShare(request.share, random)), randomZ(this.site.latent.z_dim, random), request.rate);
      });
      return this.continuous(codes, "breed", request.parents, request.seed);
    }
    const missing = request.genes?.find((gene) => gene >= this.model.num_genes);
    if (missing !== undefined) throw new Error(`there is no gene ${missing}; this model has genes 0 to ${this.model.num_genes - 1}`);
    const parents = request.parents.map((code) => fromString(this.shape, code));
    const how = {
      count: request.count,
      mutation: request.rate,
      locked: new Set(request.locked),
      cross: request.cross,
      share: request.share,
      chosen: new Set(request.genes ?? []),
    };
    const given = { cross: request.cross, share: request.share, rate: request.rate, locked: request.locked };
    return this.shown(breed(this.shape, parents, how, random), "breed", request.parents, given, request.seed);
  }

  private readZ(code: string): Float32Array {
    if (!isPlain(code)) throw new CodeError("only plain codes can have children here");
    return readFloats(code, this.site.latent.z_dim);
  }

  private continuous(codes: Float32Array[], operation: string, parents: string[], seed: number): Children {
    const children = codes.map((z) => ({
      code: writeFloats(z),
      operation,
      parents,
      arguments: { seed },
    }));
    return { children, seed, notes: [], diversity: null };
  }

  async diversity(codes: string[]): Promise<Diversity> {
    const genes = this.model.num_genes ? diversity(codes.map((code) => fromString(this.shape, code))) : null;
    return { genes, pictures: null, judge: "" };
  }

  async genes(attribute: string): Promise<GeneTable> {
    if (!this.statistics) throw new Error("this model has no survey");
    return tableOf(this.statistics, this.model.attributes.indexOf(attribute));
  }

  async file(request: FileRequest): Promise<Blob> {
    if (request.format !== "png") throw new Error(`.${request.format} files need Python behind the page`);
    // Read as soon as it is there: an address that no picture on the page has is soon let go.
    const read = async (code: string) => {
      const address = await this.picture(code, request.look, { priority: "click" });
      return (await fetch(address)).blob();
    };
    const files = await Promise.all(request.codes.map(read));
    if (files.length === 1) return withText(files[0]!, this.text(request));
    const pictures = await Promise.all(files.map((file) => createImageBitmap(file)));
    const scale = Math.max(1, Math.floor(128 / Math.max(this.model.height, this.model.width)));
    const columns = request.columns ?? Math.ceil(Math.sqrt(pictures.length));
    return withText(await sheet(pictures, { columns, scale, gap: 2 }), this.text(request));
  }

  private text(request: FileRequest): Record<string, string> {
    const psi = /psi=([^,]*)/.exec(request.look)?.[1] ?? "1";
    const plain = request.codes.filter(isPlain);
    const text = {
      Software: `stylegenes ${this.info.version}`,
      Model: this.model.name,
      Weights: this.model.weights,
      Psi: psi,
      Noise: "const",
      ...(this.site.labels.length ? { Label: this.site.labels.join("\n") } : {}),
      Codes: plain.join("\n"),
    };
    return plain.length === request.codes.length ? text : { ...text, Recipes: request.codes.join("\n") };
  }

  async lines(codes: string[], look: string): Promise<{ python: string; cli: string }> {
    const psi = /psi=([^,]*)/.exec(look)?.[1];
    return linesOf(this.model.reference, codes, { psi, label: this.site.labels[0] });
  }
}

const PLAIN = { cross: "uniform" as const, share: 0, chosen: new Set<number>() };
