// Chapter 7: the sharper the summit of the log-likelihood, the smaller the standard error.
explore("curvature", {
  controls: [
    { key: "n", label: "Observations n", min: 5, max: 200, step: 5, value: 20 },
    { key: "share", label: "Share of successes", min: 0.1, max: 0.9, step: 0.1, value: 0.7 },
  ],
  formula({ n, share }) {
    const eta = Math.log(share / (1 - share)), information = n * share * (1 - share);
    const relative = (t) => n * (share * (t - eta) - Math.log((1 + Math.exp(t)) / (1 + Math.exp(eta))));
    return { eta, information, se: 1 / Math.sqrt(information), relative };
  },
  draw(state, formula) {
    const { eta, information, se, relative } = formula(state);
    const a = explore.axes([-4, 4], [-4, 0.4], { xlabel: "log odds η", ylabel: "log-likelihood below its summit", xticks: [-4, -2, 0, 2, 4], yticks: [-4, -3, -2, -1, 0] });
    const width = Math.sqrt(8 / information);
    const svg = a.frame + a.curve(relative, "one") + a.curve((t) => -information * (t - eta) ** 2 / 2, "two dashed", Math.max(-4, eta - width), Math.min(4, eta + width))
      + a.line([eta - se, -0.5], [eta + se, -0.5], "three") + a.dot(eta, 0, "one");
    return { svg, text: `${state.n} observations, ${explore.show(100 * state.share)} % successes: curvature (information) ${explore.show(information)}, standard error 1/√${explore.show(information)} = ${explore.show(se)}.` };
  },
});
