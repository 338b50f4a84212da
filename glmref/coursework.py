"""Each student's own data: the same on every machine and under every version of numpy, because no generator of numpy is asked.

A key, which the teacher sends, and the assignment's name give bits (SHA-256); the bits give uniform numbers; an inverse distribution
function turns them into draws. Anyone may work with the key "practice".

>>> from glmref import coursework
>>> coursework.data("a5_irls", "ada", "practice").shape
(60, 3)
"""
import hashlib
from itertools import count

import numpy as np
import pandas as pd
from scipy import special

from .errors import InputError

PRACTICE = "practice"
CODE, CHECK = 10, 3  # letters of a key: its code, then the check that ties it to a login


def normal_login(login):
    return str(login).strip().lower()


def complete(login, code):
    """A code with its check, so that a key typed wrongly, or beside another login, is found before any work is done."""
    return code + hashlib.sha256(f"{normal_login(login)}|{code}".encode()).hexdigest()[:CHECK]


def data(assignment, login, key=PRACTICE):
    """The data of one student in one assignment, a pandas DataFrame. A key that does not belong to the login is refused."""
    key = str(key).strip().lower()
    if key != PRACTICE and (len(key) != CODE + CHECK or complete(login, key[:CODE]) != key):
        raise InputError(f"The key {key!r} does not belong to the login {normal_login(login)!r}: copy both from your teacher's message, "
                         f"or use the key {PRACTICE!r} to work without one.")
    if assignment not in DESIGNS:
        raise InputError(f"There is no assignment {assignment!r}: there are {', '.join(sorted(DESIGNS))}.")
    design, usable = DESIGNS[assignment]
    person = key if key != PRACTICE else f"{PRACTICE}|{normal_login(login)}"
    for attempt in count():
        drawn = design(Draws(f"{assignment}|{person}|{attempt}"))
        if usable(drawn):
            return drawn


class Draws:
    """Independent draws, a function of `seed` alone."""

    def __init__(self, seed):
        self._seed, self._block = hashlib.sha256(seed.encode()).digest(), 0

    def uniform(self, n):
        """n numbers strictly between 0 and 1, multiples of 2^-53 moved by half a step."""
        blocks = -(-n // 4)
        raw = b"".join(hashlib.sha256(self._seed + (self._block + k).to_bytes(8, "big")).digest() for k in range(blocks))
        self._block += blocks
        words = [int.from_bytes(raw[8 * k : 8 * k + 8], "big") >> 11 for k in range(n)]
        return (np.array(words, dtype=float) + 0.5) / 2.0**53

    def between(self, low, high, n, digits=1):
        return np.round(low + (high - low) * self.uniform(n), digits)

    def normal(self, n):
        return special.ndtri(self.uniform(n))

    def bernoulli(self, probability):
        return (self.uniform(np.size(probability)) < probability).astype(int)

    def binomial(self, trials, probability):
        return np.array([np.sum(self.uniform(m) < p) for m, p in zip(trials, probability)])

    def poisson(self, mean):
        """The smallest k whose distribution function exceeds a uniform number."""
        draws = []
        for u, mu in zip(self.uniform(np.size(mean)), np.ravel(mean)):
            k, mass = 0, np.exp(-mu)
            below = mass
            while u >= below and k < 10_000:
                k += 1
                mass *= mu / k
                below += mass
            draws.append(k)
        return np.array(draws)

    def gamma(self, shape, mean):
        """Gamma draws with this shape and these means."""
        return special.gammaincinv(shape, self.uniform(np.size(mean))) * mean / shape


def expit(eta):
    return 1 / (1 + np.exp(-np.asarray(eta)))


def irls(draws):
    """Seedlings: did each survive the winter? Two covariates."""
    height = draws.between(2, 12, 60)
    shade = draws.between(0, 100, 60, 0)
    slope, loss = draws.between(0.25, 0.5, 1, 2), draws.between(0.015, 0.03, 1, 3)
    survived = draws.bernoulli(expit(-1.2 + slope * height - loss * shade))
    return pd.DataFrame({"height": height, "shade": shade, "survived": survived})


def always(table):
    return True


def mixed(name):
    """Both outcomes at least ten times: a fit exists for all practical purposes."""
    return lambda table: 10 <= table[name].sum() <= len(table) - 10


DESIGNS = {
    "a5_irls": (irls, mixed("survived")),
}
