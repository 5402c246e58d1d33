"""What the documents say is what the code does: settings, routes, commands, links."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audit.digest_writer import write_digests
from audit.settings import SETTINGS as AUDIT_SETTINGS
from audit.settings import Setting
from audit.writer import Receipt
from evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from scoring.artifacts import ARTIFACTS
from scoring.bundle import Feature
from scoring.feature_rule import WIDENED_BY
from scoring.labels import REASONS as LABEL_REASONS
from scoring.openapi_schemas import describe_features
from scoring.outcome import REASONS as MODEL_REASONS
from scoring.policies import FeaturePolicies, Policies
from scoring.protocols.registry import PROTOCOLS
from scoring.request_log import FIELDS
from scoring.response import Result
from scoring.serving_config import ModelConfig, read_serving
from scoring.settings import SETTINGS as SCORING_SETTINGS
from scoring.verdict import REASONS as INPUT_REASONS
from tests.audit.digested import SIGNER, after, log_of_hours
from tests.platform import Platform
from tests.scoring.bundles import manifest

ROOT = Path(__file__).parent.parent
SOURCE = (ROOT / "function_app.py").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "audit").glob("*.md")])


def default_text(setting: Setting) -> str:
    if setting.default is None or setting.default == {}:
        return ""
    return f"`{setting.default:g}`" if isinstance(setting.default, float) else f"`{setting.default}`"


def test_the_settings_page_lists_every_setting_with_its_default_and_nothing_else() -> None:
    every = [*AUDIT_SETTINGS, *SCORING_SETTINGS, *EVALUATION_SETTINGS]
    expected = [f"| `{setting.name}` | {default_text(setting)} | {setting.help} |" for setting in every]
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `HYPERPLANE_.*\|$", page, re.MULTILINE) == expected, "\n".join(expected)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("#"):
            assert (document.parent / target.partition("#")[0]).exists(), f"{document.name} links to {target}"


def test_every_make_target_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8")))
        assert named <= targets, f"{document.name} names {named - targets}"


def test_every_command_that_the_readme_names_explains_itself() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"python -m ([a-z.]+)(?: ([a-z-]+))?", readme))
    assert commands
    for module, subcommand in commands:
        words = [word for word in (module, subcommand, "--help") if word]
        done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert "usage" in done.stdout


def test_openapi_describes_the_routes_there_are(platform: Platform) -> None:
    document: dict[str, Any] = platform.client.get("/openapi.json").json()
    described = {
        (re.sub(r"\{[a-z]+\}", "{}", path), method.upper())
        for path, entry in document["paths"].items()
        for method in entry
        if method in {"get", "post"}
    }
    routes = re.findall(r'@app\.route\("([^"]+)", methods=\["([A-Z]+)"\]', SOURCE)
    wired = {("/" + re.sub(r"\{[a-z]+\}", "{}", route), method) for route, method in routes}
    for_people = {("/docs", "GET"), ("/openapi.json", "GET"), ("/{ignored:maxlength(0)?}", "GET")}
    assert described - for_people == wired - for_people


def test_the_operations_page_explains_every_field_of_a_requests_line_and_its_queries_use_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    of_requests, _, _ = page.partition("## Where the lines go")
    explained = re.findall(r"^\| `([a-z_]+)` \|", of_requests, re.MULTILINE)
    assert tuple(explained) == FIELDS
    assert all(f"`{protocol}`" in page for protocol in PROTOCOLS)
    queries = "".join(re.findall(r"^```kusto\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    used = set(re.findall(r"\br\.([a-z_]+)", queries))
    assert used
    assert used <= set(FIELDS)
    example, _of_a_digest, _of_a_verdict = re.findall(r"^```json\n(.*)\n```", page, re.MULTILINE)
    assert list(json.loads(example)) == [name for name in FIELDS if name in json.loads(example)]
    functions = set(re.findall(r"^async def (\w+)\(req: func.HttpRequest\)", SOURCE, re.MULTILINE))
    (scoring,) = re.findall(r"r\.function in \(([^)]*)\)", queries)
    scoring_functions = {name for name in functions if re.match("score|infer|.*invocations", name)}
    assert set(re.findall(r'"(\w+)"', scoring)) == scoring_functions


def test_the_operations_page_shows_a_digests_line_as_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hyperplane.audit")
    store, _ = log_of_hours(0)
    write_digests(store, SIGNER, after(0))
    (line,) = caplog.messages
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    _of_a_request, example, _of_a_verdict = re.findall(r"^```json\n(.*)\n```", page, re.MULTILINE)
    queries = "".join(re.findall(r"^```kusto\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    assert list(json.loads(line)) == list(json.loads(example))
    assert set(re.findall(r"\bd\.([a-z_0-9]+)", queries)) <= set(json.loads(line))
    starts = set(re.findall(r"message startswith '(.*)'", queries))
    assert any(line.startswith(start) for start in starts)


def test_requests_lines_are_not_sampled_away() -> None:
    settings = json.loads((ROOT / "host.json").read_bytes())["logging"]["applicationInsights"]["samplingSettings"]
    assert "Trace" in settings["excludedTypes"].split(";")


def test_the_packages_version_is_the_projects() -> None:
    from scoring import __version__

    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_lock_files_name_no_registry() -> None:
    for lock in [*ROOT.glob("*/*/package-lock.json"), *ROOT.glob("tests/*/package-lock.json")]:
        assert "resolved" not in lock.read_text(encoding="utf-8"), lock
    assert "://" not in (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_everything_that_deploys_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert pinned
    assert all(re.match(r"[A-Za-z0-9._-]+==[^ ]+( ; .*)?$", line) for line in pinned)
    assert not any(line.startswith("skl2onnx") for line in pinned)
    assert json.loads((ROOT / "host.json").read_bytes())["version"] == "2.0"


def test_the_scoring_guide_lists_every_reason_and_artifact_and_no_other() -> None:
    guide = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    outcomes, artifacts = guide.split("| outcome | reason |")[1].split("| artifact | what |")[:2]
    told = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\|[^|]*\|([^|]*)\|", outcomes, re.MULTILINE)))
    assert sorted(told) == sorted([*INPUT_REASONS, *MODEL_REASONS])
    table = artifacts.split("\n\n")[0]
    assert dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", table, re.MULTILINE)) == ARTIFACTS


def test_the_scoring_guide_explains_every_field_of_an_answer_every_label_reason_and_every_x_feature() -> None:
    guide = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    answer = guide.split("## What comes back")[1].split("## ")[0]
    for field in Result.__struct_fields__:
        assert f"`results[].{field}`" in answer, field
    for field in Receipt.__struct_fields__:
        assert f"`{field}`" in answer, field
    reasons = guide.split("| label's reason | what to do |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z_]+)`", reasons, re.MULTILINE) == list(LABEL_REASONS)
    table = guide.split("| field of `x-features` | what |")[1].split("\n\n")[0]
    told = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)))
    full = Feature(
        name="age", type="float", unit="years", minimum=0.0, maximum=1.0, sentinels=[-1], defaults=[0], redaction="none"
    )
    text = Feature(name="job", type="string", categories=[str(i) for i in range(101)], redaction="none")
    hidden = Feature(name="who", type="string", redaction="drop")
    assert set(told) == {name for each in describe_features(manifest(features=[full, text, hidden])) for name in each}
    assert f"{WIDENED_BY:.0%}".replace("%", " %") in guide


def test_the_scoring_guides_serving_toml_is_one(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / "serving.toml"
    path.write_text(example, encoding="utf-8")
    credit = read_serving(path).models["credit"]
    assert credit.challengers == ["4"]
    assert credit.policies.features["age"].redaction == "hash"
    fields = {*ModelConfig.__struct_fields__, *Policies.__struct_fields__, *FeaturePolicies.__struct_fields__}
    left_out = {"features", "policies", "not_converged", "output_minimum", "output_maximum"}
    assert fields - left_out <= set(re.findall(r"^([a-z_]+) =", example, re.MULTILINE))
