// Chapter 6: a step of Fisher scoring goes to the summit of a parabola that touches the log-likelihood at the guess.
explore("irls", {
  controls: [
    { key: "beta", label: "Your guess β", min: -2, max: 5, step: 0.01, value: 0 },
    { key: "step", label: "Take one step", press: (state, formula) => ({ beta: Math.max(-2, Math.min(5, formula(state).next)) }) },
  ],
  data: { x: [-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2], y: [0, 0, 1, 0, 1, 0, 1, 1] },
  formula({ beta }) {
    const { x, y } = explore.widgets.irls.data, softplus = (t) => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)));
    const at = (b) => explore.sum(x.map((v, i) => y[i] * v * b - softplus(v * b)));
    const mu = x.map((v) => 1 / (1 + Math.exp(-v * beta)));
    const score = explore.sum(x.map((v, i) => v * (y[i] - mu[i]))), information = explore.sum(x.map((v, i) => v * v * mu[i] * (1 - mu[i])));
    return { loglik: at(beta), at, score, information, next: beta + score / information };
  },
  draw(state, formula) {
    const { loglik, at, score, information, next } = formula(state), { beta } = state;
    const parabola = (b) => loglik + score * (b - beta) - information * (b - beta) ** 2 / 2;
    const a = explore.axes([-2, 5], [-16, -2], { xlabel: "coefficient β", ylabel: "log-likelihood", xticks: [-2, -1, 0, 1, 2, 3, 4, 5], yticks: [-15, -10, -5] });
    const inside = next > -2 && next < 5 && parabola(next) < -1;
    const reach = Math.sqrt(28 / information);
    const svg = a.frame + a.curve(at, "one") + a.curve(parabola, "two dashed", Math.max(-2, Math.min(beta, next) - reach / 2), Math.min(5, Math.max(beta, next) + reach / 2)) + a.dot(beta, loglik, "one")
      + (inside ? a.dot(next, parabola(next), "two") + a.line([next, -16], [next, parabola(next)], "faint dashed") : "");
    return { svg, text: `At β = ${explore.show(beta)} the score is ${explore.show(score)}, the information ${explore.show(information)}: the step leads to β = ${explore.show(next, 4)}.` };
  },
});
