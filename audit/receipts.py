"""Receipts that clients kept, and whether the frames of the log are those that they name.

A million of them take some 40 bytes each: of a blob's receipts only the numbers of frames and their heads are kept, and
these are unpacked when the blob is read. What is said of wrong ones is bounded for each blob.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, BinaryIO

import msgspec

from audit.appender import Receipt
from audit.finding import Finding, short
from audit.given_lines import BadLine, given_lines
from audit.reader import Frame

LONGEST_LINE_BYTES = 64 << 20  # an answer to 50,000 instances has some 20 MiB
RECEIPTS_TOLD = 100  # of a blob's wrong ones
_EXPECTED = "a receipt (blob, sequence, head), or an answer of the API with its `receipt`"
_TOO_LONG = "of an answer its `receipt` is enough"
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LARGEST_SEQUENCE = 2**53  # as in a frame's header
_SEQUENCE_BYTES, _HEAD_BYTES = 7, 32
_PACKED_BYTES = _SEQUENCE_BYTES + _HEAD_BYTES

type PackedReceipts = bytes | bytearray  # of one blob: numbers of frames and their heads, one after another


class KeptReceipts:
    """Receipts by blob.

    >>> kept = KeptReceipts([Receipt("log/v1/a", 3, "ab" * 32), Receipt("log/v1/a", 3, "ab" * 32)])
    >>> [(blob, len(packed)) for blob, packed in kept.by_blob().items()]
    [('log/v1/a', 39)]
    """

    def __init__(self, receipts: Iterable[Receipt] = ()) -> None:
        self._packed: dict[str, bytearray] = {}
        for receipt in receipts:
            one = receipt.sequence.to_bytes(_SEQUENCE_BYTES) + bytes.fromhex(receipt.head)
            packed = self._packed.setdefault(short(receipt.blob), bytearray())
            if not packed.endswith(one):  # each answer of a frame gives the same
                packed += one

    def by_blob(self) -> dict[str, PackedReceipts]:
        """Names of blobs, each with its receipts; the dictionary is the caller's."""
        return dict(self._packed)

    def __bool__(self) -> bool:
        return bool(self._packed)


class ReceiptCheck:
    """Holds the frames of a blob against its receipts, as they are read."""

    def __init__(self, blob: str, packed: PackedReceipts) -> None:
        self._blob = blob
        self._left = deque(_unpacked(packed))
        self._told: list[str] = []
        self._wrong = 0

    def take(self, frame: Frame) -> None:
        """The next frame that verifies."""
        while self._left and self._left[0][:_SEQUENCE_BYTES] <= frame.sequence.to_bytes(_SEQUENCE_BYTES):
            head = self._left.popleft()[_SEQUENCE_BYTES:].hex()
            if head != frame.head:
                self._tell(
                    f"a client's receipt has frame {frame.sequence} with head {head}; the one here has {frame.head}"
                )

    def findings(self, frames: int) -> Iterator[Finding]:
        """What is wrong, now that so many frames were taken and no more verify."""
        for one in self._left:
            sequence = int.from_bytes(one[:_SEQUENCE_BYTES])
            self._tell(f"a client's receipt names frame {sequence}, but no more than {frames} verify here")
        for detail in self._told:
            yield Finding(self._blob, "receipt", detail)
        if self._wrong > len(self._told):
            more = f"{self._wrong:,} receipts of this blob are wrong; the first {RECEIPTS_TOLD} are told"
            yield Finding(self._blob, "receipt", more)

    def _tell(self, detail: str) -> None:
        self._wrong += 1
        if len(self._told) < RECEIPTS_TOLD:
            self._told.append(detail)


def sequences(packed: PackedReceipts) -> Iterator[int]:
    """The frames that a blob's receipts name, in order."""
    return (number for number, _ in groupby(int.from_bytes(one[:_SEQUENCE_BYTES]) for one in _unpacked(packed)))


def _unpacked(packed: PackedReceipts) -> list[bytes]:
    """Each once, by the number of its frame."""
    return sorted({bytes(packed[at : at + _PACKED_BYTES]) for at in range(0, len(packed), _PACKED_BYTES)})


def read_receipts(file: BinaryIO) -> KeptReceipts:
    """Receipts from JSON lines. Raises `BadLine`, also when there are none."""
    lines = given_lines(file, LONGEST_LINE_BYTES, _TOO_LONG)
    kept = KeptReceipts(receipt for number, line in lines for receipt in _of_line(number, line))
    if not kept:
        raise BadLine(f"nothing in it; expected JSON lines, each {_EXPECTED}")
    return kept


class _Answer(msgspec.Struct):
    """What may be a receipt or an answer; all else in a line is checked to be JSON, and passed by."""

    blob: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    sequence: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    head: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    receipt: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    parameters: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Parameters(msgspec.Struct):
    receipt: str | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_parameters = msgspec.json.Decoder(_Parameters).decode
_decode_receipts = msgspec.json.Decoder(list[Receipt] | Receipt).decode


def _of_line(number: int, line: bytes) -> Iterator[Receipt]:
    """One receipt, or those of an answer: `receipt`, in Open Inference's a text of JSON among its `parameters`."""
    if not line.startswith(b"{"):
        raise BadLine(f"line {number} is no JSON object; expected {_EXPECTED}")
    try:
        listed = _receipt_json(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadLine(f"line {number} is no JSON ({problem}); expected {_EXPECTED}") from None
    try:
        found = _decode_receipts(listed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadLine(f"line {number}: {problem}; expected {_EXPECTED}") from None
    for receipt in found if isinstance(found, list) else [found]:
        if not _HASH.fullmatch(receipt.head) or not 0 <= receipt.sequence <= _LARGEST_SEQUENCE:
            raise BadLine(f"line {number}: no receipt has such a head or sequence; expected {_EXPECTED}")
        yield receipt


def _receipt_json(line: bytes) -> Any:
    """The part of a line that holds the receipts."""
    answer = _decode_answer(line)
    in_parameters = None if answer.parameters is msgspec.UNSET else _of_parameters(answer.parameters)
    if in_parameters is not None:
        return in_parameters
    return line if answer.receipt is msgspec.UNSET else answer.receipt


def _of_parameters(parameters: Any) -> str | None:
    try:
        return _decode_parameters(parameters).receipt
    except msgspec.ValidationError:  # not those of Open Inference
        return None
