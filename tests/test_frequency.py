"""A frequency weight f says that a row stands for f equal rows: every number must be that of the table written out."""

import warnings

import numpy as np
import pandas as pd
import pytest

from glmref import BoundaryWarning, InputError, compare, datasets, families, fit_glm, glm
from glmref.checking import calibration_table, rootogram_table, separation_trials
from instances import EVERY_FAMILY

RNG = np.random.default_rng(8)
N = 60
X = np.c_[np.ones(N), RNG.normal(size=(N, 2))]
FREQUENCY = RNG.integers(0, 5, N).astype(float)
WEIGHT = RNG.integers(1, 4, N).astype(float)
TIMES = FREQUENCY.astype(int)


def response(family):
    mu = family.default_link.inverse(np.clip(0.8 + X[:, 1:] @ [0.1, -0.05], 0.3, 1.3))
    plain = families.Poisson() if family.name == "quasipoisson" else families.Binomial() if family.name == "quasibinomial" else family
    y = plain.draw(mu, 0.05, WEIGHT, np.random.default_rng(3))
    return y + 0.0


def pair(family, **keywords):
    """The fit with frequencies and the fit of the table written out."""
    y = response(family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)
        short = fit_glm(X, y, family, weights=WEIGHT, frequency_weights=FREQUENCY, **keywords)
        long = fit_glm(np.repeat(X, TIMES, axis=0), np.repeat(y, TIMES), family, weights=np.repeat(WEIGHT, TIMES), **keywords)
    return short, long


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=lambda family: f"{family}-{family.shape}" if family.shape_name else str(family))
def test_every_number_is_that_of_the_table_written_out(family):
    short, long = pair(family)
    np.testing.assert_allclose(short.coef, long.coef, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(short.cov, long.cov, rtol=1e-8, atol=1e-13)
    for what in ("deviance", "null_deviance", "pearson_chi2", "dispersion", "nobs", "df_resid", "loglik", "aic", "bic"):
        try:
            want = getattr(long, what)
        except InputError:
            with pytest.raises(InputError):
                getattr(short, what)
            continue
        assert getattr(short, what) == pytest.approx(want, rel=1e-8), what
    for kind in ("HC0", "HC1", "HC2", "HC3", "observed"):
        np.testing.assert_allclose(short.covariance(kind), long.covariance(kind), rtol=1e-7, atol=1e-12, err_msg=kind)
    groups = np.arange(N) // 4
    one, two = short.covariance("cluster", groups=groups), long.covariance("cluster", groups=np.repeat(groups, TIMES))
    np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-12)
    for rows in ("leverage", "cooks_distance", "fitted"):
        np.testing.assert_allclose(np.repeat(getattr(short, rows), TIMES), getattr(long, rows), rtol=1e-7, atol=1e-12, err_msg=rows)
    used = FREQUENCY > 0
    np.testing.assert_allclose(np.repeat(short.dfbetas[used], TIMES[used], axis=0), long.dfbetas, rtol=1e-6, atol=1e-10)
    for method in ("wald", "score", "lr"):
        one, two = short.test("x2 = 0.1", method), long.test("x2 = 0.1", method)
        assert one.statistic == pytest.approx(two.statistic, rel=1e-6), method
        assert one.df_denominator == two.df_denominator


def test_estimated_parameters_of_the_family_count_rows_too():
    counts = families.NegativeBinomial(0.7).draw(np.exp(X @ [1.5, 0.3, -0.2]), 1.0, 1.0, np.random.default_rng(1))
    amounts = families.Tweedie(1.5).draw(np.exp(X @ [0.5, 0.3, -0.2]), 1.0, 1.0, np.random.default_rng(1))
    for family, y, what in (("negative_binomial", counts, "alpha"), (families.Tweedie(None), amounts, "power")):
        short = fit_glm(X, y, family, frequency_weights=FREQUENCY)
        long = fit_glm(np.repeat(X, TIMES, axis=0), np.repeat(y, TIMES), family)
        assert getattr(short, what) == pytest.approx(getattr(long, what), rel=1e-5)
        assert short.loglik == pytest.approx(long.loglik, rel=1e-9)
        np.testing.assert_allclose(short.se, long.se, rtol=1e-5)


@pytest.mark.parametrize("choice", ["pearson", "deviance", "ml"])
def test_each_estimate_of_the_dispersion(choice):
    for family in (families.Gaussian(), families.Gamma(), families.InverseGaussian(), families.Tweedie(1.5)):
        short, long = pair(family, dispersion=choice)
        assert short.dispersion == pytest.approx(long.dispersion, rel=1e-9)


def test_by_formula_with_a_column_or_an_expression():
    doctors = datasets.load("doctors").assign(times=[1, 2, 3, 0, 2, 1, 1, 4, 1, 2])
    long = doctors.loc[doctors.index.repeat(doctors["times"])].reset_index(drop=True)
    formula, options = "deaths ~ smoking + age", {"family": "poisson", "offset": "log(person_years)"}
    one = glm(formula, doctors, frequency_weights="times", **options)
    two = glm(formula, long, **options)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9)
    assert one.nobs == two.nobs == 17 and f"{one.nobs} (" in repr(one.summary())
    assert glm(formula, doctors, frequency_weights="I(2 * times)", **options).nobs == 34
    small = glm("deaths ~ smoking", doctors, frequency_weights="times", **options)
    assert compare(small, one)["P"].iloc[1] < 1e-6
    with pytest.raises(InputError, match="same frequency weights"):
        compare(glm("deaths ~ smoking", doctors, **options), one)


def test_tables_behind_the_figures_count_rows_too():
    short, long = pair(families.Poisson())
    pd.testing.assert_frame_equal(rootogram_table(short), rootogram_table(long))
    short, long = pair(families.Binomial())
    one, two = (calibration_table(fit, 5).drop(columns="rows") for fit in (short, long))
    pd.testing.assert_frame_equal(one, two)
    np.testing.assert_array_equal(separation_trials(short).event, separation_trials(long).event)


@pytest.mark.parametrize(
    "values, message",
    [
        (np.full(N, 0.5), r"whole numbers >= 0; got 0\.5 in row 0"),
        (np.r_[-1.0, np.ones(N - 1)], "got -1 in row 0"),
        (np.r_[1.0, np.nan, np.ones(N - 2)], "got nan in row 1"),
        (np.zeros(N), "positive frequency"),
        (np.ones(3), "frequency_weights with one number for each"),
        ("times", "frequency_weights"),
    ],
)
def test_what_is_no_count_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        fit_glm(X, response(families.Gaussian()), frequency_weights=values)


def test_a_row_of_frequency_zero_may_hold_anything_finite():
    y = response(families.Poisson())
    y[FREQUENCY == 0] = 7.0
    one = fit_glm(X, y, "poisson", frequency_weights=FREQUENCY)
    two = fit_glm(X[FREQUENCY > 0], y[FREQUENCY > 0], "poisson", frequency_weights=pd.Series(FREQUENCY[FREQUENCY > 0]))
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-12)
    assert np.all(one.leverage[FREQUENCY == 0] == 0) or np.all(np.isfinite(one.leverage))


def test_one_number_stretched_over_all_rows_counts_like_a_column_of_it():
    y = response(families.Poisson())
    one = fit_glm(X, y, "poisson", frequency_weights=np.broadcast_to(3.0, N), weights=np.broadcast_to(2.0, N))
    two = fit_glm(X, y, "poisson", frequency_weights=np.full(N, 3.0), weights=np.full(N, 2.0))
    assert one.nobs == two.nobs == 3 * N
    np.testing.assert_array_equal(one.se, two.se)
    for keyword, value in (("weights", -1.0), ("weights", 0.0), ("offset", np.nan), ("frequency_weights", 0.5)):
        with pytest.raises(InputError, match=keyword.split("_")[0]):
            fit_glm(X, y, "poisson", **{keyword: np.broadcast_to(value, N)})


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=lambda family: f"{family}-{family.shape}" if family.shape_name else str(family))
@pytest.mark.parametrize("far", [1e5, -1e5])
@pytest.mark.parametrize("zero", ["weights", "frequency_weights"])
def test_a_row_that_takes_no_part_may_lie_anywhere(family, far, zero):
    y, wild, part = response(family), X.copy(), np.ones(N)
    wild[5, 1], part[5] = far, 0.0
    link = "log" if family.mean_interval[1] == np.inf else "logit"
    one = fit_glm(wild, y, family, link=link, weights=part if zero == "weights" else None, frequency_weights=part if zero != "weights" else None)
    two = fit_glm(np.delete(X, 5, axis=0), np.delete(y, 5), family, link=link)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(one.se, two.se, rtol=1e-8)
    for what in ("deviance", "null_deviance", "pearson_chi2", "dispersion", "nobs", "df_resid"):
        assert getattr(one, what) == pytest.approx(getattr(two, what), rel=1e-8), what
    if family.has_likelihood:
        assert one.loglik == pytest.approx(two.loglik, rel=1e-8)
    for kind in ("HC0", "HC1", "HC3", "observed"):
        np.testing.assert_allclose(one.covariance(kind), two.covariance(kind), rtol=1e-6, atol=1e-12)
    for kind in ("response", "pearson", "deviance", "working"):
        np.testing.assert_allclose(np.delete(one.residuals(kind), 5), two.residuals(kind), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(np.delete(one.leverage, 5), two.leverage, rtol=1e-6)
    np.testing.assert_allclose(np.delete(one.fitted, 5), two.fitted, rtol=1e-8)
    assert repr(one.summary())
