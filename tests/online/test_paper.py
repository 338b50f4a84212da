"""What is made of the built site to take away: the zip to read from disk, and the PDF."""
import re
import zipfile

import pytest
from pack_book import ZIP
from print_book import PDF, headings, pages
from pypdf import PdfReader

NAMED = ["intro", "03_canonical_links", "10_gee", "appendix_e_glossary"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zip")
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(folder)
    return folder / "glm-book"


@pytest.mark.parametrize("name", NAMED)
def test_zip_reads_from_disk(context, unpacked, name):
    """Every formula is set, every picture is there, and no other host is asked for anything."""
    page = context.new_page()
    page.goto((unpacked / "book" / f"{name}.html").as_uri())
    page.evaluate("() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true")
    assert page.locator("article .math:not(:has(mjx-container))").count() == 0
    assert page.evaluate("[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)") == []
    assert page.get_by_role("button", name="Live").count() == 0
    assert context.elsewhere == [] and context.errors == []


@pytest.mark.parametrize("name", NAMED)
def test_site_works_under_a_sub_path(context, site, name):
    page, missing = context.new_page(), []
    page.on("response", lambda answer: answer.status >= 400 and missing.append(answer.url))
    page.goto(f"{site}/book/{name}.html")
    page.evaluate("() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true")
    assert missing == [] and context.elsewhere == [] and context.errors == []


@pytest.fixture(scope="module")
def paper():
    return PdfReader(PDF)


def titles(outline):
    for entry in outline:
        yield from titles(entry) if isinstance(entry, list) else [entry.title]


def test_pdf_has_an_outline_of_all_pages(paper):
    assert list(titles(paper.outline)) == [title for page in pages() for _, title in headings(page)]


def test_pdf_pages_are_numbered(paper):
    for k in (0, len(paper.pages) // 2, len(paper.pages) - 1):
        assert re.search(rf"(?m)^\s*{k + 1}\s*$", paper.pages[k].extract_text()[-40:] + "\n" + paper.pages[k].extract_text()[:40]), k


def test_pdf_links_stay_inside(paper):
    """References between chapters lead to a page of this document; only works cited lead elsewhere."""
    inside, files = 0, []
    for page in paper.pages:
        for link in page.get("/Annots") or ():
            link = link.get_object()
            action = (link.get("/A") or {})
            files += [str(action["/URI"])] if str(action.get("/URI", "")).startswith("file:") else []
            inside += "/Dest" in link
    assert files == [] and inside > 1000


def test_pdf_holds_the_equations(paper):
    """The numbers of a chapter's equations, in order."""
    from reader import HTML, page

    expected = [found[0] for one in page(HTML / "book" / "06_irls.html").select("article div.math .eqno")
                if (found := re.search(r"\(6\.\d+\)", one.get_text()))]
    first = next(entry for entry in paper.outline if not isinstance(entry, list) and entry.title.startswith("6 "))
    after = next(entry for entry in paper.outline if not isinstance(entry, list) and entry.title.startswith("7 "))
    span = range(paper.get_destination_page_number(first), paper.get_destination_page_number(after))
    text = "\n".join(paper.pages[k].extract_text() for k in span)
    assert expected and [number for number in expected if number not in text] == []
