/** Every gene of the picture in a row of its own, and what is known of each of its variants. */

import { useComputed, useSignal } from "@preact/signals";
import { useApp } from "./context";
import { CodeBox } from "./CodeBox";
import { GeneRowView } from "./GeneRow";
import { Absent, Choice, Select, words } from "./parts/controls";
import { Roving } from "./parts/Roving";
import { scaleOf } from "../genetics/chips";

const SORTS = [
  ["effect", "By effect"],
  ["number", "By number"],
  ["changed", "Changed"],
] as const;

export function GenomePanel() {
  const app = useApp();
  const panel = app.panel("genome");
  if (!panel.available) {
    return (
      <div class="panel">
        <Absent title="The genome" reason={panel.reason} />
        <CodeBox />
      </div>
    );
  }
  return (
    <div class="panel genome">
      <CodeBox />
      <ChangeMap />
      <Genes />
    </div>
  );
}

function Genes() {
  const app = useApp();
  const readout = useSignal("");
  const table = app.table.value;
  const scale = useComputed(() => (app.table.value ? scaleOf(app.table.value) : 1));
  const most = useComputed(() => Math.max(0.01, ...(app.table.value?.genes.map((row) => row.explained) ?? [])));
  const genotype = app.genotype.value;
  const order = orderOf(app.sort.value, app.shape.genes, table?.order, app.changed.value);
  const attributes = app.model?.attributes ?? [];
  return (
    <>
      <div class="row spread">
        {attributes.length > 0 && (
          <Select
            label="Color by"
            value={app.attribute.value ?? ""}
            options={attributes.map((name) => [name, words(name)] as const)}
            onChange={(name) => (app.attribute.value = name)}
          />
        )}
        <Choice label="Order of the genes" value={app.sort.value} options={SORTS} onChange={(sort) => (app.sort.value = sort)} />
      </div>
      {table && <Legend />}
      {!genotype && app.code.value && (
        <p class="hint">This picture is no plain genotype (it was moved or mixed in W), so it has no genes to show.</p>
      )}
      {genotype && (
        <Roving
          label="Genes and their variants"
          class="genes"
          onKeyDown={(event) => {
            const gene = (event.target as HTMLElement).dataset["gene"];
            if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
            if (event.key === "l" && gene !== undefined) app.toggleLock(Number(gene));
            if (event.key === "Escape") app.preview.value = null;
          }}
        >
          {order.map((gene) => (
            <GeneRowView
              key={gene}
              gene={gene}
              present={genotype[gene]!}
              table={table}
              scale={scale.value}
              most={most.value}
              readout={readout}
            />
          ))}
          {order.length === 0 && <p class="hint">No gene differs from the pinned picture.</p>}
        </Roving>
      )}
      {genotype && (
        <p class="readout" data-testid="readout">
          {readout.value || "Point at a variant to see the picture with it; click or Enter takes it."}
        </p>
      )}
    </>
  );
}

function orderOf(sort: string, genes: number, byEffect: number[] | undefined, changed: ReadonlySet<number>): number[] {
  const all = Array.from({ length: genes }, (_, gene) => gene);
  if (sort === "changed") return all.filter((gene) => changed.has(gene));
  return sort === "effect" && byEffect ? byEffect : all;
}

function Legend() {
  const app = useApp();
  const table = app.table.value!;
  return (
    <div class="legend">
      <span>less</span>
      {[-5, -3, -1, 0, 1, 3, 5].map((step) => (
        <span key={step} class="chip" data-shade={step} aria-hidden="true" />
      ))}
      <span class="more">more {words(table.attribute)}</span>
      <span class="all" title="How many genes are shown to act on the attribute">
        average {Math.round(100 * table.mean)} %, {table.acting} genes act
      </span>
    </div>
  );
}

/** Which genes differ from the pinned original: one cell a gene, in the genome's own order. */
function ChangeMap() {
  const app = useApp();
  const { genotype, pinnedGenotype, changed } = app;
  if (!genotype.value) return null;
  if (!pinnedGenotype.value) {
    return (
      <p class="hint">
        <kbd>p</kbd> pins this picture; then a map shows which genes change.
      </p>
    );
  }
  const [count, all] = [changed.value.size, app.shape.genes];
  const said = `${count} of ${all} genes differ from the pinned picture`;
  return (
    <figure class="change-map">
      <figcaption>{said}</figcaption>
      <div class="cells" role="img" aria-label={`${said}${count ? `: ${[...changed.value].join(", ")}` : ""}`}>
        {genotype.value.map((_, gene) => (
          <span key={gene} class={changed.value.has(gene) ? "changed" : ""} title={`gene ${gene}`} />
        ))}
      </div>
    </figure>
  );
}
