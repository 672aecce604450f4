/** Ancestors of the picture shown, the picture, and its children, with lines from parents to children. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "./context";
import { Roving } from "./parts/Roving";
import { Thumb } from "./Thumb";
import { familyOf, type Placed } from "../state/session";

interface Line {
  key: string;
  path: string;
}

export function FamilyTree() {
  const app = useApp();
  const place = useRef<HTMLDivElement>(null);
  const [lines, setLines] = useState<Line[]>([]);
  const current = app.code.value ? app.session.nodeOf(app.code.value) : null;
  const family = current ? familyOf(app.session.byId.value, current.id) : [];
  const levels = [...Map.groupBy(family, (one) => one.level)].sort(([a], [b]) => a - b);
  const drawn = family.map((one) => one.node.id).join();
  useLayoutEffect(() => {
    const draw = () => place.current && setLines(linesOf(place.current, family));
    draw();
    const seen = new ResizeObserver(draw);
    if (place.current) seen.observe(place.current);
    return () => seen.disconnect();
  }, [drawn]);
  if (!current) return <p class="hint">Nothing yet.</p>;
  return (
    <div class="tree" ref={place}>
      <svg aria-hidden="true">
        {lines.map(({ key, path }) => (
          <path key={key} d={path} />
        ))}
      </svg>
      <Roving label={`Family of picture ${current.id}`} class="levels">
        {levels.map(([level, members]) => (
          <div class="level" key={level}>
            {members.map(({ node, role }) => (
              <Thumb key={node.id} node={node} label={`Picture ${node.id}, ${role === "current" ? "shown" : role}`} />
            ))}
          </div>
        ))}
      </Roving>
    </div>
  );
}

function linesOf(place: HTMLElement, family: Placed[]): Line[] {
  const origin = place.getBoundingClientRect();
  const box = (id: number) => place.querySelector(`[data-node="${id}"]`)?.getBoundingClientRect();
  return family.flatMap(({ node }) =>
    node.parents.flatMap((parent) => {
      const [from, to] = [box(parent), box(node.id)];
      if (!from || !to) return [];
      const [x1, y1] = [from.left + from.width / 2 - origin.left, from.bottom - origin.top];
      const [x2, y2] = [to.left + to.width / 2 - origin.left, to.top - origin.top];
      const middle = (y1 + y2) / 2;
      return [{ key: `${parent}-${node.id}`, path: `M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}` }];
    }),
  );
}
