"""The rounds of a GEE: evaluate, step, until a step is negligible beside the standard errors.

Fisher scoring for an equation that is no gradient: there is no deviance to descend, and the regression of a step takes alpha as
given. So steps are judged by the length of the next one, and the last few are mixed.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .estimating import Point

MEMORY = 2  # rounds before the last that the mixing of steps remembers
ROUNDING = 1e-15  # of the terms that add up to eta: a step below it is noise


class Round(NamedTuple):
    """One row of the trace: phi, alpha and the length of the step at the start of the round, halvings it needed."""

    iteration: int
    dispersion: float
    alpha: np.ndarray
    step: float
    halvings: int


@dataclass(frozen=True)
class Solution:
    """beta (p); the Point there; the rounds; why they ended: "converged", "max_iter" or "singular"."""

    beta: np.ndarray
    point: Point
    ended: str
    trace: tuple

    @property
    def converged(self):
        """Whether the last step was negligible."""
        return self.ended == "converged"


def iterate(panel, beta, *, max_iter=200, tol=1e-10, max_halvings=30):
    """Repeat steps 3 to 6 from a feasible beta until a step is shorter than tol standard errors, or than rounding."""
    trace, past, point = [], [], panel.evaluate(beta)
    for iteration in range(1, max_iter + 1):
        if point.step is None:
            return Solution(beta, point, "singular", tuple(trace))
        distance = point.distance
        phi, alpha, _ = point.parameters
        rounding = ROUNDING * np.linalg.norm(point.step.root, axis=0) @ np.abs(beta) / np.sqrt(phi) if phi > 0 else np.inf
        if distance <= max(tol, rounding):
            trace.append(Round(iteration, phi, alpha, distance, 0))
            return Solution(beta, point, "converged", tuple(trace))
        past = [*past[-MEMORY:], (beta, point.step.direction)]
        beta, point, halvings = _advance(panel, past, point, max_halvings)
        trace.append(Round(iteration, phi, alpha, distance, halvings))
    return Solution(beta, point, "max_iter", tuple(trace))


def _advance(panel, past, point, max_halvings):
    """The next (beta, Point, halvings): the mixed step, or beta + d, + d/2, + d/4, ...; of these the first that is possible
    and has a shorter step before it, else the best.

    An estimating equation has no likelihood to climb: the length of the step is all that tells whether it got nearer.
    """
    best, (beta, direction) = None, past[-1]
    trials = [] if len(past) < 2 else [(0, mixed(past, point.step.root))]
    trials += [(halvings, beta + direction / 2**halvings) for halvings in range(max_halvings + 1)]
    for halvings, trial in trials:
        found = panel.evaluate(trial)
        if found is None or found.step is None or not np.isfinite(found.distance):
            continue
        if best is None or found.distance < best[1].distance:
            best = trial, found, halvings
        if found.distance < point.distance or halvings >= 8:
            return best
    return best if best is not None else (beta, point._replace(step=None), max_halvings)


def mixed(past, root):
    """Anderson's mixing of the last steps: the step at the point between them where, by linear interpolation, it is shortest.

    The regression of step 6 takes alpha as given, though it moves with beta; so plain steps converge linearly, or swing where
    alpha is poorly determined. How the steps changed between rounds tells what was neglected. Anderson (1965).
    """
    points, steps = (np.array(part).T for part in zip(*past))
    changes = np.diff(steps)
    share = np.linalg.lstsq(root @ changes, root @ steps[:, -1], rcond=1e-12)[0]
    return points[:, -1] + steps[:, -1] - (np.diff(points) + changes) @ share
