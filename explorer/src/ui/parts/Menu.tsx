/** A button that opens a menu: arrows move, Escape closes, choosing closes. */

import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "./Icon";

interface Props {
  icon: IconName;
  label: string;
  onOpen?: () => void | Promise<void>;
  children: ComponentChildren;
}

export function Menu({ icon, label, onOpen, children }: Props) {
  const open = useSignal(false);
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  const items = () => [...(place.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  const close = (back: boolean) => {
    open.value = false;
    if (back) place.current?.querySelector<HTMLElement>("button")?.focus();
  };
  useEffect(() => {
    if (!open.value) return;
    items()[0]?.focus();
    const outside = (event: Event) => place.current?.contains(event.target as Node) || close(false);
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open.value]);
  const move = (event: KeyboardEvent) => {
    // The page's own keys do nothing while a menu is open.
    event.stopPropagation();
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") close(true);
    else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all.at(at - 1)?.focus();
    else if (event.key === "Tab") return close(false);
    else return;
    event.preventDefault();
  };
  return (
    <div class="menu" ref={place} onKeyDown={(event) => open.value && move(event)}>
      <button
        type="button"
        class="button bare"
        aria-haspopup="menu"
        aria-expanded={open.value}
        aria-controls={open.value ? id : undefined}
        aria-label={label}
        title={label}
        onClick={() => {
          open.value = !open.value;
          if (open.value) void onOpen?.();
        }}
      >
        <Icon name={icon} />
      </button>
      {open.value && (
        <div id={id} role="menu" aria-label={label} class="menu-list" onClick={() => close(true)}>
          {children}
        </div>
      )}
    </div>
  );
}

export function MenuItem({ onChoose, children }: { onChoose: () => void | Promise<void>; children: ComponentChildren }) {
  return (
    <button type="button" role="menuitem" tabIndex={-1} onClick={() => void onChoose()}>
      {children}
    </button>
  );
}
