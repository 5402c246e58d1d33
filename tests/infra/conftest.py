"""A local host that runs the sample app, shared by the tests that leave it running."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.local_host import LocalHost

SAMPLE_APP = Path(__file__).parent / "sample_app"
NEVER_SOON = "0 0 0 29 2 *"
LIMIT_BYTES = 1_000_000


def sample_settings(notes: Path, schedule: str = NEVER_SOON, **more: str) -> dict[str, str | None]:
    """Settings of the sample app, whatever the machine's own environment holds."""
    return {"AUTH": "on", "SAMPLE_NOTES": str(notes), "SAMPLE_SCHEDULE": schedule, **more}


def wait_until(holds: Callable[[], bool], what: str, deadline_s: float = 20.0) -> None:
    """Poll until it holds; fail with `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"waited {deadline_s:g} s in vain: {what}"
        time.sleep(0.02)


def is_alive(process_id: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHost]:
    """The sample app, running for the session."""
    notes = tmp_path_factory.mktemp("host") / "notes"
    settings = sample_settings(notes, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT=str(LIMIT_BYTES))
    with LocalHost(app=SAMPLE_APP, env=settings, log_requests=True) as running:
        yield running


@pytest.fixture
def client(host: LocalHost) -> Iterator[httpx.Client]:
    """A client of the shared host, without a key."""
    with httpx.Client(base_url=host.url, timeout=20.0) as opened:
        yield opened
