"""Every command that the page of the API shows is run as it stands, in the order of the page."""

from __future__ import annotations

import html
import re
import shutil
import subprocess

import pytest

from tests.platform import Platform


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="curl and bash are not here")
def test_the_commands_on_the_docs_page_work_as_they_stand(platform: Platform) -> None:
    page = platform.client.get("/docs").text
    shown = [html.unescape(text) for text in re.findall(r'<pre class="wrap"><code>(.*?)</code></pre>', page, re.DOTALL)]
    commands = [text for text in shown if "curl " in text]
    assert len(commands) > len(platform.client.get("/openapi.json").json()["paths"])
    assert any("text/csv" in command for command in commands)
    assert any("| gzip |" in command for command in commands)
    for command, status in zip(commands, statuses(platform, commands), strict=True):
        known = {"200"} | ({"404"} if "/reports/" in command else set())  # a report may not have been made yet
        assert status in known, command


def statuses(platform: Platform, commands: list[str]) -> list[str]:
    """What each command is answered, in one shell."""
    quiet = 'curl() { command curl --silent --output /dev/null --write-out "%{http_code}\\n" "$@"; }'
    script = "\n".join([quiet, f"KEY={platform.key}", *commands])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()
