/** Out of the page: onto the clipboard, or into a file. */

import type { App } from "../state/app";

/** Absent where the page comes over plain HTTP from another machine. */
function clipboard(instead: string): Clipboard {
  if (!navigator.clipboard) throw new Error(`this browser lets no page copy here; ${instead}`);
  return navigator.clipboard;
}

export async function copyText(app: App, text: string, what: string): Promise<void> {
  const done = await app.attempt(async () => {
    await clipboard(`${what} is: ${text}`).writeText(text);
    return true;
  });
  if (done) app.say(`copied ${what}`);
}

export async function copyPicture(app: App): Promise<void> {
  const code = app.code.value;
  if (!code) return;
  const done = await app.attempt(async () => {
    const address = await app.backend.picture(code, app.look.value, { priority: "click" });
    const picture = await (await fetch(address)).blob();
    await clipboard("save the picture instead").write([new ClipboardItem({ "image/png": picture })]);
    return true;
  });
  if (done) app.say("copied the picture");
}

export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export async function downloadFile(
  app: App,
  asked: Parameters<App["backend"]["file"]>[0],
  name: string,
): Promise<void> {
  const file = await app.attempt(() => app.backend.file(asked));
  if (!file) return;
  download(file, `${name}.${asked.format}`);
  app.say(`saved ${name}.${asked.format}`);
}
