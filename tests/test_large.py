"""Large tables: begun from every eighth row, summed in blocks, on one thread or several, without copies.

Where the eighth row misleads, the estimate must be that of all rows all the same, and no warning more.
"""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, xlogy

from glmref import AliasWarning, ConvergenceWarning, GLMWarning, SeparationWarning, blocks, design, families, fit_glm, links, start
from glmref.blocks import ArrayRows
from glmref.chords import chords
from glmref.irls import fisher_scoring, negligible
from glmref.least_squares import Gram, solve
from glmref.standardize import evaluator, total_deviance
from glmref.start import estimate_of_sample, starting_coefficients

N = 8003
RNG = np.random.default_rng(4)
EIGHTH = np.arange(N) % 8 == 0
LEVEL = RNG.integers(0, 4, N)
x = RNG.normal(size=N)
X = np.column_stack([np.ones(N), x, LEVEL == 1, LEVEL == 2, LEVEL == 3]).astype(float)
ETA = 0.3 * x - 0.2 + 0.5 * (LEVEL == 1)
FAMILIES = {
    "gaussian": (families.Gaussian(), "identity", RNG.normal(ETA)),
    "binomial": (families.Binomial(), "logit", 1.0 * (RNG.uniform(size=N) < expit(ETA))),
    "probit": (families.Binomial(), "probit", 1.0 * (RNG.uniform(size=N) < expit(ETA))),
    "loglog": (families.Binomial(), "loglog", 1.0 * (RNG.uniform(size=N) < expit(ETA))),
    "poisson": (families.Poisson(), "log", 1.0 * RNG.poisson(np.exp(ETA))),
    "gamma": (families.Gamma(), "log", RNG.gamma(2.0, np.exp(ETA) / 2)),
    "inverse_gaussian": (families.InverseGaussian(), "log", RNG.wald(np.exp(ETA), 2.0)),
    "negative_binomial": (families.NegativeBinomial(1.0), "log", 1.0 * RNG.poisson(RNG.gamma(1.0, np.exp(ETA)))),
    "tweedie": (families.Tweedie(1.5), "log", families.Tweedie(1.5).draw(np.exp(ETA), 1.0, 1.0, RNG)),
}


@pytest.mark.parametrize("name", [*FAMILIES, "sqrt"])
def test_estimate_and_covariance_are_those_of_rounds_over_all_rows(name):
    """Begun by a regression over all rows, in one block, and run to more digits than are asked of a fit."""
    family, link, y = FAMILIES.get(name) or (families.Poisson(), "sqrt", 1.0 * RNG.poisson(4 + ETA**2))
    fit, link = fit_glm(X, y, family, link=link, dispersion=1.0), links.get(link)
    rows = ArrayRows(X, y, np.zeros(N), np.ones(N), block_rows=N)
    begin = starting_coefficients(rows, family, link)
    solution = fisher_scoring(evaluator(rows, family, link), begin, tol=1e-13, floor=family.deviance_floor)
    se = fit.se.to_numpy()
    assert np.max(np.abs(fit.coef.to_numpy() - solution.beta) / se) < 1e-7
    weight = family.working(y, X @ solution.beta, link)[0]
    np.testing.assert_allclose(fit.cov, np.linalg.inv((X.T * weight) @ X), rtol=3e-8, atol=1e-9 * se.max() ** 2)
    assert fit.deviance == pytest.approx(total_deviance(rows, family, link, solution.beta), rel=1e-12)


def test_blocks_side_by_side_keep_blas_to_one_thread_each():
    """And leave it as it was."""
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def most():
        return max(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")

    rows = blocks.ArrayRows(np.ones((40, 1)), np.ones(40), np.zeros(40), np.ones(40), block_rows=10, threads=2)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert rows.sum(lambda block: [most()]) == [1] * 4
        assert most() == 2


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_rounding_only(threads):
    y = FAMILIES["poisson"][2]
    one, more = fit_glm(X, y, "poisson"), fit_glm(X, y, "poisson", threads=threads)
    np.testing.assert_allclose(more.coef, one.coef, rtol=1e-10)
    np.testing.assert_allclose(more.cov, one.cov, rtol=1e-9)
    again = fit_glm(X, y, "poisson", threads=threads)
    np.testing.assert_array_equal(again.coef, more.coef)  # the order of the sums is fixed


def both(monkeypatch, *arguments, **keywords):
    """The fit that begins from a sample, and the one that does not."""
    sampled = fit_glm(*arguments, **keywords)
    monkeypatch.setattr(blocks, "SAMPLE_ROWS", 10**9)
    return sampled, fit_glm(*arguments, **keywords)


def agree(one, two):
    assert one.converged and two.converged
    np.testing.assert_allclose((one.coef - two.coef) / two.se, 0, atol=1e-7)
    np.testing.assert_allclose(one.se, two.se, rtol=1e-7)
    assert one.deviance == pytest.approx(two.deviance, rel=1e-12)
    assert one.null_deviance == pytest.approx(two.null_deviance, rel=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("trap", ["none", "constant", "level", "absent", "nearly absent", "scale", "weights", "sorted"])
def test_a_sample_unlike_the_whole_changes_nothing(name, trap, monkeypatch):
    family, link, y = FAMILIES[name]
    table, edge, keywords = X, 0.0 if family.in_domain(np.zeros(1))[0] else 0.5, {}
    if trap == "constant":
        y = np.where(EIGHTH, edge, y)
    elif trap == "level":
        y = np.where(EIGHTH & (LEVEL == 1), edge, y)
    elif trap == "absent":
        table = np.column_stack([X, (LEVEL == 1) & ~EIGHTH & (x > 1)])
    elif trap == "nearly absent":
        table = np.column_stack([X, ((LEVEL == 1) & ~EIGHTH & (x > 1)) + 1e-6 * EIGHTH * np.cos(np.arange(N))])
    elif trap == "scale":
        table = np.column_stack([X, np.where(EIGHTH, 1e-3 * x, 0.0) + np.where(EIGHTH, 1e-5, 1.0) * np.cos(np.arange(N) ** 2)])
    elif trap == "weights":
        keywords = {"weights": np.where(EIGHTH, 1e-8, 1.0)}
    elif trap == "sorted":
        order = np.argsort(y, kind="stable")
        table, y = X[order], y[order]
    agree(*both(monkeypatch, table, y, family, link=link, **keywords))


def test_a_sample_that_is_separated_alone_is_not_the_whole(monkeypatch):
    for link in ("logit", "probit", "cloglog", "cauchit"):
        with monkeypatch.context() as patch:
            agree(*both(patch, X, np.where(EIGHTH, x > 0, FAMILIES["binomial"][2]) * 1.0, "binomial", link=link))


def test_a_level_without_sampled_rows_under_a_bounded_link(monkeypatch):
    rare = np.column_stack([np.ones(N), np.arange(N) % 20 == 3]).astype(float)
    y = 1.0 * (RNG.uniform(size=N) < np.where(rare[:, 1] > 0, 0.7, 0.3))
    agree(*both(monkeypatch, rare, y, "binomial", link="log"))


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_the_null_deviance_when_the_sample_is_constant(edge):
    y = np.where(EIGHTH, edge, FAMILIES["binomial"][2])
    share = y.mean()
    exact = -2 * N * (xlogy(share, share) + xlogy(1 - share, 1 - share))
    with pytest.warns(SeparationWarning):
        fitted = fit_glm(np.column_stack([X, EIGHTH]), y, "binomial", start=np.zeros(6))
    assert fitted.null_deviance == pytest.approx(exact, rel=1e-12)


def near(family, link, y, weight=1.0, **tolerances):
    """What the sample of rows with this weight leads to, and the evaluator of all rows."""
    rows, link = ArrayRows(X, y, np.zeros(N), np.full(N, weight)), links.get(link)
    evaluate = evaluator(rows, family, link)
    return estimate_of_sample(evaluate, rows, family, link, **tolerances), evaluate


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("weight", [1.0, 1e-6])
def test_a_sample_like_the_whole_is_used(name, weight):
    assert near(*FAMILIES[name], weight)[0] is not None


@pytest.mark.parametrize("name", FAMILIES)
def test_steps_by_scores_alone_arrive_where_one_round_is_the_last(name):
    """Each divides the decrement; the round that follows finds it negligible, and its step leaves no more than rounding."""
    start, evaluate = near(*FAMILIES[name], tol=1e-10, settled=200)
    family, floor = FAMILIES[name][0], FAMILIES[name][0].deviance_floor
    solution = fisher_scoring(evaluate, start.beta, previous=start.decrement, floor=floor, bounded=False, settled=200)
    assert solution.converged and len(solution.trace) == 1
    assert solution.trace[0].decrement < start.decrement / 4
    np.testing.assert_allclose(solution.beta, fit_glm(X, FAMILIES[name][2], family, link=FAMILIES[name][1]).coef, rtol=1e-7, atol=1e-9)


def test_steps_by_scores_stop_where_they_do_not_pay():
    """With an R that is far off each step leaves most of the decrement: Fisher scoring goes on from where it was."""
    _, evaluate = near(*FAMILIES["poisson"])
    root = 0.6 * solve(evaluate(np.zeros(5), Gram)).root  # steps 2.8 times too long
    tolerances = {"limit": 1e-16, "settled": 200}
    start = chords(evaluate, np.zeros(5), root, np.inf, **tolerances)
    assert start.decrement == pytest.approx(solve(evaluate(np.zeros(5), Gram)).decrement / 0.36)  # one step only
    assert chords(evaluate, np.zeros(5), root, 1e-3, **tolerances) is None  # farther than chance allows


def test_the_sample_begins_within_reach_of_the_estimate():
    """One step by all rows' score leaves less than the sample's own standard error."""
    family, link, y = FAMILIES["poisson"]
    fitted = fit_glm(X, y, family)
    begun = near(family, link, y)[0]
    assert np.max(np.abs(begun.beta - fitted.coef) / fitted.se) < 0.5


def test_layout_type_order_threads_and_blocks_do_not_matter():
    family, link, y = FAMILIES["poisson"]
    rounded = X.copy()
    rounded[:, 1] = np.round(x * 4)
    base = fit_glm(rounded, y, family)
    wide = np.zeros((2 * N, 10))
    wide[::2, ::2] = rounded
    frozen = rounded.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(rounded), wide[::2, ::2], frozen, rounded.astype(np.float32), rounded.astype(int), pd.DataFrame(rounded)):
        fitted = fit_glm(other, y.astype(int), family)
        np.testing.assert_allclose(fitted.coef.to_numpy(), base.coef.to_numpy(), rtol=1e-9)
        np.testing.assert_allclose(fitted.se.to_numpy(), base.se.to_numpy(), rtol=1e-9)
    for name, (family, link, y) in FAMILIES.items():
        one, two = fit_glm(X, y, family, link=link), fit_glm(X, y, family, link=link, threads=3)
        three = fit_glm(X[::-1], y[::-1], family, link=link)
        for other in (two, three):
            np.testing.assert_allclose((one.coef - other.coef) / one.se, 0, atol=1e-7, err_msg=name)
            np.testing.assert_allclose(one.se, other.se, rtol=1e-7, err_msg=name)


def test_nothing_copies_the_table(monkeypatch):
    monkeypatch.setattr(design, "COPIED", 0)  # as if it were too large
    n, p = 200_000, 20
    table = np.column_stack([np.ones(n), RNG.normal(size=(n, p - 1))])
    y = 1.0 * RNG.poisson(np.exp(0.2 * table[:, 1]))
    for form in (table, np.asfortranarray(table), pd.DataFrame(table), table[:, 1:] + 2):
        tracemalloc.start()
        fitted = fit_glm(form, y, "poisson")
        for what in ("deviance", "se", "null_deviance", "pearson_chi2", "loglik"):
            getattr(fitted, what)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.4 * table.nbytes  # eight vectors of n numbers; a copy of the table would be 20
        assert fitted.loglik == pytest.approx(fitted.family.log_density(y, fitted.fitted).sum(), rel=1e-12)


def test_a_test_copies_no_table():
    n, p = 100_000, 20
    table = np.column_stack([np.ones(n), RNG.normal(size=(n, p - 1))])
    fitted = fit_glm(table, 1.0 * RNG.poisson(np.exp(0.2 * table[:, 1])), "poisson")
    for method in ("lr", "score"):
        tracemalloc.start()
        test = fitted.test("x3 = 0", method)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.4 * table.nbytes
        assert test.statistic == pytest.approx((fitted.coef["x3"] / fitted.se["x3"]) ** 2, rel=0.05)


@pytest.mark.parametrize("weight", [1.0, 1e-6])
def test_a_sample_unlike_the_whole_is_not_believed(weight):
    family, link, y = FAMILIES["poisson"]
    assert near(family, link, np.where(EIGHTH & (LEVEL == 1), 0.0, y), weight)[0] is None


def test_scoring_begins_again_where_a_sample_was_believed_in_error(monkeypatch):
    family, link, y = FAMILIES["binomial"]
    expected = fit_glm(X, np.where(EIGHTH, 0.0, y), family, link=link)
    monkeypatch.setattr(start, "FAR", np.inf)
    agree(fit_glm(X, np.where(EIGHTH, 0.0, y), family, link=link), expected)


def test_a_round_is_the_last_only_if_it_leaves_a_negligible_one():
    """Each round squares the decrement or, under links far from canonical, multiplies it by some factor."""
    assert negligible(9e-19, 1e-8, 1e-20, 10)  # leaves 1e-28
    assert not negligible(9e-19, 1e-17, 1e-20, 10)  # leaves 1e-19
    assert not negligible(9e-19, 0.0, 1e-20, 10)  # who knows
    assert not negligible(1e-17, 1e-2, 1e-20, 10)  # itself too long for the weights
    assert negligible(1e-17, 1e-2, 1e-20, 200)


@pytest.mark.parametrize("bounded", [True, False])
def test_the_last_step_is_taken(bounded):
    family, link, y = FAMILIES["poisson"]
    ones = np.ones(N)
    evaluate = evaluator(ArrayRows(X, y, 0 * ones, ones), family, links.get(link))
    solution = fisher_scoring(evaluate, np.zeros(5), tol=1e-3, bounded=bounded)
    left = solve(evaluate(solution.beta, Gram)).decrement
    assert solution.converged and left < 1e-3 * solution.trace[-1].decrement
    if bounded:
        assert solution.step.decrement == pytest.approx(left)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_fit_takes_little_memory_beyond_its_data(order, monkeypatch):
    monkeypatch.setattr(design, "COPIED", 0)
    data, y = np.asarray(np.tile(X, (5, 1)), order=order), np.tile(FAMILIES["poisson"][2], 5)
    fit_glm(data, y, "poisson")
    tracemalloc.start()
    fit = fit_glm(data, y, "poisson")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert fit.converged and peak < 0.5 * data.nbytes  # blocks and a mask; a copy of X would take all of it


def test_a_sample_that_misses_a_level_does_not_alias_it():
    rare = np.zeros(N)
    rare[1 + 8 * np.arange(30)] = 1.0  # no eighth row
    y = np.random.default_rng(2).poisson(np.exp(ETA + rare)).astype(float)
    fit = fit_glm(np.c_[X, rare], y, "poisson")
    assert not fit.coef.isna().any() and abs(fit.coef.iloc[-1] - 1) < 6 * fit.se.iloc[-1]
    with pytest.warns(AliasWarning, match="x7"):
        fit_glm(np.c_[X, rare, X[:, 1] + rare], y, "poisson")


def test_a_separated_sample_of_data_that_are_not():
    x = np.tile([3.0, -1, 0.5, -0.5, 1, -2, 0.2, 2], 1000)
    y = (np.random.default_rng(3).random(len(x)) < 1 / (1 + np.exp(-x))).astype(float)
    y[::8] = 1.0  # every eighth row is an event
    with warnings.catch_warnings():
        warnings.simplefilter("error", GLMWarning)
        fit = fit_glm(np.c_[np.ones(len(x)), x], y, "binomial")
    assert fit.converged and abs(np.sum(y - fit.fitted)) < 1e-6


def test_separation_of_many_rows_is_said():
    x = np.where(np.arange(N) < N // 2, -1, 1) * np.abs(X[:, 1] + 0.01)
    with pytest.warns(SeparationWarning, match=r"x2 \(\+inf\)"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit_glm(np.c_[np.ones(N), x], (x > 0).astype(float), "binomial")


def test_the_numbers_of_a_row_lie_together_unless_X_is_too_large_to_copy(monkeypatch):
    table = pd.DataFrame({"x": x, "level": LEVEL.astype(str), "y": FAMILIES["poisson"][2]})
    assert design.from_formula("y ~ x + level", table).X.flags.c_contiguous
    columns = np.asfortranarray(X)
    assert design.from_arrays(columns, table["y"]).X.flags.c_contiguous
    assert np.shares_memory(design.from_arrays(X, table["y"]).X, X)
    expected = fit_glm(X, table["y"], "poisson")
    monkeypatch.setattr(design, "COPIED", X.size - 1)
    kept = fit_glm(columns, table["y"], "poisson")
    assert np.shares_memory(kept.design.X, columns) and kept.design.rows.sample().X.flags.c_contiguous
    np.testing.assert_allclose(kept.coef, expected.coef, rtol=1e-9)
    np.testing.assert_allclose(kept.se, expected.se, rtol=1e-8)


def test_rounds_that_lose_their_way_begin_again_at_a_constant_mean(monkeypatch):
    table = np.column_stack([np.ones(4), [0.0, 0, 1, 1]]), np.array([1.0, 0, 1, 0]), np.array([120.0, 99880, 30, 199970])
    expected = fit_glm(*table[:2], "binomial", weights=table[2])
    step = start.starting_step

    def astray(*arguments):
        return step(*arguments)._replace(direction=np.array([-320.0, 240.0]))

    monkeypatch.setattr(start, "starting_step", astray)
    with pytest.warns(ConvergenceWarning):
        fit_glm(*table[:2], "binomial", weights=table[2], start=[-320.0, 240.0])  # where the user sent it
    again = fit_glm(*table[:2], "binomial", weights=table[2])
    assert again.converged
    np.testing.assert_allclose(again.coef, expected.coef, rtol=1e-9)


def test_steps_too_long_for_a_number_are_silent():
    """A score that overflows belongs to a trial far out: the trial is halved, and nobody is told."""
    huge = Gram(np.eye(2), np.array([1e200, -1e200]), 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert solve(huge) is None
        assert chords(lambda beta, kind: huge, np.zeros(2), np.eye(2), 1.0, limit=1e-9, settled=10) is None
