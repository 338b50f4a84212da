"""A linear hypothesis L beta = c, from the words a user would write.

"x = 0", "2 * x - z = 1", several joined by commas; the name of a term of the formula, "group", for all its
coefficients at once; a list of either; or the matrix L itself (q x p), with c = 0.
"""

import re
from dataclasses import dataclass

import numpy as np
from formulaic.utils.constraints import LinearConstraints

from .errors import InputError


@dataclass(frozen=True)
class Hypothesis:
    """L beta = c: L (q x p), c (q), and how it was written."""

    L: np.ndarray
    c: np.ndarray
    text: str


def parse(hypothesis, design, keep):
    """The Hypothesis about the coefficients of a design. keep: which are estimable; asking about another is an error."""
    if isinstance(hypothesis, Hypothesis):
        return hypothesis
    if isinstance(hypothesis, str):
        L, c, text = _from_text(hypothesis, design)
    elif isinstance(hypothesis, (list, tuple)) and all(isinstance(part, str) for part in hypothesis) and hypothesis:
        parts = [_from_text(part, design) for part in hypothesis]
        L, c = np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        text = ", ".join(part[2] for part in parts)
    else:
        try:
            L = np.atleast_2d(np.asarray(hypothesis, dtype=float))
        except (TypeError, ValueError):
            raise InputError(
                expected="a hypothesis such as 'x = 0', a list of such, or a matrix of numbers",
                got=repr(hypothesis),
                remedy="Write each as text.",
            ) from None
        c, text = np.zeros(len(L)), "L beta = 0"
    p = len(design.names)
    if L.ndim != 2 or L.shape[1] != p or not L.size or not np.all(np.isfinite(L)):
        raise InputError(
            expected=f"a matrix of finite numbers with {p} columns, one per coefficient",
            got=f"shape {L.shape}" if np.all(np.isfinite(L)) else f"{L.tolist()}",
            remedy="The coefficients are, in order: " + ", ".join(design.names) + ".",
        )
    if np.linalg.matrix_rank(L) < len(L):
        raise InputError(
            expected="hypotheses none of which follows from the others",
            got=f"{len(L)} rows of rank {np.linalg.matrix_rank(L)}: {text}",
            remedy="Leave out the ones that say the same as others, or contradict them.",
        )
    aliased = [name for name, column, kept in zip(design.names, L.T, keep) if not kept and np.any(column)]
    if aliased:
        raise InputError(
            expected="a hypothesis about coefficients that were estimated",
            got=f"{', '.join(aliased)}, aliased with the columns before",
            remedy="Drop the repeated column and fit again.",
        )
    return Hypothesis(L, c, text)


def _from_text(text, design):
    p = len(design.names)
    terms = {str(term): slice_ for term, slice_ in design.spec.term_slices.items()} if design.spec is not None else {}
    if text in terms:
        return np.eye(p)[terms[text]], np.zeros(len(range(p)[terms[text]])), f"{text} = 0"
    if text in design.names:
        return np.eye(p)[[design.names.index(text)]], np.zeros(1), f"{text} = 0"
    try:
        if not text.strip() or any(part.count("=") > 1 for part in text.split(",")):
            raise ValueError("one = in each")
        # formulaic takes "=-" for one operator
        constraints = LinearConstraints.from_spec(re.sub(r"=\s*-", "= 0 - ", text), variable_names=list(design.names))
    except Exception as error:
        raise InputError(
            expected="a hypothesis such as 'x = 0', about " + ", ".join([*design.names, *terms]),
            got=f"{text!r} ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})",
            remedy="Put names with brackets between backticks: '`g[T.b]` = `g[T.c]`'.",
        ) from None
    L = np.asarray(constraints.constraint_matrix, dtype=float)
    c = np.asarray(constraints.constraint_values, dtype=float)
    return L, c, text if "=" in text else f"{text} = 0"
