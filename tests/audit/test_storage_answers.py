"""Storage that answers 412, 409, 500 or not at all, before or after it did the work, to each call that a writer makes:
on Azurite, behind a line that does it once. A client hears nothing of any of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from typing import get_args

import pytest

from audit.azure_store import Account
from audit.errors import AuditError, Exists, Unavailable
from audit.reader import hours
from audit.seal import seal_hour
from audit.store import Store
from audit.verify import verify_blobs
from audit.writer import LogWriter, new_writer_id
from infra.local.azurite import Azurite
from tests.audit.examples import ids, lines
from tests.audit.scripted_line import Answer, Call, ScriptedLine, Trouble

CASES = [
    Trouble(call, answer, after) for call, answer, after in product(get_args(Call), get_args(Answer), (False, True))
]
_TIMEOUT_S = 1.0
_PATIENCE_S = 20.0


@dataclass
class Outcome:
    """What came of one case."""

    log: list[str] = field(default_factory=list)
    findings: list[object] = field(default_factory=list)
    refusals: list[AuditError] = field(default_factory=list)
    stored: bytes = b""
    met: bool = False


def name_of(trouble: Trouble) -> str:
    return f"{trouble.call}: {trouble.answer} {'after' if trouble.after else 'before'} the work"


@pytest.fixture(scope="module")
def outcomes(azurite: Azurite) -> Iterator[dict[Trouble, Outcome]]:
    """Every case, all at once: most of the time of each is waiting."""
    with ThreadPoolExecutor(len(CASES)) as pool:
        yield dict(zip(CASES, pool.map(lambda trouble: play(azurite, trouble), CASES), strict=True))


def play(azurite: Azurite, trouble: Trouble) -> Outcome:
    container, outcome = f"answers-{uuid.uuid4().hex}", Outcome()
    straight = Account.of_connection_string(azurite.connection_string, 30.0)
    with ScriptedLine(azurite.port) as line:
        behind = azurite.connection_string.replace(f":{azurite.port}/", f":{line.port}/")
        account = Account.of_connection_string(behind, _TIMEOUT_S)
        log = straight.container(container)
        if trouble.call == "put":
            log.put("other", b"", overwrite=True)  # now there is a container
            put(account.container(container), line, trouble, outcome)
            outcome.stored = log.read("digest")
        else:
            write(account.container(container), line, trouble)
            settle(log, outcome)
        outcome.met = not line.script
        line.settle()
        account.close()
    straight.close()
    return outcome


def write(store: Store, line: ScriptedLine, trouble: Trouble) -> None:
    """Three commits, the second of which meets it; `read` and `size` are what a writer asks when it is in doubt."""
    writer = LogWriter(
        store, writer_id=new_writer_id(), opening={"code": "test"}, give_up_s=_PATIENCE_S, resolve_s=_PATIENCE_S
    )
    if trouble.call in ("create", "size"):
        line.then([trouble])
        writer.start()
    writer.commit_blocking(lines("first"), 60)
    if trouble.call == "append":
        line.then([trouble])
    elif trouble.call == "read":
        line.then([Trouble("append", "500", after=True), trouble])
    writer.commit_blocking(lines("second"), 60)
    writer.commit_blocking(lines("third"), 60)
    writer.close(30)


def settle(log: Store, outcome: Outcome) -> None:
    for hour in hours(log):
        seal_hour(log, hour)
    outcome.log = ids(log)
    outcome.findings = list(verify_blobs(log, now_s=time.time() + 1e6))


def put(store: Store, line: ScriptedLine, trouble: Trouble, outcome: Outcome) -> None:
    """Write something once, as a digest is written: whoever is refused tries again until it is there."""
    line.then([trouble])
    end_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end_s:  # on a busy machine a try may fail that nobody troubled
        try:
            store.put("digest", b"whole", overwrite=False)
        except AuditError as refusal:
            outcome.refusals.append(refusal)
            if isinstance(refusal, Exists) and len(outcome.refusals) > 1:  # the first may be the line's own 409
                return
        else:
            return


@pytest.mark.parametrize("trouble", [case for case in CASES if case.call != "put"], ids=name_of)
def test_a_writer_settles_it_and_each_record_is_in_once(outcomes: dict[Trouble, Outcome], trouble: Trouble) -> None:
    outcome = outcomes[trouble]
    assert outcome.met, "the writer never made that call"
    assert outcome.log == ["first", "second", "third"]
    assert outcome.findings == []


@pytest.mark.parametrize("trouble", [case for case in CASES if case.call == "put"], ids=name_of)
def test_what_is_written_once_is_there_whole_after_a_second_try(
    outcomes: dict[Trouble, Outcome], trouble: Trouble
) -> None:
    outcome = outcomes[trouble]
    assert outcome.met
    assert outcome.stored == b"whole"
    assert all(isinstance(refusal, Exists | Unavailable) for refusal in outcome.refusals)
    assert len(outcome.refusals) >= (2 if trouble.after else 1)
    assert isinstance(outcome.refusals[-1], Exists) or not trouble.after
