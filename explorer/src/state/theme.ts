/** Dark or light: the system's choice until somebody makes another. */

import { effect, signal } from "@preact/signals";

export type Theme = "light" | "dark";
const KEY = "stylegenes.theme";

function kept(): Theme | null {
  try {
    const found = localStorage.getItem(KEY);
    return found === "light" || found === "dark" ? found : null;
  } catch {
    return null;
  }
}

const system = window.matchMedia("(prefers-color-scheme: dark)");
export const theme = signal<Theme>(kept() ?? (system.matches ? "dark" : "light"));
system.addEventListener("change", () => {
  if (!kept()) theme.value = system.matches ? "dark" : "light";
});
effect(() => document.documentElement.setAttribute("data-theme", theme.value));

export function nextTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // It lasts until the page is closed.
  }
}
