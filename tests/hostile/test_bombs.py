"""Compressed bodies of every protocol, and bodies that try to fill the memory: refused, and the host stays small."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.hostile.ledger import GOOD, INFER, INVOKE, LABELS, ONE, SCORE, Ledger
from tests.hostile.test_open_inference import WHOLE as TENSORS
from tests.platform import Platform
from tests.scoring.test_content_coding import bare, bomb

TABLE = json.dumps({"dataframe_records": [GOOD]}).encode()
TRUTH = json.dumps({"labels": [{"id": "coded", "label": "class_0"}]}).encode()
BODIES = {SCORE: ONE, INFER: TENSORS, INVOKE: TABLE, LABELS: TRUTH}
CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate as zlib": ("deflate", zlib.compress),
    "deflate, bare": ("deflate", bare),
    "both": ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("name", CODINGS)
def test_a_compressed_body_is_answered_as_if_it_were_none(ledger: Ledger, path: str, name: str) -> None:
    coding, coder = CODINGS[name]
    assert ledger.post(path, coder(BODIES[path]), content_encoding=coding).status_code == 200


@pytest.mark.parametrize("path", BODIES)
def test_what_is_not_compressed_as_it_says_is_refused(ledger: Ledger, path: str) -> None:
    whole = gzip.compress(BODIES[path])
    for coding, body in (
        ("gzip", BODIES[path]), ("gzip", whole[:-1]), ("gzip", whole[:12]), ("gzip", b""), ("gzip", whole + b"x"),
        ("gzip, gzip", whole), ("deflate", whole), ("br", whole), ("zstd", b""), ("gzip;" * 500, whole),
        ("\xff", whole),
    ):  # fmt: skip
        assert ledger.post(path, body, content_encoding=coding.encode("latin-1")).status_code == 400, coding


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_of_2_gb_is_over_the_limit(ledger: Ledger, path: str, coding: str) -> None:
    answer = ledger.post(path, bomb(coding, 2), content_encoding=coding)
    assert answer.status_code == 413
    assert "when decompressed" in answer.json()["error"]


STORM = 25  # requests, four at a time; each asks for 10 MB to 2 GB of memory
STORM_BYTES = 350 * 2**20  # what it may take: a few bodies and what they are made into, not one that was let grow
LEAK_BYTES = 110 * 2**20  # what another may add: it sends ten bodies of 10 MB, and nothing may keep them


@pytest.fixture
def own_host(azurite: Azurite, demo_models: Path, tmp_path: Path) -> Iterator[tuple[Platform, int]]:
    """A host that nothing has made large yet, and its process id."""
    environment = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": "bombed-audit",
        "HYPERPLANE_DERIVED_CONTAINER": "bombed-derived",
        "HYPERPLANE_MODELS": str(demo_models),
    }
    with LocalHost(env=environment, data=tmp_path / "host") as host:
        assert host.process is not None
        running = Platform(host.url, host.key, environment)
        yield running, host.process.pid
        running.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read from /proc")
def test_storms_of_bombs_and_of_large_bodies_leave_the_host_small_and_well(own_host: tuple[Platform, int]) -> None:
    platform, process = own_host
    assert platform.client.post(SCORE, content=ONE).status_code == 200
    peaks = [peak_bytes(process)]
    for _ in range(2):
        statuses = storm(platform)
        assert set(statuses) <= {200, 400, 413}
        assert statuses.count(413) >= STORM * 3 // 5
        peaks.append(peak_bytes(process))
    first, second = peaks[1] - peaks[0], peaks[2] - peaks[1]
    print(f"{first / 2**20:.0f} MiB for a storm, {second / 2**20:.0f} for another")
    assert first < STORM_BYTES
    assert second < LEAK_BYTES
    assert platform.client.get("/health").json() == {"status": "ok"}


def storm(platform: Platform) -> list[int]:
    """Bombs and large bodies to every route, and what they were answered."""
    bombs = [(bomb(coding, 2), {"content-encoding": coding}) for coding in ("gzip", "deflate")]
    nested = gzip.compress(gzip.compress(b"\0" * 2**28))
    long = json.dumps({"instances": [GOOD | {"alcohol": "s" * 10_000_000}]}).encode()
    wide = gzip.compress(b'{"instances": [' + b"[" * 10_000_000)
    kinds = [*bombs, (nested, {"content-encoding": "gzip, gzip"}), (long, {}), (wide, {"content-encoding": "gzip"})]

    def sent(number: int) -> int:
        body, headers = kinds[number % len(kinds)]
        path = list(BODIES)[number % len(BODIES)]
        return platform.client.post(path, content=body, headers=headers).status_code

    with ThreadPoolExecutor(4) as clients:
        return list(clients.map(sent, range(STORM)))


def peak_bytes(process: int) -> int:
    """The most memory that a process has held."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
