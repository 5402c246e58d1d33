"""The arrows between packages, the import budget of the hot path, and the modules that know an SDK."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"function_app", "scoring", "audit", "evaluation", "training", "infra", "bench", "tests"}
ARROWS = {
    "function_app": {"scoring", "evaluation", "audit"},
    "scoring": {"audit"},
    "evaluation": {"audit"},
    "audit": set[str](),
    "training": {"scoring", "evaluation", "audit"},
    "infra": {"function_app"},
    "bench": {"function_app", "scoring", "evaluation", "audit", "training", "infra"},
}
OPEN_TO_ALL = "scoring.bundle"
COMPOSED = {"evaluation/composition.py": {"scoring.replay.Replayer"}}  # docs/decisions/0016
FORBIDDEN_ON_THE_HOT_PATH = {
    *("pandas", "sklearn", "scipy", "pyarrow", "matplotlib", "skl2onnx", "onnx", "cryptography", "azure.keyvault"),
}


def sources(package: str) -> list[Path]:
    single = ROOT / f"{package}.py"
    if single.exists():
        return [single]
    return [path for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    """Dotted names of everything that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the arrows"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", sorted(ARROWS))
def test_a_package_imports_only_what_its_arrow_allows(package: str) -> None:
    files = sources(package)
    assert files, f"{package} has no source files: the test looks in the wrong place"
    for path in files:
        allowed = COMPOSED.get(path.relative_to(ROOT).as_posix(), set())
        names = {name for name in imported(path) if not f"{name}.".startswith(f"{OPEN_TO_ALL}.")} - allowed
        ours = {name.split(".")[0] for name in names} & OURS
        assert ours <= ARROWS[package] | {package}, f"{path.relative_to(ROOT)} imports {ours}"


def test_only_a_command_uses_what_is_put_together_for_it() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for package in set(ARROWS) - {"bench"}
        for path in sources(package)
        if any(f"{name}.".startswith("evaluation.composition.") for name in imported(path))
    }
    assert users == {"evaluation/__main__.py"}


@pytest.mark.parametrize(
    ("sdk", "module"), [("azure.storage", "audit/azure_store.py"), ("azure.keyvault", "audit/key_vault.py")]
)
def test_only_one_module_imports_an_sdk(sdk: str, module: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for package in ARROWS
        for path in sources(package)
        if any(f"{name}.".startswith(f"{sdk}.") for name in imported(path))
    }
    assert users == {module}


SCORE_ONCE = """
import asyncio, json, sys
import azure.functions as func
import function_app
wanted = {entry.get_function_name(): entry for entry in function_app.app.get_functions()}
handler = wanted["score"].get_user_function()
body = json.dumps({"instances": [{name: 1.0 for name in %r}]}).encode()
request = func.HttpRequest("POST", "/models/wine/score", body=body, route_params={"model": "wine"})
answer = asyncio.run(handler(request))
print(json.dumps({"status": answer.status_code, "modules": sorted(sys.modules)}))
"""


def test_importing_the_app_and_scoring_once_stays_within_the_import_budget(demo_models: Path) -> None:
    manifest = json.loads((demo_models / "wine" / "1" / "manifest.json").read_bytes())
    code = SCORE_ONCE % [feature["name"] for feature in manifest["features"]]
    environment = {"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_MODELS": str(demo_models), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["status"] == 200
    assert not FORBIDDEN_ON_THE_HOT_PATH & set(seen["modules"])
