"""What must hold for any clustered data: the equation and every covariance against plain loops over clusters with dense
matrices, and laws of order, labels, coordinates, times and sizes.
"""

import textwrap

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, optimize

from glmref import (
    GEEFit,
    clusters,
    correlation,
    datasets,
    families,
    fit_gee,
    fit_glm,
    gee,
    glm,
    links,
)

STRUCTURES = {
    "independence": correlation.Independence(),
    "exchangeable": correlation.Exchangeable(),
    "ar1": correlation.AR1(),
    "unstructured": correlation.Unstructured(),
    "toeplitz": correlation.Toeplitz(),
    "2-dependent": correlation.MDependent(2),
    "fixed": correlation.Fixed(0.3 + 0.7 * np.eye(5)),
    "held": correlation.Exchangeable(alpha=0.2),
}
PAIRS = [("gaussian", "identity"), ("gaussian", "log"), ("binomial", "logit"), ("binomial", "probit"), ("binomial", "cloglog"),
         ("poisson", "log"), ("poisson", "sqrt"), ("gamma", "inverse"), ("gamma", "log"), ("inverse_gaussian", "log"),
         ("inverse_gaussian", "inverse_squared")]  # fmt: skip


def draw(family, seed=0, K=60, weights=False):
    """Unsorted rows of clusters of one to five waves out of five, a shared effect in each; X with a constant."""
    rng = np.random.default_rng(seed)
    groups, time = np.repeat(np.arange(K), 5), np.tile(np.arange(5.0), K)
    shared = np.repeat(rng.normal(size=K) * 0.3, 5)
    stay = rng.permutation(np.flatnonzero((rng.uniform(size=5 * K) < 0.7) | (time == 0)))
    groups, time, shared, n = groups[stay], time[stay], shared[stay], len(stay)
    X = np.column_stack([np.ones(n), rng.uniform(-1, 1, n), 0.2 * time])
    mean = np.exp(0.8 + 0.3 * X[:, 1] + shared)
    y = {
        "gaussian": lambda: mean + 3 + rng.normal(size=n) * 0.3,
        "binomial": lambda: (rng.uniform(size=n) < mean / (2 + mean)) * 1.0,
        "poisson": lambda: rng.poisson(2 * mean) * 1.0,
        "gamma": lambda: rng.gamma(6, mean / 6),
        "inverse_gaussian": lambda: rng.wald(mean, 8 * mean),
    }[family]()
    return X, y, groups, time, rng.integers(1, 4, n) * 1.0 if weights else None


def dense(fit, X, y, groups, time, weights):
    """Everything by loops over clusters and n_i x n_i matrices: the sum of U, and a covariance of each kind."""
    beta, phi, alpha = fit.coef.to_numpy(), fit.dispersion, fit.solution.point.parameters.alpha
    eta = X @ beta
    mu, slope, variance = fit.link.inverse(eta), fit.link.derivative(eta), fit.family.variance(fit.link.inverse(eta))
    if weights is not None:
        variance = variance / weights
    ticks = fit.correlation.clock(time)
    D, V, S = [], [], []
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        rows = rows[np.argsort(time[rows])]
        root = np.sqrt(np.diag(variance[rows]))
        D.append(slope[rows, None] * X[rows])
        V.append(phi * root @ fit.correlation.matrix(alpha, ticks[rows]) @ root)
        S.append((y - mu)[rows])
    bread = np.linalg.inv(sum(d.T @ np.linalg.solve(v, d) for d, v in zip(D, V)))
    equation = sum(d.T @ np.linalg.solve(v, s) for d, v, s in zip(D, V, S))

    def sandwich(mend, left=lambda d, v: np.eye(X.shape[1])):
        meat = 0
        for d, v, s in zip(D, V, S):
            H = d @ bread @ d.T @ np.linalg.inv(v)
            u = left(d, v) @ d.T @ np.linalg.solve(v, mend(np.eye(len(s)) - H) @ s)
            meat = meat + np.outer(u, u)
        return bread @ meat @ bread

    return equation, bread, {
        "model": bread,
        "robust": sandwich(lambda A: np.eye(len(A))),
        "mancl_derouen": sandwich(np.linalg.inv),
        "kauermann_carroll": sandwich(lambda A: np.real(linalg.sqrtm(np.linalg.inv(A)))),
        "fay_graubard": sandwich(
            lambda A: np.eye(len(A)),
            lambda d, v: np.diag(1 / np.sqrt(1 - np.minimum(0.75, np.diag(d.T @ np.linalg.solve(v, d) @ bread)))),
        ),
    }  # fmt: skip


def check_dense(fit, *data):
    equation, bread, covariances = dense(fit, *data)
    assert equation @ bread @ equation < 1e-16  # (U' I^-1 U)^(1/2), in standard errors
    for kind, want in covariances.items():
        scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
        np.testing.assert_allclose(fit.covariance(kind) / scale, want / scale, atol=2e-9, err_msg=kind)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("weights", [False, True])
def test_every_family_and_link_against_plain_loops(pair, weights):
    X, y, groups, time, w = draw(pair[0], weights=weights)
    fit = fit_gee(X, y, groups, pair[0], link=pair[1], correlation="exchangeable", time=time, weights=w)
    check_dense(fit, X, y, groups, time, w)


@pytest.mark.parametrize("convention", correlation.CONVENTIONS)
@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_against_plain_loops(name, convention):
    X, y, groups, time, w = draw("poisson", 1)
    fit = fit_gee(X, y, groups, "poisson", correlation=STRUCTURES[name], time=time, convention=convention)
    check_dense(fit, X, y, groups, time, w)


@pytest.mark.parametrize("name", STRUCTURES)
def test_whitening_makes_the_working_correlation_the_identity(name):
    """L^-1 R L^-T = I for any cluster, whether by a closed form or by a Cholesky factor; also at uneven times."""
    structure = STRUCTURES[name]
    times = np.array([0.0, 1, 3, 4]) if structure.by_pattern else np.array([0.0, 0.3, 2, 7.5])
    alpha = {"unstructured": np.linspace(0.1, 0.4, 10), "toeplitz": np.array([0.4, 0.3, 0.2, 0.1]), "2-dependent": np.array([0.4, 0.1]),
             "independence": np.zeros(0), "fixed": np.zeros(0)}.get(name, np.array([0.45]))  # fmt: skip
    R = structure.matrix(alpha, times)
    for A in (np.eye(4), R):
        white = structure.whiten(A.copy()[:, None, :], alpha, times if structure.by_pattern else times[None, :])[:, 0].T
        if A is R:
            back = structure.whiten(white.copy()[:, None, :], alpha, times if structure.by_pattern else times[None, :])[:, 0]
            np.testing.assert_allclose(back, np.eye(4), atol=1e-14)


LAW = dict(correlation="exchangeable", tol=1e-12)


@pytest.mark.parametrize("name", STRUCTURES)
def test_order_and_labels_do_not_matter(name):
    X, y, groups, time, _ = draw("poisson", 2)
    order = np.random.default_rng(0).permutation(len(y))
    labels = np.array([f"c{code:03d}" for code in np.random.default_rng(1).permutation(60)])
    one = fit_gee(X, y, groups, "poisson", correlation=STRUCTURES[name], time=time, tol=1e-12)
    two = fit_gee(X[order], y[order], labels[groups[order]], "poisson", correlation=STRUCTURES[name], time=time[order], tol=1e-12)
    np.testing.assert_allclose(two.coef, one.coef, rtol=1e-10)
    np.testing.assert_allclose(np.ravel(two.alpha), np.ravel(one.alpha), rtol=1e-9)
    for kind in ("robust", "model", "kauermann_carroll"):
        np.testing.assert_allclose(two.covariance(kind), one.covariance(kind), rtol=1e-8)
    np.testing.assert_allclose(two.fitted, one.fitted[order], rtol=1e-10)
    np.testing.assert_allclose(two.residuals("pearson"), one.residuals("pearson")[order], rtol=1e-8, atol=1e-12)
    assert two.cluster_sizes[labels[7]] == one.cluster_sizes[7]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_independence_is_the_glm(pair):
    X, y, groups, time, w = draw(pair[0], 3, weights=True)
    one = fit_gee(X, y, groups, pair[0], link=pair[1], weights=w)
    two = fit_glm(X, y, pair[0], link=pair[1], weights=w)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-8)
    np.testing.assert_allclose(one.cov, two.covariance("cluster", groups=groups), rtol=1e-7)
    np.testing.assert_allclose(one.dispersion, two.pearson_chi2 / two.df_resid, rtol=1e-9)
    np.testing.assert_allclose(one.covariance("model") / one.dispersion, two.cov / two.dispersion, rtol=1e-8)
    np.testing.assert_allclose(one.quasi_likelihood, -two.deviance / 2 / one.dispersion, rtol=1e-9)


@pytest.mark.parametrize("name", ["independence", "exchangeable", "ar1"])
def test_clusters_of_one_row_give_the_covariances_of_rows(name):
    """R = 1 whatever alpha: Mancl-DeRouen is HC3, Kauermann-Carroll HC2, robust HC0."""
    X, y, *_ = draw("binomial", 4)
    one = fit_gee(X, y, np.arange(len(y)), "binomial", correlation=name)
    two = fit_glm(X, y, "binomial")
    for kind, row_kind in (("robust", "HC0"), ("kauermann_carroll", "HC2"), ("mancl_derouen", "HC3")):
        np.testing.assert_allclose(one.covariance(kind), two.covariance(row_kind), rtol=1e-8, atol=1e-10)


def test_coordinates_do_not_matter():
    X, y, groups, time, _ = draw("gamma", 5)
    A = np.array([[2.0, 1, 0], [0, 1, -3], [1, 0, 1]])
    one, two = fit_gee(X, y, groups, "gamma", link="log", **LAW), fit_gee(X @ A, y, groups, "gamma", link="log", **LAW)
    np.testing.assert_allclose(A @ two.coef, one.coef, rtol=1e-9)
    assert two.alpha == pytest.approx(one.alpha, rel=1e-10)
    for kind in ("robust", "model", "mancl_derouen", "kauermann_carroll"):  # not Fay-Graubard's, which is by coordinate
        np.testing.assert_allclose(A @ two.covariance(kind) @ A.T, one.covariance(kind), rtol=1e-7)
    assert two.cic == pytest.approx(one.cic, rel=1e-8)


def test_nearly_collinear_columns_lose_no_digits():
    """Correlated to 1e-7: normal equations would be wrong in the first digit."""
    X, y, groups, time, _ = draw("gaussian", 6)
    A = np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 1e-7]])
    one, two = fit_gee(X, y, groups, **LAW), fit_gee(X @ A, y, groups, **LAW)
    np.testing.assert_allclose(two.coef.iloc[2] * 1e-7, one.coef.iloc[2], rtol=1e-7)
    np.testing.assert_allclose(two.se.iloc[2] * 1e-7, one.se.iloc[2], rtol=1e-7)


def test_time_may_be_shifted_and_rescaled():
    """alpha is the correlation over one unit: in units c times as small it is alpha^(1 / c). Uneven times, exactly."""
    X, y, groups, time, _ = draw("gaussian", 7)
    time = time + np.random.default_rng(0).uniform(-0.4, 0.4, len(time))
    one = fit_gee(X, y, groups, correlation="ar1", time=time, tol=1e-12)
    two = fit_gee(X, y, groups, correlation="ar1", time=30 * time - 400, tol=1e-12)
    assert two.alpha == pytest.approx(one.alpha ** (1 / 30), rel=1e-8)
    np.testing.assert_allclose(two.coef, one.coef, rtol=1e-8)
    np.testing.assert_allclose(two.cov, one.cov, rtol=1e-7)
    check_dense(one, X, y, groups, time, None)


def test_rows_that_nearly_coincide_are_no_trouble():
    """A continuous-time process seen at random times, some 1e-8 apart: alpha is recovered, and whitening keeps its digits."""
    rng = np.random.default_rng(25)
    K, m, alpha = 400, 5, 0.4
    time = np.sort(rng.uniform(0, 5, (K, m)), axis=1)
    time[::40, 1] = time[::40, 0] + 1e-8
    e = rng.normal(size=(K, m))
    for j in range(1, m):
        rho = alpha ** (time[:, j] - time[:, j - 1])
        e[:, j] = rho * e[:, j - 1] + np.sqrt(1 - rho**2) * e[:, j]
    X = np.column_stack([np.ones(K * m), rng.normal(size=K * m)])
    fit = fit_gee(X, 1 + X[:, 1] + e.ravel(), np.repeat(np.arange(K), m), correlation="ar1", time=time.ravel())
    assert abs(fit.alpha - alpha) < 0.06
    white = fit.correlation.whiten(np.ones((1, 1, 2)), [alpha], np.array([0.0, 1e-12]))
    near = -1e-12 * np.log(alpha)  # (1 - rho) / sqrt(1 - rho^2) = sqrt((1 - rho) / (1 + rho))
    assert white[0, 0, 1] == pytest.approx(np.sqrt(near / 2), rel=1e-4)


def test_the_size_of_batches_does_not_matter(monkeypatch):
    X, y, groups, time, _ = draw("poisson", 8)
    for structure in STRUCTURES.values():
        options = dict(correlation=structure, time=time, tol=1e-12)
        one = fit_gee(X, y, groups, "poisson", **options)
        with monkeypatch.context() as patch:
            patch.setattr(clusters, "BATCH_NUMBERS", 40)
            two = fit_gee(X, y, groups, "poisson", **options)
        assert len(two.panel.clusters.batches) > len(one.panel.clusters.batches)
        np.testing.assert_allclose(two.coef, one.coef, rtol=1e-10)
        np.testing.assert_allclose(two.covariance("mancl_derouen"), one.covariance("mancl_derouen"), rtol=1e-9)


class Same(correlation.Correlation):
    """Exchangeable, as a user would write it."""

    name = "same"

    def matrix(self, alpha, times):
        return np.where(np.eye(len(times)) == 1, 1.0, alpha[0])

    def estimate(self, moments):
        return [moments.correlation(*moments.pairs())]


class Decay(correlation.Correlation):
    """AR(1), likewise, for whole times, from the pairs one apart."""

    name = "decay"

    def matrix(self, alpha, times):
        return alpha[0] ** np.abs(np.subtract.outer(times, times))

    def estimate(self, moments):
        return [moments.correlation(*moments.at_gap(1))]


def test_a_structure_of_ones_own():
    X, y, groups, time, _ = draw("binomial", 9)
    complete = np.isin(groups, np.flatnonzero(np.bincount(groups) == 5))
    for own, ready, rows in ((Same(), "exchangeable", slice(None)), (Decay(), "ar1", complete)):
        one = fit_gee(X[rows], y[rows], groups[rows], "binomial", correlation=own, time=time[rows], tol=1e-12)
        two = fit_gee(X[rows], y[rows], groups[rows], "binomial", correlation=ready, time=time[rows], tol=1e-12)
        np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9)
        np.testing.assert_allclose(one.cov, two.cov, rtol=1e-8)
        assert one.alpha["alpha 1"] == pytest.approx(two.alpha, rel=1e-9)
        assert own.name in repr(one)


def test_the_example_of_the_module():
    """The class in the docstring runs as it stands, and is the 1-dependent structure."""
    before, heading, rest = correlation.__doc__.partition("    class ")
    example = heading + rest.partition("\n>>>")[0]
    scope = {"correlation": correlation, "np": np}
    exec(textwrap.dedent(example), scope)
    X, y, groups, time, _ = draw("poisson", 24)
    one = fit_gee(X, y, groups, "poisson", correlation=scope["Neighbours"](), time=time)
    two = fit_gee(X, y, groups, "poisson", correlation=correlation.MDependent(1), time=time)
    np.testing.assert_allclose(one.cov, two.cov, rtol=1e-8)


def test_structures_that_are_one_at_two_waves():
    X, y, groups, time, _ = draw("poisson", 10)
    rows = time < 2
    fits = [fit_gee(X[rows], y[rows], groups[rows], "poisson", correlation=name, time=time[rows], tol=1e-12)
            for name in ("exchangeable", "ar1", "unstructured", "toeplitz", correlation.MDependent(1))]  # fmt: skip
    for one in fits[1:]:
        np.testing.assert_allclose(np.ravel(one.alpha), np.ravel(fits[0].alpha), rtol=1e-9)
        np.testing.assert_allclose(one.cov, fits[0].cov, rtol=1e-8)


def test_waves_are_found_by_their_time():
    """A cluster that lacks wave 2 has R_13, not R_12, between its rows."""
    X, y, groups, time, _ = draw("poisson", 11)
    fit = fit_gee(X, y, groups, "poisson", correlation="unstructured", time=2 * time + 8)
    full = fit.working_correlation()
    assert list(full.index) == [8, 10, 12, 14, 16]
    label = next(g for g in range(60) if sorted(time[groups == g]) == [0, 2] or sorted(time[groups == g]) == [0, 2, 3])
    waves = 2 * np.sort(time[groups == label]) + 8
    np.testing.assert_array_equal(fit.working_correlation(label), full.loc[waves, waves])
    assert fit.alpha["8, 12"] == full.loc[8, 12]


def test_a_labelled_fixed_matrix_is_read_by_time():
    X, y, groups, time, _ = draw("poisson", 12)
    R = pd.DataFrame(STRUCTURES["ar1"].matrix([0.5], np.arange(6.0)), index=np.arange(6.0), columns=np.arange(6.0))
    rows = time != 2
    one = fit_gee(X[rows], y[rows], groups[rows], "poisson", correlation=correlation.Fixed(R), time=time[rows])
    two = fit_gee(X[rows], y[rows], groups[rows], "poisson", correlation=correlation.AR1(alpha=0.5), time=time[rows])
    np.testing.assert_allclose(one.cov, two.cov, rtol=1e-9)


def test_rows_without_weight_count_for_nothing():
    X, y, groups, time, _ = draw("poisson", 13)
    w = np.ones(len(y))
    w[::4] = 0
    one = fit_gee(X, y, groups, "poisson", correlation="ar1", time=time, weights=w)
    two = fit_gee(X[w > 0], y[w > 0], groups[w > 0], "poisson", correlation="ar1", time=time[w > 0])
    np.testing.assert_allclose(one.cov, two.cov, rtol=1e-9)
    assert (one.nobs, one.nclusters, len(one.fitted)) == (two.nobs, two.nclusters, len(y))


def test_whole_weights_repeat_rows_under_independence():
    X, y, groups, time, w = draw("poisson", 14, weights=True)
    again = np.repeat(np.arange(len(y)), w.astype(int))
    one, two = fit_gee(X, y, groups, "poisson", weights=w), fit_gee(X[again], y[again], groups[again], "poisson")
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9)
    np.testing.assert_allclose(one.cov, two.cov, rtol=1e-8)


@pytest.mark.parametrize("name", ["exchangeable", "ar1", "unstructured"])
def test_jackknife_by_brute_force(name):
    X, y, groups, time = (part[draw("poisson", 15, K=40)[3] < 3] for part in draw("poisson", 15, K=40)[:4])
    fit = fit_gee(X, y, groups, "poisson", correlation=STRUCTURES[name], time=time)
    total = 0
    for label in range(40):
        rest = groups != label
        away = fit_gee(X[rest], y[rest], groups[rest], "poisson", correlation=STRUCTURES[name], time=time[rest]).coef - fit.coef
        total = total + np.outer(away, away)
    np.testing.assert_allclose(fit.covariance("jackknife"), (40 - 3) / 40 * total, rtol=1e-6)


def test_criteria_by_hand():
    """Poisson: -2 Q + 2 tr with Q = sum (y log mu - mu) / phi up to data, Omega = X' diag(mu) X / phi."""
    X, y, groups, time, _ = draw("poisson", 16)
    fit = fit_gee(X, y, groups, "poisson", correlation="exchangeable")
    mu, phi = fit.fitted, fit.dispersion
    saturated = np.sum(y * np.log(np.where(y > 0, y, 1)) - y)
    Q = (np.sum(y * np.log(mu) - mu) - saturated) / phi
    cic = np.trace(X.T @ (mu[:, None] * X) / phi @ fit.cov.to_numpy())
    assert fit.cic == pytest.approx(cic, rel=1e-10)
    assert fit.qic == pytest.approx(-2 * Q + 2 * cic, rel=1e-10)
    assert fit.qicu == pytest.approx(-2 * Q + 2 * 3, rel=1e-10)


def test_robust_standard_errors_are_those_of_repetition():
    """Over 300 repetitions with a wrong working correlation the mean robust variance is the variance of the estimates,
    to four Monte Carlo errors; the independence model's is far off."""
    rng = np.random.default_rng(0)
    K, m = 150, 4
    groups, x = np.repeat(np.arange(K), m), np.repeat(rng.normal(size=K), m)
    X = np.column_stack([np.ones(K * m), x])
    draws, robust, model = [], [], []
    for _ in range(300):
        y = 1 + 0.5 * x + np.repeat(rng.normal(size=K), m) + rng.normal(size=K * m)
        fit = fit_gee(X, y, groups, correlation=correlation.AR1(alpha=0.2))
        draws.append(fit.coef.iloc[1])
        robust.append(fit.cov.iloc[1, 1])
        model.append(fit.covariance("model").iloc[1, 1])
    variance = np.var(draws)
    error = variance * np.sqrt(2 / 300)
    assert abs(np.mean(robust) - variance) < 4 * error
    assert np.mean(model) < variance - 4 * error


def test_tests_and_intervals():
    fit = gee("seizures ~ log(baseline) + age + treatment", datasets.load("epilepsy"), "patient", "poisson",
              correlation="exchangeable", time="visit")  # fmt: skip
    wald = fit.test("age = 0")
    assert wald.statistic == pytest.approx((fit.coef["age"] / fit.se["age"]) ** 2)
    assert (wald.df, wald.df_denominator) == (1, 55)
    assert fit.test("age", df=np.inf).df_denominator is None
    interval, normal = fit.confint().loc["age"], fit.confint(df=np.inf).loc["age"]
    assert (fit.test(f"age = {interval['upper']}").p_value) == pytest.approx(0.05)
    assert normal["upper"] - normal["lower"] == pytest.approx(2 * 1.959963984540054 * fit.se["age"])
    assert interval["lower"] < normal["lower"] < normal["upper"] < interval["upper"]
    wider = fit.confint(kind="mancl_derouen").loc["age"]
    assert wider["upper"] > interval["upper"]
    both = fit.test(["age", "treatment"])
    assert (both.df, both.df_denominator) == (2, 55)
    every = fit.test(np.eye(4)[1:], method="score")
    assert every.df == 3 and every.df_denominator is None and every.p_value < 0.05


def test_predictions():
    table = datasets.load("ohio")
    fit = gee("wheeze ~ age + smoking", table, "child", "binomial", correlation="exchangeable", time="age")
    np.testing.assert_allclose(fit.predict(), fit.fitted)
    np.testing.assert_allclose(fit.predict(table.tail(3)), fit.fitted[-3:])
    linear = fit.predict(table.head(2), kind="linear", interval=0.9, df=np.inf)
    X = fit.design.X[:2]
    half = 1.6448536269514722 * np.sqrt(np.diag(X @ fit.cov.to_numpy() @ X.T))
    np.testing.assert_allclose(linear["upper"] - linear["linear"], half, rtol=1e-10)
    mean = fit.predict(table.head(2), interval=0.9, df=np.inf)
    np.testing.assert_allclose(mean["lower"], 1 / (1 + np.exp(-linear["lower"])), rtol=1e-10)


def test_a_gee_has_no_likelihood():
    fit = gee("wheeze ~ age", datasets.load("ohio"), "child", "binomial")
    assert isinstance(fit, GEEFit)
    for what in ("aic", "bic", "loglik", "deviance"):
        with pytest.raises(ValueError, match="means and variances only"):
            getattr(fit, what)


def test_the_summary_shows_clusters_and_working_correlation():
    table = datasets.load("dental")
    fit = gee("distance ~ age * sex", table[table["age"] > 8].drop(index=[1]), "child", correlation="toeplitz", time="age")
    text = repr(fit)
    for part in ("distance ~ age * sex", "27, of size 2 to 3", "toeplitz", "Working correlation", "QIC", "robust s.e.", "1.000"):
        assert part in text
    assert "<table" in fit._repr_html_()
    assert list(fit.alpha.index) == ["lag 2", "lag 4"]


def plain_products(fit, X, y, groups, time, weights=None):
    """(e_j e_k, gap, j's wave, k's wave) of all pairs j < k within clusters, and phi, by loops."""
    mu = fit.link.inverse(X @ fit.coef.to_numpy())
    e = (y - mu) / np.sqrt(fit.family.variance(mu)) * np.sqrt(1.0 if weights is None else weights)
    pairs = []
    for label in np.unique(groups):
        rows = np.flatnonzero(groups == label)
        rows = rows[np.argsort(time[rows])]
        for position, j in enumerate(rows):
            pairs += [(e[j] * e[k], time[k] - time[j], time[j], time[k], step) for step, k in enumerate(rows[position + 1 :], 1)]
    return np.array(pairs).T, e @ e / (len(y) - X.shape[1])


@pytest.mark.parametrize("weights", [False, True])
def test_alpha_by_the_formulas_of_liang_and_zeger(weights):
    """Sums of products over phi (pairs - p), spelled out."""
    X, y, groups, time, w = draw("poisson", 17, K=200, weights=weights)
    options = dict(time=time, weights=w)

    def of(name):
        fit = fit_gee(X, y, groups, "poisson", correlation=STRUCTURES[name], **options)
        return np.ravel(fit.alpha), *plain_products(fit, X, y, groups, time, w)

    alpha, (product, gap, first, second, step), phi = of("exchangeable")
    np.testing.assert_allclose(alpha, product.sum() / (phi * (len(product) - 3)), rtol=1e-8)
    for name, most in (("toeplitz", 4), ("2-dependent", 2)):
        alpha, (product, gap, first, second, step), phi = of(name)
        want = [product[gap == lag].sum() / (phi * (np.sum(gap == lag) - 3)) for lag in range(1, most + 1)]
        np.testing.assert_allclose(alpha, want, rtol=1e-8)
    alpha, (product, gap, first, second, step), phi = of("unstructured")
    want = [product[(first == j) & (second == k)].sum() / (phi * (np.sum((first == j) & (second == k)) - 3))
            for j in range(5) for k in range(j + 1, 5)]  # fmt: skip
    np.testing.assert_allclose(alpha, want, rtol=1e-8)
    alpha, (product, gap, first, second, step), phi = of("ar1")
    near = step == 1
    shrunk = product[near] / phi * np.sum(near) / (np.sum(near) - 3)
    best = optimize.minimize_scalar(lambda a: np.sum((shrunk - a ** gap[near]) ** 2), bounds=(0, 1), options={"xatol": 1e-12}).x
    np.testing.assert_allclose(alpha, best, atol=1e-7)


def test_ar1_at_one_gap_is_the_mean_product():
    X, y, groups, time, _ = draw("gaussian", 18)
    rows = np.isin(groups, np.flatnonzero(np.bincount(groups) == 5))
    X, y, groups, time = X[rows], y[rows], groups[rows], time[rows]
    fit = fit_gee(X, y, groups, correlation="ar1", time=time)
    (product, gap, *_), phi = plain_products(fit, X, y, groups, time)
    assert fit.alpha == pytest.approx(product[gap == 1].sum() / (phi * (np.sum(gap == 1) - 3)), rel=1e-9)
    assert fit_gee(X, y, groups, correlation="ar1", time=2 * time).alpha == pytest.approx(np.sqrt(fit.alpha), rel=1e-9)


@pytest.mark.parametrize("name", families.BY_NAME)
def test_every_family_by_name(name):
    """Whatever the family, also one added later: the equation and its covariances hold against plain loops."""
    family = families.get(name)
    family = type(family)(1.3) if family.unknown else family
    X, y, groups, time, _ = draw("binomial" if family.mean_interval == (0, 1) else "gamma", 19)
    fit = fit_gee(X, y, groups, family, link=None if name != "inverse_gaussian" else "log", correlation="ar1", time=time)
    check_dense(fit, X, y, groups, time, None)
    assert np.isfinite(fit.qic) and fit.cic > 0
    assert repr(fit)


def test_a_parameter_of_the_family_comes_from_the_independence_model_and_is_held():
    table = datasets.load("epilepsy")
    formula, options = "seizures ~ log(baseline) + age", {"correlation": "ar1", "time": "visit"}
    one = gee(formula, table, "patient", "negative_binomial", **options)
    shape = glm(formula, table, "negative_binomial").family.alpha
    assert one.family.alpha == pytest.approx(shape, rel=1e-8)
    assert one.estimate.value == one.family.alpha and "alpha =" in repr(one)
    two = gee(formula, table, "patient", families.NegativeBinomial(shape), **options)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-7)


def test_a_score_test_of_a_value_is_that_of_zero_after_a_shift():
    X, y, groups, time, _ = draw("gaussian", 20)
    one = fit_gee(X, y, groups, correlation="ar1", time=time).test("x2 = 0.3", method="score")
    two = fit_gee(X, y - 0.3 * X[:, 1], groups, correlation="ar1", time=time).test("x2 = 0", method="score")
    assert one.statistic == pytest.approx(two.statistic, rel=1e-8)
    every = fit_gee(X, y, groups, correlation="ar1", time=time).test("x1 = 5, x2 = 0.3, x3 = 0", method="score")
    assert every.df == 3 and every.p_value < 0.05


class Both(links.Link):
    """mu = 1 / eta^2 for eta of either sign: it rises to the pole and falls from there."""

    name = "both"
    image = (0.0, np.inf)
    pole = 0.0

    def link(self, mu):
        return np.asarray(mu) ** -0.5

    def inverse(self, eta):
        return np.asarray(eta) ** -2.0

    def derivative(self, eta):
        return -2 * np.asarray(eta) ** -3.0


def test_slopes_of_two_signs_do_not_drop_out():
    rng = np.random.default_rng(21)
    groups, time = np.repeat(np.arange(40), 4), np.tile(np.arange(4.0), 40)
    X = np.column_stack([np.where(time % 2 == 0, 1.0, -1.0), rng.uniform(-0.1, 0.1, 160)])
    y = rng.gamma(20, np.repeat(rng.gamma(20, 4 / 20, 40), 4) / 20)
    fit = fit_gee(X, y, groups, "gamma", link=Both(), correlation="exchangeable", time=time, start=[0.5, 0.0])
    assert fit.alpha > 0.3
    check_dense(fit, X, y, groups, time, None)


def test_a_given_dispersion_leaves_alpha_alone_but_under_geepack():
    X, y, groups, time, _ = draw("poisson", 22)
    for convention, same in (("liang_zeger", True), ("statsmodels", True), ("geepack", False)):
        one, two = (fit_gee(X, y, groups, "poisson", correlation="exchangeable", convention=convention, dispersion=phi, tol=1e-12)
                    for phi in (None, 1.9))  # fmt: skip
        assert (two.alpha == pytest.approx(one.alpha, rel=1e-9)) is same
        np.testing.assert_allclose(
            two.covariance("model") * one.dispersion / 1.9, one.covariance("model"), rtol=1e-9 if same else 0.3
        )
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(one.alpha, two.alpha, rtol=1e-3)


def test_columns_near_to_collinear_keep_their_digits():
    """The Gram matrix alone would lose six of them; it is refined."""
    X, y, groups, time, _ = draw("gaussian", 23)
    A = np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 2.0**-9]])
    structure = correlation.Exchangeable(alpha=0.3)
    one, two = fit_gee(X, y, groups, correlation=structure), fit_gee(X @ A, y, groups, correlation=structure)
    got, want = (fit.covariance("model").iloc[2, 2] / fit.dispersion for fit in (two, one))
    assert got * 4.0**-9 == pytest.approx(want, rel=5e-12)


def test_mixing_saves_rounds():
    fit = gee("distance ~ age * sex", datasets.load("dental"), "child", correlation="unstructured", time="age")
    assert len(fit.trace) <= 14  # 19 by plain steps
    assert fit.trace["step"].iloc[-1] < 1e-10
