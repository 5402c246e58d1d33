"""The model bundle: what training hands to scoring and evaluation, read and checked.

A bundle is a folder `models/{name}/{version}/`:

    manifest.json    the contract below; its SHA-256 is the bundle's hash, which every record carries
    model.onnx       one graph, `inputs` and `outputs` as the manifest says
    baseline.json    what the distributions were before production
    sample.parquet   some hundred training rows for pairplots (absent when features are private)
    card.md          the model card
    SHA256SUMS       a line for each of these, manifest.json too, sorted by name, as `sha256sum` writes them:

                     0d1f…9a2c  baseline.json
                     77b0…e41d  manifest.json

`load_bundle` refuses a folder in which one byte of any of these files differs from what was exported, and names the
file: the manifest holds the hashes of all others, SHA256SUMS holds the manifest's too. Whoever changes a file and
both hashes makes another bundle; that is seen by its hash in the records. `sha256sum -c SHA256SUMS` checks without
us. Other files in the folder are passed over. This module imports nothing of ours, so that every package may read
bundles through it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

SCHEMA = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
REQUIRED_FILES = ("model.onnx", "baseline.json")
MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"

Task = Literal["binary", "multiclass", "regression"]
FeatureType = Literal["float", "integer", "boolean", "string"]
Label = str | int | float | bool


class BundleError(Exception):
    """A bundle that cannot be used: missing, malformed, of another schema, or not what its hashes say."""


class Feature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One input of the pipeline, in manifest order, and how to judge its values.

    The graph's input is one double for each feature. A boolean is 0 or 1. A string is its position in `categories`
    followed by `known`, or -1 when it is in neither: a pipeline treats all strings that it does not know alike.
    """

    name: str
    type: FeatureType
    unit: str | None = None
    minimum: float | None = None  # training range, numbers only
    maximum: float | None = None
    mean: float | None = None  # of the training values that are there, numbers only
    deviation: float | None = None  # population standard deviation, the same
    categories: list[Label] | None = None  # training values, strings and booleans only, sorted
    known: list[Label] = []  # strings that training did not hold, but that the pipeline can tell apart
    missing_in_training: int = 0  # rows in which it was missing
    missing: Literal["default", "impute", "abstain", "reject"] = "default"  # default: impute if seen in training
    outside: Literal["flag", "abstain"] = "flag"
    sentinels: list[Label] = []  # values that mean missing
    defaults: list[Label] = []  # values filled in upstream when nothing is known: scored, and flagged `known_default`
    redaction: Literal["none", "drop", "hash"] = "none"
    importance: float | None = None  # permutation importance on the test set, in units of the headline metric


class Criteria(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When to abstain though the model answered; everything off by default."""

    minimum_probability: float | None = None  # of the winning class
    output_minimum: float | None = None  # regression: allowed range of the value
    output_maximum: float | None = None
    not_converged: Literal["flag", "abstain"] = "flag"
    joint: Literal["flag", "abstain"] = "flag"  # an instance farther than `Calibration.threshold`
    extra_features: Literal["reject", "ignore"] = "reject"


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """The joint envelope: k-means centres of the training rows in encoded space.

    Encoding: a number as (value - mean) / deviation (deviation 0 counts as 1), missing as 0; a category one-hot over
    `Feature.categories` divided by the square root of 2. Features follow each other in manifest order.
    """

    centres: list[list[float]]  # k × encoded width
    threshold: float  # training quantile 0.999 of the distance to the nearest centre


class Metric(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A figure measured before production, on the test set."""

    value: float
    n: int
    low: float | None = None  # 95 % interval
    high: float | None = None


class Parity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How exactly the graph predicts what scikit-learn does."""

    rows: int  # compared, test and adversarial together
    adversarial_rows: int
    largest_difference: float  # absolute, over every output; of rows within a training width of the training range
    label_ties: int  # labels that differ where scikit-learn's top two scores are within 1e-9
    takes_missing: bool  # the pipeline itself predicts rows with missing values, in the features that allow them
    ill_conditioned: int = 0  # rows far outside on which scikit-learn's own answer hangs on the last bit of the input
    split_ties: int = 0  # rows on a tree's split to the last bits, behind steps whose last bit is not fixed
    no_reference: int = 0  # rows to which scikit-learn has no finite answer: far outside, or the graph has none either


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Names of the graph's outputs; all double but `label_index`, int64. Shapes: [n], [n, classes], [n], [n]."""

    label_index: str | None = None  # classifiers: position in `Manifest.classes`
    probabilities: str | None = None  # classifiers that have them
    score: str | None = None  # classifiers without probabilities: decision function; of over two classes, the winner's
    value: str | None = None  # regression


class Requirements(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Run times that the model's owner asks for; the report says pass or fail."""

    p99_ms: float | None = None  # a request, from decoding to encoded results, without the wait for the log
    cold_start_ms: float | None = None  # process start to the first answer


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything about a model but its weights."""

    schema: int
    name: str
    version: str
    created: str  # RFC 3339, UTC
    task: Task
    features: list[Feature]
    input: str  # the graph's one input: double [n, features] in manifest order, missing as NaN
    output: Output
    classes: list[Label] = []  # in the order of the probabilities
    positive: Label | None = None  # binary: the class that AUC, TPR, FPR … speak of
    target: str = "target"
    target_unit: str | None = None
    criteria: Criteria = Criteria()
    calibration: Calibration | None = None
    parity: Parity
    metrics: dict[str, Metric] = {}  # by the names of evaluation's performance section
    convergence: list[str] = []  # ConvergenceWarnings raised while fitting
    requirements: Requirements = Requirements()
    thresholds: dict[str, float] = {}  # verdict thresholds that differ from evaluation's defaults
    libraries: dict[str, str] = {}
    data: dict[str, Any] = {}  # fingerprint: rows, columns, sha256 of the training data; its source
    description: str = ""
    files: dict[str, str]  # file name → SHA-256, all but manifest.json and SHA256SUMS


class Histogram(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts in bins that never move, so that histograms of any hours add up.

    Numbers: `edges` e0 < e1 < … < ek make k bins [e0, e1), …, [e(k-1), ek]; `counts` has k + 2 entries, the first for
    values below e0 and the last for values above ek. Categories: `categories` and as many counts. Values that are
    missing or (categories) unseen are counted apart.
    """

    edges: list[float] | None = None
    categories: list[Label] | None = None
    counts: list[int]
    missing: int = 0
    unseen: int = 0


class Clusters(msgspec.Struct, frozen=True, kw_only=True):
    """Where the training rows lie in the joint envelope."""

    occupancy: list[int]  # rows nearest to each centre
    distance: Histogram  # of the distance to the nearest centre


class Baseline(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Distributions before production: features from the training rows, outputs from the test rows."""

    schema: int
    rows: int  # training rows
    test_rows: int
    features: dict[str, Histogram]
    outputs: dict[str, Histogram]  # "probability:<class>" for each class, "label", "value" or "score"
    clusters: Clusters | None = None
    scores_by_class: dict[str, dict[str, list[int]]] = {}  # true class → class → counts in 100 equal bins of [0, 1]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle whose hashes were checked."""

    folder: Path
    manifest: Manifest
    sha256: str  # of manifest.json as stored

    @property
    def model_path(self) -> Path:
        """The ONNX graph."""
        return self.folder / "model.onnx"

    def baseline(self) -> Baseline:
        """Read `baseline.json`; raises `BundleError`."""
        return _read(self.folder / "baseline.json", _baseline_decoder)


def class_key(label: Label) -> str:
    """A class as the key of a JSON object: strings as they are, everything else as JSON.

    >>> class_key("good"), class_key(1), class_key(True)
    ('good', '1', 'true')
    """
    return label if isinstance(label, str) else msgspec.json.encode(label).decode()


def checksums(digests: Mapping[str, str]) -> bytes:
    """What SHA256SUMS holds: file name → SHA-256, as `sha256sum` writes them, sorted by name.

    >>> checksums({"b": "77b0", "a": "0d1f"})
    b'0d1f  a\\n77b0  b\\n'
    """
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check every file's hash; raises `BundleError` that names what is wrong."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - "." has no name, and a link keeps its own
    path = folder / MANIFEST
    manifest_bytes = _bytes(path)
    sha256 = hashlib.sha256(manifest_bytes).hexdigest()
    sums = _sums(folder)
    if checksums({MANIFEST: sha256}) not in sums.splitlines(keepends=True):
        raise BundleError(f"{path}: its SHA-256 is not the one in {CHECKSUMS}; one of the two was changed after export")
    schema = _decode(manifest_bytes, _schema_decoder, path).schema
    if schema != SCHEMA:
        raise BundleError(f"{folder}: schema {schema} is not {SCHEMA}; export the bundle again")
    manifest = _decode(manifest_bytes, _manifest_decoder, path)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise BundleError(f"{folder}: the manifest says {manifest.name}/{manifest.version}; the folder was renamed")
    _check_files(folder, manifest.files)
    if sums != checksums(manifest.files | {MANIFEST: sha256}):  # the files' own hashes by now
        raise BundleError(f"{folder / CHECKSUMS}: does not say what the files are; it was changed after export")
    return Bundle(folder=folder, manifest=manifest, sha256=sha256)


def list_bundles(models: Path) -> list[tuple[str, str]]:
    """(name, version) of every bundle folder below `models`, sorted; nothing is read but names.

    Hidden folders, which an export that was killed may leave, are not bundles.
    """
    found = [path.parent for path in Path(models).glob(f"*/*/{MANIFEST}")]
    names = [(path.parent.name, path.name) for path in found]
    return sorted((name, version) for name, version in names if NAME.fullmatch(name) and NAME.fullmatch(version))


_SUMS = re.compile(rb"([0-9a-f]{64}  %b\n)+" % NAME.pattern.encode())


class _Schema(msgspec.Struct):
    """What every version of the manifest has."""

    schema: int


def _sums(folder: Path) -> bytes:
    """SHA256SUMS as stored, in the one form in which it is written."""
    path = folder / CHECKSUMS
    if not path.exists():
        raise BundleError(f"{folder}: has no {CHECKSUMS}; export the bundle again")
    sums = _bytes(path)
    if not _SUMS.fullmatch(sums):
        raise BundleError(f"{path}: is not as export wrote it (lines of sha256sum); it was changed after export")
    return sums


def _check_files(folder: Path, files: dict[str, str]) -> None:
    """Every file that is read later is in the manifest, lies in the folder, and has its hash."""
    absent = [name for name in REQUIRED_FILES if name not in files]
    if absent:
        raise BundleError(f"{folder}: the manifest has no hash of {' and '.join(absent)}; export the bundle again")
    for name, expected in files.items():
        if not NAME.fullmatch(name):
            raise BundleError(f"{folder}: the manifest lists {name!r}, which is not a file name in the folder")
        if hashlib.sha256(_bytes(folder / name)).hexdigest() != expected:
            raise BundleError(f"{folder / name}: its SHA-256 is not the manifest's; it was changed after export")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise BundleError(f"{path}: cannot be read: {problem.strerror}") from problem


def _read[T](path: Path, decoder: msgspec.json.Decoder[T]) -> T:
    return _decode(_bytes(path), decoder, path)


def _decode[T](data: bytes, decoder: msgspec.json.Decoder[T], path: Path) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BundleError(f"{path}: {problem}") from problem


_schema_decoder = msgspec.json.Decoder(_Schema)
_manifest_decoder = msgspec.json.Decoder(Manifest)
_baseline_decoder = msgspec.json.Decoder(Baseline)
