/** Two pictures against each other: wiped, on the way from one to the other, and with their styles mixed. */

import { useSignal } from "@preact/signals";
import { useApp } from "../context";
import { Button, Choice, Select } from "../parts/controls";
import { Picture } from "../parts/Picture";
import { Mixing } from "./Mixing";
import { Way } from "./Way";
import { Wipe } from "./Wipe";

const VIEWS = [
  ["wipe", "Wipe"],
  ["way", "Way"],
  ["mix", "Style mixing"],
] as const;

export function Compare() {
  const app = useApp();
  const view = useSignal<(typeof VIEWS)[number][0]>("wipe");
  const [a, b] = useEnds();
  return (
    <div class="compare">
      <div class="row spread">
        <Choice label="How to compare" value={view.value} options={VIEWS} onChange={(next) => (view.value = next)} />
        <OtherPicture />
      </div>
      {view.value === "mix" && <Mixing />}
      {view.value !== "mix" && (!a || !b) && (
        <p class="hint">
          Choose a second picture: pin one (<kbd>p</kbd>) and go on to another, or take one from the list.
        </p>
      )}
      {view.value === "wipe" && a && b && <Wipe before={a} after={b} />}
      {view.value === "way" && a && b && <Way start={a} end={b} />}
      {view.value !== "mix" && a && b && (
        <Button
          text="Show the other one"
          label="Show the other one of the two"
          onClick={() => {
            app.pinned.value = b;
            void app.open(a, "the other picture");
          }}
        />
      )}
    </div>
  );
}

/** The pinned original, or the second parent, against the picture shown. */
export function useEnds(): [string | null, string | null] {
  const app = useApp();
  return [app.pinned.value ?? app.partner.value, app.code.value];
}

function OtherPicture() {
  const app = useApp();
  const [other] = useEnds();
  const known = app.session.nodes.value.slice(-60).reverse();
  return (
    <div class="other">
      <Picture code={other} alt={other ? "The picture to compare with" : "No picture to compare with yet"} />
      <Select
        label="Compare with"
        value={other ?? ""}
        options={[["", "choose…"], ...known.map((node) => [node.code, `#${node.id} ${node.operation}`] as const)]}
        onChange={(code) => (app.pinned.value = code || null)}
      />
    </div>
  );
}
