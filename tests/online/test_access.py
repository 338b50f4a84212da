"""Open to everyone: what axe-core finds on any page, light and dark, wide and narrow, is a failure; the keyboard reaches all."""
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_site import PAGES

from conftest import HTML

AXE = (Path(find_spec("axe_playwright_python").origin).parent / "axe.min.js").read_text(encoding="utf-8")
FINDINGS = """async (onlyContrast) => {
  // contrast is measured on three of each kind of text: same colour, ground, size and weight
  const seen = {}, chosen = [];
  for (const one of document.body.querySelectorAll("*")) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const style = getComputedStyle(one);
    let ground = one;
    while (ground.parentElement && getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
    const kind = [style.color, getComputedStyle(ground).backgroundColor, style.fontSize, style.fontWeight].join();
    seen[kind] = (seen[kind] ?? 0) + 1;
    if (seen[kind] <= 3) chosen.push([one]);
  }
  const report = (found) => found.violations.map(
    (one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + node.html.slice(0, 120)).join(" | ")}`);
  chosen.forEach(([one], k) => { one.dataset.kind = k; });
  const contrast = chosen.length ? await axe.run({ include: chosen.map((_, k) => [`[data-kind="${k}"]`]) }, { resultTypes: ["violations"], runOnly: ["color-contrast"] }) : { violations: [] };
  chosen.forEach(([one]) => { delete one.dataset.kind; });
  const rest = onlyContrast ? { violations: [] } : await axe.run(document, { resultTypes: ["violations"], rules: { "color-contrast": { enabled: false } } });
  return [...report(contrast), ...report(rest)];
}"""
SETTLED = "() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true"
every_page = pytest.mark.parametrize("page", [*PAGES, "search", "404"])


@every_page
def test_axe_finds_nothing(chrome, page):
    """All rules on light pages, contrast on dark ones; of formulas, that each carries what a screen reader speaks."""
    context = chrome.new_context(reduced_motion="reduce")  # else a colour may be measured on its way
    seen = context.new_page()
    found = {}
    seen.goto((HTML / f"{page}.html").as_uri())
    seen.evaluate(SETTLED)
    seen.wait_for_function("!document.documentElement.classList.contains('setting')")
    assert seen.locator("mjx-container:not(:has(mjx-assistive-mml))").count() == 0
    for width, height in ((390, 844), (1280, 900)):
        seen.set_viewport_size({"width": width, "height": height})
        assert seen.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    seen.evaluate("document.querySelectorAll('mjx-container').forEach(one => one.replaceWith('formula'))")  # thousands of parts, looked at above
    seen.evaluate(AXE)
    for width, height in ((1280, 900), (390, 844)):
        seen.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            seen.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            seen.wait_for_timeout(300)
            found[width, theme] = seen.evaluate(FINDINGS, theme == "dark")
    context.close()
    assert {at: complaints for at, complaints in found.items() if complaints} == {}


@pytest.mark.parametrize("fault", ['<img src="data:image/png;base64,AA">', '<button></button>', '<p style="color: #aaa; background: #fff">pale</p>'])
def test_axe_can_find_something(chrome, fault):
    page = chrome.new_page()
    page.set_content(f'<!doctype html><html lang="en"><title>x</title><main><h1>x</h1>{fault}</main>')
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS, False) != []
    page.close()


@pytest.mark.parametrize("page", ["book/06_irls", "book/appendix_a_notation"])
@pytest.mark.parametrize("width", [1280, 390])
def test_keyboard_reaches_everything(chrome, page, width):
    """Tab visits every control that can be seen, and each shows that it has the focus."""
    context = chrome.new_context(viewport={"width": width, "height": 900})
    seen = context.new_page()
    seen.goto((HTML / f"{page}.html").as_uri())
    seen.evaluate(SETTLED)
    seen.wait_for_function("!document.documentElement.classList.contains('setting')")
    seen.evaluate("""() => [...document.querySelectorAll("article :is(button, input, select, summary, .live-run)")]
        .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true })).forEach((one, k) => { one.dataset.k = k; })""")
    wanted = seen.locator("[data-k]").count()
    visited, unseen = set(), []
    for _ in range(1500):
        seen.keyboard.press("Tab")
        at = seen.evaluate("""() => { const one = document.activeElement, style = getComputedStyle(one);
            return [one.dataset.k ?? null, one === document.body, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none", one.outerHTML.slice(0, 100)]; }""")
        if at[1]:
            break
        if at[0] is not None:
            visited.add(at[0])
            unseen += [] if at[2] else [at[3]]
    context.close()
    assert len(visited) == wanted and unseen == []
