"""What a GEE refuses, by name, and what it goes on with under a named warning."""

import warnings

import numpy as np
import pandas as pd
import pytest

from glmref import (
    AliasWarning,
    ConvergenceWarning,
    CorrelationWarning,
    FewClustersWarning,
    GLMWarning,
    InputError,
    correlation,
    fit_gee,
    gee,
)  # fmt: skip

RNG = np.random.default_rng(0)
G = np.repeat(np.arange(12), 4)
T = np.tile(np.arange(4.0), 12)
X = np.column_stack([np.ones(48), RNG.normal(size=48)])
Y = 1 + 0.5 * X[:, 1] + np.repeat(RNG.normal(size=12), 4) + RNG.normal(size=48)
TABLE = pd.DataFrame({"y": Y, "x": X[:, 1], "g": G, "t": T}, index=[f"r{i}" for i in range(48)])


def changed(array, at, value):
    array = np.array(array, dtype=float)
    array[at] = value
    return array


class Wrong(correlation.Correlation):
    name = "wrong"

    def __init__(self, R):
        self.R = R

    def matrix(self, alpha, times):
        return self.R

    def estimate(self, moments):
        return [0.1]


REFUSED = {
    "groups too short": (lambda: fit_gee(X, Y, G[:47]), r"label for each of the 48 rows; got 47"),
    "groups missing": (lambda: fit_gee(X, Y, None), r"label for each of the 48 rows; got None"),
    "groups as a name": (lambda: fit_gee(X, Y, "g"), r"label for each of the 48 rows; got 'g'"),
    "a label missing": (lambda: fit_gee(X, Y, changed(G, 5, np.nan)), r"missing label in row 5"),
    "groups with another index": (lambda: gee("y ~ x", TABLE, pd.Series(G)), r"groups with the row labels of the data"),
    "groups not a column": (lambda: gee("y ~ x", TABLE, "id"), r"groups as a column of the table: y, x, g, t; got 'id'"),
    "one cluster": (lambda: fit_gee(X, Y, np.zeros(48)), r"at least two clusters; got 1"),
    "time too short": (lambda: fit_gee(X, Y, G, time=T[:9]), r"time with one number for each of the 48 rows"),
    "time missing": (lambda: fit_gee(X, Y, G, time=changed(T, 3, np.nan)), r"finite numbers in time; got nan in row 3"),
    "time as text": (lambda: fit_gee(X, Y, G, time=["a"] * 48), r"time as numbers"),
    "time as a name": (lambda: fit_gee(X, Y, G, time="t"), r"time as an array"),
    "time as dates": (lambda: fit_gee(X, Y, G, time=pd.Series(pd.to_datetime(T, unit="D"))), r"dates.*days since the first"),
    "time not a column": (lambda: gee("y ~ x", TABLE, "g", time="week"), r"time as a column of the table.*'week'"),
    "a time twice": (lambda: fit_gee(X, Y, G, time=changed(T, 6, 1)), r"different times.*time 1 twice in cluster 1: row 5 and row 6"),
    "a time twice, labelled": (lambda: gee("y ~ x", TABLE.assign(t=changed(T, 6, 1)), "g", time="t"), r"row 5 \(labelled 'r5'\) and row 6"),
    "unknown structure": (lambda: fit_gee(X, Y, G, correlation="ar2"), r"'independence', 'exchangeable', 'ar1'.*got 'ar2'"),
    "unknown convention": (lambda: fit_gee(X, Y, G, convention="sas"), r"'liang_zeger', 'geepack', 'statsmodels'; got 'sas'"),
    "dispersion by name": (lambda: fit_gee(X, Y, G, dispersion="ml"), r"a number > 0.*'ml'"),
    "dispersion negative": (lambda: fit_gee(X, Y, G, dispersion=-1), r"a number > 0.*-1"),
    "unknown control": (lambda: fit_gee(X, Y, G, epsilon=1e-3), r"max_iter, tol.*got epsilon"),
    "a matrix not square": (lambda: correlation.Fixed(np.ones((2, 3))), r"2 x 2 matrix.*\(2, 3\)"),
    "a matrix of one dimension": (lambda: correlation.Fixed(np.ones(3)), r"3 x 3 matrix.*\(3,\)"),
    "a covariance": (lambda: correlation.Fixed(2 * np.eye(4)), r"ones on the diagonal.*2 at position 0"),
    "a matrix not symmetric": (lambda: correlation.Fixed(np.eye(4) + np.diag([0.1] * 3, 1)), r"symmetric.*0\.1"),
    "a matrix not positive definite": (lambda: correlation.Fixed(1.5 * np.eye(4) - 0.5), r"positive definite.*fixed.*-0\.5"),
    "a matrix with NaN": (lambda: correlation.Fixed(changed(np.eye(4), (0, 1), np.nan)), r"finite numbers for the fixed"),
    "a matrix too small": (lambda: fit_gee(X, Y, G, correlation=correlation.Fixed(np.eye(3))), r"each of the 4 waves; got 3 x 3"),
    "a time without a row": (
        lambda: fit_gee(X, Y, G, time=T, correlation=correlation.Fixed(pd.DataFrame(np.eye(4), index=[1, 2, 3, 4]))),
        r"a row of the fixed.*none for time 0",
    ),
    "alpha too large": (lambda: correlation.Exchangeable(alpha=1.0), r"between -1 and 1; got 1"),
    "alpha as text": (lambda: correlation.AR1(alpha="high"), r"between -1 and 1; got 'high'"),
    "alpha too negative": (lambda: fit_gee(X, Y, G, correlation=correlation.Exchangeable(alpha=-0.4)), r"above -1 / \(m - 1\) = -0\.3333.*m = 4"),
    "alpha negative, times uneven": (
        lambda: fit_gee(X, Y, G, time=T**1.5, correlation=correlation.AR1(alpha=-0.4)), r"alpha >= 0.*not whole"),
    "groups of two columns": (lambda: fit_gee(X, Y, np.column_stack([G, G])), r"one label a row.*\(48, 2\)"),
    "labels of R as text": (
        lambda: correlation.Fixed(pd.DataFrame(np.eye(2), index=["a", "b"])), r"labels of R as numbers"),
    "R as text": (lambda: correlation.Fixed([["a"]]), r"fixed working correlation as numbers"),
    "time in too large a unit": (lambda: fit_gee(X, Y, G, time=1e-6 * T, correlation="ar1"), r"mean gap of 1e-06.*Divide time"),
    "time in too small a unit": (lambda: fit_gee(X, Y, G, time=1e12 * T, correlation="ar1"), r"mean gap of 1e\+12.*Divide time"),
    "m not a number": (lambda: correlation.MDependent(0), r"whole number >= 1; got 0"),
    "lags of uneven times": (lambda: fit_gee(X, Y, G, time=T**1.5, correlation="toeplitz"), r"even grid.*\"ar1\""),
    "own matrix of wrong size": (lambda: fit_gee(X, Y, G, correlation=Wrong(np.eye(3))), r"4 x 4 matrix.*'wrong'.*\(3, 3\)"),
    "own matrix never positive": (lambda: fit_gee(X, Y, G, correlation=Wrong(1.9 * np.eye(4) - 0.9)), r"positive definite for small alpha"),
    "too few pairs": (lambda: fit_gee(X[:9], Y[:9], [0, 1, 2, 3, 4, 5, 6, 7, 7], correlation="exchangeable"), r"more than 2 pairs.*got 1"),
    "as many coefficients as rows": (lambda: fit_gee(X[:2], Y[:2], [0, 1]), r"more rows than the 2 coefficients"),
    "kind of covariance": (lambda: fit_gee(X, Y, G).covariance("HC3"), r"'mancl_derouen'.*got 'HC3'"),
    "likelihood-ratio test": (lambda: fit_gee(X, Y, G).test("x2", method="lr"), r"no likelihood"),
    "kind of prediction": (lambda: fit_gee(X, Y, G).predict(kind="median"), r'"mean" or "linear"'),
    "degrees of freedom": (lambda: fit_gee(X, Y, G).confint(df="many"), r"df as a number"),
    "unknown cluster": (lambda: fit_gee(X, Y, G).working_correlation(99), r"label of a cluster; got 99"),
    "a cluster that decides alone": (
        lambda: fit_gee(np.column_stack([X, G == 3]), Y, G).covariance("mancl_derouen"), r"leverage below 1.*labelled 3"),
    "no fit without a cluster": (
        lambda: fit_gee(np.column_stack([X, G == 3]), Y, G).covariance("jackknife"), r"none without cluster 3"),
    "rows dropped, labels repeated": (
        lambda: gee("y ~ x", TABLE.assign(x=changed(TABLE.x, 0, np.nan)).set_axis(["a"] * 48), "g", missing="drop"), r"Reset the index"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        call()


def test_a_constant_covariate_is_aliased():
    with pytest.warns(AliasWarning, match="x3"):
        fit = fit_gee(np.column_stack([X, np.full(48, 2.0)]), Y, G, correlation="exchangeable")
    plain = fit_gee(X, Y, G, correlation="exchangeable")
    assert np.isnan(fit.coef.iloc[2]) and np.isnan(fit.se.iloc[2]) and fit.rank == 2
    np.testing.assert_allclose(fit.coef.iloc[:2], plain.coef, rtol=1e-10)
    for kind in ("robust", "model", "mancl_derouen", "jackknife"):
        np.testing.assert_allclose(fit.covariance(kind).iloc[:2, :2], plain.covariance(kind), rtol=1e-8)
    np.testing.assert_allclose(fit.predict(np.array([[1.0, 0.3, 2.0]])), plain.predict(np.array([[1.0, 0.3]])))
    assert "Aliased" in repr(fit)


def drawn_in(*args, **options):
    with pytest.warns(CorrelationWarning, match="drawn towards independence") as caught:
        fit = fit_gee(*args, **options)
    assert len(caught) == 1
    np.linalg.cholesky(fit.working_correlation())
    assert np.all(np.isfinite(fit.se)) and fit.converged
    return fit


def test_negative_correlation_beyond_the_feasible():
    """Deviations that cancel in each cluster have correlation -1/3, under which their sum has no variance."""
    noise = RNG.normal(size=(12, 4))
    fit = drawn_in(X[:, :1], (noise - noise.mean(1, keepdims=True)).ravel(), G, correlation="exchangeable", convention="geepack")
    assert fit.alpha == pytest.approx(-1 / 3, rel=1e-3)


def test_repeated_responses_have_correlation_one():
    y = np.repeat(RNG.normal(size=12), 4)
    for name in ("exchangeable", "ar1", "unstructured", "toeplitz"):
        fit = drawn_in(X[:, :1], y, G, correlation=name, convention="geepack")
        assert np.all(np.ravel(fit.alpha) > 0.9)


def test_alternating_responses_at_uneven_times():
    """A negative correlation has no power 0.7: it is taken as none."""
    y = np.tile([1.0, -1, 1, -1], 12) + 0.1 * RNG.normal(size=48)
    assert drawn_in(X[:, :1], y, G, time=0.7 * T, correlation="ar1").alpha == 0
    assert fit_gee(X[:, :1], y, G, time=T, correlation="ar1").alpha < -0.8


def test_no_more_clusters_than_coefficients():
    with pytest.warns(FewClustersWarning, match="2 clusters for 2 coefficients"):
        fit = fit_gee(X, Y, G < 6)
    assert np.all(np.isfinite(fit.covariance("model")))
    with pytest.raises(InputError, match="a singular one.*fewer coefficients"):
        fit.test(np.eye(2))
    assert "NaN" in repr(fit)


def test_too_few_rounds():
    with pytest.warns(ConvergenceWarning, match="not converged after 1 rounds"):
        fit = fit_gee(X, Y, G, correlation="ar1", max_iter=1)
    assert not fit.converged and "NO" in repr(fit)


def test_separated_responses():
    y = (X[:, 1] > 0) * 1.0
    with pytest.warns(GLMWarning):
        fit_gee(X, y, G, "binomial", correlation="exchangeable")


def test_rows_with_missing_values_are_dropped_with_their_labels():
    holes = TABLE.assign(x=changed(TABLE.x, [0, 17], np.nan))
    one = gee("y ~ x", holes, "g", correlation="ar1", time="t", missing="drop")
    two = gee("y ~ x", holes.dropna(), "g", correlation="ar1", time="t")
    np.testing.assert_allclose(one.cov, two.cov, rtol=1e-12)
    three = fit_gee(X[:, :1], changed(Y, 3, np.nan), G, correlation="ar1", time=T, missing="drop")
    assert three.nobs == 47


def test_ordered_categories_are_times():
    order = pd.Categorical.from_codes(T.astype(int), ["spring", "summer", "autumn", "winter"], ordered=True)
    one, two = fit_gee(X, Y, G, time=order, correlation="ar1"), fit_gee(X, Y, G, time=T, correlation="ar1")
    assert one.alpha == two.alpha


def test_all_singletons_have_no_alpha():
    fit = fit_gee(X, Y, np.arange(48), correlation="exchangeable")
    assert fit.alpha == 0
    assert fit_gee(X, Y, np.arange(48), correlation="ar1").alpha == 0


def test_a_perfect_fit_goes_through():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GLMWarning)
        fit = fit_gee(X, X @ [1.0, 2.0], G, correlation="exchangeable")
    np.testing.assert_allclose(fit.coef, [1, 2], rtol=1e-12)


def test_an_instance_keeps_nothing_of_a_fit():
    structure = correlation.Exchangeable()
    before = repr(structure), dict(vars(structure))
    one = fit_gee(X, Y, G, correlation=structure)
    fit_gee(X, Y**2, G, correlation=structure)
    assert (repr(structure), dict(vars(structure))) == before
    assert one.alpha == fit_gee(X, Y, G, correlation=structure).alpha


def test_a_score_test_without_information_under_the_hypothesis_is_refused():
    """Found by simulation: under the hypothesis the rounds run off to where no weight is left, for a model that can be fitted."""
    patterns = ["00000", "01100", "00000", "00111", "00000", "01100", "00011", "00111", "00000", "01111"]
    y = np.array([float(answer) for pattern in patterns for answer in pattern])
    arm, t = np.repeat(np.arange(10) % 2, 5), np.tile(np.arange(5) - 2.0, 10)
    design = np.column_stack([np.ones(50), arm, t, arm * t])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = fit_gee(design, y, np.repeat(np.arange(10), 5), "binomial", correlation="exchangeable")
        with pytest.raises(InputError, match="Use the Wald test"):
            fit.test(np.eye(4)[[1, 3]], method="score")
