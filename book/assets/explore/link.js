// Chapter 3: a link takes the mean to the whole line, its inverse h comes back; h' says what one unit of eta is worth here.
explore("link", {
  controls: [
    { key: "link", label: "Link", options: ["logit", "probit", "cloglog", "loglog", "cauchit"], value: "logit" },
    { key: "eta", label: "Linear predictor η", min: -4, max: 4, step: 0.05, value: 1 },
  ],
  formula({ link, eta }) {
    const { Phi, phi } = explore;
    const [mean, slope] = {
      logit: [(t) => 1 / (1 + Math.exp(-t)), (t) => 1 / (2 + Math.exp(t) + Math.exp(-t))],
      probit: [Phi, phi],
      cloglog: [(t) => -Math.expm1(-Math.exp(t)), (t) => Math.exp(t - Math.exp(t))],
      loglog: [(t) => Math.exp(-Math.exp(-t)), (t) => Math.exp(-t - Math.exp(-t))],
      cauchit: [(t) => 0.5 + Math.atan(t) / Math.PI, (t) => 1 / (Math.PI * (1 + t * t))],
    }[link];
    return { mean: mean(eta), slope: slope(eta), h: mean };
  },
  draw(state, formula) {
    const { mean, slope, h } = formula(state), { eta } = state;
    const a = explore.axes([-4, 4], [0, 1.05], { xlabel: "linear predictor η", ylabel: "mean μ = h(η)", xticks: [-4, -2, 0, 2, 4], yticks: [0, 0.5, 1] });
    const reach = 1.2, logit = (t) => 1 / (1 + Math.exp(-t));
    const svg = a.frame + a.curve(logit, "faint") + a.curve(h, "one") + a.line([eta - reach, mean - reach * slope], [eta + reach, mean + reach * slope], "two")
      + a.line([eta, 0], [eta, mean], "faint dashed") + a.line([-4, mean], [eta, mean], "faint dashed") + a.dot(eta, mean, "two");
    return { svg, text: `${state.link} at η = ${explore.show(eta)}: the mean is μ = ${explore.show(mean)}, and one small unit of η moves it at the rate h′(η) = ${explore.show(slope)}.` };
  },
});
