"""A figure that moves without a server or a script library: pictures behind a slider."""

import base64
import io
import json
import re
from dataclasses import dataclass
from html import escape

import matplotlib.pyplot as plt
from PIL import Image

from ..errors import InputError


@dataclass(frozen=True)
class Frames:
    """Pictures behind a slider: images as data addresses, each with one of values, shown beside the slider, and of alts, its
    text alternative. name: the id on the page; label: of the slider; caption: the finding; start: the picture shown first.

    >>> draw = lambda axes, k: axes.plot([0, 1], [0, k])
    >>> slider = plots.frames(draw, [1, 2], label="slope", alt="a line of slope {}".format, caption="It gets steeper.")
    >>> slider.values, slider.alts, slider.start
    (('1', '2'), ('a line of slope 1', 'a line of slope 2'), 0)
    """

    name: str
    label: str
    values: tuple
    images: tuple
    alts: tuple
    caption: str
    start: int = 0

    def _repr_html_(self):
        data = json.dumps({"images": self.images, "alts": self.alts, "values": self.values}).replace("</", "<\\/")
        k = self.start
        return (
            f'<figure class="glmref-frames" id="{self.name}">'
            f'<img src="{self.images[k]}" alt="{escape(self.alts[k])}">'
            f"<label>{escape(self.label)} "
            f'<input type="range" min="0" max="{len(self.values) - 1}" step="1" value="{k}" '
            f'aria-valuetext="{escape(self.values[k])}">'
            f'<output aria-live="polite">{escape(self.values[k])}</output></label>'
            f"<figcaption>{escape(self.caption)}</figcaption></figure>"
            f"<script>(() => {{ const f = document.getElementById({json.dumps(self.name)}), d = {data};"
            ' const slider = f.querySelector("input"), image = f.querySelector("img"), shown = f.querySelector("output");'
            ' slider.addEventListener("input", () => { const k = +slider.value; image.src = d.images[k];'
            ' image.alt = d.alts[k]; shown.textContent = d.values[k]; slider.setAttribute("aria-valuetext", d.values[k]); });'
            " })();</script>"
        )

    def __repr__(self):
        return f"{self.label}: {len(self.values)} pictures from {self.values[0]} to {self.values[-1]}. {self.caption}"


def frames(draw, values, *, label, alt, caption, show=str, start=0, figsize=(6.0, 3.4), dpi=80):
    """A figure with a slider: draw(axes, value) once for each value.

    label: the slider's name with its unit; alt(value) -> the text alternative of that picture; caption: the finding;
    show(value) -> the text beside the slider; start: the picture shown first. Works by keyboard, offline, in any notebook.

    >>> draw = lambda axes, k: axes.plot([0, 1], [0, k])
    >>> slider = plots.frames(draw, [1, 2], label="slope", alt="a line of slope {}".format, caption="It gets steeper.")
    >>> slider
    slope: 2 pictures from 1 to 2. It gets steeper.
    """
    values = list(values)
    if len(values) < 2 or not 0 <= start < len(values):
        raise InputError(
            expected="at least two values and start among them",
            got=f"{len(values)} values, start={start}",
            remedy="A single picture needs no slider.",
        )
    images = []
    for value in values:
        figure, axes = plt.subplots(figsize=figsize, dpi=dpi)
        draw(axes, value)
        images.append("data:image/png;base64," + base64.b64encode(small_png(figure)).decode())
        plt.close(figure)
    name = "frames-" + re.sub(r"\W+", "-", label.lower()).strip("-")
    return Frames(name, label, tuple(map(show, values)), tuple(images), tuple(map(alt, values)), caption, start)


def small_png(figure, colours=64):
    """The figure as the bytes of a PNG with a palette: a page carries every frame, and lines and text need few colours.

    Median cut without dithering: the ground stays white, the same figure gives the same bytes, at about a quarter of the size.
    """
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", metadata={"Software": None})
    palette = Image.open(full).convert("RGB").quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(small, format="png", optimize=True)
    return small.getvalue()
