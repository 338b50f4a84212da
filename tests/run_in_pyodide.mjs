// node run_in_pyodide.mjs SITE NOTEBOOK: every code cell of a notebook in the browser's Python, under Node, by the page's own program.
// Prints one line of JSON: {cells, left_out, kinds, failed: [{cell, source, said}]}.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [site, notebook] = process.argv.slice(2);
const live = path.join(site, "_static", "live");
const pyodide = path.join(site, "lite", "static", "pyodide");
const { startPython } = await import(pathToFileURL(path.join(live, "session.mjs")));
const NEEDS = ["needs-dask", "needs-parquet", "needs-repository", "needs-openblas"];  // what a browser does not have

let said = [];
const kinds = {};
const tell = (message) => {
  if (!message.kind) return;
  kinds[message.kind] = (kinds[message.kind] ?? 0) + 1;
  if (["error", "stderr"].includes(message.kind)) said.push(message.data);
};
const run = await startPython({ module: pathToFileURL(path.join(pyodide, "pyodide.mjs")).href, index: pyodide },
  fs.readFileSync(path.join(live, "runner.py"), "utf8"), tell);
let cells = 0, left_out = 0;
const failed = [];
for (const cell of JSON.parse(fs.readFileSync(notebook)).cells.filter((one) => one.cell_type === "code")) {
  cells += 1;
  const tags = cell.metadata.tags ?? [];
  if (tags.some((tag) => NEEDS.includes(tag))) { left_out += 1; continue; }
  said = [];
  const source = [cell.source].flat().join("");
  const ok = await run(source);
  if (!ok !== tags.includes("raises-exception") || (ok && said.length)) failed.push({ cell: cell.id, source, said: said.join("") });
}
console.log(JSON.stringify({ cells, left_out, kinds, failed }));
process.exit(failed.length ? 1 : 0);
