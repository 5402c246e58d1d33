"""A file that appears whole or not at all: written beside its name, and renamed when it is done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class AsideFile:
    """Opened when it is asked for; `keep` gives it its name, everything else leaves no trace."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        self._path = path
        self._overwrite = overwrite
        self._aside = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """The file to write to, in the folder where it will stay; raises `OSError`."""
        self._file = self._aside.open("wb")
        return self._file

    def keep(self) -> int:
        """Rename it, once its bytes are on the disk; returns its size. `FileExistsError` if the name was taken."""
        if self._file is None:
            return 0
        self._file.flush()
        os.fsync(self._file.fileno())
        size_bytes = self._file.tell()
        self._file.close()
        if not self._overwrite and self._path.exists():
            raise FileExistsError(f"{self._path} was made meanwhile")
        self._aside.replace(self._path)
        return size_bytes

    def discard(self) -> None:
        """Remove what was not kept."""
        if self._file is not None:
            self._file.close()
            self._aside.unlink(missing_ok=True)


@contextmanager
def aside(path: Path, *, overwrite: bool) -> Iterator[AsideFile]:
    """A file beside `path`, gone at the end if it was not kept."""
    file = AsideFile(path, overwrite=overwrite)
    try:
        yield file
    finally:
        file.discard()
