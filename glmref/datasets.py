"""The book's data sets: `load` gives the table, `describe` says what was measured and where it was published.

Each set is one CSV file in `glmref/data`, described by one entry of `catalogue.json`: the files hold the numbers, the
catalogue holds their meaning (types, units, the order of the levels), and `load` joins the two.

>>> "orings" in datasets.names()
True
"""

import difflib
import html
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import pandas as pd

from .errors import InputError

_DTYPE = {"integer": "intp",  # as wide as the machine counts: 64 bits, 32 in a browser, where np.bincount takes no more
           "number": "float64", "category": str, "text": str}


@dataclass(frozen=True)
class Column:
    """One column: its description, unit, type (integer, number, category or text) and levels in order.

    >>> column = datasets.describe("orings").columns["temperature"]
    >>> column.type, column.unit, column.levels
    ('number', 'degrees Fahrenheit', ())
    """

    description: str
    unit: str | None
    type: str
    levels: tuple[str, ...] = ()

    def __str__(self):
        unit = f" [{self.unit}]" if self.unit else ""
        return self.description + unit + (f": {', '.join(self.levels)}" if self.levels else "")


@dataclass(frozen=True, repr=False)
class DataSet:
    """What a data set is: name, title, description (its story), citation (its source), licence, columns (a Column by name),
    nrows. Renders in a notebook and in a terminal.

    >>> about = datasets.describe("orings")
    >>> about.name, about.nrows, list(about.columns)
    ('orings', 23, ['flight', 'temperature', 'damaged', 'rings', 'distress'])
    """

    name: str
    title: str
    description: str
    citation: str
    licence: str
    columns: MappingProxyType
    nrows: int

    def __repr__(self):
        width = max(map(len, self.columns))
        rows = [f"  {name:<{width}}  {column}" for name, column in self.columns.items()]
        head = f"{self.title} ({self.name}, {self.nrows} rows)"
        return "\n".join([head, self.description, *rows, f"Source: {self.citation}", f"Licence: {self.licence}"])

    def _repr_markdown_(self):
        escape = lambda text: html.escape(str(text), quote=False).replace("|", r"\|").replace("*", r"\*")
        rows = [f"| `{name}` | {escape(column)} |" for name, column in self.columns.items()]
        return "\n".join([f"**{escape(self.title)}** (`{self.name}`, {self.nrows} rows)", "", escape(self.description), "",
                          "| column | holds |", "|:--|:--|", *rows, "",
                          f"Source: {escape(self.citation)}", "", f"Licence: {escape(self.licence)}"])

    def _repr_html_(self):
        rows = "".join(f"<tr><th scope='row'><code>{name}</code></th><td>{html.escape(str(column))}</td></tr>"
                       for name, column in self.columns.items())
        return (f"<p><strong>{html.escape(self.title)}</strong> (<code>{self.name}</code>, {self.nrows} rows)</p>"
                f"<p>{html.escape(self.description)}</p><table><tbody>{rows}</tbody></table>"
                f"<p>Source: {html.escape(self.citation)}</p><p>Licence: {html.escape(self.licence)}</p>")


def names() -> list[str]:
    """The names of all data sets, sorted.

    >>> datasets.names()[:3]
    ['beetles', 'berkeley', 'budworm']
    """
    return sorted(_catalogue())


def describe(name: str) -> DataSet:
    """Story, source and columns of one data set. Raises InputError for an unknown name.

    >>> print(datasets.describe("orings").title)
    Space shuttle O-rings
    """
    entry = _entry(name)
    columns = {key: Column(**{**column, "levels": tuple(column.get("levels", ()))}) for key, column in entry["columns"].items()}
    return DataSet(name, entry["title"], entry["description"], _cite(**entry["citation"]), entry["licence"],
                   MappingProxyType(columns), entry["rows"])


def load(name: str) -> pd.DataFrame:
    """One data set as a new table; units are in `describe(name)`, title and source in the table's `attrs`.

    Categories are ordered: the first level is the baseline of a formula's treatment contrasts.
    Raises InputError for an unknown name.

    >>> datasets.load("orings").head(2)
      flight  temperature  damaged  rings  distress
    0  STS-1         66.0        0      6         0
    1  STS-2         70.0        1      6         1
    """
    about = describe(name)
    with _data().joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        frame = pd.read_csv(file, dtype={key: _DTYPE[column.type] for key, column in about.columns.items()})
    for key, column in about.columns.items():
        if column.type == "category":
            frame[key] = pd.Categorical(frame[key], categories=list(column.levels), ordered=True)
    frame.attrs.update(title=about.title, citation=about.citation)
    return frame


def _data():
    return files(__package__).joinpath("data")


@cache
def _catalogue():
    return json.loads(_data().joinpath("catalogue.json").read_text(encoding="utf-8"))


def _entry(name):
    known = _catalogue()
    if isinstance(name, str) and name in known:
        return known[name]
    near = difflib.get_close_matches(str(name).lower(), known, n=1)
    raise InputError(expected="the name of a data set", got=repr(name),
                     remedy=(f"Did you mean {near[0]!r}? " if near else "") + f"Known are: {', '.join(sorted(known))}.")


def _cite(authors, year, title, where, pages=None, doi=None):
    return (f"{authors} ({year}). " if year else f"{authors} ") + f"{title}. {where}" + (
        f", {pages}" if pages else "") + "." + (f" https://doi.org/{doi}" if doi else "")
