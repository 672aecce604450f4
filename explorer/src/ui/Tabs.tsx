/** What the middle of the page shows. */

import type { ComponentChildren, ComponentType } from "preact";
import { useApp } from "./context";
import { Absent } from "./parts/controls";
import { Compare } from "./tabs/Compare";
import { Directions } from "./tabs/Directions";
import { Invert } from "./tabs/Invert";
import { Runs } from "./tabs/Runs";
import { TABS, type Tab } from "../state/address";
import type { PanelName } from "../backend/types";

const NAMES: Record<Tab, string> = {
  explore: "Explore",
  compare: "Compare",
  directions: "Directions",
  invert: "Invert",
  runs: "Runs",
};

const PANELS: Partial<Record<Tab, { panel: PanelName; show: ComponentType }>> = {
  compare: { panel: "compare", show: Compare },
  directions: { panel: "directions", show: Directions },
  invert: { panel: "invert", show: Invert },
  runs: { panel: "runs", show: Runs },
};

export function Tabs({ explore }: { explore: ComponentChildren }) {
  const app = useApp();
  const tab = app.tab.value;
  return (
    <>
      <div
        class="tabs"
        role="tablist"
        aria-label="Views"
        onKeyDown={(event) => {
          const way = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
          if (!way) return;
          event.preventDefault();
          const next = TABS[(TABS.indexOf(tab) + way + TABS.length) % TABS.length]!;
          app.tab.value = next;
          document.getElementById(`tab-${next}`)?.focus();
        }}
      >
        {TABS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`tab-${one}`}
            aria-selected={one === tab}
            aria-controls="tab-panel"
            tabIndex={one === tab ? 0 : -1}
            onClick={() => (app.tab.value = one)}
          >
            {NAMES[one]}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`}>
        <Shown tab={tab} explore={explore} />
      </div>
    </>
  );
}

function Shown({ tab, explore }: { tab: Tab; explore: ComponentChildren }) {
  const app = useApp();
  const found = PANELS[tab];
  if (!found && !app.model) return <Absent title="The model" reason={app.panel("population").reason} />;
  if (!found) return <>{explore}</>;
  const panel = app.panel(found.panel);
  if (!panel.available) return <Absent title={NAMES[tab]} reason={panel.reason} />;
  return <found.show />;
}
