"""Run times on a logarithmic axis, with the requirement marked where there is one."""

from __future__ import annotations

from evaluation.pages.numbers import count, milliseconds
from evaluation.pages.plots.scales import Linear, Logarithmic
from evaluation.pages.plots.svg import Box, line, nothing, picture, steps, text, x_axis, y_axis
from evaluation.report_format import StageTimes

WIDTH, HEIGHT = 420, 240


def latency(stage: StageTimes, title: str, *, limit_ms: float | None = None) -> str:
    """The stage's histogram with its median and 99 % quantile, and `limit_ms` as a line."""
    edges = [edge for edge in stage.edges_ms if edge >= 0]
    if not sum(stage.counts) or len(edges) != len(stage.counts) + 1 or edges[-1] <= 0:
        return nothing(WIDTH, HEIGHT, title, "Nothing was measured in this window")
    box = Box(46, 42, WIDTH - 10, HEIGHT - 46)
    low = max(edges[0], edges[1] / 10, edges[-1] / 1e9)
    high = max(edges[-1], (limit_ms or 0) * 1.15)
    margin = max(1.05, (10 / min(10.0, high / low)) ** 0.5)  # the axis spans a factor of ten, for a single bin too
    x = Logarithmic(low / margin, high * margin, box.left, box.right)
    y = Linear(0, max(stage.counts) * 1.06, box.bottom, box.top, wanted=4)
    parts = [y_axis(box, y), text(0, 14, "requests", kind="title")]
    parts.append(steps([x(edge) for edge in edges], [y(n) for n in stage.counts], box.bottom, "now"))
    parts.append(x_axis(box, x))
    parts += _marks(stage, limit_ms, x, box)
    return picture(WIDTH, HEIGHT, title, _in_words(stage, limit_ms), parts)


def _marks(stage: StageTimes, limit_ms: float | None, x: Logarithmic, box: Box) -> list[str]:
    parts = []
    known = [(name, x(value)) for name, value in (("p50", stage.p50_ms), ("p99", stage.p99_ms)) if value]
    close = len(known) == 2 and known[1][1] - known[0][1] < 26
    for (name, at), anchor in zip(known, ("end", "start") if close else ("middle", "middle"), strict=False):
        parts.append(line(at, box.top, at, box.bottom, "before-line"))
        parts.append(text(at, box.top - 5, name, anchor=anchor))
    if limit_ms is not None and limit_ms > 0:
        parts.append(line(x(limit_ms), box.top - 14, x(limit_ms), box.bottom, "limit"))
        anchor = "end" if x(limit_ms) > box.right - 60 else "middle"
        label = f"limit {milliseconds(limit_ms)}"
        parts.append(text(x(limit_ms), box.top - 18, label, anchor=anchor, kind="limit-label"))
    return parts


def _in_words(stage: StageTimes, limit_ms: float | None) -> str:
    words = f"{count(stage.n)} measured. Half took at most {milliseconds(stage.p50_ms)}, "
    words += f"99 % at most {milliseconds(stage.p99_ms)}, the longest {milliseconds(stage.max_ms)}."
    return words + (f" The limit is {milliseconds(limit_ms)}." if limit_ms is not None else "")
