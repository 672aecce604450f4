/** A training run: what its pictures were, its losses and measures, how it is and when it ends. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useApp } from "../context";
import { Button, Section, Slider } from "../parts/controls";
import { Chart } from "./Chart";
import type { Run } from "../../backend/types";

export function Runs() {
  const app = useApp();
  const run = useSignal<Run | null>(null);
  useEffect(() => {
    const read = async () => {
      run.value = (await app.attempt(() => app.backend.desk!.run(), false)) ?? run.value;
    };
    void read();
    const events = app.backend.desk!.runEvents(() => void read());
    return () => events.close();
  }, []);
  if (!run.value) return <p class="hint">Reading the run…</p>;
  return <Shown run={run.value} />;
}

function Shown({ run }: { run: Run }) {
  return (
    <div class="runs">
      <div class="row spread">
        <h2>{run.name}</h2>
        <span class={`badge${run.live ? " live" : ""}`}>{run.live ? "trains now" : "not running"}</span>
      </div>
      <dl class="numbers">
        <Number name="images" value={`${run.kimg.toFixed(1)} kimg`} />
        {run.total_kimg !== null && <Number name="of" value={`${run.total_kimg} kimg`} />}
        {run.rate !== null && <Number name="speed" value={`${run.rate.toFixed(1)} images/s`} />}
        {run.eta_seconds !== null && <Number name="ends in" value={duration(run.eta_seconds)} />}
        <Number name="health" value={run.health || "no word yet"} />
      </dl>
      {run.grids.length > 0 && <Grids run={run} />}
      {run.metrics.length > 0 && (
        <Section title="Measures">
          <div class="charts">
            {run.metrics.map((one) => (
              <Chart key={one.name} title={`${one.name}, best ${one.best.toPrecision(4)}`} x={one.kimg} lines={{ [one.name]: one.value }} />
            ))}
          </div>
        </Section>
      )}
      <Section title="Losses">
        <Chart title="Losses" x={run.kimg_axis} lines={run.losses} />
      </Section>
      <Section title="Signals">
        <div class="charts">
          {Object.entries(run.signals).map(([name, values]) => (
            <Chart key={name} title={name} x={run.kimg_axis} lines={{ [name]: values }} />
          ))}
        </div>
      </Section>
      {run.events.length > 0 && (
        <Section title="Log">
          <pre class="log" tabIndex={0}>
            {run.events.join("\n")}
          </pre>
        </Section>
      )}
    </div>
  );
}

function Number({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The same seeds all through the training. */
function Grids({ run }: { run: Run }) {
  const app = useApp();
  const chosen = useSignal<number | null>(null);
  const place = Math.min(chosen.value ?? run.grids.length - 1, run.grids.length - 1);
  const grid = run.grids[place]!;
  return (
    <Section title="Pictures over time">
      <img class="grid-picture pixels" src={app.backend.desk!.gridAddress(grid.address)} alt={`Pictures after ${grid.kimg} thousand images`} />
      <div class="row">
        <Slider
          label="After"
          value={place}
          min={0}
          max={Math.max(0, run.grids.length - 1)}
          step={1}
          shown={`${grid.kimg} kimg`}
          onInput={(next) => (chosen.value = next)}
        />
        <Button text="Newest" label="Newest pictures, as they come" pressed={chosen.value === null} onClick={() => (chosen.value = null)} />
      </div>
    </Section>
  );
}

function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.round((seconds % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}
