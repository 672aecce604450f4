import { useEffect, useRef } from "preact/hooks";
import { useApp } from "./context";
import { Button } from "./parts/controls";

const KEYS: readonly (readonly [string, string])[] = [
  ["d", "dice new pictures (by wish, where there are wishes)"],
  ["b", "breed: children of this picture, or of both parents"],
  ["m", "choose as the second parent"],
  ["f", "favorite"],
  ["p", "pin as the original that others are compared with"],
  ["x", "show where it differs from the original"],
  ["u", "undo"],
  ["r", "redo"],
  ["l", "lock the gene whose variant has the focus"],
  ["s", "smooth the enlarged pixels, or not"],
  ["c", "copy the code string"],
  ["k", "copy a link to all this"],
  ["g", "go to the genome"],
  ["a", "go to the attributes"],
  ["1 – 5", "explore, compare, directions, invert, runs"],
  ["← ↑ → ↓", "from variant to variant, from picture to picture"],
  ["Enter", "take the variant, show the picture"],
  ["Esc", "leave a preview, a menu, this window"],
];

export function Help() {
  const app = useApp();
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (app.help.value) place.current?.showModal();
    else place.current?.close();
  }, [app.help.value]);
  return (
    <dialog ref={place} class="help" aria-labelledby="help-title" onClose={() => (app.help.value = false)}>
      <div class="row spread">
        <h2 id="help-title">Keys</h2>
        <Button icon="close" label="Close" onClick={() => (app.help.value = false)} />
      </div>
      <dl>
        {KEYS.map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        stylegenes {app.backend.info.version}, drawn by {app.backend.info.device}. A code string is the whole picture: it
        can be shared, pasted and bred anywhere the model is.
      </p>
    </dialog>
  );
}
