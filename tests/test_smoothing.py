"""The smooth line: exact where it must be, and Cleveland's elsewhere."""

import numpy as np
import pytest
from statsmodels.nonparametric.smoothers_lowess import lowess as oracle

from glmref import InputError
from glmref.smoothing import lowess

RNG = np.random.default_rng(4)
X = np.sort(RNG.uniform(0, 6, 80))
Y = np.sin(X) + 0.3 * RNG.standard_t(2, 80)


def test_a_straight_line_is_kept():
    at, smooth = lowess(X, 2 - 3 * X, iterations=2)
    np.testing.assert_array_equal(at, X)
    np.testing.assert_allclose(smooth, 2 - 3 * X, atol=1e-12)


@pytest.mark.parametrize("iterations", [0, 1, 3])
@pytest.mark.parametrize("span", [0.3, 2 / 3])
def test_it_is_clevelands(span, iterations):
    """statsmodels rounds the kernel off at 0.999 h and 0.001 h, hence not to the last digit."""
    _, smooth = lowess(X, Y, span=span, iterations=iterations)
    np.testing.assert_allclose(smooth, oracle(Y, X, frac=span, it=iterations)[:, 1], atol=2e-6)


def test_outliers_lose_their_pull():
    clean = 1 + 0.5 * X
    spoiled = clean.copy()
    spoiled[[10, 40, 70]] += 50
    away = [np.max(np.abs(lowess(X, spoiled, iterations=k)[1] - clean)) for k in (0, 3)]
    assert away[0] > 1 and away[1] < 1e-9


def test_weights_count_as_replication_does():
    """A line through all points, with weights 1, 2, 3 or with as many copies (span 1: the same neighbours)."""
    weight = RNG.integers(1, 4, 80)
    np.testing.assert_allclose(
        lowess(X, Y, weight=weight, span=1, iterations=0)[1],
        lowess(np.repeat(X, weight), np.repeat(Y, weight), span=1, iterations=0)[1],
        rtol=1e-10,
    )


def test_points_of_weight_zero_and_nan_do_not_count():
    y = Y.copy()
    y[3], weight = np.nan, np.where(np.arange(80) == 5, 0, 1)
    rest = ~np.isin(np.arange(80), [3, 5])
    for got, want in zip(lowess(X, y, weight=weight), lowess(X[rest], Y[rest])):
        np.testing.assert_array_equal(got, want)


def test_ties_give_means_and_few_values_are_no_trouble():
    x = np.repeat([0.0, 1.0], 20)
    y = np.concatenate([np.arange(20), 5 + np.arange(20)])
    at, smooth = lowess(x, y, span=0.3, iterations=0)
    np.testing.assert_allclose(smooth, [9.5, 14.5])
    assert list(at) == [0, 1]
    at, smooth = lowess([1.0], [2.0])
    assert (at[0], smooth[0]) == (1, 2)


def test_many_points_are_joined_between_quantiles():
    x = np.linspace(0, 1, 5000)
    at, smooth = lowess(x, x**2, places=50, span=0.2)
    assert len(at) == 50
    np.testing.assert_allclose(np.interp(x, at, smooth), x**2, atol=5e-3)


@pytest.mark.parametrize("span", [0, 1.5, -1])
def test_an_impossible_span_is_refused(span):
    with pytest.raises(InputError, match="span between 0 and 1"):
        lowess(X, Y, span=span)


def test_nothing_to_smooth_is_refused():
    with pytest.raises(InputError, match="finite x and y"):
        lowess([np.nan], [1.0])
