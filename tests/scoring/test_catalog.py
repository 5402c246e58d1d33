"""One bad bundle is refused by name, and all others go on."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from scoring.bundle import Feature, checksums
from scoring.catalog import Catalog
from scoring.errors import NoDefault, NotReady, UnknownModel, UnknownVersion
from scoring.serving_config import ServingError, newest, read_serving
from tests.scoring.bundles import INCOME, MEMBER, looping, manifest, regression, regressor_manifest, write_bundle


def serving(models: Path, text: str) -> None:
    (models / "serving.toml").write_text(text, encoding="utf-8")


def test_the_champion_of_serving_toml_answers(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1"))
    write_bundle(tmp_path, manifest(version="2"))
    serving(tmp_path, 'default = "credit"\n[models.credit]\nchampion = "1"\nmax_instances = 7\n')
    catalog = Catalog.load(tmp_path)
    assert catalog.problems == {}
    assert (catalog.default_model(), catalog.models, catalog.versions("credit")) == ("credit", ["credit"], ["1", "2"])
    assert (catalog.get("credit").version, catalog.get("credit").champion) == ("1", True)
    assert (catalog.get("credit", "2").version, catalog.get("credit", "2").champion) == ("2", False)
    assert (catalog.max_instances("credit", 100), catalog.max_instances("credit", 3)) == (7, 3)


def test_without_serving_toml_the_newest_version_answers(tmp_path: Path) -> None:
    for version in ("9", "10", "10-rc", "2"):
        write_bundle(tmp_path, manifest(version=version))
    catalog = Catalog.load(tmp_path)
    assert (catalog.champion("credit"), catalog.default_model()) == ("10", "credit")


def test_other_versions_are_loaded_when_they_are_asked_for(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1"))
    write_bundle(tmp_path, manifest(version="2"))
    catalog = Catalog.load(tmp_path)
    assert (catalog.is_loaded("credit"), catalog.is_loaded("credit", "1")) == (True, False)
    found = []
    threads = [threading.Thread(target=lambda: found.append(catalog.get("credit", "1"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(served) for served in found}) == 1
    assert catalog.is_loaded("credit", "1")


def test_an_unknown_model_or_version_names_those_there_are(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    catalog = Catalog.load(tmp_path)
    with pytest.raises(UnknownModel, match="no model named 'wine'; there are: amount, credit"):
        catalog.get("wine")
    with pytest.raises(UnknownVersion, match="model 'credit' has no version '3'; there is: 1"):
        catalog.get("credit", "3")
    for hostile in ("../credit", "", "credit/1", "é", "x" * 1000):
        with pytest.raises(UnknownModel):
            catalog.get(hostile)
        with pytest.raises(UnknownModel):
            catalog.get(hostile, "1")


@pytest.mark.parametrize("file", ["model.onnx", "baseline.json", "manifest.json", "SHA256SUMS"])
def test_a_changed_bundle_is_refused_and_others_go_on(tmp_path: Path, file: str) -> None:
    bundle = write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with (bundle.folder / file).open("ab") as stream:
        stream.write(b" ")
    catalog = Catalog.load(tmp_path)
    assert list(catalog.problems) == ["credit/1"]
    assert catalog.problems["credit/1"].startswith(f"credit/1/{file}: ")
    assert str(tmp_path) not in catalog.problems["credit/1"]
    with pytest.raises(NotReady, match="version 1 of model credit is not ready"):
        catalog.get("credit")
    assert [served.name for served in catalog.champions()] == ["amount"]


def test_a_bundle_that_breaks_the_code_that_loads_it_is_refused_and_others_go_on(tmp_path: Path) -> None:
    too_large = Feature(name="age", type="float", sentinels=[10**400])
    write_bundle(tmp_path, manifest(features=[too_large, INCOME, MEMBER]))
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    catalog = Catalog.load(tmp_path)
    assert catalog.problems == {
        "credit/1": "its bundle cannot be used: OverflowError: int too large to convert to float"
    }
    assert [served.name for served in catalog.champions()] == ["amount"]


@pytest.mark.parametrize("data", [b'{"schema": 1, "data": ' + b'{"a":' * 100_000, b'{"schema": 1, "name": "\xff"}'])
def test_a_manifest_that_no_reader_can_take_is_refused_and_others_go_on(tmp_path: Path, data: bytes) -> None:
    folder = write_bundle(tmp_path, manifest()).folder
    (folder / "manifest.json").write_bytes(data)
    (folder / "SHA256SUMS").write_bytes(checksums({"manifest.json": hashlib.sha256(data).hexdigest()}))
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    catalog = Catalog.load(tmp_path)
    assert catalog.problems["credit/1"].startswith("credit/1/manifest.json: ")
    assert "SHA256SUMS" not in catalog.problems["credit/1"]
    assert [served.name for served in catalog.champions()] == ["amount"]


def test_a_refused_champion_is_not_replaced_by_an_older_version(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1"))
    (write_bundle(tmp_path, manifest(version="2")).folder / "model.onnx").write_bytes(b"")
    catalog = Catalog.load(tmp_path)
    with pytest.raises(NotReady):
        catalog.get("credit")
    assert catalog.get("credit", "1").version == "1"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[models.credit]\nchampion = "9"\n', "credit/9", "names this version"),
        ("[models.wine]\n", "wine", "names it, but there is no bundle"),
        ('default = "wine"\n', "serving.toml", "the default model wine has no bundle"),
    ],
)
def test_serving_toml_may_not_name_what_is_not_there(tmp_path: Path, text: str, key: str, words: str) -> None:
    write_bundle(tmp_path, manifest())
    serving(tmp_path, text)
    catalog = Catalog.load(tmp_path)
    assert words in catalog.problems[key]
    if key == "credit/9":
        with pytest.raises(NotReady):
            catalog.get("credit")
    else:
        assert catalog.get("credit").version == "1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("default =", "serving.toml: "),
        ('champion = "1"', "unknown field `champion`"),
        ("[models.credit]\nchampion = 1", "Expected `str"),
        ('[models.credit]\nchallenger = "1"', "unknown field `challenger`"),
        ('[models.credit]\nchampion = "../1"', "models.credit.champion: a version has 1 to 64"),
        ('[models."a/b"]', "models.a/b: a name has 1 to 64"),
        ("default = " + "[" * 5000, "serving.toml: maximum recursion depth"),
        ("default = " + "9" * 5000, "serving.toml: Exceeds the limit (4300 digits)"),
        ('[models.credit]\nchallengers = "2"', "Expected `array"),
        ('[models.credit]\nchallengers = ["../1"]', "models.credit.challengers: a version has 1 to 64"),
        ("[models.credit]\nrun_timeout_s = 0", "models.credit.run_timeout_s: expected seconds above 0, at most 3600"),
        ("[models.credit]\nrun_timeout_s = nan", "models.credit.run_timeout_s: expected seconds above 0"),
        ("[models.credit]\nchallenger_timeout_s = inf", "models.credit.challenger_timeout_s: expected seconds above 0"),
        ("[models.credit]\nmax_instances = 0", "models.credit.max_instances: expected a whole number above 0"),
    ],
)
def test_a_malformed_serving_toml_serves_nothing_and_says_why(tmp_path: Path, text: str, words: str) -> None:
    write_bundle(tmp_path, manifest())
    serving(tmp_path, text)
    with pytest.raises(ServingError) as caught:
        read_serving(tmp_path / "serving.toml")
    assert words in str(caught.value)
    catalog = Catalog.load(tmp_path)
    assert words in catalog.problems["serving.toml"]
    with pytest.raises(NotReady):
        catalog.get("credit")


def test_a_refused_version_that_is_not_the_champion_is_a_problem_and_the_catalog_is_ready(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="2"))
    (write_bundle(tmp_path, manifest(version="1")).folder / "model.onnx").write_bytes(b"")
    catalog = Catalog.load(tmp_path)
    with pytest.raises(NotReady):
        catalog.get("credit", "1")
    assert catalog.problems["credit/1"].endswith("(no champion depends on it)")
    assert catalog.ready


def test_a_refused_champion_makes_the_catalog_not_ready(tmp_path: Path) -> None:
    (write_bundle(tmp_path, manifest()).folder / "model.onnx").write_bytes(b"")
    catalog = Catalog.load(tmp_path)
    assert not catalog.ready
    assert "no champion depends" not in catalog.problems["credit/1"]


def test_a_model_has_its_own_limit_or_that_of_the_settings(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    serving(tmp_path, "[models.credit]\nrun_timeout_s = 2.5\nchallenger_timeout_s = 1\n")
    catalog = Catalog.load(tmp_path, run_timeout_s=7.0)
    assert [catalog.get(name).model.run_timeout_s for name in ("credit", "amount")] == [2.5, 7.0]
    assert [catalog.challenger_timeout_s(name) for name in ("credit", "amount")] == [1.0, 5.0]


def test_a_graph_that_never_ends_does_not_hang_the_start(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(), looping(beyond=-1.0))
    catalog = Catalog.load(tmp_path, run_timeout_s=0.05)
    assert catalog.problems == {"amount/1": "its first run, on one row, took longer than 0.05 s"}
    assert [served.name for served in catalog.champions()] == ["credit"]


def test_bundles_being_written_and_strange_names_are_left_out(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1"))
    for version, folder in (("2", ".2.unfinished"), ("3", "with space")):
        write_bundle(tmp_path, manifest(version=version)).folder.rename(tmp_path / "credit" / folder)
    catalog = Catalog.load(tmp_path)
    assert (catalog.models, catalog.versions("credit")) == (["credit"], ["1"])
    assert catalog.problems == {}


def test_an_empty_or_absent_folder_is_no_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        catalog = Catalog.load(folder)
        assert (catalog.models, catalog.problems) == ([], {})
        with pytest.raises(UnknownModel, match="there is no model yet"):
            catalog.get("credit")


def test_the_newest_of_equal_numbers_is_always_the_same() -> None:
    assert newest(["01", "1", "001"]) == newest(["001", "01", "1"]) == "1"


def test_without_a_default_only_a_model_that_is_alone_is_meant(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, manifest(name="wine"))
    with pytest.raises(NoDefault, match=r"name one in serving.toml; there are: credit, wine"):
        Catalog.load(tmp_path).default_model()
