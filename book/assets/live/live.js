// Live: the cells of this page become editable and run, by Python in a worker. Nothing is loaded until the reader asks.
(() => {
  const { root, notebook } = document.currentScript.dataset;
  const here = new URL(root, location.href);
  let worker = null, calls = new Map(), next = 0, queue = Promise.resolve(), starts = 0, cells = [], bar = null;

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const say = (text, state = "busy") => { bar.status.textContent = text; bar.dataset.state = state; };

  // ---- Python ----
  function start() {
    starts += 1;
    worker = new Worker(new URL("_static/live/worker.mjs", here), { type: "module" });
    worker.onmessage = ({ data }) => {
      if (data.status === "ready") say("Python is ready.", "ready");
      else if (data.status === "failed") say(`Python could not start: ${data.reason}`, "failed");
      else if (data.status) say(data.status);
      else if (data.done) { calls.get(data.id)?.resolve(data.ok); calls.delete(data.id); }
      else calls.get(data.id)?.show(data);
    };
    worker.onerror = (event) => say(`Python could not start: ${event.message || "see the browser's console"}`, "failed");
    say("Starting Python in your browser. The first time it loads about 45 MB …");
    worker.postMessage({ pyodide: new URL("lite/static/pyodide/", here).href });
  }
  function restart() {
    worker.terminate();
    calls.forEach((call) => call.resolve(false));
    calls = new Map();
    queue = Promise.resolve();
    cells.forEach((cell) => { cell.state = "new"; delete cell.box.dataset.live; });
    start();
  }
  const call = (source, show) => new Promise((resolve) => {
    calls.set(++next, { resolve, show });
    worker.postMessage({ id: next, source });
  });

  // ---- what a cell shows ----
  const escape = (text) => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
  const formula = (tex, display) => `<span class="math notranslate nohighlight">${display ? "\\[" : "\\("}${escape(tex)}${display ? "\\]" : "\\)"}</span>`;
  function marked(text, links) {  // the Markdown that a computed sentence or table uses; a role becomes the link that the page had there
    const kept = [];
    const keep = (html) => `\u0000${kept.push(html) - 1}\u0000`;
    const inline = (line) => line
      .replace(/\{[\w:-]+\}`([^`<]*)(?:<[^>]*>)?`/g, (_, shown) => keep(links.shift()?.outerHTML ?? escape(shown)))
      .replace(/`([^`]+)`/g, (_, code) => keep(`<code>${escape(code)}</code>`))
      .replace(/\$\$([^$]+)\$\$/g, (_, tex) => keep(formula(tex, true)))
      .replace(/\$([^$]+)\$/g, (_, tex) => keep(formula(tex, false)))
      .replace(/[&<>]/g, escape)
      .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>").replace(/\*([^*]+)\*/g, "<em>$1</em>");
    const table = (rows) => {
      const cellsOf = (row) => inline(row).replace(/^\s*\||\|\s*$/g, "").split("|");
      const head = cellsOf(rows[0]).map((cell) => `<th>${cell}</th>`).join("");
      return `<table class="table"><thead><tr>${head}</tr></thead><tbody>${rows.slice(2).map((row) => `<tr>${cellsOf(row).map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("")}</tbody></table>`;
    };
    const html = text.replace(/^:::.*$/gm, "").trim().split(/\n\s*\n/).map((block) => {
      const lines = block.split("\n");
      return /^\s*\|/.test(lines[0]) ? table(lines) : `<p>${inline(block)}</p>`;
    }).join("");
    return html.replace(/\u0000(\d+)\u0000/g, (_, k) => kept[k]);
  }
  function show(cell, into, { kind, data }) {
    if (["stdout", "stderr"].includes(kind)) {
      if (into.lastElementChild?.dataset.kind !== kind) into.append(make("pre", { className: `live-${kind}` })), into.lastElementChild.dataset.kind = kind;
      into.lastElementChild.textContent += data;
      return;
    }
    let part = make("div", { className: "output" });
    if (kind === "png") {  // the page's own figure, caption and all, with the new picture
      const figure = cell.figures.shift()?.cloneNode(true);
      const picture = figure?.querySelector("img") ?? make("img");
      picture.src = `data:image/png;base64,${data}`;
      if (!figure || cell.edited()) picture.alt = "Figure drawn by your cell";
      part = figure ?? make("div", { className: "output" }, picture);
    } else if (kind === "html") {
      part.className += " text_html";
      part.innerHTML = data;
      part.querySelectorAll("script").forEach((old) => old.replaceWith(make("script", { textContent: old.textContent })));  // else it would not run
    } else if (kind === "markdown") {
      part.innerHTML = marked(data, cell.links);
    } else if (kind === "latex") {
      const display = /^\s*\$\$|^\s*\\begin|displaystyle/.test(data);
      part.innerHTML = formula(data.trim().replace(/^\$+|\$+$/g, ""), display);
    } else {
      part = make("pre", { className: `live-${kind}`, textContent: data });
    }
    into.append(part);
    if (part.querySelector(".math")) window.MathJax?.typesetPromise?.([part]);
  }

  // ---- cells ----
  class Cell {
    constructor(box, { source, mayFail, needs }) {
      Object.assign(this, { box, source, mayFail, needs, state: "new", pre: box?.querySelector(".cell_input pre") });
      if (!box) this.box = make("div");  // its code and output are not on the page, but later cells need it
      this.output = this.box.querySelector(".cell_output");
      this.kept = { figures: [...(this.output?.querySelectorAll("figure:not(.glmref-frames)") ?? [])], links: [...(this.output?.querySelectorAll("a.reference") ?? [])] };
      if (this.pre) this.open();
    }
    open() {
      this.before = this.pre.textContent;
      this.pre.contentEditable = "plaintext-only";
      Object.assign(this.pre, { spellcheck: false, tabIndex: 0 });
      for (const [name, value] of Object.entries({ role: "textbox", "aria-multiline": "true", "aria-label": "Python code, editable; Shift and Enter run it", autocapitalize: "off", autocorrect: "off" })) this.pre.setAttribute(name, value);
      this.pre.addEventListener("keydown", (event) => {
        event.stopPropagation();  // the theme's shortcuts are letters and arrows
        if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) { event.preventDefault(); runTo(this); }
      });
      this.button = make("button", { type: "button", className: "live-run", textContent: "Run", onclick: () => runTo(this) });
      this.box.querySelector(".cell_input").append(this.button);
    }
    edited() { return Boolean(this.pre) && this.pre.textContent !== this.before; }
    async run() {
      if (this.needs.length) {  // Dask, Parquet files, the repository: what was printed stays
        this.state = this.box.dataset.live = "left-out";
        say(`A cell was left out: it needs ${this.needs.join(", ")}, which a browser does not have.`, "ready");
        return true;
      }
      Object.assign(this, { figures: [...this.kept.figures], links: [...this.kept.links] });
      this.box.dataset.live = "running";
      if (!this.output) this.box.append(this.output = make("div", { className: "cell_output docutils container" }));
      const fresh = make("div"), swap = () => fresh.isConnected || this.output.replaceChildren(fresh);
      say("Running …");
      const ok = await call(this.edited() ? this.pre.innerText : this.source, (told) => { swap(); show(this, fresh, told); });
      swap();
      this.state = this.box.dataset.live = ok ? "ran" : "failed";
      say(ok ? "Done." : "A cell raised an error.", ok ? "ready" : "error");
      return ok;
    }
  }
  function runTo(last) {  // cells above it that have not run yet run first
    const mine = starts;
    queue = queue.then(async () => {
      for (const cell of cells.slice(0, cells.indexOf(last))) if (cell.state === "new" && !(await cell.run()) && !cell.mayFail) return;
      if (mine === starts) await last.run();
    });
    return queue;
  }

  // ---- the page ----
  async function open() {
    if (bar) return;
    bar = make("div", { className: "live-bar" });
    bar.status = make("span");
    bar.status.setAttribute("role", "status");
    bar.append(bar.status);
    document.body.append(bar);
    if (location.protocol === "file:") {
      say("A browser runs no Python from disk. Serve this folder (python -m http.server) and open the address it prints.", "failed");
      return;
    }
    const answer = await fetch(new URL(`_static/live/cells/${notebook}.json`, here));
    cells = (await answer.json()).map((code) => new Cell(document.getElementById(`cell-${notebook}-${code.id}`.toLowerCase()), code));
    bar.append(make("button", { type: "button", textContent: "Run all", onclick: () => runTo(cells.at(-1)) }),
      make("button", { type: "button", textContent: "Restart", title: "Stop what runs and forget all variables", onclick: restart }));
    start();
  }
  document.addEventListener("click", (event) => { if (event.target.closest("[data-live]")?.matches("button")) open(); });
})();
