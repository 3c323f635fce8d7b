/** Builds the bundle and styles that the Python package carries, with the hash of their sources. */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, copyFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const TARGET = join(ROOT, "../vaeviz/explorer/static");

/** Return the SHA-256 of all sources; tests/explorer/test_bundle.py computes the same. */
function sourceHash() {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of [...files, join(ROOT, "package-lock.json")].map((path) => relative(ROOT, path)).sort()) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest("hex");
}

const OPTIONS = /** @type {const} */ ({
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  charset: "ascii",
  legalComments: "none",
});

/** Return the minified bundle of a script as text. */
async function bundledText(source) {
  const { outputFiles } = await build({ ...OPTIONS, entryPoints: [join(ROOT, "src", source)], write: false });
  return outputFiles[0].text;
}

const banner = `/* vaeviz explorer, built from explorer/src; licenses in NOTICE. Source hash: ${sourceHash()} */`;
const workerSource = await bundledText("graph/worker.js");
mkdirSync(TARGET, { recursive: true });
for (const [source, name] of [
  ["main.js", "explorer.js"],
  ["styles/explorer.css", "explorer.css"],
]) {
  await build({
    ...OPTIONS,
    entryPoints: [join(ROOT, "src", source)],
    outfile: join(TARGET, name),
    define: { "globalThis.WORKER_SOURCE": JSON.stringify(workerSource) },
    banner: { js: banner, css: banner },
  });
}
copyFileSync(join(ROOT, "NOTICE"), join(TARGET, "NOTICE"));
