"""A fresh process that scores loads nothing that a cold start cannot afford."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.scoring.bundles import manifest, write_bundle

FORBIDDEN = ("pandas", "sklearn", "scipy", "pyarrow", "matplotlib", "skl2onnx", "onnx", "jinja2", "azure")
SCORES = """
import asyncio, json, sys
from pathlib import Path
import scoring.service
before = sorted(sys.modules)
from audit.memory_store import MemoryStore
from audit.known_ids import KnownIds
from audit.writer import LogWriter
from scoring.catalog import Catalog
from scoring.content import Content
from scoring.openapi import openapi
from scoring.settings import ScoringSettings
store = MemoryStore()
writer = LogWriter(store, writer_id="w", opening={})
catalog = Catalog.load(Path(sys.argv[1]))
service = scoring.service.Service(catalog, writer, ScoringSettings(), known_ids=KnownIds(store))
body = b'{"instances": [{"age": 80.0, "income": 500, "member": true}], "ids": ["a"]}'
answer = asyncio.run(service.score("credit", None, Content(body)))
asyncio.run(service.label("credit", Content(b'{"labels": [{"id": "a", "label": "bad"}]}')))
openapi(catalog)
print(json.dumps({"before": before, "after": sorted(sys.modules), "outcome": dict(answer.outcomes)}))
"""


def test_scoring_imports_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    ran = subprocess.run([sys.executable, "-c", SCORES, str(tmp_path)], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)
    assert found["outcome"] == {"scored": 1}
    assert not [name for name in found["after"] if name.partition(".")[0] in FORBIDDEN]
    assert "onnxruntime" in found["after"]
    assert "onnxruntime" not in found["before"], "its import must be able to overlap with the storage SDK's"
