// Chapter 11: one line, errors whose spread changes with x; the model believes in one spread, the sandwich looks at the residuals.
explore("sandwich", {
  controls: [{ key: "gamma", label: "Spread grows like x to the power", min: -1, max: 2, step: 0.1, value: 1 }],
  noise: [0.3, -1.1, 0.8, -0.4, 1.3, -0.7, 0.2, -1.5, 1, 0.5, -0.9, 1.6, -0.2, -1.2, 0.9, 1.1, -1.4, 0.4, -0.6, 1.2],
  formula({ gamma }) {
    const { sum } = explore, noise = explore.widgets.sandwich.noise, n = noise.length, x = noise.map((_, i) => (i + 1) / 10);
    const y = x.map((v, i) => 1 + v + 0.5 * v ** gamma * noise[i]);
    const mx = sum(x) / n, my = sum(y) / n, sxx = sum(x.map((v) => (v - mx) ** 2));
    const slope = sum(x.map((v, i) => (v - mx) * (y[i] - my))) / sxx, left = y.map((v, i) => v - my - slope * (x[i] - mx));
    const leverage = x.map((v) => 1 / n + (v - mx) ** 2 / sxx);
    const model = Math.sqrt(sum(left.map((r) => r * r)) / (n - 2) / sxx);
    return { x, y, mx, my, slope, model, robust: Math.sqrt(sum(left.map((r, i) => ((x[i] - mx) * r / (1 - leverage[i])) ** 2))) / sxx };
  },
  draw(state, formula) {
    const { x, y, mx, my, slope, model, robust } = formula(state), top = Math.max(5, ...y) + 0.3, low = Math.min(0, ...y) - 0.3;
    const a = explore.axes([0, 2.1], [low, top], { xlabel: "x", ylabel: "y", xticks: [0, 0.5, 1, 1.5, 2], yticks: [-4, -2, 0, 2, 4, 6, 8].filter((v) => v > low && v < top) });
    const ray = (b) => (v) => my + b * (v - mx);
    const svg = a.frame + x.map((v, i) => a.dot(v, y[i], "one", 4)).join("") + a.curve(ray(slope), "one", 0, 2.1, 60)
      + [-2, 2].map((k) => a.curve(ray(slope + k * model), "faint dashed", 0, 2.1, 60) + a.curve(ray(slope + k * robust), "two dashed", 0, 2.1, 60)).join("");
    return { svg, text: `Slope ${explore.show(slope)}: the model's standard error is ${explore.show(model)}, the robust one (HC3) ${explore.show(robust)}, ${explore.show(robust / model)} times as large.` };
  },
});
