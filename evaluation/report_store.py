"""Reports in the derived container: written once for each id, listed, and read. Imports nothing heavy.

    reports/{model}/{report id}/report.json, report.html, entry.json
    reports/{model}/latest.json                                       the entry of the newest report

The entry is written last, so that all is there once it is. `latest.json` is never replaced by an older one.
A name or an id that comes from outside is checked before it becomes a blob's name.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from audit.errors import NotFound
from audit.store import Store
from evaluation.report_format import Report, ReportEntry, Window, decode_report, encode_report, entry_of
from evaluation.windows import is_report_id, split_id, window_id
from scoring.bundle import NAME

HTML = "text/html; charset=utf-8"
JSON = "application/json"


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
    chosen = set(sorted(ids, key=lambda text: newest[split_id(text)[0]] != text)[:limit])
    entries = (_entry(derived, f"{_folder(model, text)}/entry.json") for text in ids if text in chosen)
    return [entry for entry in entries if entry is not None]


def newest_made(derived: Store, model: str, window: Window) -> str | None:
    """When the newest stored report on a window was made, as ids have it (`20261124T000000Z`); None without any."""
    prefix = f"{window_id(window)}-"
    ids = {text for text in _ids(derived, model, prefix) if split_id(text)[0] == window_id(window)}
    return max((split_id(text)[1] for text in ids), default=None)


def written_s(derived: Store, model: str, report: str) -> float | None:
    """Unix time at which a report was stored; None if it is not there, or not whole."""
    name = f"{_folder(model, report)}/entry.json"
    return next((info.modified_s for info in derived.list(name) if info.name == name), None)


def latest(derived: Store, model: str) -> ReportEntry | None:
    """The entry of a model's newest report; None if there is none. One read: this is for the home page."""
    return _entry(derived, f"reports/{model}/latest.json") if NAME.fullmatch(model) else None


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
    if report == "latest":
        entry = latest(derived, model)
        report = "" if entry is None else entry.id
    if not NAME.fullmatch(model) or not is_report_id(report):
        return None
    return _read(derived, f"{_folder(model, report)}/{name}")


def _folder(model: str, report: str) -> str:
    return f"reports/{model}/{report}"


def _ids(derived: Store, model: str, prefix: str = "") -> Iterator[str]:
    for info in derived.list(f"reports/{model}/{prefix}"):
        _, _, report, *name = info.name.split("/")
        if name == ["entry.json"] and is_report_id(report):
            yield report


def _age(entry: ReportEntry) -> tuple[str, str, str]:
    return entry.as_of, entry.window.until, entry.id


def _entry(derived: Store, name: str) -> ReportEntry | None:
    """The entry in a blob; None if there is none, or it is damaged or of another format version."""
    data = _read(derived, name)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=ReportEntry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _read(derived: Store, name: str) -> bytes | None:
    try:
        return derived.read(name)
    except NotFound:
        return None
