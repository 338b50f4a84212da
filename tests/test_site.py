"""The built pages: complete, linked, described, self-sufficient; read as files, then seen by a browser."""
import os
import re
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from chromium import FLAGS, chromium
from notebooks import ROOT

HTML = ROOT / "_build" / "html"
LEAST_WORDS = 120
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "link": "href", "object": "data"}
LINKS_THAT_LOAD_NOTHING = {"canonical", "next", "prev", "search", "index", "license", "author"}
RAW_MYST = re.compile(r"\{[a-z][a-z:-]*\}`[^`]*`|^:::|^```\{", re.MULTILINE)
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
WRONG_FORMULA = "mjx-merror, [data-mjx-error], article mjx-mtext[style*=red]"  # the last: an unknown macro


def pages_of_toc():
    """Every page that _toc.yml promises, in its order."""
    def files(node):
        if isinstance(node, dict):
            yield from [node[key] for key in ("root", "file") if key in node]
            for value in node.values():
                yield from files(value)
        elif isinstance(node, list):
            for item in node:
                yield from files(item)

    return list(files(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


PAGES = pages_of_toc()
every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module", autouse=True)
def built():
    if not (HTML / "index.html").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the book is not built: make book")


@cache
def soup_of(file):
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def soup(page):
    return soup_of(HTML / f"{page}.html")


def article(page):
    return soup(page).find("article")


@every_page
def test_page_is_not_trivial(page):
    words = len(article(page).get_text(" ").split())
    least = 20 if page.endswith("bibliography") else LEAST_WORDS
    assert words >= least, f"{page} has {words} words"


@every_page
def test_every_picture_is_described(page):
    bare = [str(img)[:120] for img in article(page).find_all("img") if not img.get("alt", "").strip()]
    assert bare == []


def remote_references(markup):
    """What a page would fetch from another host. Links that a reader may follow are not among them."""
    for name, attribute in LOADS.items():
        for tag in markup.find_all(name):
            if name == "link" and LINKS_THAT_LOAD_NOTHING & set(tag.get("rel", [])):
                continue
            if ELSEWHERE.match(tag.get(attribute, "")):
                yield str(tag)[:160]
    styles = [tag.get_text() for tag in markup.find_all("style")] + [tag["style"] for tag in markup.find_all(style=True)]
    yield from remote_in_css("\n".join(styles))


def remote_in_css(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", text) + re.findall(r"@import\s+[\"']([^\"']+)", text):
        if ELSEWHERE.match(address):
            yield address[:160]


@every_page
def test_page_loads_nothing_from_elsewhere(page):
    assert list(remote_references(soup(page))) == []


def test_style_sheets_load_nothing_from_elsewhere():
    found = {str(css.relative_to(HTML)): list(remote_in_css(css.read_text(encoding="utf-8", errors="replace"))) for css in HTML.rglob("*.css")}
    assert {name: remote for name, remote in found.items() if remote} == {}


@every_page
def test_no_markup_is_left_raw(page):
    body = BeautifulSoup(str(article(page)), "html.parser")
    for code in body.select("pre, code"):
        code.decompose()
    assert RAW_MYST.findall(body.get_text()) == []
    assert "System Message" not in body.get_text()
    assert [str(node)[:200] for node in body.select(".problematic, .system-message")] == []


@every_page
def test_links_inside_the_book_lead_somewhere(page):
    here, broken = HTML / f"{page}.html", []
    for link in soup(page).find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or address.netloc:
            continue
        target = (here.parent / unquote(address.path)).resolve() if address.path else here
        if not target.is_file():
            broken.append(link["href"])
        elif address.fragment and target.suffix == ".html" and soup_of(target).find(id=unquote(address.fragment)) is None:
            broken.append(link["href"])
    assert broken == []


@every_page
def test_chapter_carries_its_own_number(page):
    prefix = re.match(r"(\d\d|[A-Z])_", page.rpartition("/")[2])
    title = article(page).find("h1").get_text()
    number = prefix and prefix[1].lstrip("0")
    assert title.startswith(f"{number} ") if number else not title[0].isdigit()


# ---- the checks above can fail ----

@pytest.mark.parametrize("markup", [
    '<script src="https://cdn.example/x.js"></script>', '<link rel="stylesheet" href="//cdn.example/x.css">', '<img src="http://x.example/a.png">',
    '<iframe src="https://x.example"></iframe>', "<style>@import 'https://x.example/a.css';</style>", '<p style="background: url(https://x.example/a.png)">',
])
def test_a_remote_reference_is_found(markup):
    assert len(list(remote_references(BeautifulSoup(markup, "html.parser")))) == 1


def test_a_link_to_follow_is_no_remote_reference():
    assert list(remote_references(BeautifulSoup('<a href="https://doi.org/10.2307/2344614">x</a><img src="data:image/png;base64,AA">', "html.parser"))) == []


@pytest.mark.parametrize("text", ["see {eq}`eq:density`", "see {numref}`fig-a` here", "{cite:p}`nelder1972`"])
def test_raw_markup_is_found(text):
    assert RAW_MYST.search(text)


# ---- seen by a browser, from disk ----

@pytest.fixture(scope="module")
def browser():
    if chromium() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "Chromium is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def opened(browser):
    """Opens a page from disk and keeps what it asked of the network and complained of."""
    contexts = []

    def open_page(file, **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.elsewhere, page.errors = [], []
        page.on("request", lambda request: urlsplit(request.url).scheme in ("file", "data", "blob") or page.elsewhere.append(request.url))
        page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(file.as_uri())
        if settings.get("java_script_enabled") is False:
            return page
        page.wait_for_function("!window.MathJax || (window.MathJax.startup && window.MathJax.startup.promise)")
        page.evaluate("() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true")
        page.wait_for_timeout(200)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.browser
@every_page
def test_page_in_a_browser(opened, page):
    """No request elsewhere, no complaint, formulas set, nothing wider than a phone, in the light and in the dark."""
    for settings in ({"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
                     {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}):
        seen = opened(HTML / f"{page}.html", **settings)
        assert seen.elsewhere == []
        assert seen.errors == []
        assert seen.locator("article .math:not(:has(mjx-container))").all_inner_texts() == [], "formulas that MathJax could not find the end of"
        assert seen.locator(WRONG_FORMULA).all_inner_texts() == []
        assert seen.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert seen.evaluate("document.documentElement.dataset.theme") == settings["color_scheme"]


@pytest.mark.browser
@every_page
def test_solutions_are_hidden_until_asked_for(opened, page):
    seen = opened(HTML / f"{page}.html")
    for solution in seen.locator("div.solution.dropdown").all():
        content = solution.locator("#solution-content")
        assert not content.is_visible()
        solution.locator("button.toggle-button").click()
        assert content.is_visible()
    assert seen.errors == []


@pytest.mark.browser
@every_page
def test_sliders_move_by_keyboard(opened, page):
    seen = opened(HTML / f"{page}.html")
    for figure in seen.locator("figure.glmref-frames").all():
        slider, picture = figure.locator("input[type=range]"), figure.locator("img")
        before = picture.get_attribute("src"), picture.get_attribute("alt")
        slider.focus()
        slider.press("End" if slider.input_value() != slider.get_attribute("max") else "Home")
        after = picture.get_attribute("src"), picture.get_attribute("alt")
        assert after[0] != before[0] and after[1] != before[1] and after[1].strip()
    assert seen.errors == []


@pytest.mark.browser
@every_page
def test_figures_to_explore_move(opened, page):
    """With script, the controls; without, the first picture and its caption."""
    names = [figure["data-explore"] for figure in soup(page).select("figure[data-explore]")]
    if not names:
        return
    seen, still = opened(HTML / f"{page}.html"), opened(HTML / f"{page}.html", java_script_enabled=False)
    for name in names:
        figure = seen.locator(f"#explore-{name}")
        before = figure.locator("svg").get_attribute("aria-label")
        figure.locator("input[type=range]").first.press("ArrowRight")
        assert figure.locator("svg").get_attribute("aria-label") != before
        assert still.locator(f"#explore-{name} svg").is_visible() and still.locator(f"#explore-{name} figcaption").is_visible()
    assert seen.errors == []


@pytest.mark.browser
def test_search_finds_a_page(opened):
    seen = opened(HTML / "search.html")
    assert seen.elsewhere == []
    seen.goto((HTML / "search.html").as_uri() + "?q=exponential")
    seen.wait_for_selector("#search-results li", timeout=10_000)
    assert seen.elsewhere == []
