/** One picture of a code: a quiet skeleton until it is there, and the old one until the new one is. */

import { useEffect, useState } from "preact/hooks";
import { useApp } from "../context";
import type { Priority } from "../../backend/types";

interface Props {
  code: string | null;
  look?: string;
  alt: string;
  priority?: Priority;
  slot?: string;
  class?: string;
}

export function Picture({ code, look, alt, priority = "thumbnail", slot, class: name = "" }: Props) {
  const address = usePicture(code, look, priority, slot);
  const { smooth } = useApp();
  const shape = `picture ${smooth.value ? "smooth" : "pixels"} ${name}`;
  if (code === null) return <span class={`${shape} nothing`} role="img" aria-label={alt} />;
  if (address === null) return <span class={`${shape} skeleton`} role="img" aria-label={`${alt}, being drawn`} />;
  return <img class={shape} src={address} alt={alt} draggable={false} />;
}

export function usePicture(code: string | null, look?: string, priority: Priority = "thumbnail", slot?: string) {
  const app = useApp();
  const [shown, setShown] = useState<string | null>(null);
  const how = look ?? app.look.value;
  useEffect(() => {
    if (code === null) return setShown(null);
    const stop = new AbortController();
    const asking = { priority, signal: stop.signal, ...(slot ? { slot } : {}) };
    app.backend.picture(code, how, asking).then(
      (address) => stop.signal.aborted || setShown(address),
      (error: unknown) => {
        if (!stop.signal.aborted && error instanceof Error && error.message) app.trouble.value = error.message;
      },
    );
    return () => stop.abort();
  }, [code, how, priority, slot]);
  return shown;
}
