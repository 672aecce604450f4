export function Directions() {
  return <p class="hint">soon</p>;
}
