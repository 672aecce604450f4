/** A small picture of the session: a click shows it; f and m on it make it a favorite or the second parent. */

import { useApp } from "./context";
import { Icon } from "./parts/Icon";
import { Picture } from "./parts/Picture";
import type { SessionNode } from "../backend/types";

export function Thumb({ node, label }: { node: SessionNode; label?: string }) {
  const app = useApp();
  const current = app.code.value === node.code;
  const partner = app.partner.value === node.code;
  const marks = [node.favorite ? "favorite" : "", partner ? "second parent" : "", app.pinned.value === node.code ? "pinned" : ""];
  const said = [label ?? `Picture ${node.id}`, ...marks.filter(Boolean)].join(", ");
  return (
    <div class={`thumb${current ? " current" : ""}${partner ? " partner" : ""}`}>
      <button
        type="button"
        data-cell={current ? "start" : ""}
        data-node={node.id}
        aria-label={said}
        aria-current={current}
        title={said}
        onClick={(event) => (event.shiftKey ? app.setPartner(node.code) : void app.select(node))}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (event.key === "f") void app.favorite(node.code);
          else if (event.key === "m") app.setPartner(node.code);
          else return;
          event.stopPropagation();
        }}
      >
        <Picture code={node.code} alt="" />
      </button>
      <button
        type="button"
        class="corner heart"
        tabIndex={-1}
        aria-pressed={node.favorite}
        aria-label={`Favorite, picture ${node.id}`}
        onClick={() => void app.favorite(node.code)}
      >
        <Icon name="heart" />
      </button>
      <button
        type="button"
        class="corner pair"
        tabIndex={-1}
        aria-pressed={partner}
        aria-label={`Second parent, picture ${node.id}`}
        onClick={() => app.setPartner(node.code)}
      >
        <Icon name="pair" />
      </button>
    </div>
  );
}
