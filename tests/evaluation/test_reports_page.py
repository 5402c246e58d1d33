"""The list of reports: a line for each window, the history of its days, and since when a section alerts."""

from __future__ import annotations

import re

from msgspec.structs import replace

from evaluation.pages.reports import reports_page
from evaluation.report_format import entry_of
from tests.evaluation.example_pages import history_entries
from tests.evaluation.example_report import empty_report, example_report

PAGE = reports_page("wine", history_entries(), code="k")


def test_each_window_has_one_line_which_leads_to_its_newest_report() -> None:
    links = re.findall(r'<th scope="row" class="say"><a href="[^"]*/reports/([^"?]+)', PAGE)
    assert len(links) == 23  # 21 days, a week, a window since a version
    assert links[:3] == ["week-1", "version-1", "day-2026-11-21-20261122T090000Z"]
    assert "since version 2: 14 Nov 2026, 09:00 UTC" in PAGE


def test_what_was_made_of_a_window_before_is_linked_behind_its_newest() -> None:
    assert PAGE.count("1 before") == 2
    assert "day-2026-11-21-20261122T000700Z" in PAGE


def test_the_history_has_a_bar_for_each_verdict_and_says_since_when_a_section_alerts() -> None:
    assert PAGE.count('class="h-alert"') == 4 + 5 + 6 + 7 + 8, "a section begins a day before the one above it"
    assert "Drift alerts since 15 Nov 2026, on each of the last 7 days that have a verdict." in PAGE
    assert "drift: 7 alert, 6 warn, 6 ok." in PAGE


def test_a_single_day_and_an_hour_make_no_history() -> None:
    page = reports_page("wine", [entry_of(example_report("binary")), entry_of(empty_report())])
    assert "Day by day" not in page


def test_a_section_that_only_some_reports_have_gets_a_column() -> None:
    day = entry_of(example_report("binary"))
    more = day.verdicts | {"audit": day.verdicts["coverage"]}
    page = reports_page("wine", [*history_entries(), replace(day, verdicts=more)])
    assert '<th scope="col">Audit</th>' in page
