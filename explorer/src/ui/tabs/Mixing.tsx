/** Style mixing: every row's picture with the coarse, middle or fine styles of every column's. */

import { useSignal } from "@preact/signals";
import { useApp } from "../context";
import { Button, Choice } from "../parts/controls";
import { Picture } from "../parts/Picture";
import { Roving } from "../parts/Roving";
import { downloadFile } from "../share";
import { isSimple, mixed } from "../../genetics/recipes";
import type { App } from "../../state/app";

const ROWS = 4;
const COLUMNS = 5;

/** Sources: what somebody chose first, then the newest pictures. */
function sourcesOf(app: App): { rows: string[]; columns: string[] } {
  const chosen = [app.code.value, app.partner.value, app.pinned.value, ...app.session.favorites.value.map((node) => node.code)];
  const newest = app.session.generations.value.flatMap((one) => one.nodes.map((node) => node.code));
  const all = [...new Set([...chosen, ...newest])].filter((code): code is string => code !== null && isSimple(code));
  const half = Math.min(ROWS, Math.floor(all.length / 2));
  return { rows: all.slice(0, half), columns: all.slice(half, half + COLUMNS) };
}

export function Mixing() {
  const app = useApp();
  const bands = Object.entries(app.model?.bands ?? {});
  const band = useSignal(bands[0]?.[0] ?? "");
  if (!bands.length) return <p class="hint">This network has no coarse, middle and fine layers to mix.</p>;
  const layers = app.model!.bands[band.value]!;
  const { rows, columns } = sourcesOf(app);
  if (!columns.length) return <p class="hint">Dice a few pictures first: mixing takes rows and columns from them.</p>;
  const asked = { kind: "mix", look: app.look.value, band: band.value } as const;
  return (
    <>
      <div class="row spread">
        <Choice
          label="Styles from the columns"
          value={band.value}
          options={bands.map(([name, text]) => [name, `${name} (${text})`] as const)}
          onChange={(next) => (band.value = next)}
        />
        <SaveMix app={app} asked={asked} rows={rows} columns={columns} layers={layers} />
      </div>
      <Roving label={`Pictures of the rows with the ${band.value} styles of the columns`} class="mixing">
        <span class="corner-cell" aria-hidden="true">
          {band.value} from →
        </span>
        {columns.map((code, index) => (
          <Cell key={code} code={code} words={`column ${index + 1}`} />
        ))}
        {rows.map((row, y) => [
          <Cell key={row} code={row} words={`row ${y + 1}`} />,
          ...columns.map((column, x) => (
            <Cell
              key={`${row} ${column}`}
              code={mixed(row, column, layers)}
              parents={[row, column]}
              words={`row ${y + 1} with the ${band.value} styles of column ${x + 1}`}
            />
          )),
        ])}
      </Roving>
    </>
  );
}

/** A mixture of two, or one of the sources where no parents are given. */
function Cell({ code, words, parents }: { code: string; words: string; parents?: string[] }) {
  const app = useApp();
  const take = () => (parents ? app.show({ code, operation: "mix", parents }, words) : app.open(code, words));
  return (
    <button
      type="button"
      data-cell=""
      class={`cell${parents ? "" : " source"}`}
      aria-label={`Take ${words}`}
      title={words}
      onClick={() => void take()}
    >
      <Picture code={code} alt="" />
    </button>
  );
}

interface SaveProps {
  app: App;
  asked: { kind: "mix"; look: string; band: string };
  rows: string[];
  columns: string[];
  layers: string;
}

function SaveMix({ app, asked, rows, columns, layers }: SaveProps) {
  const save = () => {
    // Without a server the sheet is put together here, from the very same pictures.
    if (app.backend.kind === "server") {
      const even = rows.concat(columns.slice(0, rows.length));
      return downloadFile(app, { ...asked, codes: even, format: "png" }, "mixing");
    }
    const cells = rows.flatMap((row) => [row, ...columns.map((column) => mixed(row, column, layers))]);
    const sheet = { kind: "sheet", look: asked.look, codes: cells, columns: columns.length + 1, format: "png" } as const;
    return downloadFile(app, sheet, "mixing");
  };
  return <Button icon="save" text="PNG" label="Save the grid as PNG" onClick={() => void save()} />;
}
