"""Compressed bodies come out as they went in, and none grows beyond the limit, in memory or in time."""

from __future__ import annotations

import contextlib
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.content import Content
from scoring.content_coding import decoded, is_coded
from scoring.errors import BadRequest, BodyTooLarge

LIMIT = 1 << 20


def bare(body: bytes) -> bytes:
    """Deflate data without zlib's header."""
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(body) + machine.flush()


CODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate as zlib": ("deflate", zlib.compress),
    "deflate, bare": ("deflate", bare),
    "GZIP with spaces": (" GZIP ", gzip.compress),
    "identity": ("identity", bytes),
    "none": ("", bytes),
    "both": ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
    "the other way": ("gzip,deflate", lambda body: zlib.compress(gzip.compress(body))),
    "identity between": ("gzip, identity, , deflate", lambda body: zlib.compress(gzip.compress(body))),
}


def taken(body: bytes, coding: str, limit: int = LIMIT) -> bytes:
    return decoded(Content(body, "application/json", coding, "7"), limit).body


@pytest.mark.parametrize("name", CODERS)
@given(body=st.binary(max_size=2000) | st.binary(min_size=1, max_size=20).map(lambda some: some * 10_000))
def test_a_body_comes_out_as_it_went_in(name: str, body: bytes) -> None:
    coding, coder = CODERS[name]
    assert taken(coder(body), coding) == body


@pytest.mark.parametrize("name", CODERS)
def test_a_body_at_the_limit_is_taken_and_a_byte_more_is_not(name: str) -> None:
    coding, coder = CODERS[name]
    assert len(taken(coder(b"a" * LIMIT), coding)) == LIMIT
    if is_coded(Content(b"", coding=coding)) and coding != "identity":  # what is not coded was measured before
        with pytest.raises(BodyTooLarge, match="more than 1,048,576 bytes when decompressed"):
            taken(coder(b"a" * (LIMIT + 1)), coding)


def test_the_other_headers_stay_and_the_coding_goes() -> None:
    content = decoded(Content(gzip.compress(b"{}"), "text/csv", "gzip", "2"), LIMIT)
    assert content == Content(b"{}", "text/csv", "", "2")


def test_all_members_of_a_gzip_file_are_read_and_padding_is_skipped() -> None:
    members = [b'{"a"', b"", b": 1", b"}" + b" " * 200_000]
    assert taken(b"".join(map(gzip.compress, members)), "gzip") == b"".join(members)
    assert taken(b"".join(gzip.compress(part) + b"\0" * 512 for part in members), "gzip") == b"".join(members)


def test_the_limit_is_one_for_all_members_together() -> None:
    half = gzip.compress(b"a" * (LIMIT // 2))
    assert len(taken(half * 2, "gzip")) == LIMIT
    with pytest.raises(BodyTooLarge):
        taken(half * 2 + gzip.compress(b"a"), "gzip")


@given(st.binary(min_size=1, max_size=100).filter(lambda rest: rest.strip(b"\0") != b""))
def test_what_follows_the_data_is_refused(rest: bytes) -> None:
    for coding, coded in (("gzip", gzip.compress(b"{}")), ("deflate", zlib.compress(b"{}")), ("deflate", bare(b"{}"))):
        with pytest.raises(BadRequest, match=r"follow the end|is not gzip|ends before") as refused:
            taken(coded + rest, coding)
        assert refused.value.reason == "not_json"
    with pytest.raises(BadRequest, match="1 bytes follow the end of its gzip data"):
        taken(gzip.compress(b"{}") + b"x", "gzip")


@pytest.mark.parametrize("name", [name for name, (coding, _) in CODERS.items() if coding not in {"", "identity"}])
def test_data_that_ends_early_is_refused_wherever_it_ends(name: str) -> None:
    coding, coder = CODERS[name]
    whole = coder(b'{"instances": [{"age": 41}]}' * 10)
    for length in range(len(whole)):
        with pytest.raises(BadRequest, match=r"ends before its|is not"):
            taken(whole[:length], coding)


@given(st.sampled_from(["gzip", "deflate", "gzip, deflate", "x-gzip"]), st.binary(max_size=300))
def test_any_bytes_are_data_or_refused(coding: str, body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert len(taken(body, coding)) <= LIMIT


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_changed_byte_of_gzip_is_seen_or_changes_nothing(body: bytes, data: st.DataObject) -> None:
    coded = bytearray(gzip.compress(body))
    place = data.draw(st.integers(0, len(coded) - 1))
    coded[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BadRequest):
        assert taken(bytes(coded), "gzip") == body  # in the header, some flags and the time say nothing of the data


@pytest.mark.parametrize("header", ["br", "zstd", "compress", "gzip;q=1", "*", "gzip deflate", "\xff\n", "x" * 5000])
def test_a_coding_that_is_not_taken_is_named_and_so_are_those_that_are(header: str) -> None:
    with pytest.raises(BadRequest, match=r"Content-Encoding: '.*' is not taken; send gzip, deflate or none") as refused:
        taken(b"{}", header)
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()


def test_a_body_is_not_taken_out_of_endless_wrappings() -> None:
    with pytest.raises(BadRequest, match="1000 codings; compress the body once"):
        taken(b"{}", ",".join(["gzip"] * 1000))


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_of_10_gb_costs_no_more_memory_than_a_body_at_the_limit(coding: str) -> None:
    body = bomb(coding, 10)
    assert len(body) < 12 * 2**20
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            taken(body, coding, limit=2**20)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * 2**20  # the pieces, and what zlib holds of the one that it was handed


def test_a_bomb_within_a_bomb_is_stopped_where_the_first_ends() -> None:
    body = gzip.compress(gzip.compress(b"\0" * 50 * 2**20))
    assert len(body) < 2000
    with pytest.raises(BodyTooLarge):
        taken(body, "gzip, gzip")


def test_a_body_of_nothing_but_empty_members_takes_no_time_and_is_refused() -> None:
    body = gzip.compress(b"") * (16 * 2**20 // 20)
    started_s = time.process_time()
    with pytest.raises(BadRequest, match="more than 1,000 gzip members"):
        taken(body, "gzip")
    assert time.process_time() - started_s < 1  # in copies of the rest for each member it would be an hour


def test_a_member_followed_by_megabytes_of_padding_takes_no_time() -> None:
    started_s = time.process_time()
    assert taken((gzip.compress(b"a") + b"\0" * 20_000) * 800, "gzip") == b"a" * 800
    assert time.process_time() - started_s < 1


def bomb(coding: str, gigabytes: int) -> bytes:
    """Gigabytes of NULs, made from one megabyte's: between full flushes deflate data may be repeated as it is."""
    machine = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    start = machine.compress(b"\0" * 2**20) + machine.flush(zlib.Z_FULL_FLUSH)
    block = machine.compress(b"\0" * 2**20) + machine.flush(zlib.Z_FULL_FLUSH)
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03" if coding == "gzip" else b"\x78\x9c"
    return head + start + block * 1024 * gigabytes
