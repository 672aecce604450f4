/** What the session holds: all generations below one another, the family of the picture shown, the favorites. */

import { useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context";
import { Choice, Section, percent } from "./parts/controls";
import { Roving } from "./parts/Roving";
import { FamilyTree } from "./FamilyTree";
import { Thumb } from "./Thumb";
import { madeBy } from "./Stage";
import type { Diversity } from "../backend/types";
import { diversity } from "../genetics/breeding";
import type { Generation } from "../state/session";

const VIEWS = [
  ["all", "All"],
  ["family", "Family"],
  ["favorites", "Favorites"],
] as const;
type View = (typeof VIEWS)[number][0];
const AT_ONCE = 8;

export function History() {
  const view = useSignal<View>("all");
  return (
    <Section
      title="Generations"
      aside={<Choice label="Show" value={view.value} options={VIEWS} onChange={(next) => (view.value = next)} />}
    >
      {view.value === "all" && <All />}
      {view.value === "family" && <FamilyTree />}
      {view.value === "favorites" && <Favorites />}
    </Section>
  );
}

function All() {
  const app = useApp();
  const shown = useSignal(AT_ONCE);
  const all = app.session.generations.value;
  return (
    <>
      {all.slice(0, shown.value).map((one) => (
        <GenerationRow key={one.key} generation={one} />
      ))}
      {all.length > shown.value && (
        <button type="button" class="button" onClick={() => (shown.value += AT_ONCE)}>
          {all.length - shown.value} earlier
        </button>
      )}
    </>
  );
}

export function titleOf(generation: Generation): string {
  const { nodes, operation, parents } = generation;
  const from = parents.length ? ` of ${parents.map((id) => `#${id}`).join(" × ")}` : "";
  const where = generation.arguments["where"];
  if (operation === "dice") return `${nodes.length} diced${where && typeof where === "string" ? `: ${where}` : ""}`;
  if (nodes.length > 1) return `${nodes.length} children${from}`;
  return `#${nodes[0]!.id} ${madeBy(operation)}${from}`;
}

function GenerationRow({ generation }: { generation: Generation }) {
  const title = titleOf(generation);
  return (
    <div class="generation">
      <div class="generation-head">
        <h3>{title}</h3>
        {generation.nodes.length > 1 && <Variety generation={generation} />}
      </div>
      <Roving label={title} class="thumbs">
        {generation.nodes.map((node) => (
          <Thumb key={node.id} node={node} />
        ))}
      </Roving>
    </div>
  );
}

/** How different the pictures of a generation are from each other, as one number; by their looks too where a server judges. */
export function Variety({ generation, looks = false }: { generation: Generation; looks?: boolean }) {
  const app = useApp();
  const [judged, setJudged] = useState<Diversity | null>(null);
  const codes = generation.nodes.map((node) => node.code);
  const genotypes = codes.map((code) => app.read(code)).filter((one) => one !== null);
  const genes = genotypes.length > 1 ? diversity(genotypes) : null;
  useEffect(() => {
    let live = true;
    setJudged(null);
    if (looks) {
      app.backend.diversity(codes, app.look.peek()).then(
        (found) => live && setJudged(found),
        () => undefined,
      );
    }
    return () => {
      live = false;
    };
  }, [generation.key, looks]);
  const pictures = judged?.pictures ?? null;
  if (genes === null && pictures === null) return null;
  const words = [
    genes === null ? "" : `genes ${percent(genes)}`,
    pictures === null ? "" : `pictures ${pictures.toFixed(2)}`,
  ].filter(Boolean);
  return (
    <span class="variety" title="How much two of them differ on average: in their genes, and to a perceptual judge">
      diversity: {words.join(", ")}
    </span>
  );
}

function Favorites() {
  const app = useApp();
  const found = app.session.favorites.value;
  if (!found.length) {
    return (
      <p class="hint">
        None yet: <kbd>f</kbd> makes the picture shown a favorite.
      </p>
    );
  }
  return (
    <Roving label="Favorites" class="thumbs">
      {found.map((node) => (
        <Thumb key={node.id} node={node} />
      ))}
    </Roving>
  );
}
