/** What the page knows and what can be done on it; components only read these signals and call these functions. */

import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { isPlain } from "../genetics/recipes";
import { changedGenes } from "../genetics/breeding";
import { fromString, toString } from "../genetics/strings";
import { Dropped, type Backend, type Child, type GeneTable, type PanelName, type SessionNode } from "../backend/types";
import { putAddress, readAddress, writeAddress, type Address, type Sort, type Tab } from "./address";
import { InversionState } from "./inversion";
import { LookState } from "./look";
import { breed, dice } from "./making";
import { SessionState, type Made } from "./session";

export type Cross = "uniform" | "block" | "gene";

export interface Preview {
  code: string;
  words: string;
}

/** A picture and what is known of how it was made. */
export type Wanted = Pick<Child, "code" | "operation"> & Partial<Child>;

export class App {
  readonly drawn: LookState;
  readonly session: SessionState;
  readonly inversion = new InversionState(this);
  readonly code = signal<string | null>(null);
  readonly pinned = signal<string | null>(null);
  readonly partner = signal<string | null>(null);
  readonly preview = signal<Preview | null>(null);
  readonly temperature = signal(0.5);
  readonly attribute = signal<string | null>(null);
  readonly sort = signal<Sort>("effect");
  readonly tab = signal<Tab>("explore");
  readonly side = signal<"genome" | "attributes">("genome");
  readonly locked = signal<ReadonlySet<number>>(new Set());
  readonly smooth = signal(false);
  readonly showDifference = signal(false);
  readonly wishes = signal<ReadonlyMap<string, boolean>>(new Map());
  readonly rate = signal(0.1);
  readonly share = signal(0.5);
  readonly cross = signal<Cross>("uniform");
  readonly crossGenes = signal("");
  readonly count = signal(12);
  readonly table = signal<GeneTable | null>(null);
  readonly spoken = signal("");
  readonly trouble = signal("");
  readonly busy = signal(0);
  readonly help = signal(false);
  /** What a narrow screen shows. */
  readonly view = signal<"main" | "population" | "side">("main");
  /** How often a picture was asked for: what was asked for last is shown, whoever answers late. */
  private wished = 0;

  constructor(readonly backend: Backend) {
    this.session = new SessionState(backend.sessions);
    this.drawn = new LookState(backend.info.model);
    const model = this.model;
    if (model) this.attribute.value = model.attributes[0] ?? null;
    effect(() => {
      // What was pointed at is gone with its picture or its panel, and nothing says so.
      void [this.code.value, this.side.value];
      this.preview.value = null;
    });
  }

  get model() {
    return this.backend.info.model;
  }

  get shape() {
    return { genes: this.model?.num_genes ?? 0, variants: this.model?.num_variants ?? 0 };
  }

  get look() {
    return this.drawn.text;
  }

  readonly genotype = computed(() => this.read(this.code.value));
  readonly pinnedGenotype = computed(() => this.read(this.pinned.value));
  readonly changed = computed(() => {
    const [now, before] = [this.genotype.value, this.pinnedGenotype.value];
    return now && before ? new Set(changedGenes(before, now)) : new Set<number>();
  });

  panel(name: PanelName): { available: boolean; reason: string } {
    const found = this.backend.info.panels.find((one) => one.name === name);
    return found ?? { available: false, reason: "this server does not have it" };
  }

  /** The genotype of a plain code; null for style vectors, recipes and models without genes. */
  read(code: string | null): number[] | null {
    if (!code || !this.shape.genes || !isPlain(code)) return null;
    try {
      return fromString(this.shape, code);
    } catch {
      return null;
    }
  }

  /** Told to screen readers; the same words again are told again. */
  say(words: string): void {
    this.spoken.value = "";
    setTimeout(() => (this.spoken.value = words), 20);
  }

  /** Run something that may fail: its words are shown, what was dropped is silent. What is `asked` for ends the trouble before it. */
  async attempt<T>(work: () => Promise<T>, asked = true): Promise<T | null> {
    if (asked) this.trouble.value = "";
    this.busy.value++;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Dropped)) this.trouble.value = error instanceof Error ? error.message : String(error);
      return null;
    } finally {
      this.busy.value--;
    }
  }

  async start(): Promise<void> {
    const kept = readAddress(location.hash);
    this.adopt(kept);
    if (!this.model) {
      this.tab.value = "runs";
      return;
    }
    await this.session.open();
    const wrong = await this.openAddress(kept);
    if (this.code.value === null) await this.enter();
    if (wrong) this.trouble.value = wrong;
    effect(() => putAddress(writeAddress(this.kept())));
    effect(() => {
      const attribute = this.attribute.value;
      untracked(() => void this.readGenes(attribute));
    });
    window.addEventListener("hashchange", () => {
      const given = readAddress(location.hash);
      this.adopt(given);
      void this.openAddress(given).then((wrong) => wrong && (this.trouble.value = wrong));
    });
  }

  /** Show where the session stands; an empty one begins with new pictures. */
  private async enter(): Promise<void> {
    const node = this.session.currentNode.value ?? this.session.nodes.value[0];
    if (node) this.code.value = node.code;
    else await this.dice();
  }

  /** Go on with another session. */
  async change(work: () => Promise<void>): Promise<void> {
    if ((await this.attempt(work)) !== null) await this.enter();
  }

  /** Show the code of an address; codes that cannot be drawn are left out. Returns what is wrong with the last of these. */
  private async openAddress(given: Address): Promise<string> {
    let wrong = "";
    const readable = async (code: string) => {
      try {
        await this.backend.picture(code, this.look.value, { priority: "click" });
        return true;
      } catch (error) {
        wrong = `this address cannot be opened as it is: ${error instanceof Error ? error.message : String(error)}`;
        return false;
      }
    };
    for (const other of [this.pinned, this.partner]) {
      const code = other.value;
      if (code && !(await readable(code)) && other.value === code) other.value = null;
    }
    const { code } = given;
    if (code && code !== this.code.value && (await readable(code))) await this.open(code, "opened from the address", false);
    return wrong;
  }

  private kept() {
    return {
      code: this.code.value,
      pinned: this.pinned.value,
      partner: this.partner.value,
      look: this.drawn.text.value,
      attribute: this.attribute.value,
      sort: this.sort.value,
      tab: this.tab.value,
      locked: [...this.locked.value].sort((a, b) => a - b),
      smooth: this.smooth.value,
    };
  }

  private adopt(given: Address): void {
    batch(() => {
      this.pinned.value = given.pinned;
      this.partner.value = given.partner;
      this.drawn.read(given.look);
      if (given.attribute && this.model?.attributes.includes(given.attribute)) this.attribute.value = given.attribute;
      this.sort.value = given.sort;
      this.tab.value = given.tab;
      this.locked.value = new Set(given.locked.filter((gene) => gene >= 0 && gene < this.shape.genes));
      this.smooth.value = given.smooth;
    });
  }

  private async readGenes(attribute: string | null): Promise<void> {
    if (!attribute || !this.panel("genome").available) return;
    const table = await this.attempt(() => this.backend.genes(attribute), false);
    if (table && this.attribute.value === attribute) this.table.value = table;
  }

  dice = () => dice(this);
  breed = () => breed(this);

  /** Show what was made, and add it to the session. What answers an earlier wish is not `asked` for. */
  async show(wanted: Wanted, words: string, asked = true): Promise<void> {
    this.wished++;
    this.code.value = wanted.code;
    await this.attempt(() => this.session.add([this.made(wanted)], 0), asked);
    this.say(words);
  }

  /** Show a code: its node in the session becomes current, and where there is none it is added. */
  async open(code: string, words: string, asked = true): Promise<void> {
    this.wished++;
    this.code.value = code;
    await this.attempt(() => this.session.goTo(this.made({ code, operation: "open" })), asked);
    this.say(words);
  }

  /** Add what was made of one picture while another one may have been chosen: it is shown only where it `still` belongs. */
  async take(child: Wanted, words: string, still: boolean): Promise<void> {
    if (still) return this.show(child, words, false);
    await this.attempt(() => this.session.add([this.made(child)], null), false);
  }

  private made({ code, operation, parents = [], arguments: given = {} }: Wanted): Made {
    return { code, look: this.look.value, parents, operation, arguments: given };
  }

  /** Show where the session stands after some work, unless something else was asked for meanwhile. */
  async follow<T>(work: () => Promise<T>, asked = true, wish = this.wish()): Promise<T | null> {
    const done = await this.attempt(work, asked);
    const node = this.session.currentNode.value;
    if (node && this.isLast(wish)) this.code.value = node.code;
    return done;
  }

  /** A number of something that will be shown, taken when it is asked for. */
  wish(): number {
    return ++this.wished;
  }

  isLast(wish: number): boolean {
    return wish === this.wished;
  }

  select(node: SessionNode): Promise<void> {
    return this.open(node.code, `picture ${node.id} of the session`);
  }

  async swap(gene: number, variant: number): Promise<void> {
    const [before, code] = [this.code.value, this.swapped(gene, variant)];
    if (before === null || code === null || code === before) return;
    const made = { code, operation: "swap", parents: [before], arguments: { gene, variant } };
    await this.show(made, `gene ${gene} is now variant ${variant}`);
  }

  swapped(gene: number, variant: number): string | null {
    const genotype = this.genotype.value;
    return genotype && toString(this.shape, genotype.with(gene, variant));
  }

  /** Take a code that somebody pasted; says what is wrong with one that cannot be read. */
  async paste(text: string): Promise<boolean> {
    const [code, wish] = [text.trim(), this.wish()];
    const found = await this.attempt(async () => {
      if (this.shape.genes && isPlain(code)) fromString(this.shape, code);
      await this.backend.picture(code, this.look.value, { priority: "click" });
      return code;
    });
    if (found) await this.take({ code: found, operation: "paste" }, "the code was read", this.isLast(wish));
    return found !== null;
  }

  async step(way: "undo" | "redo"): Promise<void> {
    if (!this.session[way].value) return this.say(`nothing to ${way}`);
    if ((await this.follow(() => this.session.step(way))) === null) return;
    const node = this.session.currentNode.value;
    this.say(`${way}: ${node ? `picture ${node.id}` : "the beginning of the session"}`);
  }

  async favorite(code = this.code.value): Promise<void> {
    if (!code) return;
    const now = await this.attempt(() => this.session.favorite(code));
    if (now) this.say(now.favorite ? "a favorite now" : "no favorite any more");
  }

  toggleLock(gene: number): void {
    const locked = new Set(this.locked.value);
    const held = !locked.delete(gene);
    if (held) locked.add(gene);
    this.locked.value = locked;
    this.say(held ? `gene ${gene} is locked` : `gene ${gene} is free`);
  }

  togglePin(): void {
    const same = this.pinned.value === this.code.value;
    this.pinned.value = same ? null : this.code.value;
    this.say(same ? "nothing is pinned" : "this picture is pinned: others are compared with it");
  }

  setPartner(code: string | null): void {
    this.partner.value = this.partner.value === code ? null : code;
    this.say(this.partner.value ? "chosen as the second parent" : "no second parent");
  }
}
