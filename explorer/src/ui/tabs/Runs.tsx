export function Runs() {
  return <p class="hint">soon</p>;
}
