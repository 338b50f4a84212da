// Chapter 2: any base law becomes a family by tilting: multiply by e^(y theta), divide by what makes the sum 1.
explore("tilt", {
  controls: [
    { key: "base", label: "Base", options: ["coin", "die", "horse kicks", "uneven"], value: "die" },
    { key: "theta", label: "Tilt θ", min: -2, max: 2, step: 0.05, value: 0.5 },
  ],
  formula({ base, theta }) {
    const poisson = [1];
    for (let y = 1; y <= 40; y += 1) poisson.push(poisson[y - 1] / y);
    const bases = { coin: [0.5, 0.5], die: [0, 1, 1, 1, 1, 1, 1].map((p) => p / 6), "horse kicks": poisson.map((p) => p / Math.E), uneven: [0.3, 0.05, 0.1, 0.25, 0, 0.3] };
    const law = bases[base], weights = law.map((p, y) => p * Math.exp(y * theta)), total = explore.sum(weights);
    const tilted = weights.map((w) => w / total), mean = explore.sum(tilted.map((p, y) => p * y));
    return { law, tilted, b: Math.log(total), mean, variance: explore.sum(tilted.map((p, y) => p * (y - mean) ** 2)) };
  },
  draw(state, formula) {
    const { law, tilted, b, mean, variance } = formula(state);
    const last = { coin: 1, die: 6, "horse kicks": 12, uneven: 5 }[state.base], highest = Math.max(...tilted, ...law, 0.3);
    const a = explore.axes([-0.6, last + 0.6], [0, highest * 1.12], {
      xlabel: "y", ylabel: "probability", xticks: Array.from({ length: last + 1 }, (_, y) => y), yticks: [0, 0.2, 0.4, 0.6, 0.8, 1].filter((v) => v <= highest),
    });
    const values = Array.from({ length: last + 1 }, (_, y) => y);
    const svg = a.frame + values.map((y) => a.bar(y, tilted[y], 0.7, "fill one") + a.bar(y, law[y], 0.8, "outline")).join("")
      + (mean <= last ? `<path class="two" d="M${a.x(mean)} ${a.y(0)}l-6 10h12z"/>` : "");
    return { svg, text: `${state.base}, tilted by θ = ${explore.show(state.theta)}: b(θ) = ${explore.show(b)}, mean b′(θ) = ${explore.show(mean)}, variance b″(θ) = ${explore.show(variance)}.` };
  },
});
