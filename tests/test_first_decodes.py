"""The first time that bytes are decoded to a struct, msgspec works out what the struct holds, running Python meanwhile.

A second thread that decodes then finds it half done and takes the whole process down (msgspec 0.22, a segmentation
fault). So decoders are made where modules are imported, which happens in one thread at a time.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.report_format import encode_report
from tests.evaluation.example_report import example_report

ROOT = Path(__file__).parent.parent
SERVING = ("audit", "scoring", "evaluation")
CONTAINERS = ("dict", "list")

EIGHT_AT_ONCE = """
import sys, threading
from evaluation.report_format import decode_report
sys.setswitchinterval(1e-5)
data, all_there, decoded = sys.stdin.buffer.read(), threading.Barrier(8), []
def decode():
    all_there.wait()
    decoded.append(decode_report(data).id)
threads = [threading.Thread(target=decode) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(decoded), len(set(decoded)))
"""


def test_eight_threads_may_decode_their_first_report_at_once() -> None:
    data = encode_report(example_report())
    done = subprocess.run([sys.executable, "-c", EIGHT_AT_ONCE], cwd=ROOT, input=data, capture_output=True)
    assert (done.returncode, done.stdout.split()) == (0, [b"8", b"1"]), done.stderr.decode()


@pytest.mark.parametrize("package", SERVING)
def test_nothing_that_serves_decodes_to_a_struct_but_by_a_decoder_made_at_import(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = (node for function in ast.walk(tree) if is_function(function) for node in ast.walk(function))
        for call in (node for node in inside if isinstance(node, ast.Call)):
            called = ast.unparse(call.func)
            kinds = [ast.unparse(word.value) for word in call.keywords if word.arg == "type"]
            plain = all(kind.partition("[")[0] in CONTAINERS for kind in kinds)
            assert plain or not called.endswith(("json.decode", "convert")), (
                f"{path}:{call.lineno}: {ast.unparse(call)}"
            )
            assert not called.endswith("json.Decoder"), f"{path}:{call.lineno}: a decoder made when it is needed"


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
