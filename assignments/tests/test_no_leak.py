"""No page of the book, and none of its sources and downloads, holds a solution, a hidden test or a mark scheme."""
import html
import os
import re

import pytest
from course import editions
from course.editions import ROOT

HTML = ROOT / "_build" / "html"
SHORTEST = 25  # letters: shorter lines prove nothing
READ = {".html", ".ipynb", ".md", ".txt", ".js", ".json", ".zip"}


def squeezed(text, markup=False):
    """Letters and digits alone: whatever a page does to quotes, spaces, tags and escapes, these stay."""
    text = html.unescape(re.sub(r"<[^>]+>", "", text)) if markup else text
    return re.sub(r"[^A-Za-z0-9]", "", text.replace("\\n", ""))


def read(path):
    return squeezed(path.read_text(encoding="utf-8", errors="replace"), markup=path.suffix == ".html")


def secrets():
    """{line as squeezed: where it stands} of everything that only an instructor may see."""
    public = squeezed("\n".join(cell.source for name in editions.assignments() for cell in editions.student(name).cells))
    found = {}
    for name in editions.assignments():
        for cell in editions.instructor(name).cells:
            for kind, begin, end in (("solution", "### BEGIN SOLUTION", "### END SOLUTION"), ("hidden test", editions.BEGIN, editions.END),
                                     ("mark scheme", "=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ===")):
                for region in re.findall(rf"{begin}\n(.*?){end}", cell.source, re.DOTALL):
                    for line in region.splitlines():
                        short = squeezed(line)
                        if len(short) >= SHORTEST and short not in public:
                            found[short] = f"{kind} of {name}, cell {cell.id}: {line.strip()}"
    return found


def leaks(text, known):
    return [where for line, where in known.items() if line in text]


@pytest.fixture(scope="module")
def known():
    return secrets()


def test_there_is_something_to_look_for(known):
    kinds = [where.partition(" of ")[0] for where in known.values()]
    assert kinds.count("solution") > 60 and kinds.count("hidden test") > 80 and kinds.count("mark scheme") > 16


def test_no_page_and_no_source_of_a_page_holds_a_secret(known):
    if not (HTML / "index.html").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the book is not built: make book")
    files = [path for path in HTML.rglob("*") if path.suffix in READ and path.is_file() and "_static" not in path.relative_to(HTML).parts]
    assert any("coursework" in path.name for path in files) and any(path.suffix == ".ipynb" for path in files)
    code = {where for where in known.values() if where.startswith("solution")}
    chapters = [path for path in files if path.parent.name == "book"]
    taught = "".join(map(read, chapters))
    for path in files:
        found = leaks(read(path), known)
        # a chapter may teach a line that a solution uses; then it is no secret
        assert [where for where in found if where not in code or squeezed(where.partition(": ")[2]) not in taught] == [], path


def test_no_student_edition_holds_a_secret(known):
    for path in editions.STUDENT.glob("*.ipynb"):
        assert leaks(read(path), known) == [] and "BEGIN" not in path.read_text(encoding="utf-8")


def test_a_leak_would_be_found(known):
    line = next(iter(known))
    assert leaks(squeezed("<p>" + " ".join(line) + "</p>", markup=True), known)
    for name in editions.assignments():
        whole = squeezed(editions.written(editions.instructor(name)))
        assert len(leaks(whole, known)) > 15, name
