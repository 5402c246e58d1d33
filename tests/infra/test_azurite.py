"""Azurite: data that outlives a clean stop, outages, appends at expected positions, errors, and nothing left behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ServiceRequestError
from azure.storage.blob import BlobServiceClient, ContainerClient

from infra.local import azurite as azurite_module
from infra.local.azurite import Azurite
from infra.local.local_host import PROJECT
from infra.local.process import LocalError
from tests.infra.conftest import is_alive, wait_until


def container(azurite: Azurite, name: str, retries: int = 3) -> ContainerClient:
    """A client of a new container."""
    service = BlobServiceClient.from_connection_string(
        azurite.connection_string, retry_total=retries, connection_timeout=5
    )
    client = service.get_container_client(name)
    client.create_container()
    return client


def test_an_append_goes_to_the_expected_position_or_is_refused(azurite: Azurite) -> None:
    with container(azurite, "appends") as client, client.get_blob_client("a/b.jsonl") as blob:
        blob.create_append_blob()
        blob.append_block(b"first\n", appendpos_condition=0)
        with pytest.raises(HttpResponseError) as refused:
            blob.append_block(b"again\n", appendpos_condition=0)
        assert refused.value.status_code == 412
        assert "AppendPositionConditionNotMet" in str(refused.value)
        blob.append_block(b"second\n", appendpos_condition=6)
        assert blob.download_blob().readall() == b"first\nsecond\n"


def test_what_was_acknowledged_is_there_after_each_outage(azurite_of_its_own: Azurite) -> None:
    written = b""
    with container(azurite_of_its_own, "outages") as client, client.get_blob_client("log") as blob:
        blob.create_append_blob()
        for round_number in range(3):
            for n in range(5):
                block = f"{round_number}-{n}\n".encode()
                blob.append_block(block, appendpos_condition=len(written))
                written += block
            port = azurite_of_its_own.port
            azurite_of_its_own.stop()
            azurite_of_its_own.start()
            assert azurite_of_its_own.port == port
            assert blob.download_blob().readall() == written


def test_it_stops_cleanly_however_soon_after_its_start(tmp_path: Path) -> None:
    log = tmp_path / "azurite.log"
    for wait_for in [b"is starting", b"successfully listens"]:
        log.unlink(missing_ok=True)
        running = Azurite(tmp_path)
        thread = threading.Thread(target=stop_once, args=(running, log, wait_for))
        thread.start()
        with contextlib.suppress(LocalError):  # it may have been stopped before it answered
            running.start()
        thread.join()
        running.close()
        assert "successfully closed" in log.read_text(), wait_for


def stop_once(running: Azurite, log: Path, text: bytes) -> None:
    """Send SIGTERM to Azurite as soon as its log has the text."""
    wait_until(lambda: log.exists() and text in log.read_bytes(), str(text))
    process_id = running.process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGTERM)


def test_while_it_is_stopped_nobody_answers(azurite_of_its_own: Azurite) -> None:
    with container(azurite_of_its_own, "down", retries=0) as client:
        azurite_of_its_own.stop()
        azurite_of_its_own.stop()
        assert azurite_of_its_own.process_id is None
        with pytest.raises(ServiceRequestError):
            client.get_container_properties()
        azurite_of_its_own.start()
        azurite_of_its_own.start()
        assert client.get_container_properties()["name"] == "down"


def test_a_second_one_on_the_same_folder_is_refused(
    azurite_of_its_own: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.folder_lock.PATIENCE_S", 0.1)
    with pytest.raises(LocalError, match=r"runs on .* already"):
        Azurite(azurite_of_its_own.folder).start()


def test_two_have_ports_and_data_of_their_own(azurite: Azurite, azurite_of_its_own: Azurite) -> None:
    assert azurite.port != azurite_of_its_own.port
    with container(azurite, "mine"), container(azurite_of_its_own, "mine") as other, pytest.raises(ResourceExistsError):
        other.create_container()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError, match=f"^Port {port} is in use: [^\n]*$"):
            Azurite(tmp_path, port).start()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"^Azurite cannot write to .*file/data .*: choose another folder\.$"):
        Azurite(tmp_path / "file" / "data").start()


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.folder_lock.FREE_BYTES", 2**80)
    with pytest.raises(LocalError, match=r"^The disk of .* is full \(\d+ MiB left\): free some space\.$"):
        Azurite(tmp_path).start()


def test_without_node_modules_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azurite_module, "_SCRIPT", tmp_path / "main.js")
    with pytest.raises(LocalError, match="run `make setup`"):
        Azurite(tmp_path).start()


def test_a_temporary_folder_is_removed_at_the_end() -> None:
    with Azurite() as running:
        folder, process_id = running.folder, running.process_id
        assert process_id is not None
        assert folder.is_dir()
    assert not folder.exists()
    assert not is_alive(process_id)


def start_alone(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """`python -m infra.local.azurite`, once it listens, and the process id of its Node."""
    command = [sys.executable, "-m", "infra.local.azurite", "--data", str(tmp_path / "alone")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert parent.stdout is not None
    assert "BlobEndpoint=http://127.0.0.1:" in parent.stdout.readline()
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text(encoding="ascii").split()
    assert len(children) == 1
    return parent, int(children[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_node_ends_with_its_parent_however_that_ends(tmp_path: Path, number: signal.Signals) -> None:
    parent, node = start_alone(tmp_path)
    with parent:
        assert is_alive(node)
        parent.send_signal(number)
        code = parent.wait(20)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    wait_until(lambda: not is_alive(node), "Node to end with its parent")
    log = (tmp_path / "alone" / "azurite.log").read_text()
    assert "successfully closed" in log, "it was to save what it had acknowledged"


def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    running = Azurite(tmp_path)
    thread = threading.Thread(target=running.start)
    thread.start()
    thread.join()
    try:
        with container(running, "threads") as client:
            assert client.exists()
    finally:
        running.close()
