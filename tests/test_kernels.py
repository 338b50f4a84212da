"""What the rounds compute, against what is reported: kernel and saturated loss beside deviance and working pair."""

import numpy as np
import pytest
from instances import EVERY_FAMILY, EVERY_LINK

ETA = np.array([-700.0, -300.0, -40.0, -8.0, -3.0, -1.0, -0.3, -1e-8, 1e-8, 0.3, 1.0, 3.0, 8.0, 40.0, 300.0, 700.0])
COUNTS = np.array([0.0, 1e-8, 0.3, 1.0, 2.5, 7.0, 1e4, 1e8])
SHARES = np.array([0.0, 1e-8, 0.3, 0.5, 1.0])


def possible(family, link):
    """y and eta: every response of the family beside every linear predictor with a possible mean."""
    values = SHARES if family.mean_interval[1] == 1 else COUNTS
    y, eta = (grid.ravel() for grid in np.meshgrid(values[family.in_domain(values)], ETA))
    valid = family.valid(eta, link)
    return y[valid], eta[valid]


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
@pytest.mark.parametrize("link", EVERY_LINK, ids=str)
def test_the_kernel_is_the_working_pair_and_half_the_deviance(family, link):
    """Where the deviance itself is finite: 2 (loss - saturated loss) to the digits of the loss, the pair to its own."""
    y, eta = possible(family, link)
    with np.errstate(all="ignore"):
        weight, score, loss = family.kernel(y, eta, link)
        saturated, deviance = family.saturated_loss(y), family.deviance(y, eta, link)
        expected_weight, expected_score = family.working(y, eta, link)
        noise = 1e-15 + 4e-15 * (np.abs(loss) + np.abs(saturated)) + 1e-12 * deviance
        finite = np.isfinite(deviance) & (np.abs(deviance) < 1e300)
        assert np.all(np.abs(2 * (loss - saturated) - deviance)[finite] <= noise[finite])
        assert not np.any(np.isnan(loss[finite]))
    for one, two in ((weight, expected_weight), (score, expected_score)):
        finite = np.isfinite(two)
        assert np.all(np.abs(one[finite] - two[finite]) <= 1e-12 * np.abs(two[finite]) + 1e-300)
        assert not np.any(np.isfinite(one) & ~finite & ~np.isnan(two))


@pytest.mark.parametrize("family", EVERY_FAMILY, ids=repr)
@pytest.mark.parametrize("link", EVERY_LINK, ids=str)
def test_the_score_alone_is_the_kernel_s(family, link):
    """To the rounding of y - mu, over the means that a step by it meets."""
    y, eta = possible(family, link)
    with np.errstate(all="ignore"):
        alone, (_, score, _) = family.score(y, eta, link), family.kernel(y, eta, link)
    finite = np.isfinite(score)
    apart = np.abs(alone[finite] - score[finite])
    assert np.all(apart <= 1e-12 * np.abs(score[finite]) + 1e-15 * (1 + y[finite]))
    assert not np.any(np.isfinite(alone) & ~finite)
