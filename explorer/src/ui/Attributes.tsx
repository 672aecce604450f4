import { useApp } from "./context";
import { Absent } from "./parts/controls";

export function Attributes() {
  const app = useApp();
  const panel = app.panel("attributes");
  return (
    <div class="panel">
      <Absent title="Attributes" reason={panel.reason} />
    </div>
  );
}
