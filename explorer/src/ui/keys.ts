/** One letter for each thing that is done often; fields and menus keep their own keys. */

import { TABS } from "../state/address";
import type { App } from "../state/app";
import { copyText } from "./share";

export function listen(app: App): () => void {
  const act: Record<string, () => unknown> = {
    d: () => app.dice(),
    b: () => app.breed(),
    f: () => app.favorite(),
    m: () => app.setPartner(app.code.value),
    p: () => app.togglePin(),
    u: () => app.step("undo"),
    r: () => app.step("redo"),
    x: () => (app.showDifference.value = !app.showDifference.value),
    s: () => (app.smooth.value = !app.smooth.value),
    c: () => copyText(app, app.code.value ?? "", "the code string"),
    k: () => copyText(app, location.href, "the link"),
    g: () => focusSide(app, "genome"),
    a: () => focusSide(app, "attributes"),
    "?": () => (app.help.value = !app.help.value),
  };
  TABS.forEach((tab, index) => (act[String(index + 1)] = () => (app.tab.value = tab)));
  const onKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const typing = target.matches("input:not([type=range],[type=checkbox],[type=radio]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (app.help.value && event.key !== "?") return;
    const found = act[event.key];
    // A key that is held steps on through the session, and does nothing else again.
    if (!found || (event.repeat && !"ur".includes(event.key))) return;
    event.preventDefault();
    void found();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

function focusSide(app: App, side: "genome" | "attributes"): void {
  app.side.value = side;
  app.view.value = "side";
  requestAnimationFrame(() => {
    const first = `.right .${side === "genome" ? "genes [tabindex='0']" : "panel input, .right .panel button"}`;
    document.querySelector<HTMLElement>(first)?.focus();
  });
}
