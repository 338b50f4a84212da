"""The negative binomial's alpha and beta, estimated together by maximum likelihood.

The root of the profile score: at each alpha the coefficients are fitted anew, and what is left is a function of log alpha
alone. A secant finds its root from a good guess, Brent's method from any. The last digits come from Newton's method on alpha
and beta jointly, with the observed information: where Fisher scoring creeps, as it may for large alpha, Newton's does not.
"""

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..numerics import root_of_increasing, secant_root
from .shape import Estimate, Joint

AT_THE_POISSON = (
    "The counts vary no more than Poisson counts: the estimate of alpha is 0, the edge of its range, and the fit is the Poisson "
    "one. Standard errors of the coefficients are the Poisson's; alpha has none."
)


def maximize(unknown, solve, rows, link, guess):
    """The Joint of a negative binomial whose alpha is `unknown`; solve and guess as in Family.estimate.

    Where the profile score is not positive at alpha = 0, no alpha near it does better than the Poisson. std. error: from the
    observed information for alpha at fixed beta, to which beta is orthogonal in expectation (Lawless 1987).
    """
    latest = None

    def at(alpha):
        return replace(unknown, alpha=float(alpha))

    def slope(log_alpha):
        nonlocal latest
        family = at(np.exp(log_alpha))
        latest = solve(family, None if latest is None else latest.beta)
        return -alpha_score(family, rows, link, latest.beta)[0] * (1 + family.alpha)  # of one size at both ends

    def finish(log_alpha):
        if log_alpha is None:
            return None
        family, beta = newton(at(np.exp(log_alpha)), rows, link, latest.beta)
        solution = solve(family, beta)
        score, curvature = alpha_score(family, rows, link, solution.beta)
        if not curvature < 0:
            return None
        se = float(np.sqrt(-1 / curvature))
        if abs(score) * se > 1e-7:  # beta converged too slowly for alpha to be found: say so
            solution = replace(solution, ended="max_iter")
        return Joint(family, solution, Estimate("alpha", family.alpha, se, unknown))

    if guess is not None and guess.alpha > 0:
        found = finish(secant_root(slope, np.log(guess.alpha), 0.01))
        if found is not None:
            return found
    latest = solve(at(0), None)
    if not alpha_score(at(0), rows, link, latest.beta)[0] > 0:
        return Joint(at(0), latest, Estimate("alpha", 0.0, np.nan, unknown, AT_THE_POISSON))
    beta = latest.beta

    def excess(block):
        mu = link.inverse(block.X @ beta + block.offset)
        return block.weight @ np.column_stack([(block.y - mu) ** 2 - block.y, mu**2])

    above, squares = rows.sum(excess)
    start = np.log(max(above / squares, 1e-6))
    found = finish(secant_root(slope, start, 0.1)) or finish(root_of_increasing(slope, start))
    if found is None:  # a likelihood that only rises or only falls
        return Joint(at(np.exp(start)), replace(latest, ended="max_iter"), Estimate("alpha", np.exp(start), np.nan, unknown))
    return found


def alpha_score(family, rows, link, beta):
    """Sums over the rows of the weighted first and second derivative of the log-density with respect to alpha."""

    def summarize(block):
        mu = link.inverse(block.X @ beta + block.offset)
        return block.weight @ np.column_stack(family.shape_derivatives(block.y, mu))

    return rows.sum(summarize)


def newton(family, rows, link, beta):
    """The family and beta after Newton's method on both, as far as it goes; unchanged where it does not converge.

    With u = (y - mu) h' / V: minus the Hessian has the weight h'^2 / V - (y - mu) d(h' / V)/d eta for beta, and
    (y - mu) h' mu^2 / V^2, which is 0 in expectation, between beta and alpha.
    """
    begun = family, beta
    for _ in range(20):

        def summarize(block, family=family, beta=beta):
            eta = block.X @ beta + block.offset
            mu, h1, h2, residual = (
                link.inverse(eta),
                link.derivative(eta),
                link.second_derivative(eta),
                block.y - link.inverse(eta),
            )
            V, V1 = family.variance(mu), family.variance_derivative(mu)
            first, second = family.shape_derivatives(block.y, mu)
            weight = h1**2 / V - residual * (h2 / V - h1**2 * V1 / V**2)
            information = np.empty((len(beta) + 1, len(beta) + 2))  # its last column is the score
            information[:-1, :-2] = block.X.T @ ((block.weight * weight)[:, None] * block.X)
            information[:-1, -2] = information[-1, :-2] = block.X.T @ (block.weight * residual * h1 * (mu / V) ** 2)
            information[-1, -2] = -block.weight @ second
            information[:-1, -1], information[-1, -1] = block.X.T @ (block.weight * residual * h1 / V), block.weight @ first
            return information

        try:
            with np.errstate(all="ignore"):
                total = rows.sum(summarize)
            step = np.linalg.solve(total[:, :-1], total[:, -1])
        except (InputError, np.linalg.LinAlgError):  # a link without h'', or no information
            return begun
        decrement = step @ total[:, -1]
        if not 0 <= decrement < 1e-2 or not family.alpha + step[-1] > 0:
            return begun
        family, beta = replace(family, alpha=float(family.alpha + step[-1])), beta + step[:-1]
        if decrement < 1e-16:  # the error left is of the order of its square
            return family, beta
    return begun
