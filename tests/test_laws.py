"""What must hold for any data: laws of sums, of coordinates, of weights, checked on drawn examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmref import families, fit_glm, links
from glmref.blocks import ArrayRows
from glmref.columns import independent_columns
from glmref.design import from_arrays
from glmref.glm import fit
from glmref.least_squares import Gram, Triangle, inverse_information, solve
from glmref.standardize import evaluator

PAIRS = [
    ("gaussian", "identity"),
    ("gaussian", "log"),
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("binomial", "loglog"),
    ("binomial", "cauchit"),
    ("poisson", "log"),
    ("poisson", "sqrt"),
    ("gamma", "log"),
    ("gamma", "inverse"),
    ("inverse_gaussian", "log"),
    ("inverse_gaussian", "inverse_squared"),
    ("quasipoisson", "log"),
    ("quasibinomial", "logit"),
    (families.NegativeBinomial(0.4), "log"),
    (families.NegativeBinomial(0.4), "sqrt"),
    (families.Tweedie(1.5), "log"),
    (families.Tweedie(2.5), "log"),
]


def draw(family, seed, n=60, p=3):
    """A design with a constant and a response of the family."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1)) * 0.3])
    mean = np.exp(0.4 + X[:, 1] * 0.5)
    y = {
        "gaussian": lambda: mean + 3 + rng.normal(size=n) * 0.2,
        "binomial": lambda: (rng.uniform(size=n) < mean / (1 + mean)) * 1.0,
        "quasibinomial": lambda: (rng.uniform(size=n) < mean / (1 + mean)) * 1.0,
        "poisson": lambda: rng.poisson(3 * mean) + (np.arange(n) < 2) * 1.0,
        "quasipoisson": lambda: rng.poisson(3 * mean) + (np.arange(n) < 2) * 1.0,
        "negative_binomial": lambda: rng.poisson(rng.gamma(2, 3 * mean)) + 1.0,
        "tweedie": lambda: families.Tweedie(families.get(family).shape).draw(mean, 0.3, 1.0, rng),
        "gamma": lambda: rng.gamma(4, mean / 4),
        "inverse_gaussian": lambda: rng.wald(mean, 6 * mean),
    }[families.get(family).name]()
    return X, y


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.tuples(st.integers(1, 59), st.integers(1, 59)), kind=st.sampled_from([Gram, Triangle]))
def test_sums_of_summaries_do_not_depend_on_how_the_rows_are_split(seed, cut, kind):
    rng = np.random.default_rng(seed)
    X, weight, score = rng.normal(size=(60, 4)), rng.uniform(0.1, 2, 60), rng.normal(size=60)
    a, b = sorted(cut)
    parts = [kind.of(X[s], weight[s], score[s], float(len(score[s]))) for s in (slice(0, a), slice(a, b), slice(b, 60)) if s.stop > s.start]
    left = parts[0]
    for part in parts[1:]:
        left = left + part
    right = parts[-1]
    for part in parts[-2::-1]:
        right = part + right
    whole = kind.of(X, weight, score, 60.0)
    for one in (left, right):
        np.testing.assert_allclose(one.information, whole.information, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(one.score, whole.score, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(solve(one).direction, solve(whole).direction, rtol=1e-9, atol=1e-12)
        assert one.deviance == pytest.approx(60)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 60), pair=st.sampled_from(PAIRS))
def test_the_size_of_the_blocks_does_not_matter(seed, size, pair):
    X, y = draw(pair[0], seed)
    family, link = families.get(pair[0]), links.get(pair[1])
    beta = np.array([link.link(np.float64(np.mean(y))), 0.0, 0.0])
    ones = np.ones(len(y))
    for kind in (Gram, Triangle):
        whole = evaluator(ArrayRows(X, y, 0 * ones, ones, len(y)), family, link)(beta, kind)
        split = evaluator(ArrayRows(X, y, 0 * ones, ones, size), family, link)(beta, kind)
        np.testing.assert_allclose(split.information, whole.information, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(split.score, whole.score, rtol=1e-9, atol=1e-9)
        assert split.deviance == pytest.approx(whole.deviance, rel=1e-12)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_score_is_zero_at_the_estimate(pair):
    X, y = draw(pair[0], 3)
    fitted = fit_glm(X, y, pair[0], link=pair[1])
    assert fitted.converged
    rows = from_arrays(X, y).rows
    summary = evaluator(rows, fitted.family, fitted.link)(fitted.coef.to_numpy(), Gram)
    assert solve(summary).decrement < 1e-18 * fitted.deviance


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_estimate_is_a_minimum_of_the_deviance(pair):
    X, y = draw(pair[0], 5)
    fitted = fit_glm(X, y, pair[0], link=pair[1])
    for j in range(3):
        for sign in (-1, 1):
            beta = fitted.coef.to_numpy().copy()
            beta[j] += sign * 0.01 * fitted.se.iloc[j]
            assert fitted.family.deviance(y, X @ beta, fitted.link).sum() > fitted.deviance


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), pair=st.sampled_from(PAIRS))
def test_new_coordinates_transform_the_coefficients(seed, pair):
    """X -> XA gives A^-1 beta and A^-1 C A^-T, with the same deviance."""
    X, y = draw(pair[0], seed)
    A = np.random.default_rng(seed + 1).normal(size=(3, 3)) + 3 * np.eye(3)
    one, two = fit_glm(X, y, pair[0], link=pair[1]), fit_glm(X @ A, y, pair[0], link=pair[1])
    if not (one.converged and two.converged):
        return
    inverse = np.linalg.inv(A)
    np.testing.assert_allclose(two.coef, inverse @ one.coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(two.cov, inverse @ one.cov @ inverse.T, rtol=1e-6, atol=1e-9)
    assert two.deviance == pytest.approx(one.deviance, rel=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), pair=st.sampled_from(PAIRS))
def test_integer_weights_equal_replication(seed, pair):
    X, y = draw(pair[0], seed)
    times = np.random.default_rng(seed).integers(1, 4, len(y))
    weighted = fit_glm(X, y, pair[0], link=pair[1], weights=times, dispersion=1)
    replicated = fit_glm(np.repeat(X, times, axis=0), np.repeat(y, times), pair[0], link=pair[1], dispersion=1)
    np.testing.assert_allclose(weighted.coef, replicated.coef, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(weighted.cov, replicated.cov, rtol=1e-7, atol=1e-10)
    assert weighted.deviance == pytest.approx(replicated.deviance, rel=1e-10)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_rows_of_weight_zero_change_nothing(pair):
    X, y = draw(pair[0], 11)
    weight = np.ones(len(y))
    weight[::7] = 0
    kept = weight > 0
    one, two = fit_glm(X, y, pair[0], link=pair[1], weights=weight), fit_glm(X[kept], y[kept], pair[0], link=pair[1])
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-12)
    np.testing.assert_allclose(one.se, two.se, rtol=1e-12)
    likelihood = ("loglik", "aic", "bic") if one.family.has_likelihood else ()
    for name in ("deviance", "null_deviance", "pearson_chi2", "df_resid", "nobs", *likelihood):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-12), name
    assert len(one.fitted) == len(y)
    np.testing.assert_allclose(one.leverage[kept], two.leverage, rtol=1e-10)


def test_merging_cells_leaves_the_coefficients_and_changes_the_deviance():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 4, 300)
    y = (rng.uniform(size=300) < 1 / (1 + np.exp(1 - x * 0.6))) * 1.0
    X = np.column_stack([np.ones(300), x])
    trials = np.bincount(x).astype(float)
    share = np.bincount(x, y) / trials
    single = fit_glm(X, y, "binomial")
    grouped = fit_glm(np.column_stack([np.ones(4), np.arange(4)]), share, "binomial", weights=trials)
    np.testing.assert_allclose(single.coef, grouped.coef, rtol=1e-9)
    np.testing.assert_allclose(single.se, grouped.se, rtol=1e-9)
    assert single.deviance > 10 * grouped.deviance


def test_gaussian_identity_is_least_squares_to_the_last_digits():
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(40, 5)), rng.normal(size=40)
    fitted = fit_glm(X, y)
    beta, rss, _, _ = np.linalg.lstsq(X, y, rcond=None)
    np.testing.assert_allclose(fitted.coef, beta, rtol=1e-13)
    assert fitted.deviance == pytest.approx(rss[0], rel=1e-13)
    np.testing.assert_allclose(fitted.cov, rss[0] / 35 * np.linalg.inv(X.T @ X), rtol=1e-11)
    assert fitted.leverage.sum() == pytest.approx(5, rel=1e-13)


def test_an_offset_is_a_coefficient_held_at_one():
    X, y = draw("poisson", 8)
    exposure = np.linspace(0.5, 4, len(y))
    one = fit_glm(X, y, "poisson", offset=np.log(exposure))
    two = fit_glm(X, y / exposure, "poisson", weights=exposure)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-10)
    np.testing.assert_allclose(one.se, two.se, rtol=1e-10)


def test_dependent_columns_are_found_with_the_priority_of_the_first():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 6))
    X[:, 2] = X[:, 0] - 3 * X[:, 1]
    X[:, 4] = X[:, 2] + X[:, 3] + 0.5
    X[:, 5] *= 1e-12
    summary = Triangle.of(X, np.ones(50), np.ones(50), 0.0)
    assert independent_columns(summary.root).tolist() == [True, True, False, True, True, True]
    X[:, 4] = X[:, 2] + X[:, 3]
    summary = Triangle.of(X, np.ones(50), np.ones(50), 0.0)
    assert independent_columns(summary.root).tolist() == [True, True, False, True, False, True]


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7, 1e-9])
def test_the_covariance_keeps_its_digits_when_columns_nearly_coincide(gap):
    """Against exact rational arithmetic; normal equations lose everything at 1e-8."""
    import fractions

    rng = np.random.default_rng(1)
    base = rng.integers(-8, 9, 30).astype(float)
    other = base + gap * rng.integers(-8, 9, 30)
    X, y = np.column_stack([base, other]), rng.integers(-9, 10, 30).astype(float)
    fitted = fit(from_arrays(X, y), "gaussian", dispersion=1.0)
    exact = [[sum(fractions.Fraction(a) * fractions.Fraction(b) for a, b in zip(X[:, i], X[:, j])) for j in (0, 1)] for i in (0, 1)]
    determinant = exact[0][0] * exact[1][1] - exact[0][1] ** 2
    assert fitted.cov.iloc[1, 1] == pytest.approx(float(exact[0][0] / determinant), rel=3e-15 / gap * 10)
    assert np.isfinite(inverse_information(fitted.root)).all()
