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
        raise InputError(expected="a key and the login that it was made for", got=f"the key {key!r} with the login {normal_login(login)!r}",
                         remedy=f"Copy both from your teacher's message, or use the key {PRACTICE!r} to work without one.")
    if assignment not in DESIGNS:
        raise InputError(expected="the name of an assignment", got=repr(assignment), remedy=f"There are {', '.join(sorted(DESIGNS))}.")
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
        return np.array([np.sum(self.uniform(int(m)) < p) for m, p in zip(trials, probability)])

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


def components(draws):
    """Crossings: accidents in a year, with the bicycles that pass in a day (thousands), the speed (km/h) and traffic lights."""
    bicycles, speed, lights = draws.between(0.5, 9, 40), draws.between(20, 70, 40, 0), draws.bernoulli(np.full(40, 0.5))
    effect, slope = draws.between(-0.9, -0.4, 1, 2), draws.between(0.015, 0.035, 1, 3)
    accidents = draws.poisson(bicycles * np.exp(-0.4 + effect * lights + slope * (speed - 40)))
    return pd.DataFrame({"accidents": accidents, "bicycles": bicycles, "speed": speed, "lights": lights})


def family(draws):
    """Repairs of ten types of machine, eight of each: hours, of constant relative spread."""
    mean = np.repeat(draws.between(1, 12, 10), 8)
    hours = np.maximum(np.round(draws.gamma(float(draws.between(2, 5, 1)[0]), mean), 2), 0.01)
    return pd.DataFrame({"machine": np.repeat(np.arange(1, 11), 8), "hours": hours})


def counts(draws):
    """Hikers and ticks: a Poisson count whose mean differs from hiker to hiker, by day in meadow or wood and by hours."""
    hours, meadow = draws.between(1, 8, 80), draws.bernoulli(np.full(80, 0.5))
    spread, effect = float(draws.between(0.4, 0.9, 1, 2)[0]), draws.between(0.4, 0.9, 1, 2)
    mean = draws.gamma(1 / spread, np.exp(0.2 + 0.22 * hours + effect * meadow))
    return pd.DataFrame({"ticks": draws.poisson(mean), "hours": hours, "meadow": meadow})


def likelihood(draws):
    """Bakeries: customers counted in one hour, the price of a roll (cents) and whether it rained."""
    price, rain = draws.between(30, 70, 50, 0), draws.bernoulli(np.full(50, 0.4))
    fall, effect = draws.between(0.01, 0.025, 1, 3), draws.between(-0.6, -0.2, 1, 2)
    return pd.DataFrame({"customers": draws.poisson(np.exp(3.6 - fall * (price - 30) + effect * rain)), "price": price, "rain": rain})


def irls(draws):
    """Seedlings: height at planting (cm), shade of the place (per cent), and whether each survived the winter."""
    height, shade = draws.between(2, 12, 60), draws.between(0, 100, 60, 0)
    slope, loss = draws.between(0.25, 0.5, 1, 2), draws.between(0.015, 0.03, 1, 3)
    return pd.DataFrame({"height": height, "shade": shade, "survived": draws.bernoulli(expit(-1.2 + slope * height - loss * shade))})


def information(draws):
    """Ten doses of a fungicide (mg per litre): spores exposed, spores killed."""
    dose = np.arange(1.0, 11.0)
    middle, slope = draws.between(4.5, 6.5, 1, 2), draws.between(0.4, 0.8, 1, 2)
    spores = draws.between(20, 45, 10, 0).astype(int)
    return pd.DataFrame({"dose": dose, "spores": spores, "killed": draws.binomial(spores, expit(slope * (dose - middle)))})


def clusters(draws):
    """Forty children seen four times: did each cough? Smoking belongs to the home, the season to the visit."""
    smoke = np.repeat(draws.bernoulli(np.full(40, 0.5)), 4)
    home, effect = np.repeat(draws.normal(40), 4), draws.between(0.5, 1.2, 1, 2)
    winter = np.tile([0, 1, 0, 1], 40)
    cough = draws.bernoulli(expit(-1.0 + effect * smoke + 0.6 * winter + 1.3 * home))
    return pd.DataFrame({"child": np.repeat(np.arange(1, 41), 4), "visit": np.tile([1, 2, 3, 4], 40), "smoke": smoke, "winter": winter, "cough": cough})


def sandwich(draws):
    """Twelve villages, six wells each: half of the villages had a campaign; the days of illness by well, with the depth (m)."""
    campaign, depth = np.repeat([0, 1], 36), draws.between(3, 30, 72)
    village, effect = np.repeat(0.5 * draws.normal(12), 6), draws.between(-0.7, -0.2, 1, 2)
    days = draws.poisson(np.exp(1.9 + effect * campaign - 0.02 * depth + village))
    return pd.DataFrame({"village": np.repeat(np.arange(1, 13), 6), "campaign": campaign, "depth": depth, "days": days})


def mixed(*names):
    """Each of these columns of zeros and ones has both at least ten times, so that a fit exists."""
    return lambda table: all(10 <= table[name].sum() <= len(table) - 10 for name in names)


DESIGNS = {
    "a1_components": (components, mixed("lights")),
    "a2_family": (family, lambda table: table.groupby("machine")["hours"].std().min() > 0.05),
    "a3_counts": (counts, mixed("meadow")),
    "a4_likelihood": (likelihood, mixed("rain")),
    "a5_irls": (irls, mixed("survived")),
    "a6_information": (information, lambda table: 0 < table["killed"][0] < table["spores"][0] and 0 < table["killed"][9] < table["spores"][9]),
    "a7_clusters": (clusters, mixed("smoke", "winter", "cough")),
    "a8_sandwich": (sandwich, lambda table: table.groupby("village")["days"].sum().min() > 0),
}
