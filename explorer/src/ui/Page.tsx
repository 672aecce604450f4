/** One screen: population on the left, the picture in the middle, genome and attributes on the right. */

import { useEffect } from "preact/hooks";
import { AppContext, useApp } from "./context";
import { Attributes } from "./Attributes";
import { GenomePanel } from "./GenomePanel";
import { Help } from "./Help";
import { listen } from "./keys";
import { Newest } from "./Newest";
import { Choice } from "./parts/controls";
import { Picture } from "./parts/Picture";
import { Population } from "./Population";
import { Stage } from "./Stage";
import { Tabs } from "./Tabs";
import { TopBar } from "./TopBar";
import type { App } from "../state/app";

export function Page({ app }: { app: App }) {
  useEffect(() => listen(app), [app]);
  return (
    <AppContext.Provider value={app}>
      <Shell />
    </AppContext.Provider>
  );
}

const SIDES = [
  ["genome", "Genome"],
  ["attributes", "Attributes"],
] as const;

const VIEWS = [
  ["main", "Picture"],
  ["population", "Population"],
  ["side", "Genome"],
] as const;

/** The largest width in pixels whose whole multiples a large picture is as wide as, so that enlarged pixels are even. */
const EVEN = 96;

/** What the styles know of the shape of the model's pictures; all are square where there is no model. */
function shapeOf(model: App["model"]): Record<string, string> {
  if (!model) return {};
  const aspect = model.width / model.height;
  const step = model.width <= EVEN ? model.width : 32;
  return { "--aspect": `${aspect}`, "--wide": `${Math.sqrt(aspect)}`, "--step": `${step}px` };
}

function Shell() {
  const app = useApp();
  return (
    <div class="app" data-view={app.view.value} data-tab={app.tab.value} style={shapeOf(app.model)}>
      <TopBar />
      <Trouble />
      {app.model && (
        <aside class="left" aria-label="Population">
          <Mini />
          <Population />
        </aside>
      )}
      <main class="middle">
        <Tabs
          explore={
            <div class="explore">
              <Stage />
              <Newest />
            </div>
          }
        />
      </main>
      {app.model && (
        <aside class="right" aria-label="Genome and attributes">
          <Mini />
          <Choice label="Panel" value={app.side.value} options={SIDES} onChange={(side) => (app.side.value = side)} />
          {app.side.value === "genome" ? <GenomePanel /> : <Attributes />}
        </aside>
      )}
      <nav class="views" aria-label="Parts of the page" hidden={!app.model}>
        {VIEWS.map(([view, words]) => (
          <button
            key={view}
            type="button"
            aria-current={app.view.value === view ? "true" : undefined}
            onClick={() => (app.view.value = view)}
          >
            {words}
          </button>
        ))}
      </nav>
      <Help />
      <div class="hidden" role="status" aria-live="polite" data-testid="spoken">
        {app.spoken.value}
      </div>
      <div class={`progress${app.busy.value ? " on" : ""}`} aria-hidden="true" />
    </div>
  );
}

/** The picture beside a panel, where a narrow screen has no room for both. */
function Mini() {
  const app = useApp();
  const preview = app.preview.value;
  return (
    <div class="mini">
      <Picture code={preview?.code ?? app.code.value} alt="The picture shown" priority={preview ? "hover" : "click"} />
    </div>
  );
}

/** What went wrong, or else why what is new will be lost. */
function Trouble() {
  const app = useApp();
  const told = app.trouble.value ? app.trouble : app.session.unkept;
  return (
    <div role="alert" class={told.value ? "trouble" : "hidden"}>
      {told.value && (
        <>
          <p>{told.value}</p>
          <button type="button" class="button" onClick={() => (told.value = "")}>
            Close
          </button>
        </>
      )}
    </div>
  );
}
