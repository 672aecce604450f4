/** A group of cells with one stop of the Tab key: arrows go from cell to cell as they lie on the screen. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

const CELL = "[data-cell]";

interface Props {
  label: string;
  class?: string;
  role?: "group" | "toolbar";
  children: ComponentChildren;
  onKeyDown?: (event: KeyboardEvent) => void;
}

export function Roving({ label, class: name, role = "group", children, onKeyDown }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => settle(place.current!));
  return (
    <div
      ref={place}
      role={role}
      aria-label={label}
      class={name}
      onFocusIn={(event) => settle(place.current!, (event.target as Element).closest<HTMLElement>(CELL))}
      onKeyDown={(event) => {
        const next = follow(place.current!, event);
        if (next) {
          event.preventDefault();
          next.focus();
          next.scrollIntoView({ block: "nearest", inline: "nearest" });
        } else onKeyDown?.(event);
      }}
    >
      {children}
    </div>
  );
}

function cellsOf(place: HTMLElement): HTMLElement[] {
  return [...place.querySelectorAll<HTMLElement>(CELL)];
}

/** Exactly one cell takes the Tab key: the chosen one, the one that had it, the marked one, or the first. */
function settle(place: HTMLElement, chosen: HTMLElement | null = null): void {
  const cells = cellsOf(place);
  const stop =
    chosen ?? cells.find((cell) => cell.getAttribute("tabindex") === "0") ?? cells.find((cell) => cell.dataset["cell"] === "start") ?? cells[0];
  for (const cell of cells) {
    const index = cell === stop ? 0 : -1;
    if (cell.getAttribute("tabindex") !== String(index)) cell.tabIndex = index;
  }
}

function follow(place: HTMLElement, event: KeyboardEvent): HTMLElement | null {
  const cells = cellsOf(place);
  const at = cells.indexOf(document.activeElement as HTMLElement);
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return null;
  switch (event.key) {
    case "ArrowRight":
      return cells[at + 1] ?? null;
    case "ArrowLeft":
      return cells[at - 1] ?? null;
    case "Home":
      return cells[0] ?? null;
    case "End":
      return cells.at(-1) ?? null;
    case "ArrowDown":
      return beside(cells, at, 1);
    case "ArrowUp":
      return beside(cells, at, -1);
    default:
      return null;
  }
}

/** The cell of the next row that lies nearest below or above. */
function beside(cells: HTMLElement[], at: number, way: 1 | -1): HTMLElement | null {
  const from = cells[at]!.getBoundingClientRect();
  const [x, y] = [from.left + from.width / 2, from.top + from.height / 2];
  let row: number | null = null;
  let best: HTMLElement | null = null;
  let least = Infinity;
  for (let index = at + way; index >= 0 && index < cells.length; index += way) {
    const box = cells[index]!.getBoundingClientRect();
    const middle = box.top + box.height / 2;
    if (way * (middle - y) <= from.height / 2) continue;
    if (row === null) row = middle;
    if (Math.abs(middle - row) > box.height / 2) break;
    const far = Math.abs(box.left + box.width / 2 - x);
    if (far < least) [least, best] = [far, cells[index]!];
  }
  return best;
}
