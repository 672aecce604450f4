/** One gene: its lock, how much it explains, and its variants as chips. */

import { useSignal, type Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useApp } from "./context";
import { Button, percent } from "./parts/controls";
import { Icon } from "./parts/Icon";
import { describeVariant, rankVariants, sampleVariants, shade } from "../genetics/chips";
import type { GeneTable } from "../backend/types";

interface Props {
  gene: number;
  present: number;
  table: GeneTable | null;
  scale: number;
  /** What the strongest gene explains: a full bar. */
  most: number;
  readout: Signal<string>;
}

const CHIPS = 24;

export function GeneRowView({ gene, present, table, scale, most, readout }: Props) {
  const app = useApp();
  const whole = useSignal(false);
  const row = table?.genes[gene];
  const { variants } = app.shape;
  const ranked = useMemo(() => rankVariants(row, variants), [row, variants]);
  const shown = whole.value ? ranked : sampleVariants(ranked, CHIPS, present);
  const dead = new Set(app.model?.dead_variants[gene] ?? []);
  const locked = app.locked.value.has(gene);
  const changed = app.changed.value.has(gene);
  const original = app.pinnedGenotype.value?.[gene];
  const say = (variant: number) => {
    const name = `Gene ${gene}, variant ${variant}`;
    return table && row ? `${name}: ${describeVariant(table, row, variant)}` : name;
  };
  const look = (variant: number) => {
    readout.value = say(variant);
    const code = variant === present ? null : app.swapped(gene, variant);
    app.preview.value = code === null ? null : { code, words: `gene ${gene}, variant ${variant}` };
  };
  const leave = () => (app.preview.value = null);
  return (
    <div class={`gene${locked ? " locked" : ""}${changed ? " changed" : ""}`} role="group" aria-label={`Gene ${gene}`}>
      <div class="gene-head">
        <button
          type="button"
          class="lock"
          tabIndex={-1}
          aria-pressed={locked}
          aria-label={`Lock gene ${gene}`}
          title="Lock (l): children and edits leave it alone"
          onClick={() => app.toggleLock(gene)}
        >
          <Icon name={locked ? "lock" : "open"} />
        </button>
        <strong>{gene}</strong>
        <span class="now">
          variant {present}
          {changed && <span class="was"> was {original}</span>}
        </span>
        {row && (
          <span class="explains" title="Share of the attribute's variance that this gene explains by itself">
            <meter min={0} max={most} value={row.explained} aria-label={`Gene ${gene} explains`} />
            <span class="share">{percent(row.explained)}</span>
          </span>
        )}
        {variants > CHIPS && (
          <Button
            label={whole.value ? `Fewer variants of gene ${gene}` : `All ${variants} variants of gene ${gene}`}
            text={whole.value ? "fewer" : "all"}
            pressed={whole.value}
            onClick={() => (whole.value = !whole.value)}
          />
        )}
      </div>
      <div class={`chips${whole.value ? " whole" : ""}`} onMouseLeave={leave}>
        {shown.map((variant) => (
          <button
            type="button"
            key={variant}
            class={`chip${dead.has(variant) ? " dead" : ""}`}
            data-cell={variant === present ? "start" : ""}
            data-gene={gene}
            data-variant={variant}
            data-shade={row ? shade(row.shrunk[variant]!, scale) : 0}
            aria-pressed={variant === present}
            aria-label={say(variant)}
            onMouseEnter={() => look(variant)}
            onFocus={() => look(variant)}
            onBlur={leave}
            onClick={() => void app.swap(gene, variant)}
          />
        ))}
      </div>
    </div>
  );
}
