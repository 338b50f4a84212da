"""One notation: what a page's formulas use stands in Appendix A, and what stands there is used."""
import pytest
from notation import TABLES, formulas, macros, missing, pages, rows, symbols, texts, uses

PAGES = pages()
EVERYWHERE, LOCAL = rows()


@pytest.fixture(scope="module")
def used():
    return {page: uses(texts(path)) for page, path in PAGES.items()}


@pytest.mark.parametrize("page", PAGES)
def test_every_symbol_of_a_page_stands_in_the_tables(page):
    complaints = missing(page, texts(PAGES[page]), EVERYWHERE, LOCAL)
    assert not complaints, "\n".join(complaints)


def test_a_symbol_is_used_in_the_chapter_that_its_row_names(used):
    wrong = [f"{TABLES.name}: chapter {page} does not use {symbol} of the row {row.shown}. Name the chapter that does, or drop it."
             for row in EVERYWHERE + LOCAL for page in row.chapters if page in used
             for symbol in row.symbols if not any(symbol in used[other] for other in row.chapters if other in used)]
    wrong += [f"{TABLES.name}: chapter {page} gives none of the letters {row.shown} their local meaning: take it out of that row."
              for row in LOCAL for page in row.chapters if page in used and not row.symbols & set(used[page])]
    assert not wrong, "\n".join(wrong)


def test_no_symbol_of_the_tables_is_unused(used):
    """A symbol may wait for a chapter that does not exist yet."""
    everything = set().union(*used.values())
    idle = [f"{TABLES.name}: no page uses {symbol} of the row {row.shown}: drop it." for row in EVERYWHERE
            if all(page in used for page in row.chapters) for symbol in row.symbols - everything]
    assert not idle, "\n".join(idle)


def test_every_row_names_a_chapter():
    assert [row.shown for row in EVERYWHERE + LOCAL if not row.chapters] == []
    assert {page for row in EVERYWHERE + LOCAL for page in row.chapters} <= {"intro", *range(1, 15)}


def test_no_row_stands_twice():
    shown = [(row.shown, page) for row in EVERYWHERE + LOCAL for page in row.chapters]
    assert sorted(row for row in set(shown) if shown.count(row) > 1) == []


def test_every_macro_stands_in_the_appendix():
    text = TABLES.read_text(encoding="utf-8")
    written = set(uses([text])) | {name for name in (f"\\{name}" for name in macros()) if f"`{name}`" in text}
    assert {f"\\{name}" for name in macros()} - written == set(), "declared in _config.yml, but not in Appendix A"


def test_every_macro_is_used_or_waits(used):
    everything = set().union(*used.values())
    waiting = set().union(*(row.symbols for row in EVERYWHERE if not all(page in used for page in row.chapters)))
    idle = {f"\\{name}" for name in macros()} - everything - waiting
    assert idle == set(), "declared in _config.yml, but used by no page: drop it there and in Appendix A"


# ---- the checks above can fail ----

@pytest.mark.parametrize("tex, found", [
    (r"\mathbf X\T\mathbf{X}", {r"\X", r"\T"}), (r"\boldsymbol\delta", {r"\boldsymbol{\delta}"}), (r"\boldsymbol{\beta}", {r"\bbeta"}),
    (r"\frac{1}{2}\sum_{i=1}^n \left(\hat{y}_i - \log 3\right)", {"i", "n", "y"}), (r"\operatorname{se}(\hat\theta)", {r"\theta"}),
    (r"x_{\text{max}} \,\mathrm{if}\, \ell > 0", {"x", r"\ell"}), (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", set("abcd")),
    (r"\bbeta\neu", {r"\bbeta", r"?\neu"}), (r"\mathbf 0", set()), (r"\begin{array}{ll} q \end{array}", {"q"}), (r"{\rm d}", {"d"}),
])
def test_symbols_of_a_formula(tex, found):
    assert symbols(tex) == found


def test_formulas_of_a_page():
    text = "Let $x$ be 5 \\$, `$code$`.\n\n$$\ny =\nz\n$$ (eq:a)\n\n```python\ncost = \"$u$\"\n```\n\n```{note}\nand $v$\n```\n\n{math}`w`"
    assert set(uses([text])) == {"x", "y", "z", "v", "w"}
    assert formulas("It costs 5 \\$ and 6 \\$.") == []
    assert formulas("```{prf:theorem}\n$a$\n```\n\n```{prf:proof}\n$b$\n```\n\n```python\n$c$\n```\n$d$") == ["a", "b", "d"]


TABLE = "# N\n## G\n| symbol | aloud | meaning | chapter |\n|--|--|--|--|\n| $y_i$, $\\X$ | y | $q$ | {chapter}`1` |\n" \
        "## Letters with a local meaning\n\n| symbol | aloud | meaning | chapter |\n|--|--|--|--|\n| $s$ | s | m | {chapter}`2, intro` |\n"


@pytest.mark.parametrize("page, text, complaints", [
    (3, "$y_i = \\mathbf X$", 0), (2, "$s$", 0), ("intro", "$s$", 0), (3, "$s$", 1), (3, "$q$", 1), (3, "$\\mathbf{X} + \\zeta$", 1), (3, "$\\Xx$", 1),
])
def test_a_foreign_symbol_is_found(page, text, complaints):
    found = missing(page, [text], *rows(TABLE))
    assert len(found) == complaints and all(f"{page}: " in line for line in found)
