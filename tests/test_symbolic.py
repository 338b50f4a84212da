"""The algebra: what sympy derives must equal the numerics, and a non-member must be refused."""

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from glmref import InputError, datasets, families, glm, links, symbolic
from glmref.symbolic import eta, mu, phi, w, y

n = sp.Symbol("n", positive=True)
positive_y = sp.Symbol("y", positive=True)
DENSITIES = {
    "gaussian": sp.exp(-((y - mu) ** 2) / (2 * phi)) / sp.sqrt(2 * sp.pi * phi),
    "poisson": sp.exp(-mu) * mu**positive_y / sp.factorial(positive_y),
    "binomial": sp.binomial(n, n * positive_y) * mu ** (n * positive_y) * (1 - mu) ** (n - n * positive_y),
    "gamma": (positive_y / (mu * phi)) ** (1 / phi) * sp.exp(-positive_y / (mu * phi)) / (positive_y * sp.gamma(1 / phi)),
    "inverse_gaussian": sp.exp(-((positive_y - mu) ** 2) / (2 * phi * mu**2 * positive_y)) / sp.sqrt(2 * sp.pi * phi * positive_y**3),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_are_read_into_canonical_form(name):
    form = symbolic.canonical_form(DENSITIES[name], mu, (phi, n))
    family = families.get(name)
    assert sp.simplify(form.cumulant.subs(form.theta, symbolic.theta_for(family)) - family.cumulant(symbolic.theta_for(family), sp)) == 0
    assert form.a == {"poisson": 1, "binomial": 1 / n}.get(name, phi)
    response = y if name == "gaussian" else positive_y
    rebuilt = sp.exp((response * form.theta_of - form.cumulant.subs(form.theta, form.theta_of)) / form.a + form.c)
    at = {response: sp.Rational(1, 4), mu: sp.Rational(1, 3), phi: sp.Rational(2, 5), n: 8}
    assert abs(sp.N((rebuilt / DENSITIES[name]).subs(at), 30) - 1) < 1e-25


def test_non_members_are_refused():
    student = (1 + (y - mu) ** 2 / n) ** (-(n + 1) / 2)
    with pytest.raises(InputError, match="linear in y"):
        symbolic.canonical_form(student, mu, (n,))
    with pytest.raises(InputError, match="moves the support"):
        symbolic.canonical_form(1 / mu, mu)


WITH_PARAMETER = [families.NegativeBinomial(0.5), families.NegativeBinomial(0.7), families.Tweedie(1.5), families.Tweedie(2.5)]


def test_a_parameter_enters_the_formulas_as_a_fraction():
    assert sp.simplify(symbolic.derive(families.NegativeBinomial(0.7)).variance_function - mu * (1 + 7 * mu / 10)) == 0
    assert symbolic.derive(families.Tweedie(2.5)).variance_function == mu ** sp.Rational(5, 2)


@pytest.mark.parametrize("name", [*DENSITIES, *WITH_PARAMETER], ids=str)
def test_derivations_agree_with_the_numerics(name):
    family, derivation = families.get(name), symbolic.derive(name)
    for value in (0.2, 0.5, 0.85):
        assert family.variance(value) == pytest.approx(float(derivation.variance_function.subs(mu, value)), rel=1e-13)
        assert family.canonical_parameter(value) == pytest.approx(float(derivation.canonical.subs(mu, value)), rel=1e-13)
        deviance = float(derivation.unit_deviance.subs({mu: value, y: 0.3}))
        assert family.unit_deviance(0.3, value) == pytest.approx(deviance, rel=1e-11)
    assert sp.simplify(sp.diff(derivation.cumulant, derivation.theta) - derivation.mean) == 0
    assert sp.simplify(derivation.variance_function - derivation.variance.subs(derivation.theta, derivation.canonical)) == 0
    assert derivation._repr_latex_().startswith("$")


@pytest.mark.parametrize("link", sorted(links.BY_NAME))
def test_inverse_links_as_expressions(link):
    expression = symbolic.inverse_link(link)
    for value in (0.3, 0.8):
        assert float(expression.subs(eta, value)) == pytest.approx(float(links.get(link).inverse(value)), rel=1e-13)


@pytest.mark.parametrize("pair", [("binomial", "logit"), ("binomial", "cloglog"), ("poisson", "log"), ("gamma", "log"), ("gaussian", "identity")])
def test_score_and_information_are_the_working_pair(pair):
    family, link = families.get(pair[0]), links.get(pair[1])
    at = {eta: 0.4, y: 0.7, phi: 1, w: 1}
    weight, score = family.working(np.array(0.7), np.array(0.4), link)
    assert float(symbolic.score(*pair).subs(at)) == pytest.approx(float(score), rel=1e-12)
    assert float(symbolic.information(*pair).subs(at)) == pytest.approx(float(weight), rel=1e-12)


def test_a_family_from_its_cumulant_is_the_family():
    sprays = datasets.load("insectsprays")
    own = families.from_cumulant(lambda theta, lib: lib.exp(theta), name="own", dispersion=1)
    one, two = glm("insects ~ spray", sprays, own), glm("insects ~ spray", sprays, "poisson")
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.se, two.se, rtol=1e-9)
    assert one.deviance == pytest.approx(two.deviance, rel=1e-10)
    assert float(own.canonical_link.definition(mp.mpf(2), mp)) == pytest.approx(np.exp(2))
    assert (sprays["insects"] == 0).any()  # the edge of the range, where theta is minus infinity


def test_a_family_that_no_table_lists():
    """b = log[(e^theta - 1) / theta]: the continuous Bernoulli, whose b' has no inverse in closed form."""
    family = families.from_cumulant(lambda theta, lib: lib.log((lib.exp(theta) - 1) / theta), name="continuous Bernoulli")
    assert family.mean_interval == (0, 1)
    share = np.array([0.05, 0.3, 0.45, 0.7, 0.99])
    theta = family.canonical_parameter(share)
    np.testing.assert_allclose(1 / (1 - np.exp(-theta)) - 1 / theta, share, rtol=1e-11)
    draws = np.random.default_rng(1).uniform(size=400)
    tilt = np.exp(np.outer(theta, draws))
    np.testing.assert_allclose((tilt * draws).mean(1) / tilt.mean(1), share, atol=0.12)
    # variance of the density proportional to exp(theta y) on (0, 1), by integration
    grid = np.linspace(0, 1, 200001)
    for mean, parameter in zip(share, theta):
        density = np.exp(parameter * grid)
        density /= np.trapezoid(density, grid)
        assert family.variance(mean) == pytest.approx(np.trapezoid(density * (grid - mean) ** 2, grid), rel=1e-6)
    with pytest.raises(InputError, match="from 0 to 1"):
        glm("y ~ 1", {"y": [0.2, 1.0, 0.4]}, family)


def test_geometric_counts_from_their_cumulant():
    """b = -log(1 - e^theta), theta < 0: V = mu + mu^2, the negative binomial with alpha = 1."""
    family = families.from_cumulant(
        lambda theta, lib: -lib.log(1 - lib.exp(theta)), name="geometric", parameter_interval=(-np.inf, 0), dispersion=1
    )
    mean = np.array([0.1, 1.0, 7.0, 300.0])
    np.testing.assert_allclose(family.variance(mean), mean + mean**2, rtol=1e-11)
    np.testing.assert_allclose(family.unit_deviance(np.zeros(4), mean), 2 * np.log1p(mean), rtol=1e-11)
    assert family.mean_interval == (0, np.inf)


def test_a_cumulant_that_only_lambert_inverts():
    """Zero-truncated Poisson counts: b = log(exp(exp(theta)) - 1); sympy's inverse is no numpy function."""
    family = families.from_cumulant(lambda theta, lib: lib.log(lib.exp(lib.exp(theta)) - 1), name="truncated", dispersion=1)
    rate = np.array([0.5, 2.0, 6.0])
    mean = rate / -np.expm1(-rate)
    np.testing.assert_allclose(family.canonical_parameter(mean), np.log(rate), rtol=1e-9)
    np.testing.assert_allclose(family.variance(mean), mean * (1 + rate - mean), rtol=1e-8)
