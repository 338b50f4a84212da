"""The negative binomial: its arithmetic at the ends of every range, alpha's estimate, and what a fit says of both."""

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats

from glmref import BoundaryWarning, InputError, compare, datasets, families, fit_glm, glm, links
from glmref.families.alpha import newton
from glmref.families.negative_binomial import _digamma_rest
from glmref.restricted import restricted_fit

mp.mp.dps = 60
QUINE = glm("days ~ ethnicity + sex + grade + learner", datasets.load("quine"), "negative_binomial")
ALPHAS = (1e-12, 1e-5, 0.06, 0.0626, 0.7, 30, 1e6)
COUNTS = (0.0, 1.0, 17.0, 1e8)
MEANS = (1e-200, 1e-3, 0.9, 17.0001, 1e8, 1e8 + 1e3, 1e200)


def log_density(y, mu, alpha):
    y, mu, k = mp.mpf(y), mp.mpf(mu), 1 / mp.mpf(alpha)
    rest = (y * mp.log(mu / (mu + k)) if y else 0) - k * mp.log(1 + mu / k)
    return mp.loggamma(y + k) - mp.loggamma(k) - mp.loggamma(y + 1) + rest


def half_deviance(y, mu, alpha):
    y, mu, a = mp.mpf(y), mp.mpf(mu), mp.mpf(alpha)
    return (y * mp.log(y / mu) if y else 0) - (y + 1 / a) * mp.log((1 + a * y) / (1 + a * mu))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_deviance_and_density_keep_their_digits(alpha):
    family = families.NegativeBinomial(alpha)
    with mp.workdps(400), np.errstate(all="raise", under="ignore"):
        for y in COUNTS:
            saturated = family.saturated_log_density(np.array([y]), 1.0, np.ones(1))[0]
            want = log_density(y, y, alpha) if y else 0
            assert saturated == pytest.approx(float(want), rel=1e-13, abs=1e-14), y
            for mu in MEANS:
                want = 2 * half_deviance(y, mu, alpha)
                got = family.unit_deviance(np.array([y]), np.array([mu]))[0]
                assert got == pytest.approx(float(want), rel=3e-14, abs=1e-300), (y, mu)
                if abs(y - mu) > 0.1 * mu:  # nearer, |eta| roundings of mu are most of the difference
                    eta = np.array([float(mp.log(mu))])
                    got = family.deviance(np.array([y]), eta, links.Log())[0]
                    assert got == pytest.approx(float(2 * half_deviance(y, mp.exp(mp.mpf(eta[0])), alpha)), rel=1e-11), (y, mu)


@pytest.mark.parametrize("eta", [-740.0, -40.0, 40.0, 709.0, 2000.0])
@pytest.mark.parametrize("alpha", [0, 1e-3, 0.7, 1e5])
def test_extreme_means_have_a_deviance_and_a_score(eta, alpha):
    family, y = families.NegativeBinomial(alpha), np.array([0.0, 3.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        weight, score = family.working(y, np.full(2, eta), links.Log())
        deviance = family.deviance(y, np.full(2, eta), links.Log())
    if alpha > 0:
        mu, a = mp.exp(eta), mp.mpf(alpha)
        for i in (0, 1):
            assert deviance[i] == pytest.approx(float(2 * half_deviance(y[i], mu, alpha)), rel=1e-12)
            assert weight[i] == pytest.approx(float(mu / (1 + a * mu)), rel=1e-12, abs=1e-300)
            assert score[i] == pytest.approx(float((y[i] - mu) / (1 + a * mu)), rel=1e-12, abs=1e-300)
    else:
        assert not np.isnan(deviance).any() and not np.isnan(weight).any() and not np.isnan(score).any()


@pytest.mark.parametrize("alpha", ALPHAS)
def test_derivatives_in_alpha(alpha):
    """Against differentiation at 60 digits, where the textbook form of the score is 0 / 0."""
    family = families.NegativeBinomial(alpha)
    for y in COUNTS:
        for mu in (1e-3, 0.9, 17.0001, 1e8):
            with mp.workdps(120):
                first, second = (mp.diff(lambda a: log_density(y, mu, a), mp.mpf(alpha), order) for order in (1, 2))
            got = family.shape_derivatives(np.array([y]), np.array([mu]))
            # judged beside the parts of which they are made, which cancel where y is near mu
            w, t = abs(y - mu) / (1 + alpha * mu), 1 / (1 + alpha * y)
            size = w**2 / (1 + alpha * w) + y * t, (w**2 + (y * t)) * (w / (1 + alpha * w) + y * t)
            assert got[0][0] == pytest.approx(float(first), rel=1e-11, abs=1e-13 * size[0]), (y, mu)
            assert got[1][0] == pytest.approx(float(second), rel=1e-9, abs=1e-12 * size[1]), (y, mu)


def test_the_two_forms_of_the_digamma_rest_meet():
    y = np.array([0.0, 1.0, 5.0, 300.0])
    below, above = (_digamma_rest(alpha, y, 1 / (1 + alpha * y)) for alpha in (1 / 16 - 1e-12, 1 / 16))
    for one, two in zip(below, above):
        np.testing.assert_allclose(one, two, rtol=1e-8, atol=1e-11)


def test_poisson_is_the_limit():
    y, mu = np.arange(12.0), np.linspace(0.2, 9, 12)
    nearly, limit, poisson = families.NegativeBinomial(1e-13), families.NegativeBinomial(0), families.Poisson()
    for method in ("unit_deviance", "log_density"):
        np.testing.assert_allclose(getattr(limit, method)(y, mu), getattr(poisson, method)(y, mu), rtol=1e-13)
        np.testing.assert_allclose(getattr(nearly, method)(y, mu), getattr(poisson, method)(y, mu), rtol=1e-10)
    for one, two in zip(nearly.tails(y, mu, 1.0, 1.0), poisson.tails(y, mu, 1.0, 1.0)):
        np.testing.assert_allclose(one, two, rtol=1e-9)


@pytest.mark.parametrize("alpha", [1e-9, 1e-3, 0.7, 25])
def test_probabilities_sum_and_tails_are_their_sums(alpha):
    family, mu = families.NegativeBinomial(alpha), 4.2
    counts = np.arange(0, 20_000.0)
    p = np.exp(family.log_density(counts, mu))
    if alpha < 1:
        assert p.sum() == pytest.approx(1, rel=1e-12)
        assert p @ (counts - mu) ** 2 == pytest.approx(family.variance(mu), rel=1e-9)
    for y in (0.0, 3.0, 3.5, 12.0, *([150.0] if alpha < 1 else [])):
        low, high = family.tails(np.array([y]), mu, 1.0, 1.0)
        assert low[0] == pytest.approx(p[: int(y) + 1].sum(), rel=1e-11)
        assert high[0] == pytest.approx(1 - low[0] if alpha > 1 else p[int(y) + 1 :].sum(), rel=1e-11)
    assert family.tails(np.array([-1.0]), mu, 1.0, 1.0) == (0.0, 1.0)


@pytest.mark.parametrize("alpha", [0, 1e-6, 0.7, 1e4])
def test_anscombe_transform(alpha):
    family = families.NegativeBinomial(alpha)
    for low, high in [(0.1, 0.4), (2.0, 300.0)]:
        want = integrate.quad(lambda t: float(family.variance(t)) ** (-1 / 3), low, high, epsabs=0, epsrel=1e-11)[0]
        assert family.normalized(high) - family.normalized(low) == pytest.approx(want, rel=1e-9)


def test_given_and_estimated_alpha_are_told_apart():
    given = glm("days ~ sex", datasets.load("quine"), families.NegativeBinomial(0.5))
    assert given.alpha == 0.5 and "0.5000 (given)" in repr(given)
    assert given.aic == pytest.approx(-2 * given.loglik + 2 * 2)
    assert QUINE.family == families.NegativeBinomial(QUINE.alpha) and "estimated, std. error 0.09908" in repr(QUINE)
    assert QUINE.aic == pytest.approx(-2 * QUINE.loglik + 2 * 8)
    assert "rate ratio" in repr(QUINE)
    for call, message in [
        (lambda: given.alpha_se, "0.5, given"),
        (lambda: glm("days ~ sex", datasets.load("quine"), "poisson").alpha, "a family that has alpha"),
        (lambda: QUINE.power, "a family that has power"),
        (lambda: families.NegativeBinomial().variance(2.0), "fit.family, which has the estimate"),
        (lambda: families.NegativeBinomial(-0.1), "alpha as a number >= 0"),
        (lambda: families.NegativeBinomial(True), "alpha as a number >= 0"),
        (lambda: links.NegativeBinomial(0), "use links.Log"),
        (
            lambda: glm("days ~ sex", datasets.load("quine"), "negative_binomial", dispersion="pearson"),
            "no dispersion beside alpha",
        ),
        (lambda: compare(given, QUINE), r"alpha = 0.5.*alpha = 0.784"),
    ]:
        with pytest.raises(InputError, match=message):
            call()


def test_the_estimate_maximizes_the_likelihood_in_every_direction():
    best = QUINE.loglik
    X, y = QUINE.design.X, QUINE.design.y
    for factor in (0.99, 1.01):
        family = families.NegativeBinomial(QUINE.alpha * factor)
        assert fit_glm(X, y, family).loglik < best
    held = fit_glm(X, y, QUINE.family)
    np.testing.assert_allclose(held.coef, QUINE.coef, rtol=1e-9)
    np.testing.assert_allclose(held.se, QUINE.se.to_numpy(), rtol=1e-9)
    assert held.loglik == pytest.approx(best, rel=1e-14)


def test_any_start_and_any_extent_of_overdispersion_arrives():
    """alpha from 1e-3 to 30, means of 1 and of 1e6, weights: the score is zero in alpha and beta together."""
    rng = np.random.default_rng(4)
    for alpha, level in [(1e-3, 6.0), (0.3, 1.0), (1.0, 0.0), (1.0, 14.0), (30.0, 2.0)]:
        X = np.c_[np.ones(120), rng.normal(size=120)]
        mu = np.exp(level + 0.4 * X[:, 1])
        y, weight = rng.poisson(rng.gamma(1 / alpha, alpha * mu)).astype(float), rng.uniform(0.5, 2, 120)
        fit = fit_glm(X, y, "negative_binomial", weights=weight)
        first, second = (weight @ part for part in fit.family.shape_derivatives(y, fit.fitted))
        assert abs(first / second) < 1e-10 * fit.alpha
        assert np.max(np.abs(fit.scores.sum(axis=0)) * fit.se.to_numpy()) < 1e-9
        assert fit.alpha_se == pytest.approx(np.sqrt(-1 / second), rel=1e-9)
        far = fit_glm(X, y, "negative_binomial", weights=weight, start=[level + 2, -0.5])
        assert far.alpha == pytest.approx(fit.alpha, rel=1e-9)


def test_counts_without_overdispersion_end_at_the_poisson():
    table = datasets.load("insurance")
    with pytest.warns(BoundaryWarning, match="no more than Poisson counts"):
        fit = glm("claims ~ district + engine + age", table, "negative_binomial", offset="log(holders)")
    poisson = glm("claims ~ district + engine + age", table, "poisson", offset="log(holders)")
    assert fit.alpha == 0 and np.isnan(fit.alpha_se) and "0 (estimated)" in repr(fit)
    np.testing.assert_allclose(fit.coef, poisson.coef, rtol=1e-10)
    np.testing.assert_allclose(fit.se, poisson.se, rtol=1e-10)
    assert fit.loglik == pytest.approx(poisson.loglik, rel=1e-13) and fit.aic == pytest.approx(poisson.aic + 2)
    assert fit.test("age", "lr").p_value == pytest.approx(poisson.test("age", "lr").p_value, abs=1e-3)


@pytest.mark.parametrize(
    ("y", "alpha"),
    [
        ([0, 0, 0, 0, 5.0], 10.067),  # one positive count
        ([0.0] * 49 + [1e8], 1054.5),
        ([1, 9.0], 0.66578),
        ([0.2, 0.9, 4.5, 0.0], 1.17262),  # rates
        ([1e8, 1e8 + 4e4, 1e8 + 9e3, 1e8 - 1e5], 2.6592e-7),
    ],
)
def test_few_or_strange_counts(y, alpha):
    """The root of the profile score, found by a plain search over the log-likelihood of the mean-only model."""
    fit = fit_glm(np.ones((len(y), 1)), y, "negative_binomial")
    assert fit.alpha == pytest.approx(alpha, rel=1e-3) and np.isfinite(fit.alpha_se)
    mean = np.full(len(y), np.mean(y))
    grid = fit.alpha * np.linspace(0.98, 1.02, 41)
    curve = [families.NegativeBinomial(a).log_density(np.array(y), mean).sum() for a in grid]
    assert np.argmax(curve) == 20


def test_alpha_arrives_where_fisher_scoring_creeps():
    """Nine zeros and one count of 2009: the expected information is far from the observed, and 200 rounds do not suffice."""
    x = [0.5, 0.6, 0.4, 0.2, 0.2, -1.0, 0.0, -0.1, 0.9, -2.9, 0.3, 2.6]
    y = np.array([0, 0, 2009.0, 0, 2, 0, 0, 0, 1, 0, 0, 0])
    fit = fit_glm(np.c_[np.ones(12), x], y, "negative_binomial")
    first, second = (part.sum() for part in fit.family.shape_derivatives(y, fit.fitted))
    assert fit.converged and abs(first / second) < 1e-9 * fit.alpha
    assert np.max(np.abs(fit.scores.sum(axis=0)) * fit.se.to_numpy()) < 1e-9


@pytest.mark.parametrize("link", ["log", "sqrt"])
def test_newtons_last_step_squares_the_error(link):
    """It stops once the error is 1e-8 standard errors, so that with the right Hessian 1e-14 or so is left."""
    fit = glm("days ~ ethnicity + learner", datasets.load("quine"), "negative_binomial", link=link, tol=1e-13)
    away = fit.solution.beta + 0.02 * fit.se.to_numpy()
    family, beta = newton(families.NegativeBinomial(fit.alpha * 1.003), fit.design.rows, fit.link, away)
    assert family.alpha == pytest.approx(fit.alpha, rel=1e-12)
    np.testing.assert_allclose((beta - fit.solution.beta) / fit.se, 0, atol=1e-12)
    far = families.NegativeBinomial(50.0)
    assert newton(far, fit.design.rows, fit.link, away) == (far, away)  # no place to begin: nothing is changed


def test_a_saturated_fit_has_no_overdispersion():
    with pytest.warns(BoundaryWarning):
        assert fit_glm(np.eye(3), [1, 9.0, 4], "negative_binomial").alpha == 0


def test_rows_of_weight_zero_change_nothing():
    table = datasets.load("quine").iloc[40:100]
    weight = (np.arange(60) % 5 > 0) * 1.0
    one = glm("days ~ ethnicity", table, "negative_binomial", weights=weight)
    two = glm("days ~ ethnicity", table[weight > 0], "negative_binomial")
    assert one.alpha == pytest.approx(two.alpha, rel=1e-12) and one.loglik == pytest.approx(two.loglik, rel=1e-13)
    assert np.isnan(one.residuals("quantile")[weight == 0]).all()


def test_integer_weights_equal_replication():
    table = datasets.load("quine").iloc[40:100]
    times = 1 + np.arange(60) % 3
    one = glm("days ~ ethnicity", table, "negative_binomial", weights=times)
    two = glm("days ~ ethnicity", table.loc[table.index.repeat(times)], "negative_binomial")
    assert one.alpha == pytest.approx(two.alpha, rel=1e-10) and one.alpha_se == pytest.approx(two.alpha_se, rel=1e-9)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9)
    assert one.loglik == pytest.approx(two.loglik, rel=1e-12)


def test_restricted_fits_estimate_alpha_again():
    """By brute force: the likelihood of the submodel, maximized over alpha, is what the likelihood ratio uses."""
    small = glm("days ~ ethnicity + sex + grade", datasets.load("quine"), "negative_binomial")
    result = QUINE.test("learner", "lr")
    assert small.alpha > QUINE.alpha
    assert result.statistic == pytest.approx(2 * (QUINE.loglik - small.loglik), rel=1e-7)
    assert compare(small, QUINE)["statistic"].iloc[1] == pytest.approx(result.statistic, rel=1e-7)
    L = np.eye(7)[[6]]
    restricted = restricted_fit(QUINE.design.rows, families.NegativeBinomial(), QUINE.link, L, np.zeros(1), QUINE.solution.beta)
    assert restricted.family.alpha == pytest.approx(small.alpha, rel=1e-9)
    score = QUINE.test("learner", "score")
    fitted = fit_glm(small.design.X, small.design.y, small.family).fitted
    U = QUINE.design.X.T @ ((small.design.y - fitted) / (1 + small.alpha * fitted))
    information = (QUINE.design.X.T * (fitted / (1 + small.alpha * fitted))) @ QUINE.design.X
    assert score.statistic == pytest.approx(U @ np.linalg.solve(information, U), rel=1e-7)


def test_a_hypothesis_about_every_coefficient():
    """Nothing is left to fit but alpha."""
    fit = glm("days ~ learner", datasets.load("quine"), "negative_binomial")
    value = fit.coef.to_numpy() + [0.2, 0.1]
    names = ["Intercept", "`learner[T.slow]`"]
    result = fit.test([f"{name} = {v:.17g}" for name, v in zip(names, value)], "lr")
    y, mu = fit.design.y, np.exp(fit.design.X @ value)
    alphas = fit.alpha * np.linspace(0.8, 1.4, 2001)
    best = max(families.NegativeBinomial(a).log_density(y, mu).sum() for a in alphas)
    assert result.statistic == pytest.approx(2 * (fit.loglik - best), rel=1e-5)


def test_profile_interval_re_estimates_alpha():
    fit = glm("days ~ learner", datasets.load("quine"), "negative_binomial")
    interval = fit.confint(0.9, method="profile")
    rise = stats.norm.ppf(0.95) ** 2
    for end in interval.loc["learner[T.slow]"]:
        held = fit_glm(fit.design.X[:, :1], fit.design.y, "negative_binomial", offset=fit.design.X[:, 1] * end)
        assert 2 * (fit.loglik - held.loglik) == pytest.approx(rise, rel=1e-7)
    wide = fit.confint(0.9)
    np.testing.assert_allclose(interval, wide, atol=0.05)


def test_quantile_residuals_and_the_rest_of_a_fit():
    rng = np.random.default_rng(12)
    X = np.c_[np.ones(3000), rng.uniform(-1, 1, 3000)]
    y = families.NegativeBinomial(0.8).draw(np.exp(1 + X[:, 1]), 1.0, 1.0, rng)
    fit = fit_glm(X, y, "negative_binomial")
    assert stats.kstest(fit.residuals("quantile"), "norm").pvalue > 0.001
    assert abs(fit.alpha - 0.8) < 4 * fit.alpha_se
    for kind in ("response", "pearson", "deviance", "working", "anscombe"):
        assert np.isfinite(fit.residuals(kind)).all()
    assert fit.leverage.sum() == pytest.approx(2, rel=1e-10)
    robust = fit.covariance("HC0")
    np.testing.assert_allclose(np.sqrt(np.diag(robust)) / fit.se, 1, atol=0.1)  # the model is true
    assert (fit.predict(X[:3], interval=0.95)["lower"] > 0).all()


def test_the_canonical_link_fits_too():
    table = datasets.load("crabs")
    alpha = 1.1
    fit = glm("satellites ~ width", table, families.NegativeBinomial(alpha), link=links.NegativeBinomial(alpha))
    assert fit.converged and (fit.linear_predictor < 0).all()
    # with the canonical link the score is X'(y - mu): the fitted sums are the observed ones
    np.testing.assert_allclose(fit.design.X.T @ (fit.design.y - fit.fitted), 0, atol=1e-6)
