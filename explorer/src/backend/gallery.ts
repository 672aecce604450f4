/** Addresses of drawn pictures; the one that was wanted longest ago is let go first, but none that is shown. */

export class Gallery {
  private readonly drawn = new Map<string, { address: Promise<string>; ready: string | null }>();

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
    const one = { address, ready: null as string | null };
    this.drawn.set(key, one);
    address.then(
      (ready) => {
        one.ready = ready;
        this.thin();
      },
      () => this.drawn.delete(key),
    );
  }

  private thin(): void {
    for (const [key, { ready }] of this.drawn) {
      if (this.drawn.size <= this.most) return;
      if (ready === null || this.isShown(ready)) continue;
      this.drawn.delete(key);
      URL.revokeObjectURL(ready);
    }
  }
}
