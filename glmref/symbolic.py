"""The mathematics, done by sympy: from a cumulant b(theta) to everything else, and from a density to its b(theta).

The only module that imports sympy. `derive` differentiates and inverts; `canonical_form` reads a density;
`inverse_link`, `score` and `information` join a family to a link. Results show themselves as mathematics.

>>> import sympy
>>> symbolic.mu, symbolic.eta, symbolic.y, symbolic.phi, symbolic.w
(mu, eta, y, phi, w)
"""

from dataclasses import dataclass, replace

import sympy as sp

from . import families, links
from .errors import InputError

y, eta = sp.symbols("y eta", real=True)
mu, phi, w = sp.symbols("mu phi w", positive=True)
_Y = sp.Symbol("y", positive=True)  # stands in for y where sympy would otherwise write |y|
_PROBE = sp.Rational(2, 7)  # a value that every family's mean and every parameter can take


def theta_for(family):
    """The symbol theta, negative where the family's parameter must be.

    >>> symbolic.theta_for(families.Gamma()).is_negative
    True
    """
    return sp.Symbol("theta", negative=True) if family.parameter_interval[1] == 0 else sp.Symbol("theta", real=True)


@dataclass(frozen=True)
class Derivation:
    """What b(theta), the cumulant, implies. mean, variance: b', b'' in theta; canonical: theta(mu); variance_function: V(mu);
    unit_deviance: d(y, mu), twice the Bregman divergence of b.

    >>> found = symbolic.derive("binomial")
    >>> found.theta, found.cumulant, found.canonical
    (theta, log(exp(theta) + 1), log(mu/(1 - mu)))
    """

    theta: sp.Symbol
    cumulant: sp.Expr
    mean: sp.Expr
    variance: sp.Expr
    canonical: sp.Expr
    variance_function: sp.Expr
    unit_deviance: sp.Expr

    def _repr_latex_(self):
        lines = (
            (sp.Function("b")(self.theta), self.cumulant),
            (sp.Symbol(r"\mu = b'(\theta)"), self.mean),
            (sp.Symbol(r"b''(\theta)"), self.variance),
            (sp.Symbol(r"\theta(\mu)"), self.canonical),
            (sp.Symbol(r"V(\mu)"), self.variance_function),
            (sp.Symbol(r"d(y, \mu)"), self.unit_deviance),
        )
        return r"$\displaystyle \begin{aligned}" + r"\\".join(_line(*pair) for pair in lines) + r"\end{aligned}$"


@dataclass(frozen=True)
class CanonicalForm:
    """A density read as exp{[y theta - b(theta)] / a + c(y)}. cumulant: b(theta); theta_of: theta in the
    density's own parameter.

    >>> y, mu = symbolic.y, symbolic.mu
    >>> found = symbolic.canonical_form(sympy.exp(-mu) * mu**y / sympy.factorial(y), mu)
    >>> found.theta, found.theta_of, found.cumulant, found.a
    (theta, log(mu), exp(theta), 1)
    """

    theta: sp.Symbol
    theta_of: sp.Expr
    cumulant: sp.Expr
    a: sp.Expr
    c: sp.Expr

    def _repr_latex_(self):
        lines = (
            (sp.Symbol(r"\theta"), self.theta_of),
            (sp.Symbol(r"b(\theta)"), self.cumulant),
            (sp.Symbol("a"), self.a),
            (sp.Symbol("c"), self.c),
        )
        return r"$\displaystyle \begin{aligned}" + r"\\".join(_line(*pair) for pair in lines) + r"\end{aligned}$"


def derive(family):
    """The Derivation of a family (name, instance, or anything with `cumulant` and `parameter_interval`).

    >>> symbolic.derive("poisson").variance_function, symbolic.derive("gamma").variance_function
    (mu, mu**2)
    """
    family = families.get(family)
    theta = theta_for(family)
    if family.shape_name:  # its own parameter as a fraction, so that the formulas stay exact
        family = replace(family, **{family.shape_name: sp.nsimplify(family.shape, rational=True)})
    b = family.cumulant(theta, sp)
    mean, variance = sp.factor(sp.diff(b, theta)), sp.factor(sp.diff(b, theta, 2))
    canonical = _invert(mean, theta, family.parameter_interval)
    saturated = mu * canonical - b.subs(theta, canonical)
    bregman = saturated.subs(mu, _Y) - _Y * canonical + b.subs(theta, canonical)
    return Derivation(
        theta=theta,
        cumulant=b,
        mean=mean,
        variance=variance,
        canonical=canonical,
        variance_function=_signs(sp.factor(sp.simplify(1 / sp.diff(canonical, mu)))),  # b''(theta(mu)) = d mu / d theta
        unit_deviance=_tidy(2 * bregman).subs(_Y, y),
    )


def canonical_form(density, parameter, dispersion=()):
    """Read f(y; parameter, dispersion) as an exponential dispersion model in y.

    The test: the score d log f / d parameter must be linear in y. Its slope is theta'(parameter) / a, its constant term
    -b'(theta) theta'(parameter) / a; integrating both gives theta and b. Raises InputError for a non-member.

    >>> y, phi, mu = symbolic.y, symbolic.phi, symbolic.mu
    >>> normal = sympy.exp(-((y - mu) ** 2) / (2 * phi)) / sympy.sqrt(2 * sympy.pi * phi)
    >>> symbolic.canonical_form(normal, mu, dispersion=[phi]).cumulant
    theta**2/2
    """
    density = sp.sympify(density)
    log_density = sp.expand_log(sp.log(density), force=True)
    (response,) = [s for s in density.free_symbols if s.name == "y"] or [y]
    score = sp.expand(sp.simplify(sp.diff(log_density, parameter)))
    slope = sp.simplify(sp.diff(score, response))
    if slope == 0:
        raise InputError(
            expected="a density in which the parameter multiplies a function of y",
            got=f"d log f / d {parameter} = {score}, without y",
            remedy="The parameter moves the support or is a mere constant: not of the form exp{[y theta - b(theta)] / a + c(y)}.",
        )
    if sp.simplify(sp.diff(slope, response)) != 0:
        raise InputError(
            expected="a density whose score is linear in y",
            got=f"d log f / d {parameter} = {score}",
            remedy="This density is not of the form exp{[y theta - b(theta)] / a + c(y)} in y.",
        )
    scale, shape = sp.factor(slope).as_independent(parameter, as_Add=False)
    number, scale = scale.as_independent(*dispersion, as_Add=False) if dispersion else (scale, sp.Integer(1))
    a = 1 / scale
    theta_of = _primitive(number * shape, parameter)
    b_of = -_primitive(sp.simplify(score.subs(response, 0) * a), parameter)
    theta = sp.Symbol("theta", negative=True) if theta_of.is_negative else sp.Symbol("theta", real=True)
    parameter_of = _solve(theta_of, parameter, theta)
    b = _signs(sp.simplify(sp.expand_log(b_of.subs(parameter, parameter_of))))
    c = sp.expand(sp.expand_log(sp.expand(log_density - (response * theta_of - b_of) / a), force=True))
    c = sp.simplify(c) if parameter in c.free_symbols else c
    if parameter in c.free_symbols:
        raise InputError(
            expected="a remainder c(y) free of the parameter", got=str(c), remedy="The density is not a member."
        )
    return CanonicalForm(theta, theta_of, b, sp.simplify(a), c)


def inverse_link(link):
    """h(eta), the link's definition, as an expression in the symbol eta.

    >>> symbolic.inverse_link("cloglog")
    1 - exp(-exp(eta))
    """
    return sp.simplify(sp.nsimplify(links.get(link).definition(eta, sp), rational=True))


def score(family, link=None):
    """d l / d eta of one observation with a(phi) = phi / w: (y - mu) h'(eta) w / [phi V(mu)], in y and eta.

    >>> symbolic.score("poisson")
    w*(y - exp(eta))/phi
    """
    derivation, h = _join(family, link)
    return sp.simplify((y - h) * sp.diff(h, eta) * w / (phi * derivation.variance_function.subs(mu, h)))


def information(family, link=None):
    """Minus the expected second derivative of l in eta: h'(eta)^2 w / [phi V(mu)], in eta.

    >>> symbolic.information("poisson"), symbolic.information("gamma", "log")
    (w*exp(eta)/phi, w/phi)
    """
    derivation, h = _join(family, link)
    return sp.simplify(sp.diff(h, eta) ** 2 * w / (phi * derivation.variance_function.subs(mu, h)))


def _join(family, link):
    family = families.get(family)
    return derive(family), inverse_link(family.canonical_link if link is None else link)


def _invert(mean, theta, interval):
    """theta(mu), the solution of b'(theta) = mu."""
    probe = -_PROBE if interval[1] == 0 else _PROBE
    return _signs(sp.simplify(_solve(mean, theta, mu, probe)))


def _solve(expression, unknown, value, probe=_PROBE):
    """The root of expression(unknown) = value that passes through the probe, as a formula in value."""
    plain, target = sp.Dummy(), sp.N(expression.subs(unknown, probe), 30)
    for root in sp.solve(expression.subs(unknown, plain) - value, plain):
        if abs(sp.N(root.subs(value, target), 30) - probe) < 1e-20:
            return root
    raise InputError(
        expected="an expression that sympy can invert",
        got=f"{expression} = {value}",
        remedy="Where only a fit is wanted, families.from_cumulant inverts numerically.",
    )


def _primitive(expression, variable):
    """An indefinite integral, with the logarithms of positive arguments."""
    found = sp.integrate(expression, variable)
    return found.replace(sp.log, lambda u: sp.log(-u) if u.subs(variable, _PROBE).is_negative else sp.log(u))


def _tidy(expression):
    """The shorter of two ways to write an expression with logarithms."""
    return min(_signs(sp.simplify(expression)), sp.expand(sp.expand_log(expression, force=True)), key=sp.count_ops)


def _signs(expression):
    """Write mu (1 - mu) where sympy writes -mu (mu - 1), in products and inside logarithms."""

    def turned(u):
        numerator, denominator = u.as_numer_denom()
        factors = sp.Mul.make_args(numerator)
        if sp.S.NegativeOne not in factors:
            return u
        for factor in factors:
            if factor.is_Add:
                return sp.Mul(*(f for f in factors if f not in (factor, sp.S.NegativeOne)), -factor) / denominator
        return -numerator / -denominator

    def log_of(u):
        numerator, denominator = turned(u).as_numer_denom()
        return -sp.log(denominator / numerator) if numerator in (1, -1) else sp.log(numerator / denominator)

    return turned(expression.replace(sp.log, log_of))


def _line(left, right):
    return f"{sp.latex(left)} &= {sp.latex(right)}"
