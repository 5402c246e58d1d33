"""Plots of anything: well-formed, described in words, and without a coordinate that is no number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evaluation.pages.plots.cluster_map import cluster_map
from evaluation.pages.plots.curves import curves
from evaluation.pages.plots.latency import latency
from evaluation.pages.plots.outcomes import outcomes
from evaluation.pages.plots.overlay import overlay
from evaluation.pages.plots.pairplot import pairs
from evaluation.pages.plots.residuals import residual_cloud, residual_histogram
from evaluation.pages.plots.scales import Linear, Logarithmic, extent
from evaluation.pages.plots.timeline import Moment, timeline
from evaluation.pages.plots.whisker import whisker
from evaluation.report_format import (
    ClusterMap,
    CoverageCounts,
    CoverageHour,
    Curve,
    Figure,
    HistogramPair,
    MapPoint,
    PairedFeature,
    Pairplot,
    Residuals,
    StageTimes,
)

ANY = st.floats()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 10**15)
START = datetime(2026, 11, 23, tzinfo=UTC)


def checked(svg: str) -> ElementTree.Element:
    """The plot as XML, after what holds for every plot."""
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    title, description = root.find("title"), root.find("desc")
    assert title is not None
    assert title.text
    assert description is not None
    assert description.text
    assert not re.search(r"\b(nan|inf|None)\b", description.text)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "d", "viewBox"}:
                assert re.fullmatch(r"[-\d. MLZ]*", value), (element.tag, name, value)
    return root


def words(root: ElementTree.Element) -> str:
    return " ".join(text for text in root.itertext() if text)


@st.composite
def histogram_pairs(draw: st.DrawFn) -> HistogramPair:
    if draw(st.booleans()):
        edges = sorted(draw(st.lists(FINITE, min_size=2, max_size=40, unique=True)))
        size, categories = len(edges) + 1, None
    else:
        categories = draw(st.lists(st.text("aé<&\u202e \x00", max_size=60), max_size=60))
        size, edges = len(categories), None
    counts = st.lists(COUNT, min_size=size, max_size=size)
    rest = {f"{when}_{what}": draw(COUNT) for when in ("before", "now") for what in ("missing", "unseen")}
    return HistogramPair(edges=edges, categories=categories, before=draw(counts), now=draw(counts), **rest)


@given(histogram_pairs(), st.text(max_size=300), st.booleans())
def test_any_pair_of_histograms_is_drawn(pair: HistogramPair, title: str, mini: bool) -> None:
    checked(overlay(pair, title or "t", unit="mm", mini=mini))


@pytest.mark.parametrize("mini", [True, False])
def test_a_histogram_without_values_says_so(mini: bool) -> None:
    empty = HistogramPair(edges=[0.0, 1.0], before=[0, 0, 0], now=[0, 0, 0])
    assert "No values to draw" in words(checked(overlay(empty, "age", mini=mini)))
    assert "No values to draw" in words(checked(overlay(None, "age", mini=mini)))


def test_the_bin_that_changed_most_is_told_in_words() -> None:
    pair = HistogramPair(edges=[0.0, 10.0, 20.0], before=[0, 90, 10, 0], now=[0, 10, 90, 0], now_missing=100)
    told = words(checked(overlay(pair, "age", unit="years"))).replace("\u00a0", " ")
    assert "from 0 to 10: 90.0 % before, 5.0 % now" in told
    assert "missing: 0 % before, 50.0 % now" in told


def test_the_shapes_are_as_high_as_the_shares() -> None:
    pair = HistogramPair(categories=["a", "b"], before=[1, 3], now=[30, 10])
    heights = {
        kind: [
            float(bar.get("height", 0)) for bar in checked(overlay(pair, "t")).iter("rect") if bar.get("class") == kind
        ]
        for kind in ("before", "now")
    }
    assert heights["before"] == heights["now"][::-1]
    assert heights["now"][0] == pytest.approx(3 * heights["now"][1], rel=0.01)


@given(st.lists(st.tuples(ANY, ANY), max_size=30), st.lists(COUNT, max_size=30))
def test_any_curve_and_any_cloud_is_drawn(points: list[tuple[float, float]], weights: list[int]) -> None:
    for name in ("roc", "pr", "calibration"):
        line = Curve(name=name, label="<a>", x_title="x", y_title="y", points=points, weights=weights)
        checked(curves([line] * 9, "Curve"))
    checked(residual_cloud(Residuals(edges=[0, 1], counts=[1], points=points), "Residuals"))


@given(st.lists(FINITE, min_size=2, max_size=30, unique=True), st.data())
def test_any_residual_histogram_is_drawn(edges: list[float], data: st.DataObject) -> None:
    counts = data.draw(st.lists(COUNT, min_size=len(edges) - 1, max_size=len(edges) - 1))
    checked(residual_histogram(Residuals(edges=sorted(edges), counts=counts, points=[]), "Residuals"))


@given(
    st.lists(st.floats(0, 1e300), min_size=2, max_size=40, unique=True),
    st.one_of(st.none(), st.floats(0, 1e300)),
    st.data(),
)
def test_any_run_times_are_drawn(edges: list[float], limit: float | None, data: st.DataObject) -> None:
    counts = data.draw(st.lists(COUNT, min_size=len(edges) - 1, max_size=len(edges) - 1))
    some = data.draw(st.one_of(st.none(), st.floats(0, 1e300)))
    checked(latency(stage(sorted(edges), counts, some), "Run times", limit_ms=limit))


def test_the_limit_stands_where_it_is_even_beyond_every_measurement() -> None:
    root = checked(latency(stage([1.0, 10.0], [5], 3.0), "Run times", limit_ms=1000.0))
    (mark,) = [line for line in root.iter("line") if line.get("class") == "limit"]
    shape = next(path for path in root.iter("path") if path.get("class") == "now")
    right = max(float(x) for x, _ in re.findall(r"[ML]([\d.]+) ([\d.]+)", shape.get("d", "")))
    assert float(mark.get("x1", 0)) > right
    assert "limit 1 s" in words(root).replace("\u00a0", " ")


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), max_size=50))
def test_any_timeline_is_drawn(points: list[tuple[int, float, float, float]]) -> None:
    by_hour = {hour: sorted(shares) for hour, *shares in points}
    moments = [
        Moment(START + timedelta(hours=hour), value, low, high, n=1)
        for hour, (low, value, high) in sorted(by_hour.items())
    ]
    checked(timeline(moments, "Coverage", before=0.9, limit=0.5))
    checked(timeline(moments, "Coverage"))


def test_hours_without_calls_are_gaps_in_the_line() -> None:
    hours = [0, 1, 2, 10, 11]
    moments = [Moment(START + timedelta(hours=hour), 0.9, 0.8, 0.95, 10) for hour in hours]
    lines = [p for p in checked(timeline(moments, "Coverage")).iter("path") if p.get("class") == "now-line"]
    assert len(lines) == 2


@given(st.lists(st.lists(COUNT, min_size=5, max_size=5), max_size=170), st.booleans())
def test_any_calls_over_time_are_drawn(amounts: list[list[int]], days: bool) -> None:
    hours = [
        CoverageHour(
            start=(START + timedelta(hours=index)).isoformat(),
            counts=CoverageCounts(
                calls=sum(a),
                scored=a[0],
                abstained=a[1],
                rejected=a[2],
                failed=a[3],
                request_errors=a[4],
                coverage=None,
            ),
        )
        for index, a in enumerate(amounts)
    ]
    checked(outcomes(hours, "Calls", days=days))


@given(st.lists(st.one_of(st.none(), ANY), min_size=6, max_size=6))
def test_any_interval_is_drawn(values: list[float | None]) -> None:
    value, low, high, before, before_low, before_high = values
    figure = Figure(
        name="auc",
        title="AUC",
        better="higher",
        n=1,
        value=value,
        low=low,
        high=high,
        before=before,
        before_low=before_low,
        before_high=before_high,
    )
    checked(whisker(figure))


@given(FINITE, FINITE, FINITE)
@example(0.0, 5e-324, 0.0)
@example(-1.7e308, 1.7e308, 1e308)
def test_a_scale_keeps_every_value_between_its_ends(a: float, b: float, value: float) -> None:
    around = extent([a, b])
    assert around is not None
    scale = Linear(*around, 10.0, 90.0)
    assert 10 <= scale(value) <= 90
    assert scale(around[0]) == pytest.approx(10)
    assert scale(around[1]) == pytest.approx(90)
    assert all(10 <= scale(tick) <= 90 for tick, _ in scale.ticks())
    assert len(scale.ticks()) <= 15


@given(st.floats(1e-9, 1e9), st.floats(1.01, 1e9))
def test_a_logarithmic_scale_rises_and_has_few_ticks(low: float, factor: float) -> None:
    scale = Logarithmic(low, low * factor, 0.0, 100.0)
    middle = low * math.sqrt(factor)
    assert 0 == scale(low) < scale(middle) < scale(low * factor) <= 100
    assert scale(middle) == pytest.approx(50, abs=1e-6)
    assert len(scale.ticks()) <= 7


@pytest.mark.parametrize(
    "draw",
    [
        lambda t: overlay(HistogramPair(categories=[t] * 3, before=[1, 2, 3], now=[3, 2, 1]), t, unit=t),
        lambda t: overlay(HistogramPair(edges=[0.0, 1.0], before=[0, 1, 0], now=[0, 1, 0]), t, unit=t),
        lambda t: curves([Curve(name="roc", label=t, x_title=t, y_title=t, points=[(0, 0), (1, 1)])] * 2, t),
        lambda t: residual_cloud(Residuals(edges=[0, 1], counts=[1], points=[(0, 1)], unit=t), t),
    ],
)
def test_hostile_words_stay_words(draw: Callable[[str], str]) -> None:
    attack = "</text></svg><script>alert(1)</script>\"'&\x00\u202e\ud800" + "x" * 100_000
    svg = draw(attack)
    root = checked(svg)
    assert len(svg) < 20_000
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    svg.encode("utf-8")


def stage(edges: list[float], counts: list[int], value: float | None) -> StageTimes:
    return StageTimes(
        name="total",
        title="Total",
        n=sum(counts),
        p50_ms=value,
        p90_ms=value,
        p99_ms=value,
        max_ms=value,
        mean_ms=value,
        error=0.05,
        edges_ms=edges,
        counts=counts,
    )


@given(st.integers(0, 4), st.data())
def test_pairs_of_any_values_have_every_cell_below_the_diagonal(count: int, data: st.DataObject) -> None:
    row = st.lists(st.none() | ANY, min_size=count, max_size=count)
    before, now = data.draw(st.lists(row, max_size=6)), data.draw(st.lists(row, max_size=6))
    features = [PairedFeature(name=f"f{place}", unit="mm", level="ok") for place in range(count)]
    root = checked(pairs(Pairplot(features=features, before=before, now=now), "pairs"))
    frames = [element for element in root.iter() if element.get("class") == "frame"]
    assert len(frames) == (count * (count + 1) // 2 if count >= 2 and now else 0)


def test_pairs_say_how_the_medians_moved_and_what_there_is_not() -> None:
    features = [PairedFeature(name="a", level="alert"), PairedFeature(name="b", level="ok")]
    plot = Pairplot(features=features, before=[[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], now=[[9.0, None]])
    assert "a: median 2 before, 9 now. b: median 5 before, not known now." in words(checked(pairs(plot, "pairs")))
    assert "Fewer than two numbers" in words(checked(pairs(None, "pairs")))


POINTS = st.lists(
    st.builds(MapPoint, x=ANY, y=ANY, cluster=st.none() | st.integers(0, 2), beyond=st.booleans()), max_size=8
)


@given(POINTS, POINTS, st.lists(st.tuples(FINITE, FINITE), max_size=3))
def test_a_map_of_any_points_numbers_every_centre(
    before: list[MapPoint], now: list[MapPoint], centres: list[tuple[float, float]]
) -> None:
    placed = [MapPoint(x=x, y=y, cluster=number) for number, (x, y) in enumerate(centres)]
    root = checked(cluster_map(ClusterMap(x="a", y="", kept=1.0, centres=placed, before=before, now=now), "map"))
    named = [element.text for element in root.iter() if element.get("class") == "centre-name"]
    assert named == [str(number + 1) for number in range(len(centres))]
    crosses = [element for element in root.iter() if element.get("class") == "cross"]
    finite = sum(point.beyond and math.isfinite(point.x) and math.isfinite(point.y) for point in now)
    assert len(crosses) >= finite if centres else not crosses
