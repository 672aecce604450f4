import { render } from "preact";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/panels.css";
import "./styles/tabs.css";
import { App } from "./state/app";
import { Page } from "./ui/Page";
import { Broken } from "./ui/Broken";
import type { Backend } from "./backend/types";

async function openBackend(): Promise<Backend> {
  const kind = document.querySelector<HTMLMetaElement>('meta[name="stylegenes"]')?.content;
  if (kind === "static") return (await import("./backend/local")).openSite();
  return (await import("./backend/server")).openServer();
}

async function main(): Promise<void> {
  const place = document.getElementById("app")!;
  try {
    const app = new App(await openBackend());
    place.textContent = "";
    render(<Page app={app} />, place);
    await app.start();
    document.documentElement.dataset["ready"] = "yes";
  } catch (error) {
    place.textContent = "";
    render(<Broken reason={error instanceof Error ? error.message : String(error)} />, place);
  }
}

void main();
