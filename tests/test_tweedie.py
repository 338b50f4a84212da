"""The Tweedie family: its known members, its densities and tails, the power's profile."""

import warnings

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

from glmref import BoundaryWarning, ConvergenceWarning, InputError, compare, datasets, families, fit_glm, glm
from glmref.families import tweedie_density
from glmref.numerics import entropy_gap, stirling_error

KNOWN = {0: "gaussian", 1: "poisson", 2: "gamma", 3: "inverse_gaussian"}


def simulated(power=1.6, phi=1.3, n=300, seed=1):
    rng = np.random.default_rng(seed)
    X = np.c_[np.ones(n), rng.uniform(-1, 1, n)]
    return X, families.Tweedie(power).draw(np.exp(0.5 + X[:, 1]), phi, 1.0, rng)


X, Y = simulated()
ESTIMATED = fit_glm(X, Y, "tweedie")


@pytest.mark.parametrize("power", KNOWN)
def test_whole_powers_are_the_known_families(power):
    tweedie, known = families.Tweedie(power), families.get(KNOWN[power])
    y, mu, weight = np.array([1.0, 2.0, 7.0]), np.array([1.5, 2.0, 4.0]), np.array([1.0, 2.0, 0.5])
    phi = known.dispersion or 0.4
    np.testing.assert_allclose(tweedie.unit_deviance(y, mu), known.unit_deviance(y, mu), rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(tweedie.variance_derivative(mu), known.variance_derivative(mu), rtol=1e-14)
    np.testing.assert_allclose(tweedie.log_density(y, mu, phi, weight), known.log_density(y, mu, phi, weight), rtol=1e-13)
    np.testing.assert_allclose(tweedie.tails(y, mu, phi, weight), known.tails(y, mu, phi, weight))
    np.testing.assert_allclose(tweedie.open_tails(y, mu, phi, weight), known.open_tails(y, mu, phi, weight))
    np.testing.assert_allclose(tweedie.normalized(y), known.normalized(y))
    assert tweedie.response_domain.split(" ")[0] in ("any", "a") and tweedie.in_domain(-1.0) == known.in_domain(-1.0)
    one, two = fit_glm(X, Y + 1, tweedie), fit_glm(X, Y + 1, known, link="log")
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9)
    for what in ("deviance", "loglik", "aic", "dispersion"):
        assert getattr(one, what) == pytest.approx(getattr(two, what), rel=1e-10), what


@pytest.mark.parametrize("power", [2 - 1e-9, 2 + 1e-9, 1 + 1e-9, 3 + 1e-9])
def test_the_deviance_is_continuous_in_the_power(power):
    known = families.get(KNOWN[round(power)])
    y, mu = np.array([0.01, 1.0, 1.2, 60.0]), np.array([2.0, 1.0 + 1e-7, 0.7, 3.0])
    np.testing.assert_allclose(families.Tweedie(power).unit_deviance(y, mu), known.unit_deviance(y, mu), rtol=1e-7)


@pytest.mark.parametrize("power", [2 - 1e-9, 2 + 1e-12, 2 + 1e-9])
def test_the_density_is_continuous_where_it_becomes_that_of_the_gamma(power):
    y, mu = np.array([0.01, 1.0, 1.2, 60.0]), np.array([2.0, 1.0 + 1e-7, 0.7, 3.0])
    np.testing.assert_allclose(families.Tweedie(power).log_density(y, mu, 0.3), families.Gamma().log_density(y, mu, 0.3), rtol=1e-7)


@pytest.mark.parametrize("power", [2 + 1e-9, 2.0005, 2.3, 7.0, 15.0])
def test_the_density_of_a_stable_law_to_its_last_digits(power):
    """Zolotarev's integral with 40 digits, a form whose terms may cancel."""
    with mpmath.workdps(40):
        p = mpmath.mpf(power)
        c = (p - 2) / (p - 1)

        def B(u):
            return mpmath.sin((1 - c) * u) * mpmath.sin(c * u) ** (p - 2) / mpmath.sin(u) ** (p - 1) / ((1 - c) * c ** (p - 2))

        for y, phi in ((2.0, 0.3), (1.3, 0.001), (3.0, 30.0)):
            K = mpmath.mpf(y) ** (2 - p) / (phi * (p - 1) * (p - 2))
            end = mpmath.pi - mpmath.mpf(10) ** -20
            near = [min(k / mpmath.sqrt(K * c), end) for k in (0.5, 1, 2, 4, 8, 16, 32)]
            cuts = sorted({mpmath.mpf(10) ** -30, *near, *(end * part for part in (0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.99999, 1))})
            wanted = mpmath.log((p - 2) * K / (mpmath.pi * y) * mpmath.quad(lambda u: B(u) * mpmath.exp(-K * (B(u) - 1)), cuts))
            assert families.Tweedie(power).saturated_log_density(y, phi, 1.0) == pytest.approx(float(wanted), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("power", [1.2, 1.7, 2.4, 3.6])
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_densities_integrate_to_one_with_the_promised_mean_and_variance(power, weight):
    family, mu, phi = families.Tweedie(power), 1.7, 0.4
    zero = np.exp(-(mu ** (2 - power)) * weight / (phi * (2 - power))) if power < 2 else 0.0
    if power < 2:
        assert family.log_density(np.zeros(1), mu, phi, weight)[0] == pytest.approx(np.log(zero), rel=1e-13)
    x, step = np.linspace(-80, 7, 8001, retstep=True)  # y = e^x: the trapezoid is exponentially accurate
    y = np.exp(x)
    mass = np.exp(family.log_density(y, np.full(y.shape, mu), phi, weight)) * y * step
    assert zero + mass.sum() == pytest.approx(1, rel=1e-9)
    assert mass @ y == pytest.approx(mu, rel=1e-8)
    assert mass @ (y - mu) ** 2 + zero * mu**2 == pytest.approx(phi * mu**power / weight, rel=1e-6)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_tails_are_integrals_of_the_density(power):
    family, mu, phi = families.Tweedie(power), 1.4, 0.8
    density = lambda x: np.exp(x + family.log_density(np.exp(np.array([x])), mu, phi)[0])
    for y in (0.3, 1.4, 5.0):
        low, high = family.tails(np.array([y]), np.array([mu]), phi, 1.0)
        want = integrate.quad(density, np.log(y), np.log(60), epsabs=1e-12, limit=200)[0]
        assert high[0] == pytest.approx(want, rel=1e-7) and low[0] + high[0] == pytest.approx(1, rel=1e-13)
    zero = np.exp(-(mu ** (2 - power)) / (phi * (2 - power)))
    at_zero, before = family.tails(np.zeros(1), mu, phi, 1.0), family.open_tails(np.zeros(1), mu, phi, 1.0)
    assert at_zero[0][0] == pytest.approx(zero, rel=1e-13) and at_zero[1][0] == pytest.approx(1 - zero, rel=1e-13)
    assert (before[0][0], before[1][0]) == (0, 1)
    far = family.tails(np.array([40.0]), mu, phi, 1.0)[1][0]
    assert 0 < far < 1e-8  # its own digits, not those of 1 - P


def test_many_amounts_are_summed_in_strides_and_little_memory():
    """A mean number of 2e6 and 4e9 amounts: every h-th term stands for h; against all of them, and against the normal limit."""
    y, phi, power = np.array([1.0]), np.array([1e-6]), 1.5
    got = tweedie_density.saturated_jumps(y, phi, power)[0][0]
    a, rate = tweedie_density.jump_shape(power), 2e6
    j = np.arange(rate - 2e4, rate + 2e4)
    terms = -(1 + a) * entropy_gap(j, np.full(j.shape, rate)) - stirling_error(j) - stirling_error(a * j)
    assert got == pytest.approx(np.log(np.sum(np.exp(terms))) + 0.5 * np.log(a) - np.log(2 * np.pi), rel=1e-13)
    got = tweedie_density.saturated_jumps(np.array([5.0]), np.array([1e-9]), 1.2)[0][0]
    assert got == pytest.approx(-0.5 * np.log(2 * np.pi * 1e-9 * 5**1.2), abs=1e-8)
    many = np.full(20_000, 3.0)  # 20 000 rows of about 150 terms each, in chunks
    np.testing.assert_array_equal(
        tweedie_density.saturated_jumps(many, np.full(20_000, 0.02), 1.4)[0],
        many * 0 + tweedie_density.saturated_jumps(many[:1], np.full(1, 0.02), 1.4)[0],
    )


@pytest.mark.parametrize("power", [1.3, 1.9, 2.5, 5.0])
def test_the_slope_in_the_dispersion(power):
    family, y, weight = families.Tweedie(power), np.array([0.2, 1.0, 9.0]), np.array([1.0, 2.0, 0.3])
    for phi in (0.03, 0.8, 30.0):
        h = 1e-4
        at = lambda shift: family._saturated(y, phi * np.exp(shift), weight)[0]
        numerical = (8 * (at(h) - at(-h)) - at(2 * h) + at(-2 * h)) / (12 * h)
        np.testing.assert_allclose(family._saturated(y, phi, weight)[1], numerical, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("power", [1.6, 2.4])
def test_ml_dispersion_maximizes_the_likelihood(power):
    X, y = simulated(power)
    fit = fit_glm(X, y, families.Tweedie(power), dispersion="ml")
    at = lambda phi: fit_glm(X, y, families.Tweedie(power), dispersion=phi).loglik
    phi = fit.dispersion
    assert fit.loglik == pytest.approx(at(phi), rel=1e-13)
    assert at(phi) > max(at(phi * 1.001), at(phi / 1.001))
    assert abs(at(phi * 1.0001) - at(phi / 1.0001)) / 2e-4 < 1e-4
    assert fit.aic == pytest.approx(-2 * fit.loglik + 2 * 3)


def test_the_power_is_estimated_with_its_profile_and_interval():
    fit = ESTIMATED
    assert fit.family == families.Tweedie(fit.power) and f"{fit.power:.3f} (estimated)" in repr(fit)
    table = fit.power_profile([fit.power - 0.02, fit.power - 1e-4, fit.power, fit.power + 1e-4, fit.power + 0.02])
    assert table["loglik"].idxmax() == fit.power and table.index.name == "power"
    assert table["loglik"][fit.power] == pytest.approx(fit.loglik, rel=1e-12)
    assert table["dispersion"][fit.power] == pytest.approx(fit_glm(X, Y, fit.family, dispersion="ml").dispersion, rel=1e-9)
    # coefficients, dispersion and power
    assert fit.aic == pytest.approx(-2 * fit.loglik + 2 * 4)
    lower, upper = fit.power_interval(0.9)
    for end in (lower, upper):
        held = fit_glm(X, Y, families.Tweedie(end), dispersion="ml")
        assert 2 * (fit.loglik - held.loglik) == pytest.approx(stats.chi2(1).ppf(0.9), rel=1e-6)
    assert lower < fit.power < upper and lower < 1.6 < upper
    assert len(fit.power_profile()) == 9


def test_tests_hold_the_estimated_power():
    held = fit_glm(X, Y, ESTIMATED.family)
    for method in ("wald", "score", "lr"):
        assert ESTIMATED.test("x2", method).statistic == pytest.approx(held.test("x2", method).statistic, rel=1e-9)
    small = fit_glm(X[:, :1], Y, ESTIMATED.family)
    assert compare(small, held)["statistic"].iloc[1] == pytest.approx(held.test("x2", "lr").statistic, rel=1e-7)
    with pytest.raises(InputError, match="power = 1"):
        compare(fit_glm(X[:, :1], Y, "tweedie"), ESTIMATED)


def test_no_power_between_1_and_2_is_said():
    X, y = simulated(2.6, 0.3)
    with pytest.warns(BoundaryWarning, match=r"still rises where the power reaches 1\.99"):
        fit = fit_glm(X, y, "tweedie")
    assert fit.power == 1.99 and fit.power_interval()["upper"] == 2


def test_quantile_residuals_are_normal_and_random_only_at_zero():
    X, y = simulated(1.5, 1.5, 3000, seed=2)
    fit = fit_glm(X, y, families.Tweedie(1.5), dispersion="ml")
    one, two = fit.residuals("quantile"), fit.residuals("quantile", rng=1)
    assert 0.1 < (y == 0).mean() < 0.4
    np.testing.assert_array_equal(one[y > 0], two[y > 0])
    assert np.all(one[y == 0] != two[y == 0])
    assert stats.kstest(one, "norm").pvalue > 0.001
    for kind in ("response", "pearson", "deviance", "working", "anscombe"):
        assert np.isfinite(fit.residuals(kind)).all(), kind
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance("HC0"))) / fit.se, 1, atol=0.1)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_unit_of_the_response_does_not_matter(scale):
    one, two = fit_glm(X, Y, families.Tweedie(1.6)), fit_glm(X, Y * scale, families.Tweedie(1.6))
    assert two.coef.iloc[1] == pytest.approx(one.coef.iloc[1], rel=1e-9)
    assert two.se.iloc[1] == pytest.approx(one.se.iloc[1], rel=1e-9)
    assert two.loglik == pytest.approx(one.loglik - np.count_nonzero(Y) * np.log(scale), rel=1e-10)


@pytest.mark.parametrize("power", [1.2, 1.5, 1.9])
def test_a_mean_drawn_to_zero_ends_at_the_boundary(power):
    """A zero response and the identity link: the information overflows before the mean does."""
    with pytest.warns(BoundaryWarning, match="edge of those that the identity link"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = fit_glm(np.c_[np.ones(6), np.arange(6.0)], [0, 1, 1.0, 4, 0, 9], families.Tweedie(power), link="identity")
    assert 0 < fit.fitted[0] < 1e-9 and np.isfinite(fit.coef).all()


def test_rows_of_weight_zero_change_nothing():
    weight = (np.arange(len(Y)) % 4 > 0) * 1.0
    one, two = fit_glm(X, Y, "tweedie", weights=weight), fit_glm(X[weight > 0], Y[weight > 0], "tweedie")
    assert one.power == pytest.approx(two.power, abs=1e-6) and one.loglik == pytest.approx(two.loglik, rel=1e-11)
    assert np.isnan(one.residuals("quantile")[weight == 0]).all()
    np.testing.assert_allclose(one.power_profile([1.5]), two.power_profile([1.5]), rtol=1e-10)


def test_leaf_blotch_areas_with_exact_zeros():
    """Real shares of leaf area, some exactly 0: one mean for each site, whatever the power."""
    fit = glm("affected ~ site", datasets.load("leafblotch"), "tweedie")
    assert 1 < fit.power < 2 and (fit.design.y == 0).any()
    table = datasets.load("leafblotch").groupby("site", observed=True)["affected"].mean()
    np.testing.assert_allclose(np.unique(fit.fitted), np.unique(table), rtol=1e-8)


def test_what_a_tweedie_family_refuses():
    for call, message in [
        (lambda: families.Tweedie(0.5), "power as 0 or a number >= 1"),
        (lambda: families.Tweedie(-1), "power as 0 or a number >= 1"),
        (lambda: families.Tweedie().variance(1.0), "power is to be estimated"),
        (lambda: fit_glm(X, Y - 1, "tweedie"), "a number >= 0"),
        (lambda: fit_glm(X, Y, families.Tweedie(2.5)), "a number > 0"),
        (lambda: ESTIMATED.alpha, "a family that has alpha"),
        (lambda: ESTIMATED.power_profile([2.5]), "exact zeros"),
        (lambda: ESTIMATED.power_interval(95), "between 0 and 1"),
        (lambda: fit_glm(X, Y, families.Tweedie(1.5)).power_interval(), "1.5, given"),
        (lambda: fit_glm(X, Y + 1, "gamma").power_profile(), "has power"),
        (lambda: fit_glm(X, Y + 1, families.Tweedie(2.5)).residuals("quantile"), "distribution function"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
