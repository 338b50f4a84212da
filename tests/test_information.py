"""Expected and observed information, against differences of the score, against theory, and against statsmodels."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm

from glmref import InputError, datasets, families, fit_glm, glm, links
from glmref.information import inverse, observed_weight
from instances import EVERY_FAMILY, EVERY_LINK

CRABS = datasets.load("crabs")


def possible(family, link):
    eta = np.linspace(-2.1, 2.2, 44)  # farther out 1 - mu has too few digits for differences
    with np.errstate(all="ignore"):
        return eta[family.valid(eta, link)]


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=str)
@pytest.mark.parametrize("link", EVERY_LINK, ids=str)
def test_observed_weight_is_minus_the_slope_of_the_score(family, link):
    eta = possible(family, link)
    inside = [value for value in (0.25, 0.9, 1.0, 2.0) if family.in_domain(np.array([value]))[0]]
    for value in inside:
        y, h = np.full(len(eta), value), 1e-6
        score = lambda at: family.working(y, at, link)[1]  # noqa: E731
        keep = family.valid(eta - 2 * h, link) & family.valid(eta + 2 * h, link) & (np.abs(eta) > 0.1)
        at, y = eta[keep], y[keep]
        slope = (8 * (score(at + h) - score(at - h)) - (score(at + 2 * h) - score(at - 2 * h))) / (12 * h)
        size = np.abs(slope) + np.abs(family.working(y, at, link)[0]) + np.abs(score(at))
        assert np.max(np.abs(observed_weight(y, at, family, link) + slope) / size, initial=0.0) < 1e-7


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=str)
def test_they_agree_under_the_canonical_link(family):
    link = family.canonical_link
    eta = possible(family, link)
    y = np.full(len(eta), 1.0)
    slow = observed_weight(y, eta, family, _NotRecognized(link))
    np.testing.assert_allclose(slow, family.working(y, eta, link)[0], rtol=1e-9, atol=1e-12 * np.abs(y).max())


class _NotRecognized(links.Link):
    """The same link under another type, so that nothing can know that it is canonical."""

    name = "disguised"

    def __init__(self, link):
        object.__setattr__(self, "inner", link)

    def link(self, mu):
        return self.inner.link(mu)

    def inverse(self, eta):
        return self.inner.inverse(eta)

    def derivative(self, eta):
        return self.inner.derivative(eta)

    def second_derivative(self, eta):
        return self.inner.second_derivative(eta)

    def relative_derivative(self, eta):
        return self.inner.relative_derivative(eta)

    def hazard(self, eta):
        return self.inner.hazard(eta)


@pytest.mark.parametrize("family, link", [("poisson", "sqrt"), ("gamma", "log"), ("inverse_gaussian", "log"), ("binomial", "probit")])
def test_observed_standard_errors_are_those_of_statsmodels_newton(family, link):
    y = {"poisson": CRABS["satellites"], "binomial": CRABS["satellites"] > 0}.get(family, CRABS["weight"]).to_numpy(float)
    X = np.c_[np.ones(len(CRABS)), CRABS["width"] - 26]
    fit = fit_glm(X, y, family, link=link)
    names = {"poisson": sm.families.Poisson, "binomial": sm.families.Binomial, "gamma": sm.families.Gamma,
             "inverse_gaussian": sm.families.InverseGaussian}
    theirs = names[family](link={"sqrt": sm.families.links.Sqrt, "log": sm.families.links.Log, "probit": sm.families.links.Probit}[link]())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels on the range of the square root
        model = sm.GLM(y, X, family=theirs)
    hessian = -model.hessian(fit.coef.to_numpy(), scale=fit.dispersion, observed=True)
    np.testing.assert_allclose(fit.information("observed"), hessian, rtol=1e-8)
    np.testing.assert_allclose(fit.covariance("observed"), np.linalg.inv(hessian), rtol=1e-7)
    assert np.max(np.abs(fit.covariance("observed") / fit.cov - 1)) > 1e-4  # the links are not canonical


def test_the_observed_information_averages_to_the_expected_one():
    rng = np.random.default_rng(4)
    X = np.c_[np.ones(60), np.linspace(-1, 1, 60)]
    eta, family, link = X @ [0.4, 0.5], families.Gamma(), links.Log()
    draws = [X.T * observed_weight(family.draw(np.exp(eta), 0.5, 1.0, rng), eta, family, link) @ X for _ in range(4000)]
    expected = X.T * family.working(np.ones(60), eta, link)[0] @ X
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    assert np.all(np.abs(np.mean(draws, axis=0) - expected) < 4.5 * error + 1e-12)


def test_expected_information_is_the_inverse_of_the_covariance():
    fit = glm("satellites ~ width + C(color)", CRABS, "poisson", link="sqrt", dispersion="pearson")
    np.testing.assert_allclose(fit.information() @ fit.cov, np.eye(fit.rank), atol=1e-9)
    with pytest.raises(InputError, match='"expected" or "observed"'):
        fit.information("fisher")


def test_an_indefinite_information_is_refused():
    with pytest.raises(InputError, match="positive definite"):
        inverse(np.array([[1.0, 2.0], [2.0, 1.0]]))
