"""The published estimates of published.toml, and how a test reproduces one."""

import tomllib
from decimal import Decimal
from pathlib import Path

import numpy as np

RECORD = Path(__file__).parent / "published.toml"
PUBLISHED = tomllib.loads(RECORD.read_text(encoding="utf-8"))


def reproduces(name, got):
    """Assert that these numbers, rounded, are the printed ones of this entry."""
    printed = [Decimal(value) for value in PUBLISHED[name]["values"].split()]
    got = np.ravel(got)
    assert len(got) == len(printed), f"{name}: {len(got)} numbers, {len(printed)} are printed"
    for here, there in zip(got, printed):
        half = 0.5000001 * 10.0 ** there.as_tuple().exponent
        assert abs(here - float(there)) <= half, f"{name}: {here} is not {there}"
