"""The profile deviance against refits with the coefficient held by an offset."""

import numpy as np
import pytest

from glmref import InputError, datasets, glm
from glmref.profiles import profile

ORINGS = glm("distress ~ temperature", datasets.load("orings"), "binomial")
TREES = glm("volume ~ log(diameter) + log(height)", datasets.load("trees"), "gamma", link="log")


def test_each_point_is_a_fit_with_the_coefficient_held():
    result = profile(ORINGS, "temperature", points=9)
    orings = datasets.load("orings")
    for value, rise in result.curve["rise"].items():
        held = glm("distress ~ 1", orings, "binomial", offset=value * orings["temperature"])
        assert rise == pytest.approx(held.deviance - ORINGS.deviance, abs=1e-8)


@pytest.mark.parametrize("fit, term", [(ORINGS, "temperature"), (TREES, "log(height)"), (TREES, "Intercept")])
def test_intervals_are_those_of_the_fit_and_lie_at_the_cutoff(fit, term):
    result = profile(fit, term, level=0.9)
    assert result.profile_interval == pytest.approx(tuple(fit.confint(0.9, "profile").loc[term]))
    assert result.wald_interval == pytest.approx(tuple(fit.confint(0.9).loc[term]))
    at_ends = np.interp(result.profile_interval, result.curve.index, result.curve["root"])
    np.testing.assert_allclose(at_ends, [-result.cutoff, result.cutoff], rtol=2e-3)  # between 41 points
    assert result.curve["root"].is_monotonic_increasing
    assert result.curve.loc[result.estimate, "rise"] == 0


def test_for_least_squares_the_profile_is_walds_parabola():
    curve = profile(glm("distance ~ speed", datasets.load("cars")), "speed").curve
    np.testing.assert_allclose(curve["root"], curve["wald"], atol=1e-7)


def test_an_infinite_end_is_drawn_as_far_as_it_matters():
    """One group without events: the coefficient's profile levels off, and its lower end is infinite."""
    table = {"y": [0.0, 0, 0, 0, 1, 0, 1, 1], "g": list("bbbbaaaa")}
    with pytest.warns(match="separates"):
        fit = glm("y ~ g", table, "binomial")
    result = profile(fit, "g[T.b]", points=11)
    assert result.profile_interval[0] == -np.inf and np.isfinite(result.profile_interval[1])
    assert np.isfinite(result.curve.to_numpy()).all()
    rise = result.curve["rise"].to_numpy()
    assert rise[0] < 0.1 and rise[-1] > result.cutoff**2  # from where it is level to beyond the finite end
    with pytest.warns(match="separates"):
        mirrored = profile(glm("I(1 - y) ~ g", table, "binomial"), "g[T.b]", points=11)
    np.testing.assert_allclose(mirrored.curve["rise"], rise[::-1], rtol=1e-4, atol=1e-6)


def test_what_has_no_profile_is_refused():
    with pytest.raises(InputError, match="one estimated coefficient: Intercept, temperature.*'temp'"):
        profile(ORINGS, "temp")
    with pytest.raises(InputError, match="points"):
        profile(ORINGS, "temperature", points=2)
    with pytest.raises(InputError, match="level"):
        profile(ORINGS, "temperature", level=2)
