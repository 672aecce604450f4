export function Invert() {
  return <p class="hint">soon</p>;
}
