"""Lines of a file that a command was given: numbered, without their ends, and none longer than memory should hold.

UTF-8 with or without a byte order mark, any line ends; blank lines are passed over, but counted. A file in UTF-16, as
`>` of Windows PowerShell makes it, is refused by name. What the lines say is for who asked for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MIB = 1 << 20


class BadLine(ValueError):
    """A line that cannot be used, or a file without any; the message names the line and what is expected."""


def given_lines(file: BinaryIO, longest_bytes: int, too_long: str) -> Iterator[tuple[int, bytes]]:
    """Each line and its number, from 1. Raises `BadLine`; `too_long` says what to do about such a line.

    >>> import io
    >>> list(given_lines(io.BytesIO(b"\\xef\\xbb\\xbfa\\r\\n\\n b"), 5, "cut it"))
    [(1, b'a'), (3, b'b')]
    """
    number = 0
    while line := file.readline(longest_bytes + 1):
        number += 1
        if len(line) > longest_bytes and not line.endswith(b"\n"):
            raise BadLine(f"line {number} is longer than {longest_bytes // _MIB} MiB; {too_long}")
        if line.startswith(_UTF16) or b"\0" in line[:4]:
            raise BadLine(f"line {number} is not in UTF-8, but in UTF-16 or no text: save it as UTF-8")
        line = line.removeprefix(_MARK).strip()
        if line:
            yield number, line
