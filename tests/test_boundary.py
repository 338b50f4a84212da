"""Best fits on the boundary of the possible means: found exactly, named, and not left for a false convergence."""

import mpmath as mp
import numpy as np
import pytest
from scipy import optimize

from glmref import BoundaryWarning, GLMWarning, InputError, datasets, families, fit_glm, glm, links
from glmref.blocks import ArrayRows
from glmref.boundary import balanced, inside, settle
from glmref.irls import Solution
from glmref.restricted import restricted_fit

SPREAD = np.linspace(0, 2, 9)


def least_on_line(family, link, y, offset, x):
    """The least deviance of eta = offset + b x over the numbers b that give possible means: one unknown, no iteration of ours."""
    low, high = family.eta_interval(np.full(len(y), 0.3 if link.name != "log" else -0.3), link)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.concatenate([(low - offset) / x, (high - offset) / x])[np.r_[x, x] != 0]
        rising = np.r_[x > 0, x < 0][np.r_[x, x] != 0]
    fixed = x == 0
    if np.any((offset < low - 1e-9)[fixed] | (offset > high + 1e-9)[fixed]):
        return np.inf
    left, right = np.max(ends[rising], initial=-50), np.min(ends[~rising], initial=50)
    if not left < right:
        return np.inf

    def deviance(b):
        return family.deviance(y, np.clip(offset + b * x, low + 1e-13, high - 1e-13), link).sum()

    found = optimize.minimize_scalar(deviance, bounds=(left, right), method="bounded", options={"xatol": 1e-13})
    return min(found.fun, deviance(left), deviance(right))


def draw(pair, rng):
    """Twelve responses whose mean, a line in x, leaves the possible range."""
    x = np.sort(rng.uniform(0, 2, 12))
    eta = {"log": -1.2 + 0.8 * x, "identity": -0.4 + 0.9 * x, "sqrt": -0.4 + 0.9 * x}.get(pair[1], -0.4 + 0.9 * x)
    if pair[0] == "poisson":
        return x, rng.poisson(3 * np.maximum(eta, 0)) * 1.0
    if pair[0] == "gaussian":
        return x, eta - 0.2 + 0.1 * rng.normal(size=12)
    return x, (rng.uniform(size=12) < np.clip(np.exp(eta) if pair[1] == "log" else eta, 0, 1)) * 1.0


PAIRS = [
    ("poisson", "identity"),
    ("poisson", "sqrt"),
    ("poisson", links.Power(0.3)),
    ("binomial", "log"),
    ("binomial", "identity"),
]
PAIRS += [("binomial", "sqrt"), ("gaussian", "sqrt")]


@pytest.mark.filterwarnings("ignore::glmref.GLMWarning")
@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_no_point_of_the_boundary_is_better(pair):
    """With two coefficients the boundary is made of lines, one per row: the least of all of them, by a search in one unknown."""
    rng, at_boundary = np.random.default_rng(3), 0
    for _ in range(7):
        x, y = draw(pair, rng)
        if np.ptp(y) == 0:
            continue
        fit = fit_glm(np.c_[np.ones(12), x], y, pair[0], link=pair[1])
        low, high = fit.family.eta_interval(fit.linear_predictor, fit.link)
        lines = [
            least_on_line(fit.family, fit.link, y, np.full(12, end), x - x[i])
            for ends in (low, high)
            for i, end in enumerate(ends)
            if np.isfinite(end)
        ]
        assert fit.converged
        if fit.boundary.any():
            at_boundary += 1
            assert fit.deviance == pytest.approx(min(lines), rel=1e-8, abs=1e-8)
        else:
            assert fit.deviance < min(lines) + 1e-9
    assert at_boundary


def test_square_root_in_closed_form():
    """The mean of the first row is held at 0; then eta = b x, and b^2 = sum y / sum x^2."""
    x, y = np.arange(6.0), np.array([0, 0, 0, 1, 0, 3.0])
    with pytest.warns(
        BoundaryWarning, match=r"1 fitted mean lies at the edge .*: row 0\. .*standard errors and tests do not hold"
    ):
        fit = fit_glm(np.c_[np.ones(6), x], y, "poisson", link="sqrt")
    np.testing.assert_allclose(fit.coef, [0, np.sqrt(4 / 55)], atol=1e-10)
    eta = np.sqrt(4 / 55) * x[[3, 5]]
    assert fit.deviance == pytest.approx(2 * np.sum(y[[3, 5]] * np.log(y[[3, 5]] / eta**2)), rel=1e-10)
    assert fit.solution.ended == "boundary" and fit.converged and fit.boundary.tolist() == [True] + [False] * 5
    assert "1 mean at the edge" in repr(fit)


def test_log_binomial_against_fifty_digits():
    """Bliss's beetles: the top dose is held at probability 1; what is left is one equation in the slope."""
    beetles = datasets.load("beetles")
    with pytest.warns(BoundaryWarning, match=r"row 7\."):
        fit = glm("I(killed / beetles) ~ log_dose", beetles, "binomial", weights="beetles", link="log")
    rows = [tuple(map(mp.mpf, row)) for row in beetles[["log_dose", "killed", "beetles"]].to_numpy()]
    top = rows[-1][0]

    def score(slope):
        return mp.fsum(
            (x - top) * (k - (n - k) * mp.exp(slope * (x - top)) / (1 - mp.exp(slope * (x - top)))) for x, k, n in rows[:-1]
        )

    with mp.workdps(50):
        slope = mp.findroot(score, 10)
        np.testing.assert_allclose(fit.coef, [float(-slope * top), float(slope)], rtol=1e-9)


def test_identity_link_in_closed_form_with_two_rows_held():
    """Two patterns of zeros are held at 0, which leaves one rate: the total count over the total of what it multiplies."""
    X = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 2, 1], [1, 2, 2.0]])
    y = np.array([0, 0, 0, 2, 1, 7.0])
    with pytest.warns(BoundaryWarning, match="3 fitted means"):
        fit = fit_glm(X, y, "poisson", link="identity")
    np.testing.assert_allclose(fit.coef, [0, 0, 10 / 4], atol=1e-9)


def test_a_profile_goes_on_where_the_standard_error_is_far_too_small():
    """Counts with a row of 0 held at mean 0: the intercept cannot be less than 0, and its standard error is nearly 0."""
    x, y = np.arange(6.0), np.array([0.0, 1, 1, 2, 5, 6])
    with pytest.warns(BoundaryWarning):
        fit = fit_glm(np.c_[np.ones(6), x], y, "poisson", link="identity")
    lower, upper = fit.confint(method="profile").loc["x1"]
    assert fit.se["x1"] < 1e-5 and lower == pytest.approx(0, abs=1e-9)
    rise = least_on_line(fit.family, fit.link, y, np.full(6, upper), x) - fit.deviance
    assert upper > 0.1 and rise == pytest.approx(3.841458820694124, rel=1e-8)


def test_the_score_must_point_outwards():
    """Poisson, eta = b, one row of 0 and one of 1: at b = 0 the deviance falls inwards, at b = 2 outwards of an upper end."""
    rows = ArrayRows(np.ones((2, 1)), np.array([0.0, 1]), np.zeros(2), np.ones(2))
    poisson, identity, Q = families.Poisson(), links.Identity(), np.ones((2, 1))
    for b, side, want in [(0.25, -1.0, False), (0.25, 1.0, True), (2.0, -1.0, True), (2.0, 1.0, False)]:
        assert balanced(rows, Q, poisson, identity, np.full(2, b), np.array([side, 0])) is want
    assert balanced(rows, Q, poisson, identity, np.full(2, 0.5), np.zeros(2))


@pytest.mark.filterwarnings("ignore::glmref.GLMWarning")
@pytest.mark.parametrize("pair", PAIRS[:1] + PAIRS[3:5], ids=str)
def test_profile_intervals_end_where_the_restricted_deviance_has_risen(pair):
    """Also from an estimate on the boundary, whose standard error is far too small, and along it, where scoring sticks."""
    rng, seen = np.random.default_rng(8), 0
    while seen < 1:
        x, y = draw(pair, rng)
        fit = fit_glm(np.c_[np.ones(12), x], y, pair[0], link=pair[1])
        if not fit.boundary.any():
            continue
        seen += 1
        lower, upper = fit.confint(method="profile").loc["x2"]
        step = 1e-6 * (upper - lower)

        def rise(slope):
            return least_on_line(fit.family, fit.link, y, slope * x, np.ones(12)) - fit.deviance

        for end, inwards in ((lower, step), (upper, -step)):
            # the end of the interval, or of what is possible
            assert rise(end + inwards) < 3.841458820694124 < rise(end - inwards)


def test_a_start_on_the_wrong_part_of_the_boundary_is_left():
    """A row at its end has an infinite weight under the identity link: scoring that begins there thinks it has arrived."""
    x, y = np.arange(6.0), np.array([0.0, 5, 4, 6, 5, 4])
    rows = ArrayRows(np.c_[np.ones(6), x], y, np.zeros(6), np.ones(6))
    free = fit_glm(rows.X, y, "poisson", link="identity")
    stuck = Solution(np.array([1e-14, 1.0]), 1e3, None, "converged", ())
    settled = settle(rows, families.Poisson(), links.Identity(), stuck, 0.1)
    np.testing.assert_allclose(settled.beta, free.coef, rtol=1e-8)
    assert settled.ended == "converged"
    held = restricted_fit(rows, families.Poisson(), links.Identity(), np.array([[0.0, 1]]), np.array([0.5]), stuck.beta)
    assert held.cost == pytest.approx(least_on_line(families.Poisson(), links.Identity(), y, 0.5 * x, np.ones(6)), rel=1e-8)


def test_possible_means_are_found_where_there_are_any():
    X = np.c_[np.arange(7.0), [-2, 3, 1, 1, 3, 0, -3]]
    y = np.array([4.0, 2, 4, 7, 5, 2, 5])
    fit = fit_glm(X, y, "poisson", link="identity")  # neither a regression nor a constant mean starts here
    assert fit.converged and (fit.fitted > 0).all() and np.max(np.abs(X.T @ (y / fit.fitted - 1))) < 1e-6
    rows = ArrayRows(X, y, np.zeros(7), np.ones(7))
    assert np.min(X @ inside(rows, families.Poisson(), links.Identity(), 3.0)) > 0.1
    assert inside(ArrayRows(np.c_[[1.0, -1]], y[:2], np.zeros(2), np.ones(2)), families.Poisson(), links.Identity(), 3.0) is None
    assert inside(rows, families.Poisson(), links.Log(), 3.0) is None  # no end, no program
    with pytest.raises(InputError, match="every mean .* is possible"):
        fit_glm([[1.0], [-1]], [1, 2], "poisson", link="identity")


def test_a_likelihood_ratio_across_a_boundary_is_that_of_the_two_best_fits():
    x = np.r_[SPREAD, SPREAD]
    y = np.r_[np.zeros(4), 1, 0, 2, 3, 2, np.zeros(3), 1, 0, 1, 1, 4, 3]
    g = np.repeat([0.0, 1], 9)
    with pytest.warns(BoundaryWarning):
        large = fit_glm(np.c_[np.ones(18), x, g], y, "poisson", link="sqrt")
    with pytest.warns(BoundaryWarning):
        small = fit_glm(np.c_[np.ones(18), x], y, "poisson", link="sqrt")
    assert large.test("x3", "lr").statistic == pytest.approx(small.deviance - large.deviance, abs=1e-8)


def test_a_small_mean_is_not_a_boundary():
    x = np.array([1e-11, 1.0, 2, 3])
    fit = fit_glm(x[:, None], [0, 2, 3, 7], "poisson", link="identity")  # a warning would be an error
    np.testing.assert_allclose(fit.coef, 12 / 6, rtol=1e-9)


def test_where_no_boundary_is_nothing_is_done():
    solution = Solution(np.zeros(1), 5.0, None, "stalled", ())
    rows = ArrayRows(np.ones((3, 1)), np.arange(3.0), np.zeros(3), np.ones(3))
    assert settle(rows, families.Poisson(), links.Log(), solution, 0.1) is solution
    with pytest.warns(GLMWarning, match="2 rounds"):
        short = fit_glm(np.c_[np.ones(9), SPREAD], [5, 4, 4, 7, 2, 1, 3, 1, 1], "poisson", link="identity", max_iter=2)
    assert not short.converged and not short.boundary.any()
