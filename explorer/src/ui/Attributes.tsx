/** A slider for each attribute: where it is let go, genes are exchanged until the picture is there, or as near as it gets. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useApp } from "./context";
import { Absent, Slider, percent, words } from "./parts/controls";
import { Icon } from "./parts/Icon";
import { Report } from "./Report";
import type { Edited } from "../backend/types";

const GENES = 4;

export function Attributes() {
  const app = useApp();
  const panel = app.panel("attributes");
  if (!panel.available) {
    return (
      <div class="panel">
        <Absent title="Attributes" reason={panel.reason} />
      </div>
    );
  }
  return <Sliders />;
}

function Sliders() {
  const app = useApp();
  const desk = app.backend.desk!;
  const now = useSignal<ReadonlyMap<string, number>>(new Map());
  const drawn = useSignal<ReadonlyMap<string, number>>(new Map());
  const held = useSignal<ReadonlySet<string>>(new Set());
  const edited = useSignal<Edited | null>(null);
  const filter = useSignal("");
  const [code, look] = [app.code.value, app.look.value];
  useEffect(() => {
    let live = true;
    if (code) {
      void app.attempt(() => desk.judge([code], look), false).then((found) => {
        if (!live || !found) return;
        now.value = new Map(found.attributes.map((name, index) => [name, found.probabilities[0]![index]!]));
        drawn.value = new Map();
      });
      if (edited.value?.child.code !== code) edited.value = null;
    }
    return () => {
      live = false;
    };
  }, [code, look]);
  const edit = async (name: string, target: number) => {
    const present = now.value.get(name) ?? 0.5;
    if (!code || Math.abs(target - present) < 0.01) return;
    const up = target > present;
    const asked = {
      code,
      wishes: `${name}=${up ? 1 : 0}`,
      hold: [...[...held.value].filter((one) => one !== name), ...app.locked.value].join(","),
      genes: GENES,
      rank: Math.min(1, up ? (target - present) / (1 - present) : (present - target) / present),
      look,
    };
    const found = await app.attempt(() => desk.edit(asked));
    drawn.value = new Map();
    if (!found) return;
    edited.value = found;
    const change = found.attributes.find((one) => one.name === name);
    const said = `${words(name)}: ${percent(change?.before ?? present)} before, ${percent(change?.after ?? present)} now`;
    if (found.child.code === code) app.say(`no exchange of genes brings more ${words(name)} without other changes`);
    else await app.show(found.child.code, "edit", said, found.child.arguments, false);
  };
  const hold = (name: string) => {
    const next = new Set(held.value);
    if (!next.delete(name)) next.add(name);
    held.value = next;
  };
  const all = (app.model?.attributes ?? []).filter((name) => words(name).toLowerCase().includes(filter.value.toLowerCase()));
  return (
    <div class="panel attributes">
      {edited.value && <Report edited={edited.value} />}
      {!app.genotype.value && (
        <p class="hint">This picture is no plain genotype, so its attributes can be read here but not edited.</p>
      )}
      <label class="text">
        Find an attribute
        <input type="text" value={filter.value} onInput={(event) => (filter.value = event.currentTarget.value)} />
      </label>
      <ul class="sliders">
        {all.map((name) => {
          const value = drawn.value.get(name) ?? now.value.get(name);
          return (
            <li key={name} class={held.value.has(name) ? "held" : ""}>
              <Slider
                label={words(name)}
                value={value ?? 0}
                min={0}
                max={1}
                step={0.01}
                shown={value === undefined ? "…" : percent(value)}
                disabled={held.value.has(name) || !app.genotype.value || value === undefined}
                onInput={(target) => (drawn.value = new Map(drawn.value).set(name, target))}
                onChange={(target) => void edit(name, target)}
              />
              <button
                type="button"
                class="lock"
                aria-pressed={held.value.has(name)}
                aria-label={`Hold ${words(name)}`}
                title="Hold: edits leave it as it is"
                onClick={() => hold(name)}
              >
                <Icon name={held.value.has(name) ? "lock" : "open"} />
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
