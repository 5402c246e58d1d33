"""What `make run PORT=… KEY=… AUTH=… LOG=…` and `make demo` may say, and one line in their words for what is wrong."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

from infra.local.app_settings import read_switch
from infra.local.keys import check_key
from infra.local.process import LocalError, end_with_process


@dataclass(frozen=True)
class Options:
    """The command line, checked."""

    port: int
    key: str | None
    auth: bool
    log_requests: bool
    data: Path
    models: Path


def parse(arguments: Sequence[str] | None) -> Options:
    """The command line of `make run`; ends the process with one line for what is wrong."""
    parser = _Parser(prog="make run", description="Model, records, report and service on this machine.")
    _add_options(parser, port=7071, data=Path(".local"), models=Path("models"))
    return _options(parser.parse_args(arguments))


def parse_demo(arguments: Sequence[str] | None) -> tuple[Options, int]:
    """The command line of `make demo`, and its seed; ends the process with one line for what is wrong."""
    parser = _Parser(prog="make demo", description="Two weeks of traffic with known faults, and their reports.")
    parser.add_argument("--seed", type=_seed, default=1, help="which faults on which days, SEED= (default: 1)")
    _add_options(parser, port=7072, data=Path(".local/demo"), models=Path(".local/demo/models"))
    given = parser.parse_args(arguments)
    return _options(given), given.seed


def _add_options(parser: argparse.ArgumentParser, *, port: int, data: Path, models: Path) -> None:
    parser.add_argument("--port", type=_port, default=port, help="port of the host, PORT= (default: %(default)s)")
    parser.add_argument("--key", type=_key, help="the key to ask for, KEY= (default: made once, kept in --data)")
    parser.add_argument(
        "--auth", type=partial(_switch, "AUTH"), default=True, help="on or off: whether a key is asked for, AUTH="
    )
    parser.add_argument(
        "--log", type=partial(_switch, "LOG"), default=False, help="on or off: a log line for each request, LOG="
    )
    parser.add_argument("--data", type=Path, default=data, help="folder to keep things in (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=models, help="folder of the bundles (default: %(default)s)")
    parser.add_argument("--parent", type=int, help="end when this process, which started us, does")


def _options(given: argparse.Namespace) -> Options:
    if given.parent:
        end_with_process(given.parent)
    return Options(given.port, given.key, given.auth, given.log, given.data, given.models)


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: give a whole number such as 1")
    return int(text)


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _key(text: str) -> str:
    try:
        return check_key(text, "the key")
    except LocalError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _switch(name: str, text: str) -> bool:
    try:
        return read_switch(name, {name: text}, default=True)
    except LocalError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, in the words of who typed `make run` or `make demo`."""
        self.exit(2, f"{self.prog}: {re.sub(r'argument --([a-z]+)', lambda found: found[1].upper(), message)}\n")
