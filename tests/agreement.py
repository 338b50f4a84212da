"""Every comparison of glmref with a stored oracle: held to its tolerance, and remembered.

The tests marked `oracle` compare through `within`. `python tests/agreement.py` runs them and writes what they saw, the
largest difference of each quantity, to tests/agreement.json, from which Appendix C is made.
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

HERE = Path(__file__).parent
RECORD = HERE / "agreement.json"
SEEN = []
WORDS = {"null_deviance": "null deviance", "pearson_chi2": "Pearson's chi-squared", "df_resid": "residual degrees of freedom",
         "loglik": "log-likelihood", "aic": "AIC", "bic": "BIC", "linear_predictor": "linear predictor", "fitted": "fitted means",
         "alpha_se": "standard error of alpha", "pearson residuals": "Pearson residuals"}  # fmt: skip


class Comparison(NamedTuple):
    oracle: str  # the file in oracles/, without .json
    case: str
    quantity: str
    measure: str
    tolerance: float
    difference: float


def within(tolerance, got, want, quantity, oracle, case, measure="relative to the largest entry", scale=None):
    """Assert |got - want| <= tolerance * scale, entry by entry. Unless given, the scale is the largest |want|: a vector that
    should be near zero is judged beside its companions."""
    got, want, quantity = np.asarray(got, dtype=float), np.asarray(want, dtype=float), WORDS.get(quantity, quantity)
    assert got.shape == want.shape, f"{quantity} of {case}: shape {got.shape}, {oracle} has {want.shape}"
    scale = np.max(np.abs(want), initial=0.0) if scale is None else scale
    gap = np.abs(got - want)
    share = np.divide(gap, scale, out=np.where(gap == 0, 0.0, np.inf), where=np.broadcast_to(scale, gap.shape) > 0)
    difference = float(np.max(share, initial=0.0))
    SEEN.append(Comparison(oracle, case, quantity, measure, tolerance, difference))
    assert difference <= tolerance, f"{quantity} of {case} differs from {oracle} by {difference:.2g}, {measure}; got {got}, expected {want}"


def in_standard_errors(tolerance, got, want, se, oracle, case, quantity="coefficients"):
    within(tolerance, got, want, quantity, oracle, case, "in standard errors", np.asarray(se, dtype=float))


def entry_by_entry(tolerance, got, want, quantity, oracle, case):
    within(tolerance, got, want, quantity, oracle, case, "relative, entry by entry", np.abs(np.asarray(want, dtype=float)))


def summary(comparisons):
    """For each oracle the number of cases, and one row per quantity, measure and tolerance: how many cases, and the largest
    difference, to two digits."""
    record = {}
    for oracle in sorted({one.oracle for one in comparisons}):
        own = [one for one in comparisons if one.oracle == oracle]
        record[oracle] = {"cases": len({one.case for one in own}), "compared": []}
        for quantity, measure, tolerance in sorted({one[2:5] for one in own}, key=lambda row: (row[0].lower(), row[1:])):
            alike = [one for one in own if one[2:5] == (quantity, measure, tolerance)]
            record[oracle]["compared"].append({
                "quantity": quantity, "measure": measure, "tolerance": tolerance,
                "cases": len({one.case for one in alike}), "difference": float(f"{max(one.difference for one in alike):.1e}"),
            })  # fmt: skip
    return record


def main(path=RECORD):
    """Run the oracle tests in this process and write the record."""
    import agreement  # the module that the tests import, which is not __main__

    modules = [str(file) for file in sorted(HERE.glob("test_*.py")) if "pytest.mark.oracle" in file.read_text(encoding="utf-8")]
    failed = pytest.main(["-q", "-p", "no:cacheprovider", "-m", "oracle", *modules])
    if failed:
        sys.exit("Not written: the oracle tests must pass first.")
    Path(path).write_text(json.dumps(summary(agreement.SEEN), indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
