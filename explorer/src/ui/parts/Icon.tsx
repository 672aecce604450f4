/** Line icons of one weight, drawn here so that nothing is fetched from elsewhere. */

const PATHS = {
  dice: "M5 5h14v14H5zM9 9h.01M15 9h.01M12 12h.01M9 15h.01M15 15h.01",
  undo: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  redo: "m15 7 5 5-5 5M20 12H10a6 6 0 0 0-6 6",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z",
  help: "M9.5 9a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.5h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  pin: "M12 15v6M8 4h8l-1 6 3 3v2H6v-2l3-3z",
  heart: "M12 20s-7-4.4-7-10a4 4 0 0 1 7-2.6A4 4 0 0 1 19 10c0 5.600-7 10-7 10z",
  lock: "M7 11h10v9H7zM9 11V8a3 3 0 0 1 6 0v3",
  open: "M7 11h10v9H7zM9 11V8a3 3 0 0 1 5.800-1",
  close: "M6 6l12 12M18 6 6 18",
  pair: "M9 8a5 5 0 1 0 0 8M15 8a5 5 0 1 1 0 8M9 12h6",
  children: "M12 4v5M12 9c-5 0-6 3-6 6M12 9c5 0 6 3 6 6M12 9v6M4 18h4M10 18h4M16 18h4",
  pixels: "M4 4h7v7H4zM13 13h7v7h-7zM13 4h7v7h-7zM4 13h7v7H4z",
  smooth: "M4 16c4 0 4-8 8-8s4 8 8 8",
  difference: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  copy: "M8 8h11v11H8zM5 15V5h10",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  folder: "M4 6h6l2 2h8v10H4z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
