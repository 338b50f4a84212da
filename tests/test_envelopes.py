"""Bands for ordered residuals: their coverage, exactly and by simulation."""

import math

import numpy as np
import pytest
from scipy import special, stats

from glmref import InputError, datasets, envelopes, families, fit_glm, glm

ALL = {name: families.get(name) for name in ("gaussian", "poisson", "binomial", "gamma")}

LINKS = {"binomial": "logit", "gaussian": "identity"}


def steck(lower, upper):
    """P(lower_i <= U_(i) <= upper_i) as a determinant, n! det[(u_i - l_j)_+^(j - i + 1) / (j - i + 1)!] (Steck 1971)."""
    n = len(lower)
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            power = j - i + 1
            if power >= 0:
                matrix[i, j] = max(upper[i] - lower[j], 0.0) ** power / math.factorial(power)
    return math.factorial(n) * np.linalg.det(matrix)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_coverage_is_stecks_determinant(n):
    rng = np.random.default_rng(n)
    for _ in range(5):
        ends = np.sort(rng.uniform(size=(2, n)), axis=1)
        lower, upper = np.minimum(*ends) * 0.8, np.maximum(*ends) * 0.8 + 0.2
        assert envelopes.coverage(lower, upper) == pytest.approx(steck(lower, upper), rel=1e-9)


def test_coverage_of_an_open_and_of_an_impossible_band():
    assert envelopes.coverage(np.zeros(20), np.ones(20)) == pytest.approx(1, rel=1e-12)
    assert envelopes.coverage(np.array([0.0, 0.6]), np.array([0.3, 0.5])) == 0


@pytest.mark.parametrize("n, level", [(1, 0.95), (7, 0.9), (40, 0.95), (300, 0.95), (1000, 0.99)])
def test_local_level_gives_the_level(n, level):
    assert envelopes.coverage(*envelopes.uniform_band(n, envelopes.local_level(n, level))) == pytest.approx(level, abs=1e-8)


def test_local_level_beyond_the_exact_range():
    for n, level in ((1500, 0.9), (2500, 0.95)):
        assert envelopes.coverage(*envelopes.uniform_band(n, envelopes.local_level(n, level))) == pytest.approx(level, abs=4e-4)


@pytest.mark.parametrize("n", [5, 60])
def test_normal_bands_hold_by_simulation(n):
    draws = np.sort(np.random.default_rng(2).normal(size=(20_000, n)), axis=1)
    for kind in envelopes.KINDS:
        band = envelopes.normal_band(n, 0.9, kind)
        inside = (draws >= band["lower"].to_numpy()) & (draws <= band["upper"].to_numpy())
        # 4 Monte Carlo standard errors
        if kind == "simultaneous":
            assert np.mean(inside.all(axis=1)) == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 20_000))
        else:
            np.testing.assert_allclose(inside.mean(axis=0), 0.9, atol=4.5 * np.sqrt(0.09 / 20_000))


def test_pointwise_ends_are_quantiles_of_beta_laws():
    band = envelopes.normal_band(12, 0.95, "pointwise")
    i = np.arange(1, 13)
    np.testing.assert_allclose(special.ndtr(band["lower"]), stats.beta(i, 13 - i).ppf(0.025), rtol=1e-9)
    np.testing.assert_allclose(special.ndtr(band["upper"]), stats.beta(i, 13 - i).ppf(0.975), rtol=1e-9)
    np.testing.assert_allclose(band["lower"], -band["upper"].to_numpy()[::-1], rtol=1e-12)


def test_wrong_bands_are_refused():
    with pytest.raises(InputError, match="simultaneous.*'both'"):
        envelopes.normal_band(10, 0.95, "both")
    for kind in envelopes.KINDS:
        with pytest.raises(InputError, match="level between 0 and 1"):
            envelopes.normal_band(10, 95, kind)


# ---- simulated


def sample(name, rng, n=24):
    """A fit of a true model."""
    x = np.linspace(-1, 1, n)
    mu = np.exp(1 + 0.5 * x)
    mu = mu / (1 + mu) if name == "binomial" else mu
    weight = np.full(n, 6.0) if name == "binomial" else np.ones(n)
    y = ALL[name].draw(mu, 0.3 if ALL[name].dispersion is None else 1.0, weight, rng)
    X = np.column_stack([np.ones(n), x])
    return fit_glm(X, y, name, link=LINKS.get(name, "log"), weights=weight)


@pytest.mark.parametrize("name", ALL)
def test_simulated_band_holds_for_true_models(name):
    """Pointwise coverage, averaged over the points of ten samples; so few simulations cost the band some points of its 80%."""
    rng = np.random.default_rng(11)
    inside = []
    for k in range(10):
        table = envelopes.simulated_band(sample(name, rng), level=0.8, simulations=19, rng=k)
        inside.append(np.mean((table["observed"] >= table["lower"]) & (table["observed"] <= table["upper"])))
    assert 0.65 < np.mean(inside) < 0.88


def test_simulated_band_finds_overdispersion():
    table = envelopes.simulated_band(glm("satellites ~ width", datasets.load("crabs"), "poisson"), simulations=39)
    assert np.mean(table["observed"] > table["upper"]) > 0.8


def test_simulated_band_is_one_of_ordered_residuals():
    fit = sample("poisson", np.random.default_rng(3))
    table = envelopes.simulated_band(fit, "pearson", simulations=19, rng=5)
    size = np.abs(fit.residuals("pearson") / np.sqrt(1 - fit.leverage))
    np.testing.assert_allclose(table["observed"], np.sort(size))
    np.testing.assert_allclose(size[table["row"]], table["observed"])
    assert (table["lower"] <= table["median"]).all() and (table["median"] <= table["upper"]).all()
    assert table["expected"].is_monotonic_increasing and table["expected"].iloc[0] > 0
    again = envelopes.simulated_band(fit, "pearson", simulations=19, rng=5)
    np.testing.assert_array_equal(table["upper"], again["upper"])
    assert np.any(table["upper"] != envelopes.simulated_band(fit, "pearson", simulations=19, rng=6)["upper"])


def test_simulated_band_leaves_out_rows_of_weight_zero():
    y = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    X = np.column_stack([np.ones(8), np.arange(8.0)])
    weight = np.where(np.arange(8) == 5, 0.0, 1.0)
    table = envelopes.simulated_band(fit_glm(X, y, "poisson", weights=weight), simulations=19)
    assert 5 not in table["row"].to_numpy() and len(table) == 7
    rest = envelopes.simulated_band(fit_glm(X[weight > 0], y[weight > 0], "poisson"), simulations=19)
    np.testing.assert_allclose(table["upper"], rest["upper"], rtol=1e-6)


def test_draws_that_cannot_be_fitted_are_replaced_and_separated_ones_kept():
    """Five trials of a small probability: most draws are all zeros, many others separated."""
    X = np.column_stack([np.ones(5), np.arange(5.0)])
    fit = fit_glm(X, [0.0, 0, 1, 0, 0], "binomial")
    assert np.isfinite(envelopes.simulated_band(fit, simulations=30).drop(columns="row").to_numpy()).all()


def test_wrong_simulations_are_refused():
    fit = sample("poisson", np.random.default_rng(3))
    with pytest.raises(InputError, match="whole number >= 10"):
        envelopes.simulated_band(fit, simulations=1)
    with pytest.raises(InputError, match="can be standardized"):
        envelopes.simulated_band(fit, "response")
    with pytest.raises(InputError, match="level"):
        envelopes.simulated_band(fit, level=0)
