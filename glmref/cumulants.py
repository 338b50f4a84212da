"""A family of the reader's own, from its cumulant b(theta) alone.

sympy differentiates b; the mean is b', the variance function b'' read at theta(mu), and the inverse theta(mu) of b' is
its formula where sympy finds one and Newton's method where not. The deviance is taken from the convex conjugate of b,
which also exists at the edge of the mean's range (a count of 0, say), as a limit.
"""

from dataclasses import dataclass, field

import numpy as np
import sympy as sp

from . import checks
from .errors import InputError
from .families import Family
from .links import Link


@dataclass(frozen=True)
class _Functions:
    """Numerical versions of b, b', b'', b''', the inverse of b', and the edges of the mean's range.

    source: the cumulant as a function, and the interval of theta; expression: (theta, b') as sympy has them.
    """

    source: tuple
    expression: tuple
    b: object
    mean: object
    variance: object
    third: object
    theta: object
    mean_interval: tuple
    edge_conjugates: tuple  # limit of y theta - b(theta) at each edge y

    def __reduce__(self):
        return _functions, self.source  # what sympy made of it cannot be pickled, and need not be


@dataclass(frozen=True, kw_only=True)
class CanonicalLink(Link):
    """The canonical link of a cumulant: eta = theta, so h = b', h' = b'', h'' = b'''."""

    functions: _Functions = field(repr=False)
    domain: tuple = (-np.inf, np.inf)
    name = "canonical"

    @property
    def image(self):
        return self.functions.mean_interval

    def definition(self, eta, lib):
        names = {name: getattr(lib, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan")}
        return sp.lambdify(*self.functions.expression, modules=[names])(eta)

    def link(self, mu):
        return self.functions.theta(mu)

    def inverse(self, eta):
        return self.functions.mean(eta)

    def derivative(self, eta):
        return self.functions.variance(eta)

    def second_derivative(self, eta):
        return self.functions.third(eta)


@dataclass(frozen=True, kw_only=True)
class CumulantFamily(Family):
    """The exponential dispersion model of one cumulant. It has no log-density: no formula for c(y, phi) is known here."""

    functions: _Functions = field(repr=False)
    definition: object
    name: str
    parameter_interval: tuple
    dispersion: float | None
    has_likelihood = False

    def cumulant(self, theta, lib):
        return self.definition(theta, lib)

    @property
    def canonical_link(self):
        return CanonicalLink(functions=self.functions, domain=self.parameter_interval)

    @property
    def mean_interval(self):
        return self.functions.mean_interval

    @property
    def response_domain(self):
        return "a number from {:g} to {:g}".format(*self.mean_interval)

    def variance(self, mu):
        return self.functions.variance(self.functions.theta(mu))

    def variance_derivative(self, mu):
        theta = self.functions.theta(mu)  # dV/dmu = b'''(theta) dtheta/dmu, and dmu/dtheta = b''(theta)
        return self.functions.third(theta) / self.functions.variance(theta)

    def unit_deviance(self, y, mu):
        theta = self.functions.theta(mu)
        return 2 * np.maximum(_conjugate(self.functions, y) - (y * theta - self.functions.b(theta)), 0.0)

    def in_domain(self, y):
        low, high = self.mean_interval
        low_allowed, high_allowed = np.isfinite(self.functions.edge_conjugates)
        return np.isfinite(y) & ((y > low) | ((y == low) & low_allowed)) & ((y < high) | ((y == high) & high_allowed))

    def starting_mean(self, y, weight):
        return (y + np.average(y, weights=weight)) / 2

    def saturated_log_density(self, y, phi, weight):
        raise InputError(
            expected="a family with a known density",
            got=f"{self.name}, made from its cumulant alone",
            remedy="Mean, variance and deviance follow from b(theta), but no formula for c(y, phi) is known here: compare deviances.",
        )

    def ml_dispersion(self, deviance, weight, y=None, frequency=1.0):
        return self.saturated_log_density(None, None, None)


def from_cumulant(cumulant, *, name="custom", parameter_interval=(-np.inf, np.inf), dispersion=None):
    """A Family from b(theta).

    cumulant: function of (theta, lib), such as lambda theta, lib: lib.exp(theta); lib supplies exp, log, sqrt.
    parameter_interval: the open range of theta. dispersion: 1 where phi is known to be 1, None to estimate it.
    Raises InputError where b is not strictly convex there.
    """
    if not (dispersion is None or (checks.is_number(dispersion) and 0 < dispersion < np.inf)):
        raise InputError(expected="dispersion as a number > 0, or None", got=repr(dispersion), remedy="1 where phi is known to be 1.")
    interval = _interval(parameter_interval)
    return CumulantFamily(
        functions=_functions(cumulant, interval), definition=cumulant, name=name, parameter_interval=interval, dispersion=dispersion
    )


def _interval(ends):
    """Two numbers, the smaller first, as floats."""
    try:
        low, high = map(float, ends)
    except (TypeError, ValueError):
        low = high = np.nan
    if not low < high:
        raise InputError(
            expected="parameter_interval as two numbers, the smaller first", got=repr(ends), remedy="(-np.inf, np.inf) is the default."
        )
    return low, high


def _expression(cumulant, theta):
    """b as sympy has it: real, smooth, of theta alone."""
    try:
        b = sp.sympify(cumulant(theta, sp))
        fine = isinstance(b, sp.Expr) and b.free_symbols == {theta} and not b.has(sp.Abs, sp.sign, sp.Piecewise, sp.Max, sp.Min, sp.I)
    except Exception as error:
        b, fine = f"{type(error).__name__}: {error}", False
    if not fine:
        raise InputError(
            expected="the cumulant as a function of (theta, lib) that returns a smooth, real formula in theta, with lib.exp, lib.log, lib.sqrt",
            got=str(b),
            remedy="Write it as lambda theta, lib: lib.exp(theta), for instance.",
        )
    return b


def _functions(cumulant, parameter_interval):
    """All that sympy makes of a cumulant."""
    theta = sp.Symbol("theta", real=True)
    b = _expression(cumulant, theta)
    derivatives = [b] + [sp.simplify(sp.diff(b, theta, k)) for k in (1, 2, 3)]
    low, high = (sp.sympify(end) if np.isfinite(end) else sp.oo * int(np.sign(end)) for end in parameter_interval)
    _check_convex(derivatives[2], theta, parameter_interval)
    edges = tuple(sp.limit(derivatives[1], theta, end, "+" if end is low else "-") for end in (low, high))
    inside = sp.Float(np.mean(np.clip(parameter_interval, -20, 20)))
    settled = all(edge.is_extended_real and not isinstance(edge, sp.AccumBounds) for edge in edges)
    if not (settled and edges[0] < edges[1] and sp.limit(b, theta, inside).is_real):
        raise InputError(
            expected="b(theta) real, and b' rising from one end of parameter_interval to the other",
            got=f"b({inside:g}) = {sp.limit(b, theta, inside)}, and b' from {edges[0]} to {edges[1]}",
            remedy="Give parameter_interval, the open range of theta in which b is real and convex.",
        )
    conjugates = tuple(
        float(sp.limit(edge * theta - b, theta, end, "+" if end is low else "-")) if edge.is_finite else np.inf
        for edge, end in zip(edges, (low, high))
    )
    numerical = [_vectorized(sp.lambdify(theta, d, "numpy")) for d in derivatives]
    interval = tuple(map(float, edges))
    return _Functions(
        (cumulant, parameter_interval),
        (theta, derivatives[1]),
        *numerical,
        _inverse(derivatives[1], theta, numerical, parameter_interval, interval),
        interval,
        conjugates,
    )


def _vectorized(function):
    def apply(x):
        x = np.asarray(x, dtype=float)
        with np.errstate(all="ignore"):
            values = np.asarray(function(x))
            if np.iscomplexobj(values):  # of a formula for a root: real, or not the one sought
                values = np.where(np.abs(values.imag) <= 1e-12 * np.abs(values), values.real, np.nan)
            return np.broadcast_to(values, x.shape).astype(float)

    return apply


def _check_convex(second, theta, interval):
    """b'' > 0 at points between the ends, or between -20 and 20: where the quick value is not positive, one of 30 digits decides."""
    low, high = (np.clip(end, -20, 20) for end in interval)
    points = np.linspace(low, high, 2001)[1:-1]
    quick = _vectorized(sp.lambdify(theta, second, "numpy"))(points)
    worst_first, unknown = np.argsort(quick), points[np.isnan(quick)]
    for point in [*points[worst_first][: np.count_nonzero(quick <= 0)][:100], *unknown[:: len(unknown) // 20 + 1], points[len(points) // 3]]:
        try:
            value = second.evalf(30, subs={theta: sp.Float(point)})
        except ZeroDivisionError:  # a gap that the formula has and b'' has not
            value = sp.nan
        value = value if value.is_finite else sp.limit(second, theta, sp.Float(point))
        if not (value.is_real and value > 0):
            raise InputError(
                expected="b(theta) strictly convex, b'' > 0, since b'' is a variance",
                got=f"b''({point:g}) = {sp.N(value, 4)}",
                remedy="Check the sign of b and parameter_interval.",
            )


def _inverse(mean, theta, numerical, interval, mean_interval):
    """theta(mu): sympy's formula if it inverts b' at a probe, else Newton's method kept inside a bracket."""
    probe = float(np.clip(0.3, *interval)) if interval[0] < 0.3 < interval[1] else (interval[1] if np.isfinite(interval[1]) else interval[0]) - 0.3
    target = sp.Symbol("mu", real=True)
    try:
        roots = sp.solve(mean - target, theta)
    except NotImplementedError:
        roots = []
    for root in roots:
        formula = _vectorized(sp.lambdify(target, root, "numpy"))
        try:
            if np.allclose(formula(numerical[1](probe)), probe, rtol=1e-10):
                return formula
        except NameError:  # a function that numpy does not have, such as Lambert's W
            continue

    def newton(mu):
        mu = np.asarray(mu, dtype=float)
        low, high = np.full(mu.shape, _step_in(interval[0], 1)), np.full(mu.shape, _step_in(interval[1], -1))
        value = np.full(mu.shape, probe)
        for _ in range(200):
            excess = numerical[1](value) - mu
            low, high = np.where(excess < 0, value, low), np.where(excess > 0, value, high)
            trial = value - excess / numerical[2](value)
            inside = (trial > low) & (trial < high)
            moved = np.where(inside, trial, (low + high) / 2)
            if np.all(np.abs(moved - value) <= 4e-16 * np.abs(value)):
                break
            value = np.where(excess == 0, value, moved)
        outside = (mu <= mean_interval[0]) | (mu >= mean_interval[1])
        return np.where(outside, np.nan, value)

    return newton


def _step_in(end, direction):
    return -direction * 700.0 if not np.isfinite(end) else end


def _conjugate(functions, y):
    """b*(y) = sup over theta of y theta - b(theta), with its limits at the edges."""
    y = np.asarray(y, dtype=float)
    low, high = functions.mean_interval
    inside = (y > low) & (y < high)
    theta = functions.theta(np.where(inside, y, (low + high) / 2 if np.isfinite(high - low) else max(low, -1.0) + 1.0))
    value = y * theta - functions.b(theta)
    return np.where(inside, value, np.where(y == low, functions.edge_conjugates[0], functions.edge_conjugates[1]))
