/** Moving along directions of W: of attributes (logistic regression) and of the greatest variance (PCA). */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useApp } from "../context";
import { Button, Section, Select, Slider, percent, words } from "../parts/controls";
import { Icon } from "../parts/Icon";
import { Picture } from "../parts/Picture";
import { Report } from "../Report";
import { lastly } from "../../state/lastly";
import type { Directions as Found, Edited } from "../../backend/types";

const FARTHEST = 5;

export function Directions() {
  const app = useApp();
  const desk = app.backend.desk!;
  const found = useSignal<Found | null>(null);
  const read = async () => {
    found.value = (await app.attempt(() => desk.directions(), false)) ?? found.value;
  };
  const fits = useSignal(0);
  useEffect(() => {
    void read();
    // They end with a fit, and begin again with the next.
    const events = desk.directionEvents(() => void read());
    return () => events.close();
  }, [fits.value]);
  const fit = async () => {
    if (await app.attempt(() => desk.fitDirections())) fits.value++;
  };
  const shown = found.value;
  return (
    <div class="directions">
      <div class="beside">
        <div class="frame small">
          <Picture code={app.code.value} alt="The picture shown" priority="click" class="large" />
        </div>
      </div>
      {shown === null && <p class="hint">Looking up which directions are known…</p>}
      {shown && shown.state !== "ready" && <Fitting found={shown} onFit={() => void fit()} />}
      {shown && (shown.attributes.length > 0 || shown.components.length > 0) && <Sliders found={shown} />}
    </div>
  );
}

function Fitting({ found, onFit }: { found: Found; onFit: () => void }) {
  if (found.state === "unavailable") return <p class="hint">{found.reason}</p>;
  if (found.state === "fitting") {
    return (
      <div class="row">
        <progress max={Math.max(1, found.total)} value={found.done} aria-label="Fitting directions" />
        <span class="hint">
          fitting: {found.done} of {found.total}
        </span>
      </div>
    );
  }
  const failed = found.state === "failed";
  return (
    <div class="absent">
      <h2>Directions of attributes {failed ? "could not be fitted" : "are not fitted yet"}</h2>
      {failed && <p>{found.reason}.</p>}
      <p>A classifier looks at a few thousand pictures once; that takes a minute or so on a CPU.</p>
      <Button primary text="Fit directions" label="Fit directions" onClick={onFit} />
    </div>
  );
}

function Sliders({ found }: { found: Found }) {
  const app = useApp();
  const origin = useSignal<string | null>(null);
  const made = useSignal<string | null>(null);
  const strengths = useSignal<ReadonlyMap<string, number>>(new Map());
  const held = useSignal<ReadonlySet<string>>(new Set());
  const layers = useSignal("all");
  const edited = useSignal<Edited | null>(null);
  const wish = useMemo(lastly, []);
  const code = app.code.value;
  useEffect(() => {
    // Another picture is another place to start from.
    if (code !== made.value) {
      origin.value = code;
      strengths.value = new Map();
      edited.value = null;
    }
  }, [code]);
  const move = async () => {
    const start = origin.value;
    const moves = [...strengths.value]
      .filter(([, strength]) => strength)
      .map(([name, strength]) => ({ name, strength, layers: layers.value }));
    if (!start) return;
    if (!moves.length) {
      if (start === app.code.value) return;
      made.value = start;
      return app.open(start, "back at the start");
    }
    const asked = { code: start, moves, hold: [...held.value], look: app.look.value };
    const answer = await app.attempt(() => app.backend.desk!.move(asked));
    if (!answer) return;
    const still = app.code.value === start || app.code.value === made.value;
    if (still) {
      edited.value = answer;
      made.value = answer.child.code;
    }
    await app.take(answer.child, "moved", still);
  };
  const hold = (name: string) => {
    const next = new Set(held.value);
    if (!next.delete(name)) next.add(name);
    held.value = next;
  };
  const row = (name: string, label: string) => (
    <li key={name}>
      <Slider
        label={label}
        value={strengths.value.get(name) ?? 0}
        min={-FARTHEST}
        max={FARTHEST}
        step={0.25}
        shown={`${(strengths.value.get(name) ?? 0).toFixed(2)} sd`}
        onInput={(strength) => (strengths.value = new Map(strengths.value).set(name, strength))}
        onChange={() => wish("move", move)}
      />
      {!name.startsWith("pc") && (
        <button
          type="button"
          class="lock"
          aria-pressed={held.value.has(name)}
          aria-label={`Hold ${words(name)}`}
          title="Hold: moves leave it as it is"
          onClick={() => hold(name)}
        >
          <Icon name={held.value.has(name) ? "lock" : "open"} />
        </button>
      )}
    </li>
  );
  return (
    <>
      <div class="row spread">
        <Select
          label="Layers"
          value={layers.value}
          options={[["all", "all layers"], ...Object.keys(app.model?.bands ?? {}).map((band) => [band, `${band} layers`] as const)]}
          onChange={(next) => {
            layers.value = next;
            wish("move", move, 0);
          }}
        />
        <Button
          text="Back to the start"
          label="Back to the start: all directions at zero"
          disabled={![...strengths.value.values()].some(Boolean)}
          onClick={() => {
            strengths.value = new Map();
            wish("move", move, 0);
          }}
        />
      </div>
      {edited.value && <Report edited={edited.value} />}
      {found.attributes.length > 0 && (
        <Section title="Attributes (logistic regression)">
          <ul class="sliders columns">
            {found.attributes.map((one) =>
              row(one.name, `${words(one.name)}${one.auc === null ? "" : ` · AUC ${one.auc.toFixed(2)}`}`),
            )}
          </ul>
        </Section>
      )}
      {found.components.length > 0 && (
        <Section title="Principal components">
          <ul class="sliders columns">
            {found.components.map((one) => row(one.name, `${one.name} · ${percent(one.explained)} of the variance`))}
          </ul>
        </Section>
      )}
    </>
  );
}
