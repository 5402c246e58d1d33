"""The few blob operations that the log and everything derived from it rest on.

One store is one container. `audit.azure_store` talks to Azure Blob Storage and Azurite, `audit.memory_store` keeps
a dictionary; both pass the contract in `tests/audit/test_store_contract.py`. All calls block and may be made from
any thread. Every call may raise `Unavailable` (nothing was done); calls that change something may raise `Ambiguous`
(the reply was lost).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class BlobInfo:
    """One line of a listing."""

    name: str
    size_bytes: int
    append: bool  # an append blob (the log), not a block blob (digests, derived data)
    modified_s: float  # Unix time of the last change


class Store(Protocol):
    """A container of append blobs and block blobs."""

    def create(self, name: str) -> None:
        """Make an empty append blob; `Exists` if there is any blob of that name."""

    def append(self, name: str, data: bytes, at: int) -> None:
        """Append one block if the blob is exactly `at` bytes long; `Conflict` if it is not, `NotFound`.

        `Fenced` if the blob has as many blocks as it can hold (50,000 on the service).

        Never retried by the SDK: a retried append is stored twice when the first reply is lost.
        """

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        """Store a whole block blob; `Exists` if it is there and `overwrite` is false."""

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """Bytes from `start`, at most `length`; shorter at the end of the blob, empty past it; `NotFound`."""

    def size(self, name: str) -> int:
        """Length in bytes; `NotFound`."""

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        """All blobs whose names begin with `prefix`, in the order of their names."""

    def delete(self, name: str) -> None:
        """Remove a derived blob; nothing happens if it is not there. The log itself is never deleted by us."""
