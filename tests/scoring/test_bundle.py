"""Reading bundles: what is there is read, and every kind of damage is refused with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.bundle import (
    SCHEMA,
    Baseline,
    BundleError,
    Feature,
    Histogram,
    Manifest,
    Output,
    Parity,
    class_key,
    list_bundles,
    load_bundle,
)

BASELINE = Baseline(
    schema=SCHEMA, rows=2, test_rows=1, features={"x": Histogram(edges=[0.0, 1.0], counts=[0, 2, 0])}, outputs={}
)


def manifest(files: dict[str, str]) -> Manifest:
    return Manifest(
        schema=SCHEMA,
        name="credit",
        version="1.2",
        created="2026-11-23T12:00:00Z",
        task="regression",
        features=[Feature(name="x", type="float", minimum=0.0, maximum=1.0)],
        input="features",
        output=Output(value="value"),
        parity=Parity(rows=1, adversarial_rows=1, largest_difference=0.0, label_ties=0, takes_missing=False),
        files=files,
    )


def stored(models: Path, change: Callable[[dict[str, Any]], object] | None = None) -> Path:
    """A valid bundle, its manifest changed by `change` before it is stored."""
    folder = models / "credit" / "1.2"
    folder.mkdir(parents=True)
    contents = {"model.onnx": b"graph", "baseline.json": msgspec.json.encode(BASELINE), "card.md": b"# credit"}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    document = msgspec.to_builtins(manifest({n: hashlib.sha256(data).hexdigest() for n, data in contents.items()}))
    if change is not None:
        change(document)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(document))
    return folder


def test_a_bundle_is_read_with_its_baseline_and_the_hash_of_its_manifest(tmp_path: Path) -> None:
    folder = stored(tmp_path)
    bundle = load_bundle(folder)
    assert bundle.sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert bundle.manifest == manifest(bundle.manifest.files)
    assert bundle.baseline() == BASELINE
    assert bundle.model_path.read_bytes() == b"graph"


def test_a_bundle_is_found_from_inside_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stored(tmp_path))
    assert load_bundle(Path()).manifest.name == "credit"


@pytest.mark.parametrize("name", ["model.onnx", "baseline.json", "card.md"])
def test_a_file_that_was_changed_or_removed_is_named(name: str, tmp_path: Path) -> None:
    folder = stored(tmp_path)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(BundleError, match=f"{name}: its SHA-256 is not the manifest's"):
        load_bundle(folder)
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: cannot be read: No such file"):
        load_bundle(folder)


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json: cannot be read"):
        load_bundle(tmp_path / "none")
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(BundleError, match="Is a directory"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff", b'{"schema": 1}', b'{"schema": "1"}', b'{"a": NaN}']
)
def test_a_manifest_that_is_malformed(data: bytes, tmp_path: Path) -> None:
    folder = stored(tmp_path)
    (folder / "manifest.json").write_bytes(data)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(schema=2, features="of another shape"), "schema 2 is not 1; export the bundle again"),
        (lambda m: m.update(name="other"), "the manifest says other/1.2; the folder was renamed"),
        (lambda m: m.update(version="2"), "the manifest says credit/2; the folder was renamed"),
        (lambda m: m.update(task="ranking"), "Invalid enum value 'ranking'"),
        (lambda m: m.pop("parity"), "missing required field `parity`"),
        (lambda m: m["features"][0].update(missing="guess"), r"Invalid enum value 'guess'"),
        (lambda m: m["files"].pop("model.onnx"), r"the manifest has no hash of model\.onnx"),
        (lambda m: m["files"].pop("baseline.json"), r"the manifest has no hash of baseline\.json"),
        (lambda m: m["files"].update({"../../secret": "0" * 64}), "which is not a file name in the folder"),
        (lambda m: m["files"].update({"/etc/hostname": "0" * 64}), "which is not a file name in the folder"),
        (lambda m: m["files"].update({"gone.bin": "0" * 64}), r"gone\.bin: cannot be read"),
    ],
)
def test_a_manifest_that_says_what_is_not_so(
    change: Callable[[dict[str, Any]], object], message: str, tmp_path: Path
) -> None:
    folder = stored(tmp_path, change)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_fields_of_a_later_writer_are_passed_over(tmp_path: Path) -> None:
    assert load_bundle(stored(tmp_path, lambda m: m.update(colour="red"))).manifest.name == "credit"


def test_a_baseline_that_is_malformed_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    folder = stored(tmp_path)
    bundle = load_bundle(folder)
    (folder / "baseline.json").write_bytes(b"{}")
    with pytest.raises(BundleError, match=r"baseline\.json.*missing required field"):
        bundle.baseline()


def test_the_list_leaves_out_what_is_hidden_unfinished_or_no_name(tmp_path: Path) -> None:
    stored(tmp_path)
    for folder in ("credit/.1.3.abc.unfinished", ".hidden/1", "credit/two words", "wine/1"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "manifest.json").write_text("{}")
    (tmp_path / "credit" / "9").mkdir()
    (tmp_path / "serving.toml").write_text("")
    assert list_bundles(tmp_path) == [("credit", "1.2"), ("wine", "1")]
    assert list_bundles(tmp_path / "none") == []


@given(st.lists(st.one_of(st.booleans(), st.integers(-(2**53), 2**53)), unique_by=lambda v: (type(v), v)))
def test_classes_of_one_type_have_keys_of_their_own(labels: list[bool | int]) -> None:
    assert len({class_key(label) for label in labels}) == len(labels)
