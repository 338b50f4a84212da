"""The surrogate of all rows leads nearer to their estimate than a Fisher step, as its theory says."""

from dataclasses import replace

import numpy as np
import pytest

from glmref import families, links
from glmref.blocks import ArrayRows
from glmref.irls import fisher_scoring
from glmref.least_squares import Gram, solve
from glmref.standardize import evaluator
from glmref.surrogate import surrogate

N, P, EVERY = 20_000, 4, 10


def data(family, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P))
    X[:, 0] = 1.0
    eta = X @ np.array([0.3, 0.4, -0.2, 0.1])
    if family.name == "poisson":
        y = rng.poisson(np.exp(eta)).astype(float)
    elif family.name == "binomial":
        y = (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float)
    else:
        y = rng.gamma(2.0, np.exp(eta) / 2)
    return ArrayRows(X, y, np.zeros(N), np.ones(N))


def every(rows, step):
    """A sample that stands for all rows."""
    few = rows.every(step)
    return replace(few, weight=step * few.weight)


CANONICAL = [(families.Poisson(), links.Log()), (families.Binomial(), links.Logit())]


@pytest.mark.parametrize(("family", "link"), [*CANONICAL, (families.Gamma(), links.Log())], ids=lambda value: str(value))
def test_it_is_nearer_than_a_fisher_step(family, link):
    """Over 20 data sets, by the decrement that is left, from a point some standard errors away: the ratio's median is of the
    order of p / m for a canonical link (m = 2000 rows), and not above 1 for others, whose information is the expected one."""
    ratios = []
    for seed in range(20):
        rows = data(family, seed)
        evaluate, sampled = evaluator(rows, family, link), evaluator(every(rows, EVERY), family, link)
        beta = np.array([0.3, 0.4, -0.2, 0.1]) + 0.05
        step = solve(evaluate(beta, Gram))
        solution = fisher_scoring(surrogate(evaluate(beta, Gram), beta, sampled), beta, bounded=False)
        assert solution.converged and solution.trace[0].decrement == pytest.approx(step.decrement)
        left = solve(evaluate(solution.beta, Gram)).decrement
        ratios.append(left / solve(evaluate(beta + step.direction, Gram)).decrement)
    assert np.median(ratios) < (10 * P * EVERY / N if (family, link) in CANONICAL else 1.0)


@pytest.mark.parametrize(("family", "link"), CANONICAL, ids=lambda value: str(value))
def test_the_information_follows_the_sample(family, link):
    """Its change, up to the chance of 2000 rows."""
    rows = data(family, 1)
    evaluate, sampled = evaluator(rows, family, link), evaluator(every(rows, EVERY), family, link)
    beta, trial = np.full(P, 0.2), np.full(P, 0.22)
    before, after = evaluate(beta, Gram).information, evaluate(trial, Gram).information
    found = surrogate(evaluate(beta, Gram), beta, sampled)(trial, Gram).information
    assert np.abs(found - after).max() < 0.3 * np.abs(before - after).max()


@pytest.mark.parametrize(("family", "link"), CANONICAL, ids=lambda value: str(value))
def test_with_all_rows_for_a_sample_it_is_exact(family, link):
    rows = data(family, 2)
    evaluate = evaluator(rows, family, link)
    beta, trial = np.zeros(P), np.full(P, 0.3)
    about, true = surrogate(evaluate(beta, Gram), beta, evaluate)(trial, Gram), evaluate(trial, Gram)
    for name in ("information", "score", "deviance"):
        np.testing.assert_allclose(getattr(about, name), getattr(true, name), rtol=1e-12, atol=1e-9, err_msg=name)


def test_its_score_is_the_gradient_of_its_deviance():
    """For whatever sample: by central differences."""
    family, link = families.Poisson(), links.Log()
    rows = data(family, 3)
    evaluate, sampled = evaluator(rows, family, link), evaluator(every(rows, EVERY), family, link)
    beta, trial, h = np.full(P, 0.1), np.full(P, 0.2), 1e-5
    about = surrogate(evaluate(beta, Gram), beta, sampled)
    slopes = [(about(trial + h * e, Gram).deviance - about(trial - h * e, Gram).deviance) / (2 * h) for e in np.eye(P)]
    np.testing.assert_allclose(about(trial, Gram).score, -0.5 * np.array(slopes), rtol=1e-6)


def test_impossible_means_have_none():
    rows, family, link = data(families.Poisson(), 3), families.Poisson(), links.Identity()
    evaluate = evaluator(rows, family, link)
    beta = np.array([2.0, 0.0, 0.0, 0.0])
    assert surrogate(evaluate(beta, Gram), beta, evaluate)(-beta, Gram) is None
