"""What `make run` and `make demo` share: storage, host and commands that end with them, and serving until Ctrl-C."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import httpx

from infra.local.azurite import Azurite
from infra.local.folder_lock import locked
from infra.local.keys import read_or_make_key
from infra.local.local_host import PROJECT, LocalHost
from infra.local.ports import HOST, is_free
from infra.local.process import LocalError, start_child, stop_child
from infra.local.run_options import Options

STORAGE = "HYPERPLANE_STORAGE"
SIGNING_KEY = "HYPERPLANE_SIGNING_KEY"
WATCH_S = 0.5
SHOW_CURSOR = "\x1b[?25h"
IDENTITY_STORAGE = (f"{STORAGE}__blobServiceUri", f"{STORAGE}__accountName")


def until_ctrl_c(options: Options, start: Callable[[ExitStack], tuple[LocalHost, Azurite | None]]) -> int:
    """Start it all, serve until a signal, stop it all; 1 when something stands in the way."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as started:
            _serve(*start(started))
    except KeyboardInterrupt:
        say("\nStopped, with everything that was started.")
    except BrokenPipeError:  # `make run | head`: nobody reads on, which is no news to anybody
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except LocalError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except httpx.HTTPStatusError as problem:
        answer = problem.response
        text = f"The host answered {answer.status_code} to {answer.request.url.path}: {answer.text[:300] or 'nothing'}"
        sys.stderr.write(f"{text} (its log: {shown(options.data / 'host.log')}).\n")
        return 1
    except httpx.HTTPError as problem:
        sys.stderr.write(f"The host did not answer: {problem} (its log: {shown(options.data / 'host.log')}).\n")
        return 1
    return 0


def _serve(host: LocalHost, azurite: Azurite | None) -> NoReturn:
    """Serve until a signal; raises `LocalError` when one of the two ends by itself."""
    while True:
        if host.process is None or host.process.poll() is not None:
            raise LocalError(f"The host has ended by itself. It said:\n{host.log[-2000:].strip()}")
        if azurite is not None and azurite.process_id is None:
            raise LocalError(f"Azurite has ended by itself; its log is {shown(azurite.folder / 'azurite.log')}.")
        time.sleep(WATCH_S)


def claim(options: Options, who: str, started: ExitStack) -> None:
    """Hold the folder and see that the port is free; raises `LocalError`."""
    started.enter_context(locked(options.data, who))
    if not is_free(options.port):
        raise LocalError(f"Port {options.port} is in use: stop the program that has it, or run with PORT=<another>.")


def named_storage() -> str | None:
    """The setting by which the environment names a storage, if it does."""
    return next((name for name in (STORAGE, *IDENTITY_STORAGE) if os.environ.get(name)), None)


def storage(options: Options, started: ExitStack) -> Azurite | None:
    """An Azurite of our own, unless the environment names a storage."""
    named = named_storage()
    if named:
        step("Storage", f"the one that {named} names")
        return None
    azurite = started.enter_context(Azurite(options.data / "azurite"))
    step("Storage", f"Azurite on {HOST}:{azurite.port}, its data in {shown(azurite.folder)}")
    return azurite


@contextmanager
def running_host(options: Options, environment: dict[str, str]) -> Iterator[LocalHost]:
    key = options.key or read_or_make_key(options.data / "key")
    settings = environment | {"AUTH": "on" if options.auth else "off"}
    log = options.data / "host.log"
    host = LocalHost(port=options.port, env=settings, data=options.data, key=key, log_requests=options.log_requests)
    try:
        host.start()
    except LocalError as problem:
        last = str(problem).splitlines()[-1]
        raise LocalError(f"The host did not start: {last} (Its log: {shown(log)}.)") from problem
    except BaseException:
        host.close()
        raise
    with host:
        about = f"key {key}" if options.auth else "no key asked for (AUTH=off)"
        step("Host", f"{host.url}, {about}, its log in {shown(log)}{_how_to_follow(options, log)}")
        yield host


def _how_to_follow(options: Options, log: Path) -> str:
    return f", each request in it: tail -f {shlex.quote(shown(log))}" if options.log_requests else ""


def code_of(host: LocalHost, options: Options) -> str:
    """The key as links carry it."""
    return f"?code={quote(host.key, safe='')}" if options.auth else ""


def offered_settings(host: LocalHost, options: Options, environment: Mapping[str, str], started: ExitStack) -> Path:
    """The file to `source` for what this host serves with; it is there while it serves."""
    variables = {"URL": host.url, "KEY": host.key if options.auth else "", **environment}
    return started.enter_context(_settings_file(options.data / "env", variables))


@contextmanager
def _settings_file(path: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    """A file to `source`, for the time that it is true; only its owner may read it."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("# What this machine serves with, while it serves.\n" + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def command(module: str, *arguments: str, environment: dict[str, str], fine: tuple[int, ...] = (0,)) -> None:
    """Run one of our commands and let it print; raises `LocalError` when it fails."""
    whole = [sys.executable, "-m", "infra.local.leash", module, *arguments]
    child = start_child(whole, environment={**os.environ, **environment}, folder=PROJECT)
    try:
        code = child.wait()
    finally:
        stop_child(child, f"python -m {module}")
        if sys.stderr.isatty():  # a progress bar hides the cursor, and a child that is killed cannot bring it back
            sys.stderr.write(SHOW_CURSOR)
            sys.stderr.flush()
    if code not in fine:
        raise LocalError(f"`python -m {module} {' '.join(arguments)}` ended with {code}: see above.")


def step(name: str, text: str) -> None:
    """One thing that is done."""
    say(f"{name:<9} {text}")


def line(name: str, url: str) -> None:
    """One place to look."""
    say(f"{name:<12} {url}")


def say(text: str) -> None:
    """Print now, also into a pipe."""
    print(text, flush=True)


def shown(path: Path) -> str:
    """A path as short as it can be said."""
    resolved = path.resolve()
    return str(resolved.relative_to(Path.cwd())) if resolved.is_relative_to(Path.cwd()) else str(resolved)
