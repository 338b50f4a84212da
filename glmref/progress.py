"""What a long fit says while it runs: one line for each pass over all rows."""

import sys
from time import perf_counter

from .least_squares import Score


def reported(evaluate, rows, progress):
    """evaluate(beta, kind), which also reports each pass over the rows.

    progress: True (to stderr), False, a function of one string, or None: where rows come in portions and stderr is a terminal,
    so not in a notebook.
    """
    say = speaker(rows, progress)
    if say is None:
        return evaluate
    passes, before = 0, object()

    def timed(beta, kind):
        nonlocal passes, before
        start = perf_counter()
        summary = evaluate(beta, kind)
        if summary is before:  # remembered: no row was looked at
            return summary
        passes, before = passes + 1, summary
        speed = rows.shape[0] / max(perf_counter() - start, 1e-9)
        found = "impossible means" if summary is None else "score" if kind is Score else f"deviance {summary.deviance:.10g}"
        say(f"pass {passes}: {found}, {speed:.3g} rows/s")
        return summary

    return timed


def report_survey(rows, seconds, progress):
    """Say that rows in portions have been looked at; progress: as in `reported`."""
    say = speaker(rows, progress)
    if say is not None and not rows.in_memory:
        say(f"survey: {rows.shape[0]} rows, {rows.shape[0] / max(seconds, 1e-9):.3g} rows/s")


def reported_rounds(panel, progress):
    """The panel of a GEE, which also reports each evaluation of the equation; progress: as in `reported`."""
    say = speaker(panel, progress)
    return panel if say is None else Reporting(panel, say)


def speaker(rows, progress):
    """The function of one string that `progress` stands for, or None for silence."""
    if progress is None:
        progress = not rows.in_memory and sys.stderr.isatty()
    return (progress if callable(progress) else _to_stderr) if progress else None


class Reporting:
    """A panel that says what it found."""

    def __init__(self, panel, say):
        self.panel, self.say, self.rounds = panel, say, 0

    def __getattr__(self, name):
        return getattr(self.panel, name)

    def evaluate(self, beta):
        """The panel's Point, with a line about it."""
        start = perf_counter()
        point = self.panel.evaluate(beta)
        self.rounds += 1
        found = "impossible means" if point is None else f"dispersion {point.parameters.phi:.10g}"
        self.say(f"round {self.rounds}: {found}, {self.panel.n / max(perf_counter() - start, 1e-9):.3g} rows/s")
        return point


def _to_stderr(line):
    print(line, file=sys.stderr, flush=True)
