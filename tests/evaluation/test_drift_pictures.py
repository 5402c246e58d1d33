"""What is drawn of a drift: which rows and features, which instances a bin leads to; and a bundle's sample of rows."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.memory_store import MemoryStore
from audit.records import Record, timestamp
from evaluation.drift.cluster_map import cluster_map
from evaluation.drift.pairplot import NO_SAMPLE
from evaluation.hourly import make_report
from evaluation.kept_rows import Row
from evaluation.pages.report import report_page
from evaluation.profile import Distributions
from evaluation.profiler import reference_of
from evaluation.references import References
from evaluation.report_format import Report
from evaluation.training_sample import SAMPLE, TrainingSample, read_sample
from evaluation.windows import day_window
from scoring.bundle import Bundle, Calibration, Clusters, Feature, Histogram, Manifest
from scoring.envelope import Envelope
from tests.evaluation.workshop import HOUR, NOON, Log, answer, make_bundle, score
from training.bundle_writer import write_bundle


def with_sample(bundle: Bundle, data: bytes, models: Path) -> Bundle:
    """The same bundle as version 2 with a sample beside it."""
    manifest = msgspec.structs.replace(bundle.manifest, version="2", files={})
    files = {name: (bundle.folder / name).read_bytes() for name in bundle.manifest.files}
    return write_bundle(models, manifest, files | {SAMPLE: data})


def parquet(**columns: list[Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue().to_pybytes())


def shifted(bundle: Bundle, n: int = 400) -> list[Record]:
    """`a` has moved up by two, `b` has not; five instances are far away."""
    draw = np.random.default_rng(4)
    records = []
    for number in range(n):
        flags = {"distance": 9.0 if number < 5 else float(draw.rayleigh()), "cluster": number % 2}
        x = {"a": float(draw.normal(2)), "b": float(draw.normal())}
        name, version = f"i{number}", bundle.manifest.version
        records.append(score(name, version=version, bundle=bundle.sha256, x=x, y=answer("binary", draw), flags=flags))
    return records


def report_of(records: list[Record], models: Path) -> Report:
    log = Log()
    log.append(NOON, records)
    moment = timestamp(NOON + 11 * HOUR)
    return make_report(log.store, MemoryStore(), References(models), "toy", day_window(NOON), moment)


def test_pairs_hold_what_drifted_first_over_the_training_rows(tmp_path: Path) -> None:
    sample = parquet(a=[0.5, None, 1.5], b=[1.0, 2.0, 3.0], target=[1, 0, 1])
    bundle = with_sample(make_bundle(tmp_path), sample, tmp_path)
    report = report_of(shifted(bundle), tmp_path)
    drawn = report.drift.pairplot
    assert drawn is not None
    assert [(one.name, one.level) for one in drawn.features] == [("a", "alert"), ("b", "ok")]
    assert drawn.before == [[0.5, 1.0], [None, 2.0], [1.5, 3.0]]
    assert (len(drawn.now), drawn.status) == (400, None)
    assert np.mean([row[0] for row in drawn.now if row[0] is not None]) == pytest.approx(2, abs=0.2)
    assert "over 3 training rows" in report_page(report)


def test_a_bundle_without_a_sample_is_drawn_with_instances_alone_and_says_so(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    report = report_of(shifted(bundle), tmp_path)
    assert report.drift.pairplot is not None
    assert (report.drift.pairplot.before, report.drift.pairplot.status) == ([], NO_SAMPLE)
    assert NO_SAMPLE in report_page(report)


def test_a_feature_that_is_hidden_in_the_log_is_drawn_in_no_pair(tmp_path: Path) -> None:
    bundle = with_sample(make_bundle(tmp_path), parquet(a=[0.5], b=[1.0]), tmp_path)
    records = shifted(bundle)
    records[7].redacted = ["b"]
    assert report_of(records, tmp_path).drift.pairplot is None


def test_what_grew_links_to_instances_in_it_also_of_outputs(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    records = shifted(bundle)
    for record in records[:200]:
        record.y = {"label": "no", "probabilities": {"no": 0.99, "yes": 0.01}}
    report = report_of(records, tmp_path)
    first = report.drift.features[0]
    values = {record.id: record.x["a"] for record in records}
    edges = reference_of(bundle).baseline.features["a"].edges or []
    names = [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(edges)]
    assert first.name == "a"
    assert 1 <= len(first.grown) <= 3
    for grown in first.grown:
        assert grown.now > grown.before
        assert len(set(grown.ids)) == 5
        for id in grown.ids:
            if grown.name in names:
                place = names.index(grown.name)
                assert edges[place] <= values[id] <= edges[place + 1]
            else:
                assert grown.name == f"above {edges[-1]:.4g}"
                assert values[id] > edges[-1]
    assert first.examples == first.grown[0].ids
    moved = next(output for output in report.drift.outputs if output.name == "probability:yes")
    assert moved.grown[0].name == "0 to 0.05"
    assert set(moved.grown[0].ids) <= {f"i{number}" for number in range(200)} | {
        record.id for record in records if record.y and record.y["probabilities"]["yes"] < 0.05
    }
    page = report_page(report, served=True, code="k")
    assert all(f'href="/models/toy/instances/{id}?code=k"' in page for grown in first.grown for id in grown.ids)


def test_the_map_marks_those_that_are_near_no_centre_and_links_to_them(tmp_path: Path) -> None:
    bundle = with_sample(make_bundle(tmp_path), parquet(a=[0.5, 9.0], b=[0.0, 0.0]), tmp_path)
    records = shifted(bundle)
    report = report_of(records, tmp_path)
    assert report.drift.clusters is not None
    found = report.drift.clusters.map
    assert found is not None
    assert [(point.x, point.y) for point in found.centres] == [(0.5, 0.0), (-0.5, 0.0)]
    assert (found.x, found.y, found.kept) == ("a", "b", 1.0)
    assert [(point.x, point.cluster, point.beyond) for point in found.before] == [(0.5, 0, False), (9.0, 0, True)]
    assert {point.id for point in found.now if point.beyond} == {
        record.id for record in records if record.flags["distance"] > 3.5
    }
    assert 'href="/models/toy/instances/i0"' in report_page(report, served=True)


FEATURES = [
    Feature(name="age", type="float", mean=40.0, deviation=10.0, importance=0.1),
    Feature(name="job", type="string", categories=["clerk", "cook", "x" * 80], importance=0.2),
    Feature(name="new", type="boolean", categories=[False, True]),
]
ROWS: list[list[float | str | None]] = [
    [50.0, "cook", "true"], [None, "pilot", None], [31.0, "x" * 60, "false"], [1.797e308, "clerk", "true"],
]  # fmt: skip


def mapped(manifest: Manifest, centres: list[list[float]], sample: TrainingSample | None = None) -> Any:
    own = msgspec.structs.replace(manifest, features=FEATURES, calibration=Calibration(centres=centres, threshold=1.0))
    nothing = Histogram(edges=[0.0, 1.0], counts=[0, 0, 0])
    rows = [Row(hash=n, id=f"i{n}", ts="t", values=values, distance=0.5) for n, values in enumerate(ROWS)]
    found = Distributions(n=4, features={feature.name: nothing for feature in FEATURES}, rows=rows)
    return cluster_map(own, Clusters(occupancy=[1] * len(centres), distance=nothing), found, sample)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return make_bundle(tmp_path_factory.mktemp("models")).manifest


def test_distances_on_a_map_of_as_many_dimensions_are_the_envelopes(manifest: Manifest) -> None:
    """Centres on a plane: the projection keeps them apart as they are, and rows lie where the encoding puts them."""
    draw = np.random.default_rng(0)
    base = draw.normal(size=(2, 6))
    centres = (draw.normal(size=(5, 2)) @ base).tolist()
    found = mapped(manifest, centres)
    flat = np.array([[point.x, point.y] for point in found.centres])
    for i in range(5):
        for j in range(5):
            expected = np.linalg.norm(np.array(centres[i]) - np.array(centres[j]))
            assert np.linalg.norm(flat[i] - flat[j]) == pytest.approx(expected, rel=2e-3, abs=2e-3)
    assert found.kept == 1.0
    assert all(np.isfinite([point.x, point.y]).all() for point in found.now)


def test_training_rows_have_the_cluster_that_the_service_gives_them(manifest: Manifest) -> None:
    centres = [[0.0] * 6, [1.0, 0.0, 0.7, 0.0, 0.0, 0.7], [-1.0, 0.0, 0.0, 0.0, 0.7, 0.0]]
    columns: dict[str, list[float | str | None]] = {
        "age": [50.0, 20.0, None], "job": ["cook", "clerk", None], "new": ["true", "false", None],
    }  # fmt: skip
    found = mapped(manifest, centres, TrainingSample(3, columns))
    matrix = np.array([[50.0, 1.0, 1.0], [20.0, 0.0, 0.0], [np.nan, np.nan, np.nan]])
    distances, clusters = Envelope(FEATURES, Calibration(centres=centres, threshold=1.0)).distances(matrix)
    assert [point.cluster for point in found.before] == clusters.tolist()
    assert [point.beyond for point in found.before] == (distances > 1.0).tolist()


@pytest.mark.parametrize("centres", [[[0.0] * 6], [[0.0] * 6, [1.0] + [0.0] * 5]], ids=["one centre", "a line"])
def test_centres_that_span_no_plane_are_completed_by_the_most_important_features(
    manifest: Manifest, centres: list[list[float]]
) -> None:
    found = mapped(manifest, centres)
    assert len(found.centres) == len(centres)
    assert (found.x, found.y) == (("job", "age") if len(centres) == 1 else ("age", "job"))


def test_there_is_no_map_without_centres_or_with_centres_of_another_width(manifest: Manifest) -> None:
    assert mapped(manifest, []) is None
    assert mapped(manifest, [[0.0] * 5]) is None


@pytest.mark.parametrize("data", [b"", b"no parquet", parquet(a=["text"] * 3, b=[[1], [2], [3]])], ids=str)
def test_a_sample_that_is_none_costs_nothing(data: bytes, tmp_path: Path) -> None:
    bundle = with_sample(make_bundle(tmp_path), data, tmp_path)
    found = read_sample(bundle)
    assert found is None or found.columns == {"a": ["text"] * 3, "b": [None] * 3}
    assert report_of(shifted(bundle, 20), tmp_path).drift.n == 20


def test_a_sample_is_at_most_500_rows_of_what_the_bundle_does_not_hide(tmp_path: Path) -> None:
    bundle = with_sample(make_bundle(tmp_path), parquet(a=[True, None] * 400, b=[1] * 800, c=[0] * 800), tmp_path)
    found = read_sample(bundle)
    assert found is not None
    assert (found.rows, set(found.columns), found.columns["a"][:2]) == (500, {"a", "b"}, ["true", None])
    hidden = [msgspec.structs.replace(one, redaction="drop") for one in bundle.manifest.features]
    own = msgspec.structs.replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, features=hidden))
    assert read_sample(own) == TrainingSample(500, {})
    assert read_sample(make_bundle(tmp_path, version="3")) is None
