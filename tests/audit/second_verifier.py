# ruff: noqa: PT018
"""A second verifier, from audit/README.md alone: `second_verifier.py FOLDER PUBLIC_KEY.pem`. Of each blob and digest it
says the first thing that is wrong; records and what lies between blobs are left to `second_link_verifier.py`."""

import base64
import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

LOG = re.compile(r"log/v1/([\d/]{13})/[A-Za-z0-9-]{1,64}-(?:0|[1-9]\d{0,8})\.jsonl", re.ASCII)
HEADER = ["v", "kind", "blob", "offset", "sequence", "count", "length", "sha256", "previous", "append_us"]
PAYLOAD, DIGEST = ["v", "hour", "previous", "ts", "blobs", "late"], "digest/v1/%Y/%m/%d/%H.json"
OPENING, BEGINS = {"writer", "previous_blob", "previous_head", "about"}, "digest/v1/begins.json"
ZEROS, HOUR, CLOCKS, MAX_BODY, MAX_DIGEST = "0" * 64, timedelta(hours=1), timedelta(minutes=5), 104849408, 2**26
WRONG = (AssertionError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


def read_blob(name: str, data: bytes, sealed: bool) -> tuple[dict[str, Any], str]:
    """The blob as a digest has it, and the word for what is wrong with it."""
    heads, kind, records, at, word = [ZEROS], "", 0, 0, ""
    try:
        while at < len(data):
            assert kind != "close", "after close"
            end, sequence = data.find(b"\n", at, at + 8192), len(heads) - 1
            assert end >= 0, "torn" if len(data) - at < 8192 else "altered"
            header = as_written(data[at:end], HEADER)
            right = {"v": 1, "blob": name, "offset": at, "sequence": sequence, "previous": heads[-1]}
            assert as_text(header | right) == data[at:end], "altered"
            assert header["kind"] in (("records", "close") if sequence else ("open", "close")), "altered"
            counts = [header[field] for field in ("count", "length", "append_us")]
            assert all(type(n) is int and 0 <= n <= 2**53 for n in counts) and counts[1] <= MAX_BODY, "altered"
            body = data[end + 1 : end + 1 + counts[1]]
            assert len(body) == counts[1], "torn"
            assert (sha256(body), body.count(b"\n")) == (header["sha256"], counts[0]), "altered"
            assert body[-1:] in (b"", b"\n") and (header["kind"] != "close" or not body), "altered"
            if header["kind"] == "open":
                assert {"writer"} <= json.loads(body).keys() <= OPENING and len(body) <= 65536, "altered"
            heads.append(sha256(b"hyperplane audit frame v1\n" + data[at:end]))
            kind, at, records = header["kind"], end + 1 + len(body), records + counts[0] * (header["kind"] == "records")
    except WRONG as problem:
        word = str(problem) if isinstance(problem, AssertionError) else "altered"
    entry = {"name": name, "length": len(data), "sha256": sha256(data), "head": heads[-1], "frames": len(heads) - 1}
    entry |= {"records": records, "closed": kind == "close" and not word}
    return entry, word or ("" if kind == "close" or not sealed else "not closed" if kind else "empty")


def check(stored: dict[str, bytes], now: datetime, pem: bytes) -> set[tuple[str, str]]:
    """(blob or digest, finding) of what is wrong in a whole container."""
    hours = {name: hour for name in sorted(stored) if (hour := hour_of(name))}
    logged = {name: hour for name, hour in hours.items() if LOG.fullmatch(name)}
    blobs = {name: read_blob(name, stored[name], hour + 2 * HOUR <= now) for name, hour in logged.items()}
    over = {hour: name for name, hour in hours.items() if name not in blobs and hour + HOUR <= now + CLOCKS}
    found = {(name, "foreign") for name in stored.keys() - hours.keys() - {BEGINS}}
    found |= {(name, word) for name, (_, word) in blobs.items() if word}
    found |= {(name, "dated") for name in hours.keys() - blobs.keys() - {*over.values()}}
    first = hour_of(stored.get(BEGINS, b"").decode(errors="replace"), '{"v":1,"hour":"%Y/%m/%d/%H"}')
    if not first or (first != min(over) if over else first + HOUR > now + CLOCKS):
        word = "altered" if not first else "chain" if over else "dated"
        found |= {(BEGINS, word)} if BEGINS in stored else {(BEGINS, "missing")} if over else set()
    newest, oldest = max(over, default=None), min(logged.values(), default=now)
    if (newest + 3 * HOUR if newest else oldest + 2 * HOUR) <= now:
        found.add((f"{newest or oldest:{DIGEST}}", "stale"))
    found |= {(f"{hour + HOUR:{DIGEST}}", "gap") for hour in over if hour != newest and hour + HOUR not in over}
    listed, read = list[str](), set[datetime]()
    for hour, name in over.items():
        try:
            whole = as_written(stored[name][: MAX_DIGEST + 1], ["payload", "protected", "signature"])
            digest = as_written(from_text(whole["payload"]), PAYLOAD)
            assert digest["v"] == 1 and f"digest/v1/{digest['hour']}.json" == name, "altered"
            read.add(hour)
            for late, entry in [(field == "late", entry) for field in ("blobs", "late") for entry in digest[field]]:
                theirs = hour_of(entry["name"]) if LOG.fullmatch(entry["name"]) else None
                assert theirs and (theirs < hour if late else theirs == hour), "altered"
                known = blobs[entry["name"]][0] if entry["name"] in blobs else {}
                if as_text(entry) != as_text(known):
                    found.add((entry["name"], "altered" if entry["name"] in blobs else "missing"))
                listed.append(entry["name"])
            before = over.get(hour - HOUR)
            assert before is None or digest["previous"] == sha256(stored[before]), "chain"
            assert digest["previous"] == ZEROS or hour != min(over), "gap"
            ts = datetime.strptime(digest["ts"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
            assert hour + HOUR <= ts <= now + CLOCKS, "dated"
            check_signature(whole, pem)
        except WRONG as problem:
            found.add((name, str(problem) if isinstance(problem, AssertionError) else "altered"))
    found |= {(name, "twice") for name in blobs if listed.count(name) > 1}
    alone = logged.keys() - {*listed}
    return found | {(name, "extra") for name in alone if logged[name] in read or (over and logged[name] < min(over))}


def check_signature(whole: dict[str, str], pem: bytes) -> None:
    protected, key = as_written(from_text(whole["protected"]), ["alg", "kid"]), serialization.load_pem_public_key(pem)
    assert isinstance(key, ec.EllipticCurvePublicKey) and protected["alg"] == "ES256", "altered"
    x, y = (to_text(number.to_bytes(32)) for number in (key.public_numbers().x, key.public_numbers().y))
    thumbprint = to_text(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())
    assert protected["kid"] == thumbprint, "unknown key"
    r, s = (int.from_bytes(part) for part in (from_text(whole["signature"])[:32], from_text(whole["signature"])[32:]))
    try:
        signed = f"{whole['protected']}.{whole['payload']}".encode()
        key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise AssertionError("bad signature") from None


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def as_text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def as_written(data: bytes, fields: list[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(data)
    assert list(value) == fields and as_text(value) == data, "altered"
    return value


def to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    assert to_text(base64.urlsafe_b64decode(text + "==")) == text, "altered"
    return base64.urlsafe_b64decode(text + "==")


def hour_of(name: str, form: str = DIGEST) -> datetime | None:
    match = LOG.fullmatch(name)
    try:
        hour = datetime.strptime(f"digest/v1/{match[1]}.json" if match else name, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return hour if match or f"{hour:{form}}" == name else None


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    findings = sorted(check(files, datetime.now(UTC), Path(sys.argv[2]).read_bytes()))
    sys.exit("\n".join(f"{word}  {name}" for name, word in findings) or 0)
