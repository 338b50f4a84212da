"""The symbols of the book's mathematics, page by page, held to the tables of Appendix A: `python tools/notation.py`.

A symbol is a macro of _config.yml, a Greek letter, a Latin letter, or a letter in another alphabet (\\mathbf X and
\\mathbf{X} are one). What is only structure is none: \\frac, \\sum, names of functions, words, digits, accents.
"""
import re
from functools import cache
from typing import NamedTuple

import yaml

from notebooks import BOOK, ROOT, read

TABLES = BOOK / "appendix_a_notation.md"
LOCAL = "Letters with a local meaning"
GREEK = set("""alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho varrho sigma tau
upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell""".split())
ALPHABETS = ("mathbf", "boldsymbol", "mathcal", "mathbb", "mathsf", "mathfrak", "mathscr", "bm")
WORDS = r"(?:text(?:rm|bf|it|tt|sf|normal)?|mathrm|mathit|mathtt|operatorname\*?|mbox|begin|end|tag|label|class|cssId|hspace\*?|vspace)"
STRUCTURE = set("""
frac tfrac dfrac cfrac binom tbinom dbinom sqrt left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle
sum prod int iint oint lim liminf limsup sup inf max min arg det dim ker gcd Pr exp log ln lg sin cos tan arcsin arccos arctan
sinh cosh tanh hat widehat bar overline underline tilde widetilde dot ddot vec check breve mathring underbrace overbrace underset
overset stackrel substack prime circ cdot cdots ldots dots dotsc dotsb vdots ddots times div pm mp ast star bullet oplus otimes
odot wedge vee cap cup bigcup bigcap setminus le leq leqslant ge geq geqslant ne neq ll gg lt gt sim simeq approx equiv cong
propto doteq coloneqq mid nmid parallel perp in notin ni subset subseteq supset supseteq forall exists nexists neg lnot land lor
to gets mapsto longmapsto rightarrow leftarrow Rightarrow Leftarrow leftrightarrow Leftrightarrow longrightarrow Longrightarrow
longleftarrow implies iff impliedby uparrow downarrow nearrow searrow xrightarrow xleftarrow hookrightarrow rightsquigarrow infty
partial nabla emptyset varnothing quad qquad enspace thinspace phantom hphantom vphantom smash mathstrut strut displaystyle
textstyle scriptstyle scriptscriptstyle limits nolimits langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert vert Vert
mathop mathbin mathrel mathord mathopen mathclose mathpunct boxed color not hline cr ddagger dagger square triangle checkmark
therefore because small tiny scriptsize footnotesize normalsize large bot top angle degree allowbreak nonumber notag intertext shortintertext pmod bmod mod over atop choose mathllap
mathrlap mathclap llap rlap colon lbrace rbrace lbrack rbrack backslash surd rm bf it
""".split())


class Row(NamedTuple):
    """One row of a table in Appendix A: its symbols, the text of its first cell, the chapters it names (3, 'intro')."""
    symbols: frozenset
    shown: str
    chapters: tuple
    cells: tuple


@cache
def macros():
    """The book's macros, name: what it stands for."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return config["sphinx"]["config"]["mathjax3_config"]["tex"]["macros"]


@cache
def spelled():
    """What a macro of one letter stands for, in normal form, and the macro: '\\mathbf{X}': '\\X'."""
    return {re.sub(r"^\^\{(.*)\}$", r"\1", normal(meaning)): f"\\{name}" for name, meaning in macros().items()}


def normal(tex):
    return re.sub(r"\s+", "", re.sub(r"\\(%s)\s+(\w)" % "|".join(ALPHABETS), r"\\\1{\2}", tex))


NOT_PROSE = {"code", "code-block", "code-cell", "literalinclude", "csv-table", "figure", "bibliography"}


def prose(text):
    """A piece of Markdown without its blocks of code. Boxes such as ```{note} stay; a fence closes what the last open one began."""
    kept, fences = [], []
    for line in text.splitlines():
        fence = re.match(r"\s*(`{3,}|~{3,})(?:\{([\w:-]+)\})?(.*)$", line)
        if fence and fences and not fence[2] and not fence[3].strip() and fence[1].startswith(fences[-1][0]):
            fences.pop()
        elif fence and not (fences and fences[-1][1]):
            fences.append((fence[1], not fence[2] or fence[2] in NOT_PROSE))
        elif not (fences and fences[-1][1]):
            kept.append(line)
    return "\n".join(kept)


def formulas(text):
    """The formulas in a piece of Markdown. Code has none, boxes such as ```{note} may."""
    text = prose(text)
    text = re.sub(r"\{math\}`([^`]+)`", r"$\1$", text)
    text = re.sub(r"(?<!`)(`+)(?!`)[^`\n]+\1(?!`)", " ", text)
    text = text.replace(r"\$", " ")
    found = re.findall(r"\$\$(.+?)\$\$|(?<!\$)\$([^$\n](?:[^$]|\n(?!\s*\n))*?)\$(?!\$)|(\\begin\{(?:equation|align|gather|multline)\*?\}.+?\\end\{\w+\*?\})",
                       text, flags=re.DOTALL)
    return ["".join(parts) for parts in found]


def symbols(tex):
    """The symbols of one formula, normalized: {'\\X', '\\beta', 'y', ...}. Commands that are neither LaTeX's nor the
    book's come back as they are, beginning with '?'."""
    tex = re.sub(r"(?<!\\)%.*", " ", tex)
    tex = re.sub(r"\\%s\s*\{(?:[^{}]|\{[^{}]*\})*\}(?:\{[lcr|@ ]*\})?" % WORDS, " ", tex)
    found = set()

    def styled(match):
        inside = match[2] or match[3]
        whole = normal(rf"\{match[1]}{{{inside}}}")
        if whole in spelled():
            found.add(spelled()[whole])
        else:
            found.update(normal(rf"\{match[1]}{{{letter}}}") for letter in re.findall(r"\\[a-zA-Z]+|[a-zA-Z]", inside))
        return " "

    tex = re.sub(r"\\(%s)(?![a-zA-Z])\s*(?:\{([^{}]*)\}|(\\[a-zA-Z]+|[a-zA-Z0-9]))" % "|".join(ALPHABETS), styled, tex)
    for name in re.findall(r"\\([a-zA-Z]+)", tex):
        if name in macros() or name in GREEK:
            found.add(f"\\{name}")
        elif name not in STRUCTURE and name not in ALPHABETS:
            found.add(f"?\\{name}")
    found.update(re.findall(r"[a-zA-Z]", re.sub(r"\\[a-zA-Z]+\*?|\\.", " ", tex)))
    return found


def texts(path):
    """What a page says outside its code: Markdown, computed sentences, captions."""
    if path.suffix == ".md":
        return [path.read_text(encoding="utf-8")]
    said = []
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            said.append(cell.source)
            continue
        said.append(cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", ""))
        said += [output.data["text/markdown"] for output in cell.get("outputs", []) if "text/markdown" in output.get("data", {})]
    return ["".join(piece) for piece in said]


def uses(pieces):
    """Each symbol in these texts and a formula that has it."""
    found = {}
    for formula in (formula for piece in pieces for formula in formulas(piece)):
        for symbol in symbols(formula):
            found.setdefault(symbol, " ".join(formula.split())[:70])
    return found


def key(name):
    """'06_irls' is 6, 'appendix_a_notation' 'A', other pages are called by their name."""
    prefix = re.match(r"(\d\d)_|appendix_([a-z])_", name)
    return name if prefix is None else int(prefix[1]) if prefix[1] else prefix[2].upper()


def pages():
    """Every page of the book but the tables themselves: key, path."""
    return {key(path.stem): path for path in sorted([*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")]) if path != TABLES}


def rows(text=None):
    """The tables of Appendix A: (rows that hold for the whole book, rows of letters with a local meaning)."""
    text = TABLES.read_text(encoding="utf-8") if text is None else text
    everywhere, local = [], []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        target = local if section.startswith(LOCAL) else everywhere
        for line in section.splitlines():
            cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
            if not cells or set(line) <= set("|-: ") or cells[0] == "symbol":
                continue
            named = re.findall(r"\{chapter\}`([\w, ]+)`", cells[-1])
            chapters = tuple(int(word) if word.isdigit() else word for part in named for word in re.split(r",\s*", part))
            target.append(Row(frozenset(uses([cells[0]])), cells[0], chapters, cells))
    return everywhere, local


def missing(page, pieces, everywhere, local):
    """What to tell the author of a page about symbols that stand in no table."""
    there = [row for row in local if page in row.chapters or page == "E"]  # the glossary speaks of all chapters
    known = set().union(*(row.symbols for row in everywhere + there))
    complaints = []
    for symbol, formula in sorted(uses(pieces).items()):
        if symbol.startswith("?"):
            complaints.append(f"{page}: {symbol[1:]} in ${formula}$ is no macro of _config.yml. Spell it out; if it is LaTeX's own, "
                              "add it to STRUCTURE in tools/notation.py.")
        elif symbol not in known:
            complaints.append(f"{page}: {symbol} in ${formula}$ stands in no table of {TABLES.name}. Use the book's symbol; or give it a row, "
                              f"under '{LOCAL}' (with {{chapter}}`{page}`) if it is used here only.")
    return complaints


if __name__ == "__main__":
    tables = rows()
    for page, path in pages().items():
        print("\n".join(missing(page, texts(path), *tables)) or f"{page}: every symbol stands in the tables.")
