// Python beside the page, so that a long cell does not stop it. Messages in: {pyodide} once, then {id, source}; out: see session.mjs.
import { startPython } from "./session.mjs";

let started, current = 0;

onmessage = async ({ data: message }) => {
  if (message.pyodide) {
    started = fetch(new URL("runner.py", import.meta.url)).then((answer) => answer.text()).then((runner) => startPython(
      { module: `${message.pyodide}pyodide.mjs`, index: message.pyodide }, runner, (told) => postMessage({ id: current, ...told })));
    started.then(() => postMessage({ status: "ready" }), (failure) => postMessage({ status: "failed", reason: String(failure.message || failure) }));
    return;
  }
  const run = await started;
  current = message.id;
  postMessage({ id: message.id, done: true, ok: await run(message.source) });
};
