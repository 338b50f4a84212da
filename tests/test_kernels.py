"""What the rounds compute, against what is reported: kernel and saturated loss beside deviance and working pair."""

import numpy as np
import pytest
from instances import EVERY_FAMILY, EVERY_LINK

from glmref import families, links
from glmref.blocks.arrays import BLOCK_NUMBERS, ArrayRows
from glmref.least_squares import Gram, Score, Triangle, solve
from glmref.standardize import evaluator

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


@pytest.mark.parametrize("weight, offset", [(1.0, 0.0), (2.0, 0.3)])
def test_the_score_of_pieces_is_that_of_the_block(weight, offset):
    """A wide block is cut so that its pieces stay in the cache; one impossible mean in any of them is one of the whole."""
    rng = np.random.default_rng(0)
    n, p = 2100, 300
    assert 2048 * p > 2 * BLOCK_NUMBERS
    X = rng.normal(size=(n, p)) / 20
    y = 1.0 * rng.poisson(np.exp(X @ np.ones(p) * 0.1))
    rows = ArrayRows(X, y, np.full(n, offset), np.full(n, weight))
    evaluate = evaluator(rows, families.Poisson(), links.Log())
    beta = rng.normal(size=p) / 10
    np.testing.assert_allclose(evaluate(beta, Score).score, evaluate(beta, Gram).score, rtol=1e-11, atol=1e-11)
    X[:, 0] = 1.0
    X[700, 0] = -1.0  # of one piece
    assert evaluator(rows, families.Poisson(), links.Identity())(np.eye(p)[0], Score) is None


def test_pieces_make_up_the_block():
    rng = np.random.default_rng(0)
    block = list(ArrayRows(rng.normal(size=(25, 3)), np.arange(25.0), np.zeros(25), np.ones(25), block_rows=20))[1]
    pieces = list(block.pieces(8))
    np.testing.assert_array_equal(np.concatenate([piece.X for piece in pieces]), block.X)
    assert [piece.rows for piece in pieces] == [slice(20, 22), slice(22, 24), slice(24, 25)]
    assert next(block.pieces(15)) is block
    assert [len(piece.y) for piece in block.pieces(1)] == [1] * 5


def test_steps_of_both_summaries_agree_and_infinite_ones_are_none():
    rng = np.random.default_rng(1)
    X, weight, score = rng.normal(size=(30, 4)), rng.uniform(1, 2, 30), rng.normal(size=30)
    gram, triangle = (solve(kind.of(X, weight, score, 0.0)) for kind in (Gram, Triangle))
    np.testing.assert_allclose(gram.direction, triangle.direction, rtol=1e-12)
    assert gram.decrement == pytest.approx(triangle.decrement, rel=1e-12)
    assert gram.least == pytest.approx(triangle.least, rel=1e-12)
    assert solve(Gram(1e-200 * np.eye(1), np.array([1e200]), 0.0)) is None
    assert solve(Triangle(np.array([[1e-200]]), np.array([1e200]), 0.0)) is None
    assert solve(Gram(np.zeros((0, 0)), np.zeros(0), 0.0)).decrement == 0


def test_a_row_without_weight_but_with_a_score_is_no_place_to_stop():
    """Left out, it would make the score of the others look like that of all: an estimate that is none."""
    X, weight = np.column_stack([np.ones(4), np.arange(4.0)]), np.array([1.0, 1.0, 1.0, 0.0])
    astray, settled = np.array([0.0, 0.0, 0.0, 1.0]), np.array([1.0, 0.0, 2.0, 1e-160])
    assert solve(Triangle.of(X, weight, astray, 1.0)) is None
    assert solve(Triangle.of(X, weight + 1e-40, astray, 1.0)) is None  # a Pearson residual of 1e20
    halves = [Triangle.of(X[part], weight[part], astray[part], 1.0) for part in (slice(2), slice(2, 4))]
    assert solve(halves[0] + halves[1]) is None
    assert solve(Triangle.of(X, weight, settled, 1.0)) is not None
