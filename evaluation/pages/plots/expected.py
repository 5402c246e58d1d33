"""What a figure was expected to be on the labelled instances, as a bar, and what it turned out to be, as a dot."""

from __future__ import annotations

from evaluation.pages.numbers import number
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import circle, line, nothing, picture
from evaluation.report_format import EstimatedFigure

WIDTH, HEIGHT = 180, 30


def expected(figure: EstimatedFigure) -> str:
    """The interval to expect (below, open dot) and the realised value (above, filled dot) on one scale."""
    known = [figure.labelled, figure.labelled_low, figure.labelled_high, figure.realised]
    around = extent([value for value in known if value is not None])
    if around is None or figure.labelled is None:
        return nothing(WIDTH, HEIGHT, figure.title, "no labels yet", "mini")
    margin = (around[1] - around[0]) * 0.08
    x = Linear(around[0] - margin, around[1] + margin, 6, WIDTH - 6)
    parts = []
    if figure.labelled_low is not None and figure.labelled_high is not None:
        parts.append(line(x(figure.labelled_low), 22, x(figure.labelled_high), 22, "before-line"))
    parts.append(circle(x(figure.labelled), 22, 4, "dot-before"))
    if figure.realised is not None:
        parts.append(circle(x(figure.realised), 8, 4, "dot"))
    return picture(WIDTH, HEIGHT, figure.title, _in_words(figure), parts, "mini")


def _in_words(figure: EstimatedFigure) -> str:
    between = ""
    if figure.labelled_low is not None:
        between = f", between {number(figure.labelled_low)} and {number(figure.labelled_high)}"
    said = " Beyond what chance explains." if figure.disagrees else ""
    return f"Expected {number(figure.labelled)}{between}; realised {number(figure.realised)}.{said}"
