import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import preact from "@preact/preset-vite";
import { defineConfig } from "vitest/config";

const runtime = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm";

/** The WASM file of ONNX Runtime, packed: a plain static host then sends a quarter of the bytes. */
const packedRuntime = {
  name: "packed-runtime",
  generateBundle(this: { emitFile: (file: object) => void }) {
    const source = gzipSync(readFileSync(runtime), { level: 9 });
    this.emitFile({ type: "asset", fileName: "runtime/ort.wasm.gz", source });
  },
};

/** The same file unpacked, which the runtime's own code would have liked to fetch. */
const noUnpackedRuntime = {
  name: "no-unpacked-runtime",
  generateBundle(_: unknown, bundle: Record<string, unknown>) {
    for (const name of Object.keys(bundle)) if (name.endsWith(".wasm")) delete bundle[name];
  },
};

const bundled = ["preact", "@preact/signals", "@preact/signals-core"];

/** The licenses of what the built files hold. */
const licenses = {
  name: "licenses",
  generateBundle(this: { emitFile: (file: object) => void }) {
    const texts = bundled.map((name) => {
      const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
      return `${name}\n${"=".repeat(name.length)}\n\n${text}\n`;
    });
    const source = [...texts, readFileSync("onnxruntime-license.txt", "utf8")].join("\n\n");
    this.emitFile({ type: "asset", fileName: "licenses.txt", source });
  },
};

export default defineConfig({
  base: "./",
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), packedRuntime, noUnpackedRuntime, licenses],
  worker: { format: "es", plugins: () => [noUnpackedRuntime] },
  build: {
    outDir: "../stylegenes/explorer/page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
  },
  test: { include: ["test/**/*.test.ts"] },
});
