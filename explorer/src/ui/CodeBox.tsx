/** The code string, to copy and to paste. */

import { useSignal } from "@preact/signals";
import { useApp } from "./context";
import { Button } from "./parts/controls";
import { copyText } from "./share";

export function CodeBox() {
  const app = useApp();
  const typed = useSignal<string | null>(null);
  const code = app.code.value ?? "";
  const read = async () => {
    const text = typed.value;
    if (text !== null && text.trim() !== code && (await app.paste(text))) typed.value = null;
  };
  return (
    <form
      class="code-box"
      onSubmit={(event) => {
        event.preventDefault();
        void read();
      }}
    >
      <label class="text">
        {app.genotype.value ? "Genotype string" : "Code string"}
        <input
          type="text"
          class="code"
          spellcheck={false}
          autocomplete="off"
          value={typed.value ?? code}
          onInput={(event) => (typed.value = event.currentTarget.value)}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={() => typed.value === code && (typed.value = null)}
        />
      </label>
      {typed.value !== null && typed.value.trim() !== code ? (
        <Button text="Read" label="Read this code" primary onClick={() => void read()} />
      ) : (
        <Button icon="copy" label="Copy the code string" hotkey="c" onClick={() => void copyText(app, code, "the code string")} />
      )}
    </form>
  );
}
