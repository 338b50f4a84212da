"""What a hidden test may say, on the trusted side: `student`, `check`, `near`, `equivalent`.

    with check(2, "one step from zero"):
        assert near(student.call("irls_step", X, y, np.zeros(3)), expected)

A check that fails or raises gives no points and stops nothing. Its words go to the feedback; its code never does.
"""
import ast
import json
import math
from contextlib import contextmanager

import numpy as np
import pandas as pd
import sympy as sp

MOST_NODES, MOST_POWER, DIGITS = 400, 50, 40
FUNCTIONS = {name: getattr(sp, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "gamma",
                                                  "loggamma", "factorial", "binomial", "digamma", "polygamma", "erf", "Abs", "sign")}
CONSTANTS = {"pi": sp.pi, "E": sp.E}
OPERATORS = {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b, ast.Div: lambda a, b: a / b}


class NoAnswer(Exception):
    """The submission has no usable answer here; the text is for the student."""


class Student:
    """A submission's answers. `ask` takes code for the kernel and returns the JSON that `answers` published, or None."""

    def __init__(self, ask):
        self._ask = ask

    def _answer(self, code, what):
        text = self._ask(f"__import__('answers').{code}")
        try:
            answer = json.loads(text)
            kind, value = answer["kind"], answer["value"]
        except (TypeError, ValueError, KeyError):
            raise NoAnswer(f"{what} gave no answer") from None
        if kind == "failure":
            raise NoAnswer(f"{what} is not defined" if value.startswith("KeyError") and code.startswith("tell") else f"{what} failed: {value}")
        return kind, value

    def get(self, name, *kinds):
        kind, value = self._answer(f"tell({name!r})", name)
        if kinds and kind not in kinds:
            raise NoAnswer(f"{name} should be {' or '.join(kinds)}, and is {kind}")
        return value

    def number(self, name):
        return self.get(name, "number")

    def array(self, name):
        return np.array(self.get(name, "array"), dtype=float)

    def text(self, name):
        return self.get(name, "str")

    def truth(self, name):
        return self.get(name, "bool")

    def expression(self, name, **symbols):
        """A sympy expression, rebuilt here from its text: nothing that the submission overrides comes along."""
        return expression(self.get(name, "expression", "number"), symbols)

    def expressions(self, name, **symbols):
        """A list of them."""
        return [expression(each["value"], symbols) for each in self.get(name, "list") if each["kind"] in ("expression", "number")]

    def figure(self, name="figure"):
        return self.get(name, "figure")

    def call(self, name, *arguments):
        """What the submission's function returns, as a number, an array or a list."""
        kind, value = self._answer(f"call({name!r}, {json.dumps([packed(each) for each in arguments])!r})", f"{name}()")
        return returned(kind, value)


def returned(kind, value):
    if kind == "array":
        return np.array(value, dtype=float)
    if kind == "list":
        return [returned(each["kind"], each["value"]) for each in value]
    if kind == "dict":
        return {name: returned(each["kind"], each["value"]) for name, each in value.items()}
    return value


def packed(argument):
    if isinstance(argument, pd.DataFrame):
        return {"frame": {name: column.tolist() for name, column in argument.items()}}
    if isinstance(argument, (np.ndarray, pd.Series)):
        array = np.asarray(argument)
        return {"array": array.tolist(), "dtype": array.dtype.str}
    return argument


def expression(text, symbols):
    """Arithmetic and a few functions, read without eval: the text comes from a stranger."""
    if isinstance(text, float):
        return sp.Float(text)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoAnswer("the expression cannot be read") from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise NoAnswer("the expression is too long: simplify it")

    def read(node):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and abs(node.value) < 1e12:
            return sp.sympify(node.value)
        if isinstance(node, ast.Name) and node.id in symbols:
            return symbols[node.id]
        if isinstance(node, ast.Name) and node.id in CONSTANTS:
            return CONSTANTS[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -read(node.operand)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            base, power = read(node.left), read(node.right)
            if power.is_number and abs(power) > MOST_POWER:
                raise NoAnswer(f"powers above {MOST_POWER} are not read")
            return base**power
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return OPERATORS[type(node.op)](read(node.left), read(node.right))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS and not node.keywords:
            return FUNCTIONS[node.func.id](*map(read, node.args))
        raise NoAnswer(f"the expression has a part that does not belong: {ast.unparse(node)[:60]}; allowed: {', '.join(symbols)}")

    return read(tree)


POINTS = [sp.Rational(*pair) for pair in ((3, 7), (5, 11), (2, 9), (7, 13), (4, 5), (11, 17), (1, 3), (8, 19), (9, 23), (6, 29))]


def equivalent(one, other, low=0, high=1):
    """Whether two expressions are equal as mathematics: at six points between low and high, to 40 digits; no form is preferred."""
    names = sorted(one.free_symbols | other.free_symbols, key=str)
    for start in range(6):
        at = {name: low + (high - low) * POINTS[(start + 3 * k) % len(POINTS)] for k, name in enumerate(names)}
        difference = sp.N((one - other).subs(at), DIGITS)
        scale = 1 + abs(sp.N(other.subs(at), DIGITS))
        if not (difference.is_number and difference.is_finite) or abs(difference) > scale * sp.Float(10) ** -20:
            return False
    return True


def near(found, wanted, relative=1e-6):
    """Equal shapes, and equal to this relative accuracy (absolute below one thousandth)."""
    if found is None or isinstance(found, (str, dict)):
        return False
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    return found.shape == wanted.shape and bool(np.all(np.abs(found - wanted) <= relative * np.maximum(np.abs(wanted), 1e-3)))


def shows(figure, points, relative=1e-6):
    """Whether some series of some axes holds these points, in any order, perhaps among others."""
    wanted = np.asarray(points, float)
    for axes in figure:
        for series in axes["series"]:
            drawn = np.asarray(series, float).reshape(-1, 2)
            if len(drawn) >= len(wanted) and all(np.any(np.all(np.abs(drawn - point) <= relative * np.maximum(np.abs(point), 1e-3), axis=1)) for point in wanted):
                return True
    return False


def labelled(figure):
    return bool(figure) and all(axes["xlabel"].strip() and axes["ylabel"].strip() for axes in figure[:1])


class Sheet:
    """The points of one test cell, and what to say about each check."""

    def __init__(self):
        self.points, self.possible, self.lines = 0, 0, []

    @contextmanager
    def check(self, points, says):
        self.possible += points
        try:
            yield
        except AssertionError as wrong:
            self.lines.append(f"0 of {points:g}: {says}" + (f": {wrong}" if str(wrong) else ""))
        except NoAnswer as wrong:
            self.lines.append(f"0 of {points:g}: {says}: {wrong}")
        except Exception as wrong:  # an answer of a shape that the test did not expect: wrong, but no reason to stop
            self.lines.append(f"0 of {points:g}: {says}: the answer could not be used ({type(wrong).__name__})")
        else:
            self.points += points
            self.lines.append(f"{points:g} of {points:g}: {says}")


def judge(code, ask, assignment, login, key, unseen):
    """(points, possible, lines) of one hidden test. `code` comes from the source, never from a submission."""
    import glmref
    from glmref import coursework

    sheet = Sheet()
    names = {"check": sheet.check, "student": Student(ask), "near": near, "equivalent": equivalent, "shows": shows, "labelled": labelled,
             "np": np, "sp": sp, "pd": pd, "math": math, "glmref": glmref, "LOGIN": login,
             "own": coursework.data(assignment, login, key), "other": coursework.data(assignment, "unseen", unseen)}
    exec(compile(code, f"<hidden test of {assignment}>", "exec"), names)
    return sheet.points, sheet.possible, sheet.lines
