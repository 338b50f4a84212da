"""Every link against its one-line definition, at 50 digits."""

import mpmath as mp
import numpy as np
import pytest
from instances import EVERY_LINK

from glmref import InputError, links
from glmref.links import UNIT
from glmref.links.powers import PowerLink

REAL_LINE = [-700, -40, -9.3, -2, -1, -0.3, -1e-9, 1e-9, 0.25, 1, 2.5, 8.1, 40, 700]
HALF_LINE = [1e-12, 1e-3, 0.3, 1, 2.5, 40, 1e8]
TOLERANCE = 2e-13


def grid(link):
    negative = [-eta for eta in HALF_LINE[:-1]] + [-700]
    return {links.REAL: REAL_LINE, links.POSITIVE: HALF_LINE, links.NEGATIVE: negative}[link.domain]


def exact(link, eta, order=0):
    """h, h' or h'' of the definition: 50 digits, and as many more as 1 - mu cancels."""
    with mp.workdps(2000 if 3 < abs(eta) < 10 else 60 if abs(eta) < 3 else 450 if abs(eta) < 41 else 700):
        function = lambda x: link.definition(x, mp)  # noqa: E731
        return function(mp.mpf(eta)) if order == 0 else mp.diff(function, mp.mpf(eta), order)


def close(got, want, tolerance=TOLERANCE, what=""):
    """Relative agreement; below the smallest normal double only that it is tiny."""
    want = mp.mpf(want)
    want = mp.mpf(0) if abs(want) < mp.mpf(10) ** -330 else want  # what differentiation leaves of an exact 0
    if abs(want) < mp.mpf("1e-300"):
        assert abs(got) < 1e-299, (what, got, mp.nstr(want, 20))
    elif abs(want) > mp.mpf("1e300"):
        assert abs(got) > 1e299, (what, got, mp.nstr(want, 20))
    else:
        assert abs((mp.mpf(float(got)) - want) / want) < tolerance, (what, got, mp.nstr(want, 20))


@pytest.mark.parametrize("link", EVERY_LINK, ids=str)
def test_inverse_and_derivatives_follow_from_the_definition(link):
    for eta in grid(link):
        # exp(x) itself turns one rounding of x into |x| roundings of the result
        tolerance = TOLERANCE * max(1, abs(eta)) if isinstance(link, (links.Probit,)) else TOLERANCE
        close(link.inverse(np.float64(eta)), exact(link, eta), tolerance, f"h({eta})")
        close(link.derivative(np.float64(eta)), exact(link, eta, 1), tolerance, f"h'({eta})")
        second = exact(link, eta, 2)
        if abs(second) > mp.mpf("1e-25"):
            # near a zero of h'' no relative accuracy is to be had from eta in double precision
            close(link.second_derivative(np.float64(eta)), second, 1e-11, f"h''({eta})")


@pytest.mark.parametrize("link", [link for link in EVERY_LINK if link.image == UNIT], ids=str)
def test_nothing_cancels_or_underflows_in_the_tails(link):
    for eta in grid(link):
        if abs(eta) > 41 and not isinstance(link, links.Logit | links.Cauchit):
            continue  # 1 - mu would need 100 000 digits: the two tests below
        with mp.workdps(2000):
            mu = link.definition(mp.mpf(eta), mp)
            if mu > 0:
                close(link.log_inverse(np.float64(eta)), mp.log(mu), TOLERANCE, f"log_inverse({eta})")
            if mu < 1:
                close(link.log_complement(np.float64(eta)), mp.log(1 - mu), TOLERANCE, f"log_complement({eta})")


def test_probit_tails_at_700():
    """mpmath's numbers do not underflow, so log Phi(-700) is direct; log Phi(700) = -Phi(-700) = 0 in doubles."""
    want = mp.log(mp.erfc(700 / mp.sqrt(2)) / 2)
    close(links.Probit().log_inverse(np.float64(-700)), want)
    close(links.Probit().log_complement(np.float64(700)), want)
    assert links.Probit().log_inverse(np.float64(700)) == 0


def test_log_log_tails_at_700():
    assert links.LogLog().log_inverse(np.float64(-700)) == -np.exp(700)
    assert links.LogLog().log_complement(np.float64(700)) == pytest.approx(-700, rel=1e-15)
    assert links.CLogLog().log_complement(np.float64(700)) == -np.exp(700)
    assert links.CLogLog().log_inverse(np.float64(-700)) == pytest.approx(-700, rel=1e-15)


@pytest.mark.parametrize("link", EVERY_LINK, ids=str)
def test_relative_derivative_and_hazard_are_ratios(link):
    for eta in grid(link):
        h, slope = exact(link, eta), exact(link, eta, 1)
        if h != 0 and abs(slope / h) > mp.mpf("1e-290"):
            with mp.workdps(700):
                close(link.relative_derivative(np.float64(eta)), slope / h, 1e-12, f"h'/h({eta})")
        if link.image == UNIT and abs(eta) <= 8.2:
            with mp.workdps(2000):
                close(link.hazard(np.float64(eta)), slope / (1 - h), 1e-12, f"hazard({eta})")


def test_probit_hazard_is_the_mills_ratio_far_out():
    """h'/(1-h) -> eta + 1/eta - 2/eta^3 + 10/eta^5 (Abramowitz & Stegun 26.2.12), where both parts underflow."""
    for eta in (40.0, 700.0):
        want = eta + 1 / eta - 2 / eta**3 + 10 / eta**5
        assert links.Probit().hazard(np.float64(eta)) == pytest.approx(want, rel=1e-8 if eta < 100 else 1e-13)


@pytest.mark.parametrize("link", EVERY_LINK, ids=str)
def test_link_undoes_inverse(link):
    for eta in grid(link):
        if abs(eta) <= 8.2:
            mu = link.inverse(np.float64(eta))
            if link.image == UNIT and mu == 1:
                continue
            # near mu = 1 the mean itself has lost the digits: allow what rounding mu costs
            slack = 4e-16 * abs(mu / link.derivative(np.float64(eta)))
            assert abs(link.link(mu) - eta) <= 1e-13 * abs(eta) + slack


def test_no_warning_and_no_nan_anywhere_on_the_line():
    eta = np.concatenate([-np.logspace(-12, 3, 200), [0.0], np.logspace(-12, 3, 200)])
    with np.errstate(over="raise", invalid="raise", divide="raise", under="ignore"):
        for link in EVERY_LINK:
            inside = eta[link.valid(eta)]
            names = ["inverse", "derivative", "second_derivative", "relative_derivative"]
            names += ["log_inverse", "log_complement", "complement", "hazard"] if link.image == UNIT else []
            if isinstance(link, PowerLink | links.Inverse | links.Identity):
                inside = inside[np.abs(inside) > 1e-9]  # 1/eta is infinite at 0 for a reason
            for name in names:
                values = getattr(link, name)(inside)
                assert not np.isnan(values).any(), (link.name, name)


def test_names_are_resolved_and_unknown_ones_refused():
    assert links.get("probit") == links.Probit()
    assert links.get(links.Power(0.3)).exponent == 0.3
    assert links.get(links.Log) == links.Log()
    with pytest.raises(InputError, match="'cloglog'.*got 'logitt'"):
        links.get("logitt")
    with pytest.raises(InputError, match="links.Log"):
        links.Power(0)
