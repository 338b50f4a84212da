"""How a fit is printed: one table of coefficients and a few lines of facts, in a terminal and in a notebook."""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from . import inference
from .errors import InputError


@dataclass(frozen=True, repr=False)
class Report:
    """title; facts: (label, text) pairs; table: coefficients by term; ratios: the same as ratios, or None; notes: sentences
    below.

    >>> report = fit.summary()
    >>> report.title
    'Generalized linear model: I(damaged / rings) ~ temperature'
    >>> report.table["estimate"].round(4).to_dict()
    {'Intercept': 5.085, 'temperature': -0.1156}
    """

    title: str
    facts: tuple
    table: pd.DataFrame
    notes: tuple = ()
    ratios: pd.DataFrame | None = None

    def __repr__(self):
        width = max(len(label) for label, _ in self.facts)
        lines = [self.title, ""]
        lines += [f"{label:<{width}}  {text}" for label, text in self.facts]
        for table in self._tables:
            lines += ["", _cells(table).to_string()]
        lines.append("")
        return "\n".join([*lines, *self.notes]).rstrip()

    def _repr_html_(self):
        facts = "".join(f"<tr><th scope='row'>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in self.facts)
        tables = "".join(_html(table) for table in self._tables)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<div class='glmref-summary'><p><strong>{escape(self.title)}</strong></p>"
            f"<table class='glmref-facts'><tbody>{facts}</tbody></table>"
            f"{tables}{notes}</div>"
        )

    @property
    def _tables(self):
        return [self.table] if self.ratios is None else [self.table, self.ratios]


def _html(table):
    header = "".join(f"<th scope='col'>{escape(column)}</th>" for column in table.columns)
    body = "".join(
        f"<tr><th scope='row'>{escape(str(term))}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for term, cells in zip(table.index, _cells(table).to_numpy())
    )
    return (
        f"<table class='glmref-coefficients'><thead><tr><th scope='col'>term</th>{header}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def number(value, digits=4):
    """A number to `digits` significant digits, without an exponent where that is short."""
    if value is None or not np.isfinite(value):
        return "NaN" if value is None or np.isnan(value) else str(value)
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        places = max(0, digits - 1 - int(np.floor(np.log10(abs(value))))) if value else 1
        return f"{value:.{places}f}"
    return f"{value:.{digits - 1}e}"


def probability(value):
    """A P value: three decimals, or < 0.001."""
    return "NaN" if np.isnan(value) else "< 0.001" if value < 0.0005 else f"{value:.3f}"


def likelihood(fit):
    """Log-likelihood, AIC and BIC, or that the family has none."""
    try:
        return f"{number(fit.loglik, 6)} (AIC {number(fit.aic, 6)}, BIC {number(fit.bic, 6)})"
    except InputError:
        return "none: this family is known by its mean and variance only"


def _cells(table):
    return pd.DataFrame(
        {column: table[column].map(probability if column.startswith("P(") else number) for column in table.columns},
        index=table.index,
    )


def glm_report(fit, level):
    """The Report of a GLMFit."""
    statistic = "t" if fit.dispersion_estimated else "z"
    value = fit.coef / fit.se
    interval = fit.confint(level).rename(columns=lambda end: f"{end} {100 * level:g}%")
    table = pd.DataFrame(
        {
            "estimate": fit.coef,
            "std. error": fit.se,
            statistic: value,
            f"P(>|{statistic}|)": inference.p_value(value, fit._df),
            **interval,
        }
    )
    if fit.separation is not None:  # an infinite estimate has no standard error, no interval and no P value
        infinite = fit.separation.infinite
        table.loc[infinite.index] = interval.loc[infinite.index] = np.nan
        table.loc[infinite.index, "estimate"] = infinite
    phi = number(fit.dispersion) + ("" if fit.dispersion_estimated else " (fixed)")
    facts = (
        ("family, link", f"{fit.family}, {fit.link}"),
        ("observations", f"{fit.nobs} ({fit.df_resid} residual degrees of freedom{dropped(fit)})"),
        ("deviance", f"{number(fit.deviance, 6)} (null {number(fit.null_deviance, 6)})"),
        ("Pearson chi-squared", number(fit.pearson_chi2, 6)),
        *shape(fit),
        ("dispersion", phi),
        ("log-likelihood", likelihood(fit)),
        ("converged", f"{'yes' if fit.converged else 'NO'}, in {rounds(len(fit.solution.trace))}"),
    )
    title = f"Generalized linear model: {fit.design.formula}" if fit.design.formula else "Generalized linear model"
    notes = aliased(fit)
    if fit.boundary.any():
        means = "1 mean" if np.count_nonzero(fit.boundary) == 1 else f"{np.count_nonzero(fit.boundary)} means"
        notes += (f"{means} at the edge of those the link allows: standard errors do not hold.",)
    if fit.separation is not None:
        notes += (f"Separation. {fit.separation}. Profile intervals and likelihood-ratio tests of these coefficients hold.",)
    return Report(title, facts, table, notes, ratios(fit, table["estimate"], interval))


def dropped(fit):
    """How many rows were left out, where some were."""
    return f"; {fit.design.dropped} rows with missing values dropped" if fit.design.dropped else ""


def aliased(fit):
    """A note of the terms that were not estimated, where there are some."""
    terms = [term for term, kept in zip(fit.design.names, fit.keep) if not kept]
    return (f"Aliased, not estimated: {', '.join(terms)}.",) if terms else ()


def ratios(fit, estimate, interval):
    """The coefficients and their interval as ratios, where e^coefficient is one; but e^intercept is a level, not a ratio."""
    name, slopes = fit.family.ratios.get(fit.link.name), estimate.index != "Intercept"
    if name is None or not slopes.any():
        return None
    with np.errstate(over="ignore"):
        return np.exp(pd.DataFrame({name: estimate, **interval})[slopes])


def shape(fit):
    """The line about the family's own parameter, where it has one."""
    name = fit.family.shape_name
    if name is None:
        return ()
    value, estimate = number(fit.family.shape), fit.estimate
    if estimate is None:
        return ((name, f"{value} (given)"),)
    return ((name, f"{value} (estimated" + (f", std. error {number(estimate.se)})" if np.isfinite(estimate.se) else ")")),)


def rounds(count):
    """1 round, 2 rounds."""
    return f"{count} round" + ("" if count == 1 else "s")
