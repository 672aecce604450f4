/** Lines over thousands of images, drawn plainly: the range in numbers, the last values in words. */

interface Props {
  title: string;
  x: number[];
  lines: Record<string, (number | null)[]>;
}

const [WIDTH, HEIGHT] = [480, 150];

export function Chart({ title, x, lines }: Props) {
  const all = Object.values(lines).flat().filter((value): value is number => value !== null && Number.isFinite(value));
  if (!all.length || !x.length) return <p class="hint">{title}: nothing recorded yet.</p>;
  const [low, high] = rangeOf(all);
  const [first, last] = [x[0]!, x.at(-1)!];
  const place = (value: number, index: number) => {
    const across = ((x[index]! - first) / (last - first || 1)) * WIDTH;
    const up = HEIGHT - ((Math.max(low, Math.min(high, value)) - low) / (high - low || 1)) * HEIGHT;
    return `${across.toFixed(1)},${up.toFixed(1)}`;
  };
  const names = Object.keys(lines);
  const newest = names.map((name) => `${name} ${number(lines[name]!.findLast((value) => value !== null) ?? null)}`);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div class="plot">
        <span class="top">{number(high)}</span>
        <span class="bottom">{number(low)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}, last: ${newest.join(", ")}`}>
          {names.map((name, index) => {
            const points = lines[name]!.flatMap((value, at) => (value === null ? [] : [place(value, at)]));
            // A line of one point has no length: it stands twice, and its round ends show.
            const alone = points.length === 1;
            return (
              <polyline
                key={name}
                class={`line-${index % 6}${alone ? " dot" : ""}`}
                points={(alone ? [...points, ...points] : points).join(" ")}
              />
            );
          })}
        </svg>
      </div>
      <div class="plot-legend">
        {names.length > 1 &&
          names.map((name, index) => (
            <span key={name}>
              <i class={`key-${index % 6}`} /> {name}
            </span>
          ))}
        <span>
          {number(first)} to {number(last)} kimg
        </span>
      </div>
    </figure>
  );
}

/** From the second to the 98th hundredth, so that one spike does not flatten the rest. */
function rangeOf(values: number[]): [number, number] {
  const sorted = values.slice().sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return sorted.length < 20 ? [sorted[0]!, sorted.at(-1)!] : [at(0.02), at(0.98)];
}

function number(value: number | null): string {
  if (value === null) return "–";
  return Math.abs(value) >= 1000 || value === Math.round(value) ? String(Math.round(value)) : value.toPrecision(3);
}
