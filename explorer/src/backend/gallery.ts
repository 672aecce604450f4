/** Addresses of drawn pictures; the one that was wanted longest ago is let go first, but none that is shown. */

/** Milliseconds in which whoever asked for a picture puts it on the page. */
const GRACE = 1000;

interface Drawn {
  address: Promise<string>;
  ready: string | null;
  since: number;
}

export class Gallery {
  private readonly drawn = new Map<string, Drawn>();

  constructor(
    private readonly most: number,
    private readonly isShown: (address: string) => boolean,
  ) {}

  find(key: string): Promise<string> | undefined {
    const found = this.drawn.get(key);
    if (found) {
      this.drawn.delete(key);
      this.drawn.set(key, found);
    }
    return found?.address;
  }

  keep(key: string, address: Promise<string>): void {
    const one: Drawn = { address, ready: null, since: 0 };
    this.drawn.set(key, one);
    address.then(
      (ready) => {
        Object.assign(one, { ready, since: Date.now() });
        setTimeout(() => this.thin(), GRACE);
      },
      () => this.drawn.delete(key),
    );
  }

  private thin(): void {
    const ready = [...this.drawn].filter(([, one]) => one.ready !== null);
    let over = ready.length - this.most;
    for (const [key, { ready: address, since }] of ready) {
      if (over <= 0) return;
      if (address === null || Date.now() - since < GRACE || this.isShown(address)) continue;
      this.drawn.delete(key);
      URL.revokeObjectURL(address);
      over--;
    }
  }
}
