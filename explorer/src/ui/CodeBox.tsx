/** The code string, to copy and to paste. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useApp } from "./context";
import { Button } from "./parts/controls";
import { copyText } from "./share";

export function CodeBox() {
  const app = useApp();
  const typed = useSignal<string | null>(null);
  const code = app.code.value ?? "";
  const asked = useRef("");
  const read = async () => {
    const text = typed.value;
    if (text === null || text.trim() === code) return;
    asked.current = text.trim();
    if ((await app.paste(text)) && typed.value === text) typed.value = null;
  };
  useEffect(() => {
    // Another picture has its own code; one that was read here leaves what is typed since.
    if (code !== asked.current) typed.value = null;
    asked.current = "";
  }, [code]);
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
          onKeyDown={(event) => event.key === "Escape" && (typed.value = null)}
          onBlur={() => ["", code].includes(typed.value?.trim() ?? "") && (typed.value = null)}
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
