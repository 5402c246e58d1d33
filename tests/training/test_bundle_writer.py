"""A bundle is written whole or not at all, once, whoever writes at the same time and whenever it is killed."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import numpy as np
import pytest

from scoring.bundle import SCHEMA, BundleError, Feature, Manifest, Output, Parity, list_bundles, load_bundle
from training import bundle_writer
from training.bundle_writer import write_bundle
from training.errors import BundleExists

FILES = {"model.onnx": b"graph", "baseline.json": b"{}", "card.md": b"# card"}
SPAWN = multiprocessing.get_context("spawn")


def manifest(description: str = "", files: dict[str, str] | None = None) -> Manifest:
    return Manifest(
        schema=SCHEMA,
        name="model",
        version="1",
        created="2026-11-23T12:00:00Z",
        task="regression",
        features=[Feature(name="x", type="float")],
        input="features",
        output=Output(value="value"),
        parity=Parity(rows=1, adversarial_rows=1, largest_difference=0.0, label_ties=0, takes_missing=False),
        description=description,
        files=files or {},
    )


def race(models: Path, who: int, start: Barrier) -> None:
    """Write when all are ready; the exit code says who won."""
    start.wait(30)
    try:
        write_bundle(models, manifest(f"writer {who}"), FILES)
    except BundleExists:
        raise SystemExit(3) from None


def stall(models: Path, written: Event) -> None:
    """Write all files, then hang before the rename until killed."""

    def never(_unfinished: Path, _folder: Path) -> None:
        written.set()
        signal.pause()

    setattr(bundle_writer, "_publish", never)  # noqa: B010 - mypy forbids the assignment
    write_bundle(models, manifest(), FILES)


def test_a_written_bundle_is_loaded_with_its_files(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, manifest(), FILES)
    assert bundle == load_bundle(tmp_path / "model" / "1")
    assert {path.name: path.read_bytes() for path in bundle.folder.iterdir() if path.name in FILES} == FILES
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["1"]


def test_a_written_bundle_is_refused_once_a_byte_of_it_is_another(tmp_path: Path) -> None:
    large = np.random.default_rng(0).bytes(200_000)
    folder = write_bundle(tmp_path, manifest(), FILES | {"model.onnx": large}).folder
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        for position in positions(len(data)):
            path.write_bytes(data[:position] + bytes([data[position] ^ 0x04]) + data[position + 1 :])
            with pytest.raises(BundleError, match=re.escape(path.name)):
                load_bundle(folder)
        path.write_bytes(data)
    assert load_bundle(folder).manifest == manifest(files=load_bundle(folder).manifest.files)


def positions(size: int) -> list[int]:
    """Every byte of a small file; of a large one the first, the last and some between."""
    return list(range(size)) if size < 4_096 else [0, size - 1, *np.random.default_rng(1).choice(size, 100).tolist()]


def test_of_several_writers_of_one_version_exactly_one_wins(tmp_path: Path) -> None:
    writers = 4
    start = SPAWN.Barrier(writers)
    processes = [SPAWN.Process(target=race, args=(tmp_path, who, start)) for who in range(writers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    codes = [process.exitcode for process in processes]
    assert sorted(str(code) for code in codes) == ["0", "3", "3", "3"]
    winner = load_bundle(tmp_path / "model" / "1").manifest.description
    assert winner == f"writer {codes.index(0)}"
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["1"], "losers leave nothing behind"


def test_a_writer_that_is_killed_leaves_no_bundle_and_blocks_nobody(tmp_path: Path) -> None:
    written = SPAWN.Event()
    process = SPAWN.Process(target=stall, args=(tmp_path, written))
    process.start()
    assert written.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    (left,) = (tmp_path / "model").iterdir()
    assert left.name.startswith(".1.")
    assert (left / "manifest.json").exists()
    assert list_bundles(tmp_path) == []
    with pytest.raises(BundleError):
        load_bundle(left)
    with pytest.raises(BundleError):
        load_bundle(tmp_path / "model" / "1")
    assert write_bundle(tmp_path, manifest(), FILES).manifest.name == "model"
    assert list_bundles(tmp_path) == [("model", "1")]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        if path.name == "model.onnx":
            raise OSError(28, "No space left on device", str(path))
        path.write_bytes(data)

    monkeypatch.setattr(bundle_writer, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        write_bundle(tmp_path, manifest(), FILES)
    assert list((tmp_path / "model").iterdir()) == []


def test_a_file_in_the_versions_place_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "1").write_text("mine")
    with pytest.raises(BundleExists):
        write_bundle(tmp_path, manifest(), FILES)
    assert (tmp_path / "model" / "1").read_text() == "mine"


def test_a_version_that_appears_while_writing_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish = bundle_writer._publish

    def late(unfinished: Path, folder: Path) -> None:
        monkeypatch.setattr(bundle_writer, "_publish", publish)
        write_bundle(tmp_path, manifest("first"), FILES)
        publish(unfinished, folder)

    monkeypatch.setattr(bundle_writer, "_publish", late)
    before = time.monotonic()
    with pytest.raises(BundleExists, match="meanwhile"):
        write_bundle(tmp_path, manifest("second"), FILES)
    assert time.monotonic() - before < 30
    assert load_bundle(tmp_path / "model" / "1").manifest.description == "first"
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["1"]
