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

export default defineConfig({
  base: "./",
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), packedRuntime],
  worker: { format: "es" },
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
