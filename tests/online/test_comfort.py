"""Reading comfort: weight, layout, search, citation, previews, pages for lost readers."""
from xml.etree import ElementTree

import pytest
import reading
from bs4 import BeautifulSoup
from measure_pages import measure, served
from test_site import PAGES

from conftest import HTML

HEAVIEST = 700_000  # bytes of a page and its pictures, as sent
CHAPTERS = [page for page in PAGES if page[5:7].isdigit()]


@pytest.fixture(scope="module")
def address():
    with served() as at:
        yield at


@pytest.mark.parametrize("page", PAGES)
def test_page_is_light_and_stands_still(chrome, address, page):
    """Its own weight is small, and nothing moves while formulas and pictures arrive."""
    for viewport in ((390, 844), (1280, 900)):
        seen = measure(chrome, address, page.removeprefix("book/"), slow=False, viewport=viewport)
        assert 0 < seen["own"] < HEAVIEST
        assert seen["all"] < 2 * HEAVIEST
        assert seen["shift"] < 0.1


@pytest.mark.parametrize("words, page", [("eta linear predictor", "appendix_a_notation"), ("dispersion phi", "appendix_a_notation"), ("sandwich", "11_sandwich"),
                                         ("working response", "06_irls")])
def test_search_finds_the_page(context, words, page):
    seen = context.new_page()
    seen.goto((HTML / "search.html").as_uri() + "?q=" + words.replace(" ", "+"))
    seen.wait_for_selector(f'#search-results li a[href*="{page}"]', timeout=20_000)
    assert context.elsewhere == []


def markup(page):
    return BeautifulSoup((HTML / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapter_says_how_long_it_takes_and_how_to_cite_it(page):
    found = markup(page)
    assert found.select_one("article .reading-time").get_text().startswith("About ")
    cited = [item.get_text() for item in found.select("details.cite li")]
    assert len(cited) == 1 + len(found.select("article section > h2"))
    assert found.h1.get_text() and all("Generalized Linear Models, computed" in one for one in cited)
    assert found.select_one(".prev-next-area a")


@pytest.mark.parametrize("page", PAGES)
def test_page_describes_itself_to_other_sites(page):
    found = {tag["property"]: tag["content"] for tag in markup(page).select("meta[property^='og:']")}
    assert len(found["og:title"]) > 3 and found["og:description"]


def test_sitemap_lists_pages():
    urls = ElementTree.fromstring(reading.sitemap(["book/intro", "book/06_irls"], "https://example.org/glm/"))
    assert [loc.text for loc in urls.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")] == ["https://example.org/glm/book/intro.html", "https://example.org/glm/book/06_irls.html"]


def test_lost_readers_find_a_way(context):
    page = context.new_page()
    page.goto((HTML / "404.html").as_uri())
    page.get_by_role("link", name="Begin at the first page").click()
    page.wait_for_url("**/intro.html")
    assert "computed" in page.title()
