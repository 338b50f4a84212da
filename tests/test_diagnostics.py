"""Residuals and influence: closed forms, R's conventions, brute force, and the normality that quantile residuals promise."""

import numpy as np
import pytest
from instances import EVERY_FAMILY
from scipy import integrate, stats

from glmref import InputError, datasets, families, fit_glm, glm

SPRAYS = glm("insects ~ spray", datasets.load("insectsprays"), "poisson")


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
def test_anscombe_transform_is_the_integral_of_v_to_minus_a_third(family):
    for low, high in [(0.1, 0.4), (0.3, 0.95)]:
        want = integrate.quad(lambda t: float(family.variance(t)) ** (-1 / 3), low, high)[0]
        assert family.normalized(high) - family.normalized(low) == pytest.approx(want, rel=1e-9)


def test_anscombe_residuals_of_counts():
    y, mu = SPRAYS.design.y, SPRAYS.fitted
    np.testing.assert_allclose(SPRAYS.residuals("anscombe"), 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6), rtol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "gamma", "inverse_gaussian"])
def test_tails_are_integrals_of_the_density(name):
    family, mu, phi, weight = families.get(name), 1.4, 0.3, 2.0
    for y in (0.5, 1.4, 3.0):
        low, high = family.tails(np.float64(y), mu, phi, weight)
        want = integrate.quad(lambda t: np.exp(family.log_density(t, mu, phi, weight)), y, 40, limit=300)[0]
        assert high == pytest.approx(want, rel=1e-7) and low + high == pytest.approx(1)


def test_tails_of_counts_and_shares_are_sums():
    low, high = families.Poisson().tails(np.array([-1.0, 0, 3]), 2.5, 1.0, np.ones(3))
    np.testing.assert_allclose(low, stats.poisson(2.5).cdf([-1, 0, 3]), rtol=1e-13)
    np.testing.assert_allclose(high, stats.poisson(2.5).sf([-1, 0, 3]), rtol=1e-13)
    trials = np.array([7.0, 7, 7, 7])
    low, high = families.Binomial().tails(np.array([-1, 0, 3, 7]) / 7, 0.3, 1.0, trials)
    np.testing.assert_allclose(low, stats.binom(7, 0.3).cdf([-1, 0, 3, 7]), rtol=1e-12)
    np.testing.assert_allclose(high, stats.binom(7, 0.3).sf([-1, 0, 3, 7]), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", ["gaussian", "poisson", "binomial", "gamma", "inverse_gaussian"])
def test_quantile_residuals_of_a_true_model_are_standard_normal(name):
    rng = np.random.default_rng(7)
    n = 4000
    X = np.column_stack([np.ones(n), rng.uniform(-1, 1, n)])
    mean = np.exp(0.5 + 0.8 * X[:, 1])
    share, trials = mean / (1 + mean), np.full(n, 3.0)
    y, options = {
        "gaussian": lambda: (mean + rng.normal(size=n), {"link": "log"}),
        "poisson": lambda: (rng.poisson(mean), {}),
        "binomial": lambda: (rng.binomial(3, share) / 3, {"weights": trials}),
        "gamma": lambda: (rng.gamma(2, mean / 2), {"link": "log"}),
        "inverse_gaussian": lambda: (rng.wald(mean, 2.0), {"link": "log"}),
    }[name]()
    residuals = fit_glm(X, y, name, **options).residuals("quantile")
    assert stats.kstest(residuals, "norm").pvalue > 0.001  # the seed is fixed: this is one draw, not a gamble


def test_quantile_residuals_repeat_with_their_seed_and_only_then():
    np.testing.assert_array_equal(SPRAYS.residuals("quantile"), SPRAYS.residuals("quantile", rng=0))
    assert np.any(SPRAYS.residuals("quantile", rng=1) != SPRAYS.residuals("quantile"))


def test_influence_of_least_squares_is_exact():
    """For Gaussian + identity the one-step formulas are the leave-one-out fits themselves."""
    cars = datasets.load("cars")
    fit = glm("distance ~ speed", cars, dispersion=1.0)
    for i in (0, 22, 48):
        without = glm("distance ~ speed", cars.drop(index=i), dispersion=1.0)
        change = fit.coef - without.coef
        np.testing.assert_allclose(fit.dfbetas.loc[i], change / fit.se, rtol=1e-9)
        information = np.linalg.inv(fit.cov)
        assert fit.cooks_distance[i] == pytest.approx(change @ information @ change / 2, rel=1e-9)


def test_influence_is_nearly_that_of_leaving_the_row_out():
    orings = datasets.load("orings")
    fit = glm("distress ~ temperature", orings, "binomial")
    worst = int(np.argmax(fit.cooks_distance))
    without = glm("distress ~ temperature", orings.drop(index=worst), "binomial")
    exact = (fit.coef - without.coef) / fit.se
    assert np.sign(fit.dfbetas.loc[worst, "temperature"]) == np.sign(exact["temperature"])
    assert fit.dfbetas.loc[worst, "temperature"] == pytest.approx(exact["temperature"], rel=0.6)


def test_a_family_without_a_distribution_says_so():
    own = families.from_cumulant(lambda theta, lib: lib.exp(theta), dispersion=1)
    fit = glm("insects ~ spray", datasets.load("insectsprays"), own)
    with pytest.raises(InputError, match="deviance residuals"):
        fit.residuals("quantile")
    with pytest.raises(InputError, match="Anscombe"):
        fit.residuals("anscombe")


@pytest.mark.parametrize("link", ["inverse", "log", "inverse_squared", "identity"])
def test_pearson_residuals_have_the_sign_of_the_difference_where_the_link_falls(link):
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(50), rng.uniform(size=50)])
    fitted = fit_glm(X, rng.gamma(5.0, (2 + X[:, 1]) / 5), "gamma", link=link)
    expected = (fitted.design.y - fitted.fitted) / fitted.fitted
    np.testing.assert_allclose(fitted.residuals("pearson"), expected, rtol=1e-10, atol=1e-13)


def test_a_row_with_a_coefficient_of_its_own_has_no_influence_that_could_be_told():
    alone = fit_glm(np.c_[np.ones(6), [2, 2, 1.5, 3, 0.5, 3], [0, 0, 0, 0, 0, 1.0]], np.array([7, 7, 4, 8, 2, 1.0]))
    assert alone.leverage[-1] == pytest.approx(1) and np.isnan(alone.cooks_distance[-1]) and alone.dfbetas.iloc[-1].isna().all()
    assert np.isfinite(alone.cooks_distance[:-1]).all()


def test_a_row_of_frequency_zero_is_as_one_of_weight_zero():
    X, y, counted = np.c_[np.ones(9), np.arange(9.0)], np.array([1.0, 0, 2, 3, 1, 4, 6, 5, 9]), np.r_[0.0, np.ones(8)]
    by_weight, by_frequency = (fit_glm(X, y, "poisson", **{name: counted}) for name in ("weights", "frequency_weights"))
    for fit in (by_weight, by_frequency):
        assert fit.leverage[0] == fit.cooks_distance[0] == 0 and not fit.dfbetas.iloc[0].any()
        assert np.isnan(fit.residuals("quantile")[0])
