/** A slider for each attribute: where it is let go, genes are exchanged until the picture is there, or as near as it gets. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useApp } from "./context";
import { Absent, Slider, percent, words } from "./parts/controls";
import { Icon } from "./parts/Icon";
import { Report } from "./Report";
import { lastly } from "../state/lastly";
import type { Edited } from "../backend/types";

const GENES = 4;

interface Judged {
  code: string;
  look: string;
  values: ReadonlyMap<string, number>;
}

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
  const judged = useSignal<Judged | null>(null);
  const drawn = useSignal<ReadonlyMap<string, number>>(new Map());
  const held = useSignal<ReadonlySet<string>>(new Set());
  const edited = useSignal<Edited | null>(null);
  const filter = useSignal("");
  const wish = useMemo(lastly, []);
  const [code, look] = [app.code.value, app.look.value];
  const known = judged.value?.code === code && judged.value?.look === look;
  const judge = async (code: string, look: string): Promise<Judged["values"] | null> => {
    if (judged.value?.code === code && judged.value.look === look) return judged.value.values;
    const found = await app.attempt(() => desk.judge([code], look), false);
    if (!found) return null;
    const values = new Map(found.attributes.map((name, index) => [name, found.probabilities[0]![index]!]));
    if (code === app.code.value && look === app.look.value) {
      judged.value = { code, look, values };
      drawn.value = new Map();
    }
    return values;
  };
  useEffect(() => {
    if (!code) return;
    void judge(code, look);
    if (edited.value?.child.code !== code) edited.value = null;
  }, [code, look]);
  const edit = async (name: string, target: number, seen: string | null) => {
    const [code, look] = [app.code.value, app.look.value];
    // What was wished while an edit was made goes on from it; another picture has wishes of its own.
    if (!code || (code !== seen && code !== edited.value?.child.code)) return;
    const present = (await judge(code, look))?.get(name);
    if (present === undefined || Math.abs(target - present) < 0.01) return;
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
    const still = app.code.value === code;
    if (still) edited.value = found;
    const change = found.attributes.find((one) => one.name === name);
    const said = `${words(name)}: ${percent(change?.before ?? present)} before, ${percent(change?.after ?? present)} now`;
    if (found.child.code === code) app.say(`no exchange of genes brings more ${words(name)} without other changes`);
    else await app.take(found.child, said, still);
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
          const own = drawn.value.get(name);
          const value = own ?? judged.value?.values.get(name);
          return (
            <li key={name} class={held.value.has(name) ? "held" : ""}>
              <Slider
                label={words(name)}
                value={value ?? 0}
                min={0}
                max={1}
                step={0.01}
                shown={own === undefined && !known ? "…" : percent(value ?? 0)}
                disabled={held.value.has(name) || !app.genotype.value || value === undefined}
                onInput={(target) => (drawn.value = new Map(drawn.value).set(name, target))}
                onChange={(target) => wish(name, () => edit(name, target, code))}
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
