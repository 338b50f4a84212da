"""Chapter 12's mixed model against R's lme4 (oracles/mixed.json, made by mixed.R): the chapter's own cells are run, and the
numbers of R that it quotes are the stored ones.
"""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from agreement import in_standard_errors, within
from notebooks import BOOK, read

ORACLE = json.loads((Path(__file__).parent / "oracles" / "mixed.json").read_text(encoding="utf-8"))
(CASE,) = ORACLE["cases"]


def cells(*needed):
    """Of chapter 12, the cells in which these words first stand, in order."""
    sources = [cell.source for cell in read(BOOK / "12_gee_in_practice.ipynb").cells if cell.cell_type == "code"]
    return [next(source for source in sources if word in source) for word in needed]


FITTING = cells("import numpy", 'load("respiratory")', "hermegauss", "def mixed(", "optimize.minimize(mixed")


@pytest.mark.oracle
def test_the_quadrature_of_the_chapter_agrees_with_lme4():
    space = {}
    for source in FITTING:
        exec(source, space)  # the last one asserts what the chapter quotes
    best, se, name = space["best"], CASE["se"], CASE["id"]
    in_standard_errors(1e-5, best[:6], CASE["coef"], se, "mixed", name)
    within(1e-5, space["se_c"], se, "standard errors", "mixed", name, "relative, entry by entry", np.array(se))
    within(1e-5, space["sigma_b"], CASE["sigma"], "standard deviation of the intercepts", "mixed", name)
    within(1e-7, -space["mixed"](best)[0], CASE["loglik"], "loglik", "mixed", name)


def test_the_chapter_quotes_the_stored_numbers_to_their_last_digit():
    quoting = FITTING[-1]
    versions = ORACLE["versions"] | {"lme4": "-".join(ORACLE["versions"]["lme4"].rsplit(".", 1))}  # 1.1.31 is called 1.1-31
    assert "# R {R}, lme4 {lme4}: ".format(**versions) + f"glmer(..., nAGQ = {CASE['nodes']})" in quoting
    by_r = next(node.value for node in ast.walk(ast.parse(quoting)) if isinstance(node, ast.Assign) and node.targets[0].id == "by_r")
    assert ast.literal_eval(by_r) == [round(value, 5) for value in [*CASE["coef"], CASE["sigma"], CASE["se"][1]]]
