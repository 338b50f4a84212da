"""What is on the axes: every figure drawn, its points counted and placed, its labels those of the right rows."""

import io
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from PIL import Image

from glmref import InputError, SeparationWarning, checking, datasets, envelopes, fit_glm, glm, partial, plots
from glmref.plots.slider import small_png
from glmref.profiles import profile

pytestmark = pytest.mark.filterwarnings("error")

CRABS = datasets.load("crabs")
COUNTS = glm("satellites ~ width + C(color)", CRABS, "poisson")
ANY = glm("I(satellites > 0) ~ width", CRABS, "binomial")
TREES = glm("volume ~ diameter + height", datasets.load("trees"))
BEETLES = glm("I(killed / beetles) ~ log_dose", datasets.load("beetles"), "binomial", weights="beetles")
SPRAYS = glm("insects ~ spray", datasets.load("insectsprays"), "poisson")
FITS = {"counts": COUNTS, "0-1": ANY, "gaussian": TREES, "shares": BEETLES, "factor": SPRAYS}


@pytest.fixture(autouse=True)
def tidy(monkeypatch):
    """No figure is shown, none is left open."""
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("plt.show was called"))
    yield
    plt.close("all")


def cloud(ax):
    """The points drawn (n x 2)."""
    (found,) = [c for c in ax.collections if isinstance(c, PathCollection)]
    return np.asarray(found.get_offsets())


def words(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def complete(ax, terms=False, laid_out=False):
    """It has both labels (terms are their own), draws without a warning, and no text lies outside the picture."""
    assert ax.get_xlabel() and (terms or ax.get_ylabel())
    if not laid_out:
        ax.figure.draw_without_rendering()
    frame, (left, right), (bottom, top) = ax.figure.bbox, ax.get_xlim(), ax.get_ylim()
    ticks = [tick for tick in ax.get_xticklabels() if left <= tick.get_position()[0] <= right]
    ticks += [tick for tick in ax.get_yticklabels() if bottom <= tick.get_position()[1] <= top]
    for text in [*ax.texts, ax.xaxis.label, ax.yaxis.label, *ticks]:
        if text.get_text():
            box = text.get_window_extent()
            low, high = (box.x0, box.y0), (box.x1, box.y1)
            assert np.all(np.subtract(low, frame.min) > -2) and np.all(np.subtract(frame.max, high) > -2), text.get_text()
    return ax


ROWS = {
    "residuals": plots.residuals,
    "deviance": lambda fit, ax=None: plots.residuals(fit, "deviance", "fitted", ax=ax),
    "scale_location": plots.scale_location,
    "leverage": plots.leverage,
    "qq": plots.qq,
    "qq pointwise": lambda fit, ax=None: plots.qq(fit, "pearson", 0.9, "pointwise", ax=ax),
    "qq bare": lambda fit, ax=None: plots.qq(fit, envelope=None, ax=ax),
    "half_normal": lambda fit, ax=None: plots.half_normal(fit, simulations=10, ax=ax),
}


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@pytest.mark.parametrize("name", ROWS)
def test_figures_of_rows_show_every_row(name, fit):
    ax = complete(ROWS[name](fit))
    assert len(cloud(ax)) == fit.nobs
    assert np.isfinite(cloud(ax)).all()


@pytest.mark.parametrize("draw", [*ROWS.values(), plots.coefficients], ids=[*ROWS, "coefficients"])
def test_figures_go_where_they_are_told(draw):
    figure, (left, right) = plt.subplots(1, 2)
    assert draw(TREES, ax=right) is right and not left.has_data() and right.has_data()
    assert plt.get_fignums() == [figure.number]
    assert draw(TREES).figure is not figure and len(plt.get_fignums()) == 2


def test_the_package_alone_needs_no_matplotlib():
    code = "import sys, glmref, glmref.checking, glmref.envelopes, glmref.profiles; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_every_name_is_there_and_says_what_it_does():
    for name in plots.__all__:
        thing = getattr(plots, name)
        assert name == "STYLE" or thing.__doc__


# ---- one point a row


@pytest.mark.parametrize("kind", ["response", "pearson", "deviance", "working", "anscombe", "quantile"])
def test_residuals_are_the_fits(kind):
    got = cloud(plots.residuals(COUNTS, kind, rng=2))
    np.testing.assert_allclose(got, np.column_stack([COUNTS.linear_predictor, COUNTS.residuals(kind, rng=2)]))


def test_residuals_against_what_one_asks():
    for against, values in {
        "fitted": COUNTS.fitted,
        "leverage": COUNTS.leverage,
        "index": np.arange(173),
        "width": CRABS["width"],
    }.items():
        np.testing.assert_allclose(cloud(plots.residuals(COUNTS, against=against))[:, 0], values)
    ax = plots.residuals(COUNTS, against=CRABS["weight"])
    assert ax.get_xlabel() == "weight"
    ax = plots.residuals(COUNTS, against=CRABS["spine"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list(CRABS["spine"].cat.categories)
    assert np.max(np.abs(cloud(ax)[:, 0] - CRABS["spine"].cat.codes)) < 0.3


def test_rows_without_a_value_to_set_against_are_not_drawn():
    ax = complete(plots.residuals(TREES, against=np.where(np.arange(31) < 3, np.nan, 1.0 * np.arange(31))))
    assert len(cloud(ax)) == 28
    ax = complete(plots.residuals(TREES, against=[None, *"abc" * 10]))
    assert len(cloud(ax)) == 30 and np.isfinite(cloud(ax)).all()


def test_extreme_rows_are_named():
    table = datasets.load("trees").set_axis([f"tree {k}" for k in range(31)])
    fit = glm("volume ~ diameter + height", table)
    worst = np.argsort(-np.abs(fit.residuals("pearson")))[:3]
    assert set(words(plots.residuals(fit, "pearson"))) == {f"tree {k}" for k in worst}
    assert words(plots.leverage(fit))[-3:] == [f"tree {k}" for k in np.argsort(-fit.cooks_distance)[:3]]
    assert set(words(plots.scale_location(fit))) == {f"tree {k}" for k in np.argsort(-np.abs(checking.standardized(fit)))[:3]}


def test_rows_at_one_place_share_a_label():
    orings = datasets.load("orings")
    ax = plots.leverage(glm("distress ~ temperature", orings, "binomial"))
    assert "1, 10" in words(ax)  # same temperature, same outcome
    assert any("(+" in text for text in words(plots.leverage(glm("wheeze ~ smoking", datasets.load("ohio"), "binomial"))))


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_weight_zero_are_left_out(name):
    weight = np.where(np.arange(31) % 5 == 0, 0.0, 1.0)
    fit = glm("volume ~ diameter + height", datasets.load("trees"), weights=weight)
    ax = complete(ROWS[name](fit))
    assert len(cloud(ax)) == 24
    assert not set(words(ax)) & {str(5 * k) for k in range(7)}


def test_contours_are_cooks_distances():
    """A point placed on a contour has that distance: r^2 h / [p (1 - h)]."""
    ax = plots.leverage(COUNTS)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 400]
    assert len(lines) == 2 and {"D = 0.5", "D = 1"} <= set(words(ax))
    for line, level in zip(lines, (0.5, 1.0)):
        h, r = line.get_data()
        np.testing.assert_allclose(r**2 * h / (COUNTS.rank * (1 - h)), level)
    r, h = checking.standardized(COUNTS, "pearson"), COUNTS.leverage
    np.testing.assert_allclose(r**2 * h / (COUNTS.rank * (1 - h)), COUNTS.cooks_distance, rtol=1e-10)


def test_small_influence_is_said_in_words():
    ax = plots.leverage(glm("wheeze ~ age + smoking", datasets.load("ohio"), "binomial"))
    assert any(text.startswith("largest Cook's distance 0.00") for text in words(ax))


def test_rows_of_leverage_one_are_counted():
    X = np.column_stack([np.ones(8), np.arange(8.0) % 3, np.arange(8) == 7])
    fit = fit_glm(X, [1.0, 2, 4, 3, 3, 6, 2, 9])
    ax = complete(plots.leverage(fit))
    assert len(cloud(ax)) == 7 and any("1 of leverage 1 not shown" in text for text in words(ax))


# ---- laws


def test_qq_points_and_band():
    ax = plots.qq(COUNTS, "deviance", envelope="pointwise")
    band = envelopes.normal_band(173, 0.95, "pointwise")
    np.testing.assert_allclose(cloud(ax)[:, 0], band["expected"])
    np.testing.assert_allclose(cloud(ax)[:, 1], np.sort(checking.standardized(COUNTS, "deviance")))
    y = cloud(ax)[:, 1]
    outside = np.sum((y < band["lower"]) | (y > band["upper"]))
    assert f"95% band, pointwise: {outside} of 173 outside" in words(ax)


@pytest.mark.parametrize("style", ["hanging", "standing", "suspended"])
def test_rootogram_bars(style):
    ax = complete(plots.rootogram(COUNTS, style, max_count=9))
    table = checking.rootogram_table(COUNTS, 9)
    bars = np.array([[bar.get_y(), bar.get_y() + bar.get_height()] for bar in ax.patches])
    observed, expected = np.sqrt(table["observed"]), np.sqrt(table["expected"])
    want = {
        "hanging": [expected - observed, expected],
        "standing": [0 * observed, observed],
        "suspended": [0 * observed, expected - observed],
    }[style]
    np.testing.assert_allclose(np.sort(bars, axis=1), np.sort(np.column_stack(want), axis=1))
    assert ax.get_xticklabels()[-1].get_text() == "10+"


# ---- probabilities


def test_calibration_points():
    ax = complete(plots.calibration(ANY, groups=5))
    np.testing.assert_allclose(cloud(ax), checking.calibration_table(ANY, 5)[["predicted", "observed"]])


@pytest.mark.parametrize("fit", [ANY, BEETLES], ids=["0-1", "shares"])
def test_separation_colours_the_events(fit):
    ax = complete(plots.separation(fit))
    trials = checking.separation_trials(fit)
    coloured = sum(np.ptp(path.vertices[:, 0]) for path in ax.collections[1].get_paths())
    assert coloured == trials.event.sum()
    triangle = ax.lines[-1].get_xdata()[0]
    assert triangle == pytest.approx(len(trials.event) - trials.expected)


def test_separation_of_many_trials_is_in_shades():
    fit = glm("wheeze ~ age + smoking", datasets.load("ohio"), "binomial")
    ax = complete(plots.separation(fit))
    shades = np.asarray(ax.images[0].get_array())[0]
    edges = np.linspace(0, 2148, len(shades) + 1).astype(int)
    pale, full = (np.array(matplotlib.colors.to_rgb(colour)) for colour in ("#f2e6c9", "#D55E00"))
    share = ((pale - shades) / (pale - full)).mean(axis=1)
    np.testing.assert_allclose(np.sum(share * np.diff(edges)), datasets.load("ohio")["wheeze"].sum())


# ---- terms and estimates


def test_partial_residuals_line_and_points():
    ax = complete(plots.partial_residuals(TREES, "diameter"))
    part = partial.partial_residuals(TREES, "diameter")
    np.testing.assert_allclose(cloud(ax), np.column_stack([part.x.position, part.residual]))
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(np.diff(y), TREES.coef["diameter"] * np.diff(x), atol=1e-12)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["fitted term", "smooth of the points"]
    ax = complete(plots.partial_residuals(SPRAYS, "spray"))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list("ABCDEF")


def test_coefficients_are_on_their_intervals():
    ax = complete(plots.coefficients(COUNTS, level=0.9), terms=True)
    terms = [tick.get_text() for tick in ax.get_yticklabels()]
    assert terms == [name for name in COUNTS.coef.index if name != "Intercept"]
    np.testing.assert_allclose(cloud(ax)[:, 0], COUNTS.coef[terms])
    drawn = [line.get_xdata() for line in ax.lines[1:]]
    np.testing.assert_allclose(drawn, COUNTS.confint(0.9).loc[terms])
    ax = complete(plots.coefficients(COUNTS, exponentiate=True, method="profile", terms=["width"]), terms=True)
    np.testing.assert_allclose(cloud(ax)[:, 0], np.exp(COUNTS.coef["width"]))
    np.testing.assert_allclose(ax.lines[1].get_xdata(), np.exp(COUNTS.confint(method="profile").loc["width"]))
    assert ax.get_xscale() == "log"


def test_an_interval_without_end_is_an_arrow():
    with pytest.warns(SeparationWarning):
        fit = glm("y ~ g", {"y": [0.0, 0, 0, 0, 1, 0, 1, 1], "g": list("bbbbaaaa")}, "binomial")
    for exponentiate in (False, True):
        ax = complete(plots.coefficients(fit, method="profile", exponentiate=exponentiate), terms=True)
        assert any(line.get_marker() == "<" for line in ax.lines)
    complete(plots.profile(fit, "g[T.b]"))


@pytest.mark.parametrize("scale", ["deviance", "root"])
def test_profile_curves(scale):
    ax = complete(plots.profile(ANY, "width", 0.9, scale))
    result = profile(ANY, "width", 0.9)
    curve, wald = ax.lines[0], ax.lines[1]
    np.testing.assert_allclose(curve.get_ydata(), result.curve["rise" if scale == "deviance" else "root"])
    np.testing.assert_allclose(wald.get_ydata(), result.curve["wald"] ** (2 if scale == "deviance" else 1))


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_diagnostics_has_four_panels(fit):
    panels = plots.diagnostics(fit)
    assert panels.shape == (2, 2)
    panels[0, 0].figure.draw_without_rendering()
    for ax in panels.flat:
        complete(ax, laid_out=True)
        assert len(cloud(ax)) == fit.nobs
    assert [ax.get_title(loc="left") for ax in panels.flat] == ["Mean", "Law", "Variance", "Influence"]


# ---- what cannot be drawn

REFUSED = {
    "kind": (lambda: plots.residuals(TREES, "studentized"), "kind of residual.*'studentized'"),
    "kind of qq": (lambda: plots.qq(TREES, "working"), "can be standardized.*'working'"),
    "kind of leverage": (lambda: plots.leverage(TREES, "response"), "can be standardized"),
    "against": (lambda: plots.residuals(TREES, against="girth"), "'fitted'.*diameter.*'girth'.*against=table"),
    "against length": (lambda: plots.residuals(TREES, against=np.ones(4)), "each of the 31 rows"),
    "against order": (lambda: plots.residuals(TREES, against=pd.Series(np.ones(31), range(31, 0, -1))), "another index"),
    "envelope": (lambda: plots.qq(TREES, envelope="both"), "'both'"),
    "level": (lambda: plots.qq(TREES, level=95), "level between 0 and 1"),
    "simulations": (lambda: plots.half_normal(TREES, simulations=0), "simulations"),
    "style": (lambda: plots.rootogram(COUNTS, "flying"), "hanging.*'flying'"),
    "not a count": (lambda: plots.rootogram(TREES), "counts.*gaussian"),
    "not a probability": (lambda: plots.calibration(COUNTS), "probabilities.*poisson"),
    "not an event": (lambda: plots.separation(TREES), "probabilities.*gaussian"),
    "groups": (lambda: plots.calibration(ANY, groups=2.5), "groups"),
    "column": (lambda: plots.partial_residuals(TREES, "girth"), "column or term.*'girth'"),
    "term": (lambda: plots.coefficients(TREES, terms=["girth"]), "estimated coefficients.*'girth'"),
    "no term": (lambda: plots.coefficients(TREES, terms=[]), "got none"),
    "method": (lambda: plots.coefficients(TREES, method="score"), "wald.*profile"),
    "profile": (lambda: plots.profile(TREES, "girth"), "one estimated coefficient"),
    "scale": (lambda: plots.profile(TREES, "height", scale="log"), "deviance.*root"),
    "saturated": (lambda: plots.leverage(fit_glm(np.eye(3), [1.0, 2, 3])), "dispersion > 0"),
    "saturated counts": (lambda: plots.leverage(fit_glm(np.eye(3), [1.0, 2, 3], "poisson")), "finite residual"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made(case):
    call, message = REFUSED[case]
    with pytest.raises(InputError, match=message):
        call()
    assert not plt.get_fignums()


# ---- pictures behind a slider


def test_frames():
    shown = plots.frames(
        lambda ax, k: ax.plot([0, k]),
        [1, 2, 3],
        label="Slope k",
        alt=lambda k: f"a line to {k} & up",
        caption="It <rises>.",
        start=1,
    )
    html = shown._repr_html_()
    assert len(shown.images) == 3 and len(set(shown.images)) == 3
    assert 'alt="a line to 2 &amp; up"' in html and "It &lt;rises&gt;." in html and 'id="frames-slope-k"' in html
    assert repr(shown) == "Slope k: 3 pictures from 1 to 3. It <rises>."
    assert not plt.get_fignums()
    with pytest.raises(InputError, match="two values"):
        plots.frames(lambda ax, k: None, [1], label="k", alt=str, caption="")


def test_frames_are_small_and_look_the_same():
    """Against the picture that matplotlib writes: the ground exactly white, no colour far off, the same bytes twice."""
    with plt.rc_context():
        plots.use_style()
        figure = plots.residuals(COUNTS).figure
        full = io.BytesIO()
        figure.savefig(full, format="png")
        small = small_png(figure)
        assert small == small_png(figure)
    want, got = (np.asarray(Image.open(part).convert("RGB"), dtype=float) for part in (full, io.BytesIO(small)))
    assert len(small) < len(full.getvalue()) / 2
    np.testing.assert_array_equal(got[(want == 255).all(axis=2)], 255)
    assert np.mean(np.abs(want - got)) < 0.5 and np.max(np.abs(want - got)) < 80


def test_the_books_style_is_found():
    with plt.rc_context():
        plots.use_style()
        assert plt.rcParams["axes.prop_cycle"].by_key()["color"][0] == "#0072B2"
