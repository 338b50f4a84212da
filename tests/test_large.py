"""Large tables: begun from a sample, summed in blocks, on one thread or several, without copies. The answer is the same."""

import tracemalloc
import warnings

import numpy as np
import pytest

from glmref import AliasWarning, ConvergenceWarning, GLMWarning, SeparationWarning, families, fit_glm, links
from glmref.blocks import ArrayRows
from glmref.irls import fisher_scoring
from glmref.standardize import evaluator, total_deviance
from glmref.start import starting_coefficients

RNG = np.random.default_rng(11)
N, P = 40_000, 6
X = np.c_[np.ones(N), RNG.normal(size=(N, P - 1))]
ETA = X @ RNG.normal(size=P) * 0.3
CASES = [
    ("poisson", None, lambda rng: rng.poisson(np.exp(ETA))),
    ("binomial", None, lambda rng: rng.random(N) < 1 / (1 + np.exp(-ETA))),
    ("binomial", "probit", lambda rng: rng.random(N) < 1 / (1 + np.exp(-ETA))),
    ("gamma", "log", lambda rng: rng.gamma(2.0, np.exp(ETA) / 2)),
    ("inverse_gaussian", "log", lambda rng: rng.wald(np.exp(ETA), 2.0)),
    ("gaussian", None, lambda rng: ETA + rng.normal(size=N)),
    (families.NegativeBinomial(0.5), None, lambda rng: families.NegativeBinomial(0.5).draw(np.exp(ETA), 1.0, 1.0, rng)),
    (families.Tweedie(1.4), None, lambda rng: families.Tweedie(1.4).draw(np.exp(ETA), 0.7, 1.0, rng)),
    ("poisson", "sqrt", lambda rng: rng.poisson(4 + ETA**2)),
]


def plain(family, link, y):
    """The same estimate by rounds over all rows from a regression over all rows, to more digits than are asked of it."""
    family = families.get(family)
    link = family.default_link if link is None else links.get(link)
    rows = ArrayRows(X, y, np.zeros(N), np.ones(N), block_rows=N)
    start = starting_coefficients(rows, family, link)
    return rows, family, link, fisher_scoring(evaluator(rows, family, link), start, tol=1e-13, floor=family.deviance_floor)


@pytest.mark.parametrize("family, link, draw", CASES, ids=lambda value: str(value) if not callable(value) else "")
def test_estimate_and_covariance_are_those_of_rounds_over_all_rows(family, link, draw):
    y = np.asarray(draw(np.random.default_rng(5)), dtype=float)
    fit = fit_glm(X, y, family, link=link, dispersion=1.0)
    rows, family, link, solution = plain(family, link, y)
    se = fit.se.to_numpy()
    assert np.max(np.abs(fit.coef.to_numpy() - solution.beta) / se) < 1e-7
    weight = family.working(y, X @ solution.beta, link)[0]
    np.testing.assert_allclose(fit.cov, np.linalg.inv((X.T * weight) @ X), rtol=3e-8, atol=1e-9 * se.max() ** 2)
    assert fit.deviance == pytest.approx(total_deviance(rows, family, link, solution.beta), rel=1e-12)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_rounding_only(threads):
    y = np.random.default_rng(1).poisson(np.exp(ETA)).astype(float)
    one, more = fit_glm(X, y, "poisson"), fit_glm(X, y, "poisson", threads=threads)
    np.testing.assert_allclose(more.coef, one.coef, rtol=1e-10)
    np.testing.assert_allclose(more.cov, one.cov, rtol=1e-9)
    again = fit_glm(X, y, "poisson", threads=threads)
    np.testing.assert_array_equal(again.coef, more.coef)  # the order of the sums is fixed


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_fit_takes_little_memory_beyond_its_data(order):
    y = np.random.default_rng(1).poisson(np.exp(ETA)).astype(float)
    data = np.asarray(X, order=order)
    fit_glm(data, y, "poisson")
    tracemalloc.start()
    fit = fit_glm(data, y, "poisson")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fit.converged and peak < 0.5 * X.nbytes  # blocks and a mask; a copy of X would take all of it


def test_a_sample_that_misses_a_level_does_not_alias_it():
    rare = np.zeros(N)
    rare[1 + 8 * np.arange(30)] = 1.0  # no eighth row
    y = np.random.default_rng(2).poisson(np.exp(ETA + rare)).astype(float)
    fit = fit_glm(np.c_[X, rare], y, "poisson")
    assert not fit.coef.isna().any() and abs(fit.coef.iloc[-1] - 1) < 6 * fit.se.iloc[-1]
    with pytest.warns(AliasWarning, match="x8"):
        fit_glm(np.c_[X, rare, X[:, 1] + rare], y, "poisson")


def test_a_separated_sample_of_data_that_are_not():
    x = np.tile([3.0, -1, 0.5, -0.5, 1, -2, 0.2, 2], N // 8)
    y = (np.random.default_rng(3).random(N) < 1 / (1 + np.exp(-x))).astype(float)
    y[::8] = 1.0  # every eighth row is an event
    with warnings.catch_warnings():
        warnings.simplefilter("error", GLMWarning)
        fit = fit_glm(np.c_[np.ones(N), x], y, "binomial")
    assert fit.converged and abs(X[:, 0] @ (y - fit.fitted)) < 1e-6


def test_separation_of_many_rows_is_said():
    x = np.r_[-np.ones(N // 2), np.ones(N // 2)] * np.abs(X[:, 1] + 0.01)
    with pytest.warns(SeparationWarning, match=r"x2 \(\+inf\)"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit_glm(np.c_[np.ones(N), x], (x > 0).astype(float), "binomial")
