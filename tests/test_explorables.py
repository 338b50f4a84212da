"""The figures that a reader moves: each formula gives what glmref gives, each control works by keyboard and touch."""
import numpy as np
import pytest
from chromium import FLAGS, chromium
from notebooks import BOOK
from static_figures import DRAW, FOLDER, names, with_widgets

from glmref import correlation, families, fit_gee, fit_glm, links

pytestmark = pytest.mark.browser
LARGEST = 10_000  # bytes


@pytest.fixture(scope="module")
def browser():
    if chromium() is None:
        pytest.skip("Chromium is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def formula(browser):
    """formula(name, **state): what the widget computes."""
    page = with_widgets(browser)
    return lambda name, **state: page.evaluate("([name, state]) => explore.widgets[name].formula(state)", [name, state])


def close(a, b, tolerance=1e-9):
    np.testing.assert_allclose(a, b, rtol=tolerance)


@pytest.mark.parametrize("theta", [-2, -0.5, 0, 1, 2])
def test_tilting_a_coin_and_counts(formula, theta):
    """A tilted fair coin is binomial, tilted Poisson counts of mean 1 are Poisson of mean e^theta."""
    for base, family in (("coin", families.Binomial()), ("horse kicks", families.Poisson())):
        found = formula("tilt", base=base, theta=theta)
        mean = family.canonical_link.inverse(np.array([float(theta)]))
        close([found["mean"], found["variance"]], [mean[0], family.variance(mean)[0]])
    die = formula("tilt", base="die", theta=theta)
    close(sum(die["tilted"]), 1)
    np.testing.assert_allclose(die["b"], np.log(np.mean(np.exp(theta * np.arange(1, 7)))), atol=1e-12)


@pytest.mark.parametrize("name", ["logit", "probit", "cloglog", "loglog", "cauchit"])
def test_links(formula, name):
    link = {"logit": links.Logit, "probit": links.Probit, "cloglog": links.CLogLog, "loglog": links.LogLog, "cauchit": links.Cauchit}[name]()
    for eta in (-4, -3.2, -1, 0, 0.3, 2.5, 4):
        found, at = formula("link", link=name, eta=eta), np.array([float(eta)])
        close([found["mean"], found["slope"]], [link.inverse(at)[0], link.derivative(at)[0]])


def test_steps_lead_to_the_estimate(formula, browser):
    """Step by step to glmref's coefficient, deviance and standard error; the step is the regression of z on x."""
    data = with_widgets(browser).evaluate("explore.widgets.irls.data")
    x, y = np.array(data["x"]), np.array(data["y"], dtype=float)
    mu = 1 / (1 + np.exp(-0.7 * x))
    weight = mu * (1 - mu)
    z = 0.7 * x + (y - mu) / weight
    close(formula("irls", beta=0.7)["next"], np.sum(weight * x * z) / np.sum(weight * x * x))
    beta = 0
    for _ in range(12):
        found = formula("irls", beta=beta)
        beta = found["next"]
    fit = fit_glm(x[:, None], y, "binomial")
    close([beta, found["loglik"], found["information"] ** -0.5], [fit.coef.iloc[0], fit.loglik, fit.se.iloc[0]])


def test_captions_say_what_the_figures_show(formula):
    """Each figure named in a caption of a chapter."""
    beta = 0
    for _ in range(3):
        beta = formula("irls", beta=beta)["next"]
    assert round(beta, 3) == 0.970 and abs(beta - formula("irls", beta=beta)["next"]) < 5e-4
    assert round(formula("irls", beta=2.5)["next"], 1) == -1.5 and formula("irls", beta=3)["next"] < -2
    close(formula("curvature", n=80, share=0.7)["se"], formula("curvature", n=20, share=0.7)["se"] / 2)
    assert round(formula("design", kind="between clusters", m=10, rho=0.1)["worth"], 1) == 5.3
    assert round(formula("design", kind="within clusters", m=10, rho=0.1)["worth"], 1) == 11.1
    ratio = {gamma: found["robust"] / found["model"] for gamma in (-1, 0, 2) if (found := formula("sandwich", gamma=gamma))}
    assert ratio[-1] > 1.3 and ratio[2] > 1.3 and abs(ratio[0] - 1) < 0.05
    far = {link: formula("link", link=link, eta=4)["mean"] for link in ("logit", "probit", "cloglog", "loglog", "cauchit")}
    assert min(far, key=far.get) == "cauchit"
    close(formula("link", link="cloglog", eta=1.3)["mean"], 1 - formula("link", link="loglog", eta=-1.3)["mean"])


@pytest.mark.parametrize("n, share", [(5, 0.2), (20, 0.7), (200, 0.9)])
def test_curvature(formula, n, share):
    found = formula("curvature", n=n, share=share)
    fit = fit_glm(np.ones((1, 1)), np.array([share]), "binomial", weights=np.array([float(n)]))
    close([found["eta"], found["se"]], [fit.coef.iloc[0], fit.se.iloc[0]], 1e-8)


@pytest.mark.parametrize("m, rho", [(2, 0.3), (10, 0.1), (25, 0.9)])
def test_design_effect(formula, m, rho):
    """The ratio of a coefficient's variance at that correlation to its variance at none."""
    K = 8
    groups = np.repeat(np.arange(K), m)
    y = np.random.default_rng(9).normal(size=K * m)
    between, within = np.where(groups % 2, 1.0, -1.0), np.tile(np.arange(m) - (m - 1) / 2, K)
    for kind, x in (("between clusters", between), ("within clusters", within)):
        fits = [fit_gee(x[:, None], y, groups, correlation=correlation.Exchangeable(alpha=alpha), dispersion=1.0) for alpha in (rho, 0.0)]
        ratio = np.divide(*(fit.covariance("model").iloc[0, 0] for fit in fits))
        close(formula("design", kind=kind, m=m, rho=rho)["effect"], ratio)


@pytest.mark.parametrize("gamma", [-1, 0, 1, 2])
def test_model_based_and_robust(formula, gamma):
    found = formula("sandwich", gamma=gamma)
    x, y = np.array(found["x"]), np.array(found["y"])
    fit = fit_glm(np.column_stack([np.ones(len(x)), x]), y)
    robust = np.sqrt(np.diag(fit.covariance("HC3")))
    close([found["slope"], found["model"], found["robust"]], [fit.coef.iloc[1], fit.se.iloc[1], robust[1]])


@pytest.mark.parametrize("name", names())
def test_still_picture_is_the_first_one(browser, name):
    """What stands on the page where no script runs. If this fails: python tools/static_figures.py."""
    drawn = with_widgets(browser).evaluate(DRAW, name)
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8").strip() == drawn


def test_widgets_are_small():
    assert {path.name: size for path in FOLDER.iterdir() if (size := path.stat().st_size) >= LARGEST and path.suffix == ".js"} == {}
    assert len(names()) >= 6


@pytest.mark.parametrize("name", names())
def test_controls_by_keyboard_and_touch(browser, name, tmp_path):
    """Every control changes the picture and what is said of it; on a phone each is at least 44 px high."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page, style = context.new_page(), (BOOK / "assets" / "book.css").read_text(encoding="utf-8")
    scripts = "".join(f"<script>{(FOLDER / f'{one}.js').read_text(encoding='utf-8')}</script>" for one in ("core", name))
    file = tmp_path / "page.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{style}</style>'
                    f'<article class="bd-article"><figure class="explore" data-explore="{name}"><div class="explore-stage"></div></figure></article>{scripts}', encoding="utf-8")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    seen = lambda: (page.locator(".explore-stage").inner_html(), page.locator(".explore-said").inner_text())
    controls = page.locator(".explore-controls :is(input, select, button)")
    assert controls.count() > 0
    for control in controls.all():
        before = seen()
        control.focus()
        kind = control.evaluate("one => one.tagName")
        page.keyboard.press("Enter" if kind == "BUTTON" else "ArrowDown" if kind == "SELECT" else "ArrowRight")
        after = seen()
        assert after[0] != before[0] and after[1] != before[1], kind
        assert control.bounding_box()["height"] >= 44
    slider = page.locator(".explore-controls input").first
    before, box = seen(), slider.bounding_box()
    page.touchscreen.tap(box["x"] + 0.15 * box["width"], box["y"] + box["height"] / 2)
    assert seen() != before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert errors == []
    context.close()
