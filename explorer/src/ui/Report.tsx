/** What an edit was asked for, what it did, and what else changed. */

import { percent, words } from "./parts/controls";
import type { AttributeChange, Edited } from "../backend/types";

const MOST = 6;

export function signed(share: number): string {
  const points = Math.round(100 * share);
  return points > 0 ? `+${points}` : points < 0 ? `−${-points}` : "0";
}

export function Report({ edited }: { edited: Edited }) {
  const wanted = edited.attributes.filter((one) => one.wanted);
  const others = edited.attributes
    .filter((one) => !one.wanted)
    .sort((a, b) => Math.abs(b.achieved) - Math.abs(a.achieved))
    .slice(0, MOST);
  return (
    <section class="report" aria-label="What the edit did">
      {wanted.length > 0 && <Changes title="Wanted" rows={wanted} asked />}
      {others.length > 0 && <Changes title={`Side effects: ${percent(edited.side_effect)} on average`} rows={others} />}
      <p class="hint">
        {edited.genes.length > 0 && `Genes exchanged: ${edited.genes.join(", ")}. `}
        {edited.judge && `Distance ${edited.distance.toFixed(3)} (${edited.judge}).`}
      </p>
    </section>
  );
}

function Changes({ title, rows, asked = false }: { title: string; rows: AttributeChange[]; asked?: boolean }) {
  return (
    <table>
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">attribute</th>
          <th scope="col">now</th>
          {asked && <th scope="col">requested</th>}
          <th scope="col">{asked ? "achieved" : "change"}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={one.name}>
            <th scope="row">
              {words(one.name)}
              {one.held && <span class="held"> held</span>}
            </th>
            <td>{percent(one.after)}</td>
            {asked && <td>{signed(one.requested)}</td>}
            <td class={Math.abs(one.achieved) > 0.1 ? "strong" : ""}>{signed(one.achieved)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
