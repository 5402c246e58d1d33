"""What somebody with the right to write to the storage may do to a log: every way has a name and makes another log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from audit.frames import ZERO_HEAD, Place, encode_frame
from audit.memory_store import MemoryStore
from audit.reader import Frame, read_blob
from tests.audit.examples import HOUR, NOON_S, WRITER, Clock, appender, copy_with, lines

FIRST = f"log/v1/{HOUR}/{WRITER}-0.jsonl"
SECOND = f"log/v1/2026/11/23/13/{WRITER}-1.jsonl"
THIRD = f"log/v1/2026/11/23/14/{WRITER}-2.jsonl"
OTHER = f"log/v1/{HOUR}/other-0.jsonl"
LATER_S = NOON_S + 100 * 3600

type Log = dict[str, bytes]


def whole_log() -> Log:
    """A writer's three blobs in three hours, and another writer's one."""
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    for hour in range(3):
        clock.now_s = NOON_S + hour * 3600
        for name in "abc":
            writer.append(lines(f"{name}-{hour}"))
    writer.leave()
    other = appender(store, writer="other")
    other.append(lines("z"))
    other.leave()
    return {info.name: store.read(info.name) for info in store.list()}


def store_of(log: Log) -> MemoryStore:
    return copy_with(MemoryStore(), dict(log))


def frames_of(log: Log, name: str) -> list[Frame]:
    return read_blob(store_of(log), name).frames


def stored(log: Log, frame: Frame) -> bytes:
    return log[frame.blob][frame.offset : frame.end]


def rewritten(name: str, frames: list[Frame], change: Callable[[int, Frame], list[bytes] | None]) -> bytes:
    """The blob's frames made anew with other lines (`None` leaves one out), all offsets and hashes computed again."""
    data, place = b"", Place()
    for number, frame in enumerate(frames):
        changed = change(number, frame)
        if changed is None:
            continue
        made, head = encode_frame(
            frame.kind, name, place.offset, place.sequence, changed, place.previous, frame.append_us
        )
        data += made
        place = Place(place.offset + len(made), place.sequence + 1, head)
    return data


def same(_: int, frame: Frame) -> list[bytes]:
    return frame.lines


def other_record(number: int, frame: Frame) -> list[bytes]:
    return lines("FORGED") if number == 2 else frame.lines


def without_one(number: int, frame: Frame) -> list[bytes] | None:
    return None if number == 2 else frame.lines


def seen(log: Log) -> Iterator[tuple[str, Log]]:
    """Tamperings that hashes inside the log show."""
    for name in (FIRST, THIRD):
        frames = frames_of(log, name)
        parts = [stored(log, frame) for frame in frames]
        _open, one, two, three, close = parts
        yield f"{name}: frames swapped", log | {name: _open + two + one + three + close}
        yield f"{name}: a frame taken out", log | {name: _open + one + three + close}
        yield f"{name}: a frame doubled", log | {name: _open + one + one + two + three + close}
        yield f"{name}: the `open` taken out", log | {name: one + two + three + close}
        yield f"{name}: the `close` doubled", log | {name: log[name] + close}
        yield f"{name}: a byte behind the end", log | {name: log[name] + b"\0"}
        yield f"{name}: a record behind the end", log | {name: log[name] + one}
        yield f"{name}: the end cut off", log | {name: _open + one + two}
        yield f"{name}: emptied", log | {name: b""}
        yield f"{name}: zeros instead", log | {name: bytes(len(log[name]))}
        yield f"{name}: zeros in the middle", log | {name: log[name][:700] + bytes(64) + log[name][764:]}
        yield f"{name}: all of another blob", log | {name: log[SECOND]}
        yield f"{name}: another writer's", log | {name: log[OTHER]}
        spaced = log[name].replace(b'"v":1,', b'"v": 1,', 1)
        yield f"{name}: a space in a header", log | {name: spaced}
        yield f"{name}: a field twice in a header", log | {name: log[name].replace(b'"v":1,', b'"v":1,"v":1,', 1)}
        renamed = {other: data for other, data in log.items() if other != name}
        for label, to in (
            ("another hour", name.replace("/23/", "/24/")),
            ("another writer", name.replace(WRITER, "somebody")),
            ("another number", name.replace("-0.", "-7.").replace("-2.", "-7.")),
            ("a name of no blob", f"{name}.bak"),
        ):
            yield f"{name}: moved to {label}", renamed | {to: log[name]}
            yield f"{name}: copied to {label}", log | {to: log[name]}
        moved = name.replace(WRITER, "somebody")
        yield f"{name}: moved to another writer and written anew", renamed | {moved: rewritten(moved, frames, same)}
        later = name.replace("/23/", "/24/")
        yield f"{name}: copied to another hour and written anew", log | {later: rewritten(later, frames, same)}
    frames = frames_of(log, FIRST)
    yield "a record altered, its blob written anew", log | {FIRST: rewritten(FIRST, frames, other_record)}
    yield "a frame left out, its blob written anew", log | {FIRST: rewritten(FIRST, frames, without_one)}
    yield "nothing altered, its blob written anew without `close`", log | {FIRST: rewritten(FIRST, frames[:-1], same)}
    for name in (FIRST, SECOND):
        yield f"{name} deleted", {other: data for other, data in log.items() if other != name}
    yield "all but the newest deleted", {THIRD: log[THIRD]}
    yield "something that is no blob of the log", log | {f"log/v1/{HOUR}/notes.txt": b"hello"}
    yield "another version beside it", log | {"log/v2/x": b""}
    detached = [b'{"writer":"%s"}' % WRITER.encode()]
    yield (
        "the newest blob detached from the ones before",
        log | {THIRD: rewritten(THIRD, frames_of(log, THIRD), lambda n, frame: detached if n == 0 else frame.lines)},
    )
    to_other = b'{"writer":"%s","previous_blob":"%s","previous_head":"%s","about":{}}' % (
        WRITER.encode(),
        OTHER.encode(),
        frames_of(log, OTHER)[-1].head.encode(),
    )
    yield (
        "the newest blob hung behind another writer's",
        log | {THIRD: rewritten(THIRD, frames_of(log, THIRD), lambda n, frame: [to_other] if n == 0 else frame.lines)},
    )
    to_itself = to_other.replace(OTHER.encode(), THIRD.encode())
    yield (
        "the newest blob hung behind itself",
        log | {THIRD: rewritten(THIRD, frames_of(log, THIRD), lambda n, frame: [to_itself] if n == 0 else frame.lines)},
    )


def unseen(log: Log) -> Iterator[tuple[str, Log]]:
    """Tamperings that only something kept outside the container can show: the list in audit/README.md."""
    frames = frames_of(log, THIRD)
    yield "newest blob removed", {name: data for name, data in log.items() if name != THIRD}
    yield "all blobs of a writer removed", {name: data for name, data in log.items() if name != OTHER}
    yield "all removed", {}
    yield "newest blob's record altered, written anew", log | {THIRD: rewritten(THIRD, frames, other_record)}
    yield "newest blob's frame left out, written anew", log | {THIRD: rewritten(THIRD, frames, without_one)}
    shorter = [*frames[:2], frames[-1]]
    yield "newest blob's end cut off and closed again", log | {THIRD: rewritten(THIRD, shorter, same)}
    longer = [*frames[:4], frames[2], frames[-1]]
    yield "records put behind the newest, closed again", log | {THIRD: rewritten(THIRD, longer, same)}
    close = stored(log, frames[-1])
    data, _ = encode_frame(
        "close", THIRD, frames[-1].offset, frames[-1].sequence, [], frames[-1].previous, frames[-1].append_us + 1
    )
    yield "newest `close` with another `append_us`", log | {THIRD: log[THIRD].removesuffix(close) + data}
    made_up = f"log/v1/{HOUR}/made-up-0.jsonl"
    opening, _ = encode_frame("open", made_up, 0, 0, [b'{"writer":"made-up"}'], ZERO_HEAD)
    yield "a writer made up", log | {made_up: opening + encode_close(made_up, opening)}
    yield "a writer's chain written anew from a point on", forged_chain()


def encode_close(name: str, opening: bytes) -> bytes:
    head = read_blob(store_of({name: opening}), name).frames[0].head
    data, _ = encode_frame("close", name, len(opening), 1, [], head)
    return data


def forged_chain() -> Log:
    """The whole log again with one early record altered, as its writer would have written it."""
    log = whole_log()
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    for hour in range(3):
        clock.now_s = NOON_S + hour * 3600
        for name in "abc":
            writer.append(lines("FORGED" if (name, hour) == ("c", 0) else f"{name}-{hour}"))
    writer.leave()
    return log | {info.name: store.read(info.name) for info in store.list()}
