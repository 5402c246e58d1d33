"""Write a bundle whole or not at all.

Files go into a hidden folder beside the final one, are flushed to disk, SHA256SUMS and the manifest last; then one
rename makes them a bundle. A writer that is killed leaves only the hidden folder, which is not a version's name. Of two
writers of one version exactly one renames; the other gets `BundleExists` and its files are removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

import msgspec

from scoring.bundle import CHECKSUMS, MANIFEST, NAME, Bundle, Manifest, checksums, load_bundle
from training.errors import BundleExists, ExportRefused


def check_free(models: Path, name: str, version: str) -> Path:
    """The folder of `models/name/version`, if the names are well formed and the version is not taken."""
    for what, text in (("name", name), ("version", version)):
        if not isinstance(text, str) or not NAME.fullmatch(text):
            raise ExportRefused(
                f"{what} {text!r}: 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
            )
    folder = Path(models) / name / version
    if folder.exists():
        raise BundleExists(f"{folder} exists, and versions are never overwritten; export as another version")
    return folder


def write_bundle(models: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write `files`, the manifest with their hashes, and SHA256SUMS.

    Raises `BundleExists`, `ExportRefused` for a manifest that could not be read again, or `OSError` from the disk.
    """
    folder = check_free(models, manifest.name, manifest.version)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    document = manifest_document(msgspec.structs.replace(manifest, files=hashes))
    sums = checksums(hashes | {MANIFEST: hashlib.sha256(document).hexdigest()})
    unfinished = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.unfinished"
    unfinished.mkdir(parents=True)
    try:
        for name, data in sorted(files.items()):
            _write(unfinished / name, data)
        _write(unfinished / CHECKSUMS, sums)
        _write(unfinished / MANIFEST, document)
        _publish(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return load_bundle(folder)


def manifest_document(manifest: Manifest) -> bytes:
    """The manifest as it is stored; refuses one that production could not read, because an option has another type."""
    try:
        encoded = msgspec.json.encode(manifest)
        msgspec.json.decode(encoded, type=Manifest)
    except (TypeError, ValueError, OverflowError) as problem:
        raise ExportRefused(
            f"the manifest cannot hold what was given: {problem}; options, names and class labels must be text that "
            "UTF-8 can hold, or numbers of at most 64 bits, as the documentation of export_bundle says"
        ) from problem
    return msgspec.json.format(encoded, indent=2) + b"\n"


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _publish(unfinished: Path, folder: Path) -> None:
    """Rename; a folder cannot be renamed onto one that has files in it, so the first of two writers wins."""
    try:
        unfinished.rename(folder)
    except OSError as problem:
        if folder.exists():
            raise BundleExists(
                f"{folder} was written by someone else meanwhile; export as another version"
            ) from problem
        raise
    if hasattr(os, "O_DIRECTORY"):
        parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
