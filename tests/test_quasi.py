"""Quasi-families: the known family with an estimated dispersion, and no likelihood."""

import numpy as np
import pytest

from glmref import InputError, datasets, families, fit_glm, glm

PAIRS = [
    ("quasipoisson", "poisson", "log"),
    ("quasipoisson", "poisson", "sqrt"),
    ("quasibinomial", "binomial", "logit"),
    ("quasibinomial", "binomial", "cloglog"),
]


def both(quasi, known, link):
    if known == "poisson":
        return [glm("insects ~ spray", datasets.load("insectsprays"), family, link=link) for family in (quasi, known)]
    seeds = datasets.load("seeds")
    return [glm("I(germinated / seeds) ~ extract", seeds, family, link=link, weights="seeds") for family in (quasi, known)]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_a_quasi_fit_is_the_known_fit_with_pearsons_dispersion(pair):
    one, two = both(*pair)
    np.testing.assert_array_equal(one.coef, two.coef)
    assert one.deviance == two.deviance and one.null_deviance == two.null_deviance
    assert one.dispersion == one.pearson_chi2 / one.df_resid and one.dispersion_estimated
    np.testing.assert_allclose(one.se, two.se * np.sqrt(one.dispersion), rtol=1e-13)
    np.testing.assert_array_equal(one.covariance("HC0"), two.covariance("HC0"))
    wald, lr = one.test(np.eye(one.rank)[1:]), one.test(np.eye(one.rank)[1:], "lr")
    assert wald.df_denominator == lr.df_denominator == one.df_resid
    assert lr.statistic == pytest.approx((one.null_deviance - one.deviance) / (one.rank - 1) / one.dispersion, rel=1e-8)
    assert "P(>|t|)" in repr(one) and "log-likelihood       none" in repr(one)
    ratio = {"log": "rate ratio", "logit": "odds ratio", "cloglog": "hazard ratio"}.get(pair[2])
    assert (ratio in repr(one)) if ratio else ("ratio" not in repr(one))
    for kind in ("response", "pearson", "deviance", "working", "anscombe"):
        np.testing.assert_array_equal(one.residuals(kind), two.residuals(kind))
    assert (one.predict(interval=0.9)["upper"] > one.fitted).all()


@pytest.mark.parametrize("pair", PAIRS[::2], ids=str)
def test_what_needs_a_likelihood_says_why_there_is_none(pair):
    fit = both(*pair)[0]
    for call in (
        lambda: fit.loglik,
        lambda: fit.aic,
        lambda: fit.bic,
        lambda: fit.residuals("quantile"),
        lambda: fit.family.draw(fit.fitted, 1.0, 1.0, np.random.default_rng(0)),
        lambda: fit.family.ml_dispersion(1.0, np.ones(3)),
        lambda: fit_glm(fit.design.X, fit.design.y, fit.family, dispersion=2.0).loglik,
    ):
        with pytest.raises(InputError, match="mean and variance only"):
            call()
    with pytest.raises(InputError, match="dispersion='ml'"):
        fit_glm(fit.design.X, fit.design.y, fit.family, dispersion="ml")
    own = families.from_cumulant(lambda theta, lib: lib.exp(theta))
    with pytest.raises(InputError, match="dispersion='ml'"):
        fit_glm(fit.design.X, fit.design.y, own, dispersion="ml")


def test_other_dispersions_of_a_quasi_fit():
    sprays = datasets.load("insectsprays")
    one = glm("insects ~ spray", sprays, "quasipoisson", dispersion="deviance")
    assert one.dispersion == pytest.approx(one.deviance / one.df_resid)
    held = glm("insects ~ spray", sprays, "quasipoisson", dispersion=1.0)
    np.testing.assert_allclose(held.se, glm("insects ~ spray", sprays, "poisson").se, rtol=1e-13)
