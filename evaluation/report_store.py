"""Reports in the derived container: written once for each id, listed, and read. Imports nothing heavy.

    reports/{model}/{report id}/report.json, report.html, entry.json
    reports/{model}/latest.json                                       the entry of the newest report

The entry is written last, so that all is there once it is. `latest.json` is never replaced by an older one.
A name or an id that comes from outside is checked before it becomes a blob's name.

What is stored may be damaged, or written by somebody else. An entry counts only if it is one of this version, of the
model and report whose folder it lies in: any other is as if it were not there. Where `latest.json` is no such entry, or
names a report that is gone, the newest entry of the list is the latest. No more is read than an entry or a report has.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from audit.errors import NotFound
from audit.store import Store
from evaluation.report_format import SCHEMA, Report, ReportEntry, Window, decode_report, encode_report, entry_of
from evaluation.windows import is_report_id, report_id, split_id, window_id
from scoring.bundle import NAME

HTML = "text/html; charset=utf-8"
JSON = "application/json"
LARGEST_ENTRY_BYTES = 1 << 20
LARGEST_REPORT_BYTES = 32 << 20
_entry_decoder = msgspec.json.Decoder(ReportEntry)
_PASSED_BY = 20  # entries that may be damaged among those of a list


def write_report(derived: Store, report: Report, html: str | None) -> ReportEntry:
    """Store a report, over one of the same id, and make it the latest if none is newer.

    Raises `ValueError` for one made before production: it says nothing of the log, and must never be the latest here.
    """
    if report.occasion != "production":
        raise ValueError(f"{report.id} was made before production; keep it as a file, not among the reports of the log")
    entry = entry_of(report)
    folder = _folder(report.model.name, report.id)
    derived.put(f"{folder}/report.json", encode_report(report), overwrite=True, content_type=JSON)
    if html is not None:
        derived.put(f"{folder}/report.html", html.encode(), overwrite=True, content_type=HTML)
    newest = latest(derived, entry.model)
    if newest is None or _age(newest) <= _age(entry):
        derived.put(f"reports/{entry.model}/latest.json", encode_report(entry), overwrite=True, content_type=JSON)
    derived.put(f"{folder}/entry.json", encode_report(entry), overwrite=True, content_type=JSON)
    return entry


def list_reports(derived: Store, model: str, limit: int = 100) -> list[ReportEntry]:
    """Entries of a model's reports, the newest `as_of` first. One listing, and a read for each entry.

    Of more than `limit` the newest report of each window comes first, then what was made of it before: else the
    reports that a day gets each hour would soon leave no room for any other window.
    """
    if not NAME.fullmatch(model):
        return []
    ids = sorted(set(_ids(derived, model)), key=lambda text: (split_id(text)[1], text), reverse=True)
    newest = {split_id(text)[0]: text for text in reversed(ids)}
    wanted = sorted(ids, key=lambda text: newest[split_id(text)[0]] != text)[: limit + _PASSED_BY]
    entries = (_entry(derived, f"{_folder(model, text)}/entry.json", model) for text in wanted)
    sound = list(islice((entry for entry in entries if entry is not None), limit))
    return sorted(sound, key=lambda entry: (split_id(entry.id)[1], entry.id), reverse=True)


def newest_made(derived: Store, model: str, window: Window) -> str | None:
    """When the newest stored report on a window was made, as ids have it (`20261124T000000Z`); None without any."""
    prefix = f"{window_id(window)}-"
    ids = {text for text in _ids(derived, model, prefix) if split_id(text)[0] == window_id(window)}
    return max((split_id(text)[1] for text in ids), default=None)


def written_s(derived: Store, model: str, report: str) -> float | None:
    """Unix time at which a report was stored; None if it is not there, or its entry is damaged."""
    name = f"{_folder(model, report)}/entry.json"
    stored_s = next((info.modified_s for info in derived.list(name) if info.name == name), None)
    return stored_s if stored_s is not None and _entry(derived, name, model) else None


def latest(derived: Store, model: str) -> ReportEntry | None:
    """The entry of a model's newest report; None if there is none. One read, if it is sound: for the home page."""
    if not NAME.fullmatch(model):
        return None
    name = f"reports/{model}/latest.json"
    return _entry(derived, name, model) or next(iter(list_reports(derived, model, limit=1)), None)


def read_report(derived: Store, model: str, report: str = "latest") -> Report | None:
    """A report by id, or the latest; None if there is none. Raises `ValueError` for one of another format version."""
    data = read_report_json(derived, model, report)
    return None if data is None else decode_report(data)


def read_report_json(derived: Store, model: str, report: str = "latest") -> bytes | None:
    """The bytes of `report.json`; None if there is none."""
    return _read_file(derived, model, report, "report.json")


def read_report_html(derived: Store, model: str, report: str = "latest") -> bytes | None:
    """The bytes of `report.html`; None if there is none."""
    return _read_file(derived, model, report, "report.html")


def _read_file(derived: Store, model: str, report: str, name: str) -> bytes | None:
    if not NAME.fullmatch(model):
        return None
    if report != "latest":
        return (
            _read(derived, f"{_folder(model, report)}/{name}", LARGEST_REPORT_BYTES) if is_report_id(report) else None
        )
    entry = latest(derived, model)
    found = None if entry is None else _read_file(derived, model, entry.id, name)
    if entry is None or found is not None:
        return found
    newest = next((each for each in list_reports(derived, model, limit=2) if each.id != entry.id), None)
    return None if newest is None else _read_file(derived, model, newest.id, name)


def _folder(model: str, report: str) -> str:
    return f"reports/{model}/{report}"


def _ids(derived: Store, model: str, prefix: str = "") -> Iterator[str]:
    for info in derived.list(f"reports/{model}/{prefix}"):
        _, _, report, *name = info.name.split("/")
        if name == ["entry.json"] and is_report_id(report):
            yield report


def _age(entry: ReportEntry) -> tuple[str, str, str]:
    return entry.as_of, entry.window.until, entry.id


def _entry(derived: Store, name: str, model: str) -> ReportEntry | None:
    """The entry in a blob; None if there is none, or it is damaged or not of what it should be."""
    data = _read(derived, name, LARGEST_ENTRY_BYTES)
    if data is None or len(data) > LARGEST_ENTRY_BYTES:
        return None
    try:
        entry = _entry_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    folder = name.rpartition("/")[0]
    is_here = folder in (f"reports/{model}", _folder(model, entry.id))
    return entry if is_here and entry.model == model and _is_sound(entry) else None


def _is_sound(entry: ReportEntry) -> bool:
    """Whether its parts agree, and are no more than a report can say: its id is a blob's name and a link."""
    made = is_report_id(entry.id) and entry.id == report_id(entry.window, entry.as_of)
    return entry.schema == SCHEMA and made and 0 <= entry.calls < 2**63


def _read(derived: Store, name: str, largest_bytes: int) -> bytes | None:
    """What there is; one byte more than the largest of its kind if it is larger."""
    try:
        return derived.read(name, 0, largest_bytes + 1)
    except NotFound:
        return None
