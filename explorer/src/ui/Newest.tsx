/** The newest generation, large enough to choose from. */

import { useApp } from "./context";
import { Variety, titleOf } from "./History";
import { Roving } from "./parts/Roving";
import { Thumb } from "./Thumb";

export function Newest() {
  const app = useApp();
  const newest = app.session.generations.value.find((one) => one.nodes.length > 1);
  return (
    <section class="newest" aria-label="Newest generation">
      <div class="generation-head">
        <h2>{newest ? titleOf(newest) : "No pictures yet"}</h2>
        {newest && <Variety generation={newest} looks />}
      </div>
      {newest ? (
        <Roving label={`Newest: ${titleOf(newest)}`} class="thumbs roomy">
          {newest.nodes.map((node) => (
            <Thumb key={node.id} node={node} />
          ))}
        </Roving>
      ) : (
        <div class="thumbs roomy" aria-hidden="true">
          {Array.from({ length: 12 }, (_, index) => (
            <span key={index} class="picture skeleton" />
          ))}
        </div>
      )}
    </section>
  );
}
