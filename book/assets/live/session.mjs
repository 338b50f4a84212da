// One Python: starts Pyodide and runs cells. The page's worker and the test under Node share it.
export async function startPython(folder, runner, tell) {
  // folder: where Pyodide is; runner: the text of runner.py; tell(message): {status} or {kind, data} of the running cell
  const { loadPyodide } = await import(folder.module);
  const python = await loadPyodide({ indexURL: folder.index });
  const stream = (name) => {
    const decoder = new TextDecoder();
    return { write: (bytes) => { tell({ kind: name, data: decoder.decode(bytes, { stream: true }) }); return bytes.length; } };
  };
  python.setStdout(stream("stdout"));
  python.setStderr(stream("stderr"));
  python.globals.set("emit", (kind, data) => tell({ kind, data }));
  python.runPython(runner);
  const run = python.globals.get("run_cell");
  return async (source) => {
    try {
      await python.loadPackagesFromImports(source, {
        messageCallback: (text) => /^Loading/.test(text) && tell({ status: text.length > 90 ? `${text.slice(0, 90)} …` : text }),
        errorCallback: (text) => tell({ kind: "stderr", data: `${text}\n` }),
      });
      return await run(source);
    } catch (failure) {  // of Pyodide itself; Python's own errors are told by runner.py
      tell({ kind: "error", data: String(failure.message || failure) });
      return false;
    }
  };
}
