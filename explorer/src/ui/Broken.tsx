export function Broken({ reason }: { reason: string }) {
  return (
    <main class="waiting">
      <h1>The explorer could not start</h1>
      <p>{reason}</p>
      <p>
        <a href="">Try again</a>
      </p>
    </main>
  );
}
