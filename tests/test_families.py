"""Every family against its one-line cumulant, at 50 digits, and its density against integration and simulation."""

import mpmath as mp
import numpy as np
import pytest
from instances import EVERY_FAMILY
from scipy import integrate

from glmref import InputError, families, fit_glm, links
from glmref.links import UNIT

mp.mp.dps = 50


THETAS = {-np.inf: [-30, -5, -1.5, -0.4, -1e-4], 0.0: [1e-4, 0.4, 1.5, 5, 30]}


def theta_of(family):
    """theta(mu) of the family, each confirmed below by b'(theta(mu)) = mu."""
    shape = mp.mpf(family.shape) if family.shape_name else None
    counts, shares = mp.log, lambda m: mp.log(m / (1 - m))
    return {
        "gaussian": lambda m: m,
        "poisson": counts,
        "quasipoisson": counts,
        "binomial": shares,
        "quasibinomial": shares,
        "gamma": lambda m: -1 / m,
        "inverse_gaussian": lambda m: -1 / (2 * m**2),
        "negative_binomial": lambda m: mp.log(shape * m / (1 + shape * m)) if shape else mp.log(m),
        "tweedie": lambda m: m ** (1 - shape) / (1 - shape) if shape != 1 else mp.log(m),
    }[family.name]


def thetas(family):
    low, high = family.parameter_interval
    return [mp.mpf(t) for side in THETAS.values() for t in side if low < t < high]


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
def test_mean_and_variance_are_the_derivatives_of_b(family):
    for theta in thetas(family):
        mean = mp.diff(lambda t: family.cumulant(t, mp), theta)
        variance = mp.diff(lambda t: family.cumulant(t, mp), theta, 2)
        if family.mean_interval == UNIT and mean > 1 - mp.mpf("1e-3"):
            continue  # 1 - mu has cancelled in a double: covered from eta below
        assert family.variance(float(mean)) == pytest.approx(float(variance), rel=1e-12)
        assert mp.almosteq(theta_of(family)(mean), theta, 1e-40)
        assert family.canonical_parameter(np.float64(mean)) == pytest.approx(float(theta), rel=1e-11)


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
def test_the_derivative_of_the_variance_function(family):
    """V'(mu) = b'''(theta) / b''(theta), for dmu = b''(theta) dtheta."""
    for theta in thetas(family):
        mean, second, third = (mp.diff(lambda t: family.cumulant(t, mp), theta, k) for k in (1, 2, 3))
        got = family.variance_derivative(np.float64(mean))
        assert got == pytest.approx(float(third / second), rel=1e-12, abs=1e-12), theta


@pytest.mark.parametrize("family", [family for family in EVERY_FAMILY if family.has_likelihood], ids=repr)
def test_draws_have_the_promised_mean_and_variance(family):
    """Within 4.5 standard errors of simulation, whose seed is fixed; rows with weights of their own."""
    n, phi = 40_000, 1.0 if family.dispersion else 0.3
    rng = np.random.default_rng(3)
    mu, weight = (0.35 if family.mean_interval == UNIT else 1.7), np.repeat([1.0, 4.0], n)
    y = family.draw(np.full(2 * n, mu), phi, weight, rng).reshape(2, n)
    assert family.in_domain(y).all()
    for drawn, w in zip(y, (1.0, 4.0 if family.spacing != "count" else 1.0)):
        variance = phi * float(family.variance(mu)) / w
        assert abs(drawn.mean() - mu) < 4.5 * np.sqrt(variance / n)
        square = (drawn - mu) ** 2
        assert abs(square.mean() - variance) < 4.5 * square.std() / np.sqrt(n)


def test_draws_of_shares_need_whole_trials_and_of_unknown_families_a_method():
    with pytest.raises(InputError, match="a weight of 2.5"):
        families.Binomial().draw(np.full(2, 0.5), 1.0, np.array([2.0, 2.5]), np.random.default_rng(0))
    own = families.from_cumulant(lambda theta, lib: lib.exp(theta), dispersion=1)
    with pytest.raises(InputError, match="can be simulated"):
        own.draw(np.ones(2), 1.0, np.ones(2), np.random.default_rng(0))
    np.testing.assert_allclose(own.variance_derivative(np.array([0.3, 5.0])), 1.0, rtol=1e-12)


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
def test_unit_deviance_is_twice_the_bregman_divergence_of_b(family):
    for theta in thetas(family):
        mu = mp.diff(lambda t: family.cumulant(t, mp), theta)
        for theta_y in thetas(family):
            y = mp.mpf(float(mp.diff(lambda t: family.cumulant(t, mp), theta_y)))
            mu_double = mp.mpf(float(mu))
            if not (family.in_domain(np.float64(y)) and family.mean_interval[0] < mu_double < family.mean_interval[1]):
                continue
            if family.mean_interval == UNIT and (y == 1 or mu_double > 0.999):
                continue
            at_y, at_mu = theta_of(family)(y), theta_of(family)(mu_double)
            want = 2 * (y * (at_y - at_mu) - family.cumulant(at_y, mp) + family.cumulant(at_mu, mp))
            got = family.unit_deviance(np.float64(y), np.float64(mu_double))
            if abs(theta - theta_y) < mp.mpf("1e-20"):
                assert got <= 1e-25 * max(1, float(y))
            else:
                assert got == pytest.approx(float(want), rel=1e-11), (theta, theta_y)


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
def test_deviance_keeps_its_digits_beside_the_optimum(family):
    """y and mu that agree to k digits: the textbook formula would lose 2k of them."""
    base = 0.3 if family.mean_interval == UNIT else 3.0
    for k in range(1, 8):
        y, mu = mp.mpf(float(base)), mp.mpf(float(base * (1 + 10.0**-k)))
        theta = theta_of(family)
        want = 2 * (y * (theta(y) - theta(mu)) - family.cumulant(theta(y), mp) + family.cumulant(theta(mu), mp))
        assert family.unit_deviance(float(y), float(mu)) == pytest.approx(float(want), rel=1e-12 + 1e-15 * 10**k)


def test_poisson_deviance_at_counts_of_1e8():
    for y, mu in [(1e8, 1e8 + 1), (1e8, 99_990_000.0), (123_456_789.0, 1e8), (0.0, 1e8), (1e8, 1e-3)]:
        ym, mm = mp.mpf(y), mp.mpf(mu)
        want = 2 * ((ym * mp.log(ym / mm) if y else 0) - (ym - mm))
        assert families.Poisson().unit_deviance(y, mu) == pytest.approx(float(want), rel=1e-12)


@pytest.mark.parametrize("eta", [-700.0, -40.0, -5.0, 5.0, 40.0, 700.0])
@pytest.mark.parametrize("name", ["logit", "probit", "cloglog", "loglog", "cauchit"])
def test_binomial_deviance_from_eta_in_the_tails(name, eta):
    """y = 0 or 1 at an extreme eta: -2 log mu or -2 log(1 - mu), exact where mu itself has under- or overflowed."""
    link = links.get(name)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        at_one = families.Binomial().deviance(np.ones(1), np.array([eta]), link)[0]
        at_zero = families.Binomial().deviance(np.zeros(1), np.array([eta]), link)[0]
        weight, score = families.Binomial().working(np.array([0.0, 1.0, 0.5]), np.full(3, eta), link)
    assert at_one == pytest.approx(-2 * float(link.log_inverse(eta)), rel=1e-12)
    assert at_zero == pytest.approx(-2 * float(link.log_complement(eta)), rel=1e-12)
    assert np.isfinite(weight).all() and np.isfinite(score).all()


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
@pytest.mark.parametrize("link", ["identity", "log", "sqrt", "inverse", "inverse_squared", "logit", "probit", "cloglog", "cauchit"])
def test_working_pair_is_what_the_textbook_says(family, link):
    """weight = h'^2 / V, score = (y - mu) h' / V, wherever the plain formula is safe."""
    link = links.get(link)
    eta = np.array([0.2, 0.6, 0.9]) if family.mean_interval != UNIT or link.image == UNIT else np.array([0.2, 0.4, 0.8])
    if family.mean_interval == UNIT and link.name in ("inverse", "inverse_squared"):
        eta = np.array([1.5, 2.0, 9.0])
    if family.mean_interval == UNIT and link.name == "log":
        eta = -eta
    assert family.valid(eta, link).all()
    y = np.array([0.1, 0.5, 0.75])
    mu, slope = link.inverse(eta), link.derivative(eta)
    weight, score = family.working(y, eta, link)
    np.testing.assert_allclose(weight, slope**2 / family.variance(mu), rtol=1e-12)
    np.testing.assert_allclose(score, (y - mu) * slope / family.variance(mu), rtol=1e-12)


@pytest.mark.parametrize("family", [families.Gaussian(), families.Gamma(), families.InverseGaussian()], ids=str)
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_densities_integrate_to_one_with_the_promised_mean_and_variance(family, weight):
    mu, phi = 1.7, 0.4
    low = -40 if family.name == "gaussian" else 0
    moment = lambda k: integrate.quad(  # noqa: E731
        lambda y: y**k * np.exp(family.log_density(y, mu, phi, weight)), low, 60, points=[mu], limit=400, epsabs=1e-13
    )[0]
    assert moment(0) == pytest.approx(1, rel=1e-8)
    assert moment(1) == pytest.approx(mu, rel=1e-8)
    assert moment(2) - mu**2 == pytest.approx(phi * family.variance(mu) / weight, rel=1e-7)


def test_probabilities_sum_to_one_with_the_promised_mean_and_variance():
    counts = np.arange(0, 200.0)
    p = np.exp(families.Poisson().log_density(counts, 7.3))
    assert p.sum() == pytest.approx(1, rel=1e-13)
    assert p @ counts == pytest.approx(7.3, rel=1e-13)
    trials = 12
    share = np.arange(trials + 1) / trials
    p = np.exp(families.Binomial().log_density(share, 0.3, weight=np.full(trials + 1, float(trials))))
    assert p.sum() == pytest.approx(1, rel=1e-13)
    assert p @ (share - 0.3) ** 2 == pytest.approx(0.3 * 0.7 / trials, rel=1e-12)


@pytest.mark.parametrize("family", [families.Gaussian(), families.Gamma(), families.InverseGaussian()], ids=str)
def test_ml_dispersion_maximizes_the_log_likelihood(family):
    rng = np.random.default_rng(0)
    y, weight = rng.gamma(2.0, 1.5, 40), rng.uniform(0.5, 3, 40)
    mu = np.full(40, np.average(y, weights=weight))
    deviance = float(weight @ family.unit_deviance(y, mu))
    phi = family.ml_dispersion(deviance, weight)
    at = lambda value: np.sum(family.log_density(y, mu, value, weight))  # noqa: E731
    step = 1e-4 * phi
    assert at(phi) > max(at(phi - step), at(phi + step))
    assert (at(phi + step) - at(phi - step)) / (2 * step) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
def test_starting_means_are_possible(family):
    """Inside the family's range, also where all responses are equal, at an end, or rows weigh very unequally."""
    values = np.array([0.0, 1.0, 0.3, 0.0, 1.0]) if family.mean_interval == UNIT else np.array([0.0, 1.0, 7.0, 0.0, 1e9])
    values = values[family.in_domain(values)]
    low, high = family.mean_interval
    for y in (values, values[:1].repeat(4), values[1:2].repeat(4)):
        for weight in (np.ones(len(y)), np.logspace(-9, 9, len(y))):
            mean = family.starting_mean(y, weight)
            assert np.all((low < mean) & (mean < high)), (y, weight)


def test_counts_and_shares_start_between_themselves_and_their_mean():
    """1 / (1 + k) of the way to it: k + 1 the variance of y beside that of chance, and k at least 1/4."""
    y = np.array([0.0, 0.0, 1.0, 2.0, 7.0])  # mean 2, variance 6.8, of which 2 is chance
    np.testing.assert_allclose(families.Poisson().starting_mean(y, np.ones(5)), 2 + (y - 2) * (1 - 2 / 6.8), rtol=1e-14)
    calm = np.array([1.0, 2.0, 3.0])  # less spread than chance alone: four fifths of the way
    np.testing.assert_allclose(families.Poisson().starting_mean(calm, np.ones(3)), [1.8, 2.0, 2.2], rtol=1e-14)
    counted = np.array([0.0, 1.0, 2.0]), np.array([60.0, 30.0, 10.0])  # a table of 100 counts
    each = families.Poisson().starting_mean(np.repeat(counted[0], [60, 30, 10]), np.ones(100))
    np.testing.assert_allclose(families.Poisson().starting_mean(*counted), np.unique(each), rtol=1e-13)
    share = np.array([0.1, 0.5, 0.9, 0.5])  # variance 0.08; chance 0.25 / 20
    expected = 0.5 + (share - 0.5) * (1 - 0.0125 / 0.08)
    np.testing.assert_allclose(families.Binomial().starting_mean(share, np.full(4, 20.0)), expected, rtol=1e-14)
    outcomes = np.array([1.0, 0.0]), np.array([10.0, 90.0])  # all of them at once: as a hundred rows
    np.testing.assert_allclose(families.Binomial().starting_mean(*outcomes), 0.1 + 0.2 * (outcomes[0] - 0.1), rtol=1e-14)
    unlike = np.array([3.0, 20.0, 20.0, 20.0])  # of different numbers of trials each is asked alone
    np.testing.assert_allclose(families.Binomial().starting_mean(share, unlike), (unlike * share + 0.5) / (unlike + 1), rtol=1e-14)


@pytest.mark.parametrize("keyword", ["weights", "frequency_weights"])
@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_tables_of_one_row_per_outcome_converge_however_rare_it_is(keyword, link):
    """Every outcome once, with the number of times it was seen; against the same data as shares."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        cells = 2 + seed
        X = np.column_stack([np.ones(cells), rng.normal(size=cells)])
        seen = np.round(10 ** rng.uniform(2, 7, cells))
        events = np.maximum(rng.binomial(seen.astype(np.int64), 1 / (1 + np.exp(6 - 0.7 * X[:, 1]))), 1.0)
        times = {keyword: np.concatenate([events, seen - events])}
        table = fit_glm(np.vstack([X, X]), np.repeat([1.0, 0.0], cells), "binomial", link=link, **times)
        shares = fit_glm(X, events / seen, "binomial", link=link, weights=seen)
        assert table.converged and len(table.trace) <= 9
        np.testing.assert_allclose(table.coef, shares.coef, rtol=1e-7)
        np.testing.assert_allclose(table.se, shares.se, rtol=1e-6)


def test_rare_events_take_fewer_rounds_than_from_the_data():
    """Beside the starts of R: y + 0.1, and (w y + 1/2) / (w + 1)."""
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(900), rng.normal(size=900)])
    for family, y in (
        (families.Poisson(), 1.0 * rng.poisson(np.exp(-3 + 0.5 * X[:, 1]))),
        (families.Binomial(), 1.0 * (rng.uniform(size=900) < 1 / (1 + np.exp(4 - 0.5 * X[:, 1])))),
    ):
        R = y + 0.1 if family.spacing == "count" else (y + 0.5) / 2
        weight, score = family.working(y, family.default_link.link(R), family.default_link)
        z = family.default_link.link(R) + score / weight
        begun = np.linalg.solve((X.T * weight) @ X, X.T @ (weight * z))
        rounds = len(fit_glm(X, y, family, start=begun).trace), len(fit_glm(X, y, family).trace)
        assert rounds[1] <= rounds[0] - 1


def test_default_links_and_what_a_small_deviance_is_judged_beside():
    """The canonical link for the five old families, the logarithm for the new; 0.1 where the deviance has its own scale."""
    for family in EVERY_FAMILY:
        new = family.shape_name is not None
        assert family.default_link == (links.Log() if new else family.canonical_link)
        fixed = family.dispersion is not None or family.name.startswith("quasi")
        assert family.deviance_floor == (0.1 if fixed else 0.0)
        glm_link = fit_glm(np.ones((3, 1)), np.array([0.2, 0.5, 0.6]), family).link
        assert glm_link == family.default_link


def test_names_are_resolved_and_unknown_ones_refused():
    assert families.get("gamma") == families.Gamma()
    assert all(families.get(name).name == name for name in families.BY_NAME)
    assert families.get("negative_binomial") == families.NegativeBinomial() != families.NegativeBinomial(0.0)
    assert families.get(families.Tweedie(1.5)).power == 1.5 and families.get(families.Tweedie).power is None
    with pytest.raises(InputError, match="'inverse_gaussian'.*got 'gama'"):
        families.get("gama")
