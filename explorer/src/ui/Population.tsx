/** New pictures: by chance, by wish, and as children of one or of two. */

import { useSignal } from "@preact/signals";
import { useApp } from "./context";
import { Button, Choice, Section, Select, Slider, percent, words } from "./parts/controls";
import { Picture } from "./parts/Picture";
import { History } from "./History";

export function Population() {
  return (
    <div class="panel population">
      <NewPictures />
      <Children />
      <History />
    </div>
  );
}

function NewPictures() {
  const app = useApp();
  const attributes = app.model?.attributes ?? [];
  const wishes = app.wishes.value;
  const set = (name: string, wanted: boolean | null) => {
    const next = new Map(wishes);
    if (wanted === null) next.delete(name);
    else next.set(name, wanted);
    app.wishes.value = next;
  };
  const free = attributes.filter((name) => !wishes.has(name));
  return (
    <Section title="New pictures">
      {attributes.length > 0 && app.panel("genome").available && (
        <Select
          label="Wish for"
          value=""
          options={[["", wishes.size ? "another attribute…" : "nothing in particular…"], ...free.map((name) => [name, words(name)] as const)]}
          onChange={(name) => name && set(name, true)}
        />
      )}
      {wishes.size > 0 && (
        <ul class="wishes" aria-label="Wishes">
          {[...wishes].map(([name, wanted]) => (
            <li key={name} class={wanted ? "wanted" : "unwanted"}>
              <button type="button" aria-pressed={wanted} title="wanted or not" onClick={() => set(name, !wanted)}>
                {wanted ? "with" : "without"} {words(name)}
              </button>
              <Button icon="close" label={`Forget ${words(name)}`} onClick={() => set(name, null)} />
            </li>
          ))}
        </ul>
      )}
      <div class="row">
        <Button
          icon="dice"
          primary
          text={wishes.size ? "Dice by wish" : "Dice"}
          label={wishes.size ? "Dice by wish" : "Dice new pictures"}
          hotkey="d"
          onClick={() => void app.dice()}
        />
        <Select
          label="How many"
          hideLabel
          value={String(app.count.value)}
          options={["4", "8", "12", "24"].map((count) => [count, `${count} pictures`] as const)}
          onChange={(count) => (app.count.value = Number(count))}
        />
      </div>
    </Section>
  );
}

const CROSSES = [
  ["uniform", "Mixed"],
  ["block", "By block"],
  ["gene", "Gene by gene"],
] as const;

function Children() {
  const app = useApp();
  const genome = app.shape.genes > 0;
  const two = app.partner.value !== null && app.partner.value !== app.code.value;
  const again = useSignal(false);
  return (
    <Section title="Children">
      <div class="parents">
        <figure>
          <Picture code={app.code.value} alt="First parent: the picture shown" />
          <figcaption>this one</figcaption>
        </figure>
        <span aria-hidden="true">×</span>
        {two ? (
          <figure>
            <Picture code={app.partner.value} alt="Second parent" />
            <figcaption>
              <button type="button" class="plain" onClick={() => app.setPartner(null)}>
                remove
              </button>
            </figcaption>
          </figure>
        ) : (
          <p class="hint">
            alone, or choose a second parent: <kbd>m</kbd> or <kbd>Shift</kbd>-click on a picture
          </p>
        )}
      </div>
      {two && genome && (
        <Choice label="How the genes are shared" value={app.cross.value} options={CROSSES} onChange={(cross) => (app.cross.value = cross)} />
      )}
      {two && genome && app.cross.value === "gene" && (
        <label class="text">
          Genes from the second parent
          <input
            type="text"
            placeholder="0-7,12"
            value={app.crossGenes.value}
            onInput={(event) => (app.crossGenes.value = event.currentTarget.value)}
          />
        </label>
      )}
      {two && (app.cross.value !== "gene" || !genome) && (
        <Slider
          label="Share of the second parent"
          value={app.share.value}
          min={0.05}
          max={0.95}
          step={0.05}
          shown={percent(app.share.value)}
          onInput={(share) => (app.share.value = share)}
        />
      )}
      <Slider
        label={genome ? "Mutation" : "How far"}
        value={Math.sqrt(app.rate.value)}
        min={0}
        max={1}
        step={0.02}
        shown={percent(app.rate.value)}
        ends={["alike", "different"]}
        onInput={(root) => (app.rate.value = Math.round(1000 * root * root) / 1000)}
        onChange={() => again.value && void app.breed()}
      />
      <div class="row">
        <Button
          icon="children"
          primary
          text={two ? "Children of both" : "Children"}
          label={two ? "Children of both" : "Make children"}
          hotkey="b"
          onClick={() => void app.breed()}
        />
        <label class="check">
          <input type="checkbox" checked={again.value} onChange={(event) => (again.value = event.currentTarget.checked)} />
          on every change
        </label>
      </div>
      {genome && app.locked.value.size > 0 && (
        <p class="hint">{app.locked.value.size} locked genes stay as they are in this picture.</p>
      )}
    </Section>
  );
}
