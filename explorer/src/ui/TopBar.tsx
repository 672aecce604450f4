/** The model, and what is always at hand. */

import { useSignal } from "@preact/signals";
import { useApp } from "./context";
import { Button, Slider } from "./parts/controls";
import { Menu, MenuItem } from "./parts/Menu";
import { copyPicture, copyText, download, downloadFile } from "./share";
import { nextTheme, theme } from "../state/theme";

export function TopBar() {
  const app = useApp();
  const { session } = app;
  return (
    <header class="bar">
      <div class="brand">
        <span class="mark" aria-hidden="true" />
        <h1>{app.model?.name ?? "stylegenes"}</h1>
        <span class="facts">{factsOf(app.model)}</span>
      </div>
      <div class="tools" role="toolbar" aria-label="Always at hand" hidden={!app.model}>
        <Button icon="dice" label="Dice new pictures" hotkey="d" onClick={() => void app.dice()} />
        <Button icon="undo" label="Undo" hotkey="u" disabled={!session.undo.value} onClick={() => void app.step("undo")} />
        <Button icon="redo" label="Redo" hotkey="r" disabled={!session.redo.value} onClick={() => void app.step("redo")} />
      </div>
      <div class="dials" hidden={!app.model}>
        <Slider
          label="Truncation"
          value={app.drawn.psi.value}
          min={0}
          max={1.4}
          step={0.05}
          shown={app.drawn.psi.value.toFixed(2)}
          onInput={(psi) => (app.drawn.psi.value = psi)}
        />
        {(app.model?.attributes.length ?? 0) > 0 && app.panel("genome").available && (
          <Slider
            label="Temperature"
            value={app.temperature.value}
            min={0.1}
            max={2}
            step={0.1}
            shown={app.temperature.value.toFixed(1)}
            onInput={(temperature) => (app.temperature.value = temperature)}
          />
        )}
      </div>
      <div class="tools">
        <Button icon="link" label="Copy a link to all this" hotkey="k" onClick={() => void copyText(app, location.href, "the link")} />
        {app.model && <ExportMenu />}
        {app.model && <SessionMenu />}
        <Button
          icon={theme.value === "dark" ? "sun" : "moon"}
          label={theme.value === "dark" ? "Light colors" : "Dark colors"}
          onClick={nextTheme}
        />
        <Button icon="help" label="Keys and help" hotkey="?" onClick={() => (app.help.value = true)} />
      </div>
    </header>
  );
}

function factsOf(model: ReturnType<typeof useApp>["model"]): string {
  if (!model) return "";
  const size = `${model.width} × ${model.height} px`;
  if (!model.num_genes) return `${size} · continuous codes`;
  return `${size} · ${model.num_genes} genes × ${model.num_variants} variants`;
}

function ExportMenu() {
  const app = useApp();
  const code = app.code.value ?? "";
  const line = async (kind: "python" | "cli") => {
    const lines = await app.attempt(() => app.backend.lines([code], app.look.value));
    if (lines) await copyText(app, lines[kind], kind === "cli" ? "the command line" : "the Python line");
  };
  return (
    <Menu icon="save" label="Save and copy">
      <MenuItem onChoose={() => downloadFile(app, { kind: "sheet", codes: [code], look: app.look.value, format: "png" }, "picture")}>
        Save the picture (PNG)
      </MenuItem>
      <MenuItem onChoose={() => copyPicture(app)}>Copy the picture</MenuItem>
      <MenuItem onChoose={() => copyText(app, code, "the code string")}>Copy the code string</MenuItem>
      <MenuItem onChoose={() => line("python")}>Copy as a line of Python</MenuItem>
      <MenuItem onChoose={() => line("cli")}>Copy as a command line</MenuItem>
    </Menu>
  );
}

function SessionMenu() {
  const app = useApp();
  const names = useSignal<string[]>([]);
  const { session } = app;
  const read = async () => {
    const all = await app.attempt(() => session.list(), false);
    names.value = (all ?? []).map((one) => one.name).filter((name) => name !== session.name.value);
  };
  const bring = () => {
    const field = document.createElement("input");
    field.type = "file";
    field.accept = ".json,application/json";
    field.onchange = () => {
      const file = field.files?.[0];
      if (file) void app.change(async () => session.imported(await file.text()));
    };
    field.click();
  };
  const keep = async () => {
    const file = await app.attempt(() => session.exported());
    if (file) download(file, `${session.name.value}.json`);
  };
  return (
    <Menu icon="folder" label="Sessions" onOpen={read}>
      <p class="menu-title">Session {session.name.value}</p>
      {names.value.map((name) => (
        <MenuItem key={name} onChoose={() => app.change(() => session.change(name))}>
          Open {name}
        </MenuItem>
      ))}
      <MenuItem onChoose={() => app.change(() => session.create(freshName(names.value, session.name.value)))}>New session</MenuItem>
      <MenuItem onChoose={keep}>Export as JSON</MenuItem>
      <MenuItem onChoose={bring}>Import JSON…</MenuItem>
    </Menu>
  );
}

function freshName(others: string[], own: string): string {
  const base = new Date().toISOString().slice(0, 10);
  for (let number = 2; ; number++) {
    const name = `${base}-${number}`;
    if (name !== own && !others.includes(name)) return name;
  }
}
