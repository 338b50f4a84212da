"""Open to everyone: what axe-core finds on any page, light and dark, wide and narrow, is a failure; the keyboard reaches all."""
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_site import PAGES

from conftest import HTML

AXE = (Path(find_spec("axe_playwright_python").origin).parent / "axe.min.js").read_text(encoding="utf-8")
FINDINGS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    (one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + node.html.slice(0, 120)).join(" | ")}`)"""
SETTLED = "() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true"
every_page = pytest.mark.parametrize("page", [*PAGES, "search", "genindex", "404"])


@every_page
def test_axe_finds_nothing(chrome, page):
    context = chrome.new_context()
    seen = context.new_page()
    found = {}
    seen.goto((HTML / f"{page}.html").as_uri())
    seen.evaluate(SETTLED)
    seen.evaluate(AXE)
    for width, height in ((1280, 900), (390, 844)):
        seen.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            seen.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            seen.wait_for_timeout(300)
            found[width, theme] = seen.evaluate(FINDINGS)
    context.close()
    assert {at: complaints for at, complaints in found.items() if complaints} == {}
