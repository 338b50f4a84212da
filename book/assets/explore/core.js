// Figures that a reader moves, without Python: SVG, a slider or two, one formula each. This module holds what all share.
// A widget calls explore(name, {controls, formula, draw}); `formula` is tested against glmref, `draw` shows it.
window.explore = (() => {
  const W = 460, H = 280, LEFT = 48, RIGHT = 12, TOP = 14, BOTTOM = 38;
  const widgets = {};

  // ---- drawing ----
  function axes([x0, x1], [y0, y1], { xlabel, ylabel, xticks, yticks }) {
    const x = (v) => +(LEFT + (v - x0) / (x1 - x0) * (W - LEFT - RIGHT)).toFixed(2);
    const y = (v) => +(H - BOTTOM - (v - y0) / (y1 - y0) * (H - TOP - BOTTOM)).toFixed(2);
    const text = (at, to, said, more = "") => `<text x="${at}" y="${to}" ${more}>${said}</text>`;
    const frame = `<path d="M${LEFT} ${TOP}V${H - BOTTOM}H${W - RIGHT}" class="axis"/>`
      + xticks.map((v) => `<path d="M${x(v)} ${H - BOTTOM}v5" class="axis"/>${text(x(v), H - BOTTOM + 18, v, 'text-anchor="middle"')}`).join("")
      + yticks.map((v) => `<path d="M${LEFT} ${y(v)}h-5" class="axis"/>${text(LEFT - 8, y(v) + 4, v, 'text-anchor="end"')}`).join("")
      + text((LEFT + W - RIGHT) / 2, H - 4, xlabel, 'text-anchor="middle"') + text(LEFT + 6, TOP + 4, ylabel);
    return {
      x, y, frame, text,
      curve(f, kind, from = x0, to = x1, steps = 200) {  // what leaves the frame is left out
        let path = "", outside = true;
        for (let i = 0; i <= steps; i += 1) {
          const v = from + (to - from) * i / steps, w = f(v);
          if (w < y0 || w > y1) { outside = true; continue; }
          path += `${outside ? "M" : "L"}${x(v)} ${y(w)}`;
          outside = false;
        }
        return `<path class="${kind}" d="${path}"/>`;
      },
      line: (a, b, kind) => `<path class="${kind}" d="M${x(a[0])} ${y(a[1])}L${x(b[0])} ${y(b[1])}"/>`,
      dot: (v, w, kind, r = 5) => `<circle class="${kind}" cx="${x(v)}" cy="${y(w)}" r="${r}"/>`,
      bar: (v, w, width, kind) => `<rect class="${kind}" x="${x(v - width / 2)}" y="${y(w)}" width="${x(v + width / 2) - x(v - width / 2)}" height="${Math.max(0, y(0) - y(w)).toFixed(2)}"/>`,
    };
  }

  // ---- numbers ----
  function Phi(z) {  // the standard normal distribution function: a series near 0, a continued fraction in the tails
    if (z > 0) return 1 - Phi(-z);
    if (z > -3) {
      let term = z, sum = z;
      for (let k = 1; Math.abs(term) > 1e-17; k += 1) sum += term *= z * z / (2 * k + 1);
      return 0.5 + sum * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    }
    let fraction = 0;
    for (let k = 60; k > 0; k -= 1) fraction = k / (-z + fraction);
    return phi(z) / (-z + fraction);
  }
  const phi = (z) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const show = (value, digits = 3) => Number(value.toPrecision(digits)).toString().replace("-", "−");

  // ---- a widget on the page ----
  function place(box) {
    const { controls, draw, formula } = widgets[box.dataset.explore];
    const stage = box.querySelector(".explore-stage"), form = document.createElement("div");
    const state = Object.fromEntries(controls.map((one) => [one.key, one.value]));
    const inputs = {};
    form.className = "explore-controls";
    for (const control of controls) {
      const label = document.createElement("label"), name = document.createElement("span");
      const input = document.createElement(control.options ? "select" : control.step ? "input" : "button");
      name.textContent = control.label;
      inputs[control.key] = input;
      if (control.options) for (const option of control.options) input.add(new Option(option, option, false, option === control.value));
      else if (control.step) Object.assign(input, { type: "range", min: control.min, max: control.max, step: control.step, value: control.value });
      else {
        Object.assign(input, { type: "button", textContent: control.label });
        input.addEventListener("click", () => { Object.assign(state, control.press(state, formula)); sync(); });
        form.append(input);
        continue;
      }
      const output = document.createElement("output");
      label.append(name, input, ...(control.step ? [output] : []));
      input.addEventListener("input", () => { state[control.key] = control.step ? Number(input.value) : input.value; sync(control.key); });
      form.append(label);
    }
    const said = document.createElement("p");
    said.className = "explore-said";
    said.setAttribute("aria-live", "polite");
    function sync(from) {
      for (const control of controls.filter((one) => one.step)) {
        const input = inputs[control.key];
        if (control.key !== from) input.value = state[control.key];
        input.nextElementSibling.value = show(state[control.key]);
        input.setAttribute("aria-valuetext", show(state[control.key]));
      }
      const { svg, text } = draw(state, formula);
      stage.innerHTML = `<svg viewBox="0 0 ${W} ${H}" role="img" aria-label="${text}">${svg}</svg>`;
      said.textContent = text;
    }
    stage.after(form, said);
    sync();
  }
  const explore = (name, widget) => { widgets[name] = widget; };
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-explore]").forEach(place));
  return Object.assign(explore, { axes, Phi, phi, sum, show, widgets });
})();
