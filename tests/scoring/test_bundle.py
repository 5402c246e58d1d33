"""Reading bundles: what is there is read, and every kind of damage is refused with its reason."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.bundle import (
    CHECKSUMS,
    MANIFEST,
    SCHEMA,
    Baseline,
    BundleError,
    Feature,
    Histogram,
    Manifest,
    Output,
    Parity,
    checksums,
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
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    document = msgspec.to_builtins(manifest(hashes))
    if change is not None:
        change(document)
    return with_manifest(folder, msgspec.json.encode(document))


def with_manifest(folder: Path, data: bytes) -> Path:
    """The folder with other bytes for a manifest, and their hash as it should be."""
    (folder / MANIFEST).write_bytes(data)
    names = ("model.onnx", "baseline.json", "card.md", MANIFEST)
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    (folder / CHECKSUMS).write_bytes(checksums(digests))
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


FILES = ["model.onnx", "baseline.json", "card.md", MANIFEST, CHECKSUMS]


@pytest.mark.parametrize("name", FILES)
def test_a_bundle_with_any_byte_changed_is_refused_by_the_name_of_the_file(name: str, tmp_path: Path) -> None:
    folder = stored(tmp_path)
    data = (folder / name).read_bytes()
    for position in range(len(data)):
        for bit in (0x01, 0x20, 0x80):  # another character, the other case, no ASCII
            (folder / name).write_bytes(data[:position] + bytes([data[position] ^ bit]) + data[position + 1 :])
            assert name in why_refused(folder), f"byte {position} of {name} with bit {bit}"
    (folder / name).write_bytes(data)
    assert load_bundle(folder).manifest.name == "credit"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[1:],
        lambda data: data[: len(data) // 2],
        lambda data: data + b" ",
        lambda data: data + b"\n",
        lambda data: data + data,
        lambda data: b"\xef\xbb\xbf" + data,
    ],
    ids=["emptied", "without its last byte", "without its first byte", "cut", "blank", "line", "doubled", "with a BOM"],
)
def test_a_file_that_is_shorter_or_longer_is_refused_by_name(
    name: str, damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    folder = stored(tmp_path)
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    assert name in why_refused(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_removed_is_named(name: str, tmp_path: Path) -> None:
    folder = stored(tmp_path)
    (folder / name).unlink()
    expected = "has no SHA256SUMS; export the bundle again" if name == CHECKSUMS else f"{name}: cannot be read: No such"
    assert expected in why_refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda sums: sums.upper(),
        lambda sums: sums.replace(b"\n", b"\r\n"),
        lambda sums: sums.replace(b"  ", b" *"),
        lambda sums: sums.replace(b"  ", b" "),
        lambda sums: b"".join(reversed(sums.splitlines(keepends=True))),
        lambda sums: sums + b"0" * 64 + b"  more.txt\n",
        lambda sums: b"".join(line for line in sums.splitlines(keepends=True) if b"card.md" not in line),
        lambda sums: b"".join(line for line in sums.splitlines(keepends=True) if b"manifest.json" not in line),
        lambda sums: sums.replace(b"card.md", b"../card.md"),
    ],
    ids=["upper case", "CRLF", "binary mark", "one space", "order", "more", "less", "no manifest", "another folder"],
)
def test_checksums_that_say_the_same_in_another_way_or_not_all_of_it_are_refused(
    change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    folder = stored(tmp_path)
    (folder / CHECKSUMS).write_bytes(change((folder / CHECKSUMS).read_bytes()))
    assert CHECKSUMS in why_refused(folder)


def test_who_is_to_blame_is_told_as_far_as_it_can_be_known(tmp_path: Path) -> None:
    folder = stored(tmp_path)
    sums = (folder / CHECKSUMS).read_text()
    lines = {line.split("  ")[1]: line for line in sums.splitlines()}
    (folder / CHECKSUMS).write_text(sums.replace(lines["card.md"], "0" * 64 + "  card.md"))
    assert why_refused(folder) == f"{folder}/SHA256SUMS: does not say what the files are; it was changed after export"
    (folder / CHECKSUMS).write_text(sums.replace(lines[MANIFEST], "0" * 64 + "  manifest.json"))
    assert "manifest.json: its SHA-256 is not the one in SHA256SUMS; one of the two was changed" in why_refused(folder)
    (folder / CHECKSUMS).write_text(sums)
    (folder / "card.md").write_text("# debit")
    assert "card.md: its SHA-256 is not the manifest's; it was changed after export" in why_refused(folder)


def test_sha256sum_itself_agrees(tmp_path: Path) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("no sha256sum here")
    done = subprocess.run([program, "-c", "--strict", CHECKSUMS], cwd=stored(tmp_path), capture_output=True, text=True)
    assert done.stdout == "baseline.json: OK\ncard.md: OK\nmanifest.json: OK\nmodel.onnx: OK\n"


def test_every_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, read, read_bytes = stored(tmp_path), list[str](), Path.read_bytes

    def counted(path: Path) -> bytes:
        read.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    load_bundle(folder)
    assert sorted(read) == sorted(FILES)


def why_refused(folder: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    return str(caught.value)


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
    folder = with_manifest(stored(tmp_path), data)
    with pytest.raises(BundleError, match=r"manifest\.json: (?!its SHA-256)"):
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
