// Chapter 9: what m correlated observations are worth, for a covariate that differs between clusters or within them.
explore("design", {
  controls: [
    { key: "kind", label: "The covariate varies", options: ["between clusters", "within clusters"], value: "between clusters" },
    { key: "m", label: "Cluster size m", min: 2, max: 50, step: 1, value: 10 },
    { key: "rho", label: "Intraclass correlation ρ", min: 0, max: 0.95, step: 0.01, value: 0.1 },
  ],
  formula: ({ kind, m, rho }) => {
    const effect = kind === "between clusters" ? 1 + (m - 1) * rho : 1 - rho;
    return { effect, worth: m / effect };
  },
  draw(state, formula) {
    const { m, rho, kind } = state, { effect, worth } = formula(state), highest = Math.max(2, 1.15 * effect);
    const tick = [0.5, 1, 2, 5, 10].find((one) => highest / one <= 6);
    const a = explore.axes([1, 51], [0, highest], { xlabel: "cluster size m", ylabel: "variance over that of independent observations", xticks: [1, 10, 20, 30, 40, 50],
      yticks: Array.from({ length: Math.floor(highest / tick) + 1 }, (_, k) => k * tick) });
    const svg = a.frame + a.curve(() => 1, "faint dashed") + a.curve((size) => formula({ kind, rho, m: size }).effect, "one") + a.dot(m, effect, "two");
    return { svg, text: `m = ${m}, ρ = ${explore.show(rho)}, ${kind}: the variance is ${explore.show(effect)} times the naive one, and a cluster is worth ${explore.show(worth)} independent observations.` };
  },
});
