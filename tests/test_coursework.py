"""Individual data: pinned, the same everywhere, tied to a key."""
import hashlib

import numpy as np
import pytest

from glmref import InputError, coursework

# sha256 of each assignment's practice data for "ada": if one changes, every student's data have changed
PINNED = {
    "a1_components": "a13b724053408840",
    "a2_family": "335ecc7baa924185",
    "a3_counts": "fdeb421886d487bb",
    "a4_likelihood": "701dca0b7b26ae7a",
    "a5_irls": "e50d3b5433948d8b",
    "a6_information": "37f76e512ca0238d",
    "a7_clusters": "6d11a8251ce6e38b",
    "a8_sandwich": "ed8b47ba0810d6d9",
}


def digest(table):
    return hashlib.sha256(table.to_csv(index=False, float_format="%.4f", lineterminator="\n").encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", coursework.DESIGNS)
def test_data_never_change(name):
    assert digest(coursework.data(name, "ada")) == PINNED[name]


@pytest.mark.parametrize("name", coursework.DESIGNS)
def test_each_login_has_data_of_its_own_and_they_are_usable(name):
    tables = [coursework.data(name, f"student{k}") for k in range(12)]
    assert len({digest(table) for table in tables}) == 12
    assert all(coursework.DESIGNS[name][1](table) and np.all(np.isfinite(table.to_numpy(float))) for table in tables)


def test_raw_bits_are_pinned():
    assert coursework.Draws("pin").uniform(3).tolist() == [0.8449219656895124, 0.6481478427959653, 0.5324400714997246]


def test_draws_do_not_depend_on_how_they_are_asked_for():
    whole, parts = coursework.Draws("x").uniform(12), coursework.Draws("x")
    assert whole.tolist() == [*parts.uniform(4), *parts.uniform(8)]


def test_draws_follow_their_laws():
    draws, n = coursework.Draws("laws"), 20_000
    for sample, mean, variance in ((draws.uniform(n), 1 / 2, 1 / 12), (draws.normal(n), 0, 1), (draws.poisson(np.full(n, 3.0)), 3, 3),
                                   (draws.gamma(2.0, np.full(n, 5.0)), 5, 12.5), (draws.binomial(np.full(2000, 10), np.full(2000, 0.3)), 3, 2.1)):
        assert abs(np.mean(sample) - mean) < 5 * np.sqrt(variance / len(sample))
        assert abs(np.var(sample) / variance - 1) < 0.15


def test_a_key_belongs_to_its_login():
    key = coursework.complete("ada", "0123456789")
    assert len(key) == coursework.CODE + coursework.CHECK
    assert digest(coursework.data("a5_irls", " Ada ", key.upper())) == digest(coursework.data("a5_irls", "ada", key))
    for login, wrong in (("bob", key), ("ada", key[:-1]), ("ada", ("1" if key[0] == "0" else "0") + key[1:]), ("ada", "")):
        with pytest.raises(InputError, match="the login that it was made for"):
            coursework.data("a5_irls", login, wrong)


def test_an_unknown_assignment_is_named():
    with pytest.raises(InputError, match="a5_irls"):
        coursework.data("a99", "ada")
