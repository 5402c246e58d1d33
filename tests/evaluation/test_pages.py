"""Every page: one self-contained file, small, escaped, with the code in its links, and the answer in its words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from evaluation import report_format as f
from evaluation.pages.docs import docs_page
from evaluation.pages.home import HomeModel, home_page
from evaluation.pages.instance import instance_page
from evaluation.pages.report import report_page
from evaluation.pages.reports import no_report_page, reports_page
from evaluation.pages.trail import Evidence, InstanceTrail
from evaluation.report_format import entry_of
from scoring.catalog import Catalog
from scoring.feature_rule import WIDENED_BY
from scoring.openapi import openapi as real_openapi
from tests.evaluation.example_pages import ATTACK, openapi, pages, trail
from tests.evaluation.example_report import empty_report, example_report
from tests.scoring.bundles import numeric_manifest, write_bundle

PAGES = pages()
MOST_BYTES = 2_000_000
VOID = {"meta", "link", "br", "hr", "img", "input", "path", "line", "rect", "circle"}


class Reading(HTMLParser):
    """The page as a parser sees it: elements, links, ids, words, and whether everything is closed."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "title", "desc"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    @property
    def links(self) -> list[str]:
        return [attrs["href"] or "" for tag, attrs in self.elements if tag == "a" and "href" in attrs]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
class TestEveryPage:
    def test_needs_nothing_but_itself(self, page: str) -> None:
        reading = Reading(page)
        assert reading.open == []
        assert not [tag for tag, _ in reading.elements if tag in {"script", "iframe", "object", "img", "base"}]
        forms = [attrs for tag, attrs in reading.elements if tag == "form"]
        assert all((attrs["action"] or "").startswith("/") for attrs in forms)  # and the policy lets no other be sent
        assert not [name for _, attrs in reading.elements for name in attrs if name.startswith("on") or name == "src"]
        loaded = [attrs["href"] or "" for tag, attrs in reading.elements if tag == "link"]
        assert all(href.startswith("data:") for href in loaded)
        assert "url(" not in page
        assert "@import" not in page

    def test_is_small_and_can_be_stored(self, page: str) -> None:
        assert len(page.encode("utf-8")) < MOST_BYTES

    def test_has_a_language_a_title_one_main_heading_and_no_id_twice(self, page: str) -> None:
        reading = Reading(page)
        tags = [tag for tag, _ in reading.elements]
        assert dict(reading.elements)["html"]["lang"] == "en"
        assert tags.count("h1") == tags.count("main") == 1
        assert tags[tags.index("meta") : tags.index("style")].count("title") == 1
        ids = [attrs["id"] for _, attrs in reading.elements if "id" in attrs]
        assert len(ids) == len(set(ids))

    def test_points_only_to_its_own_sections_and_our_routes(self, page: str) -> None:
        reading = Reading(page)
        ids = {attrs["id"] for _, attrs in reading.elements if "id" in attrs}
        for href in reading.links:
            assert href[1:] in ids if href.startswith("#") else re.match(r"/(?!/)", href), href

    def test_leaves_nothing_of_the_templates(self, page: str) -> None:
        text = Reading(page.replace("{{7*7}}", "")).text
        assert "{{" not in text
        assert "{%" not in text
        assert not re.search(r"\b(None|nan|Undefined|Markup)\b", text)

    def test_sends_no_referrer_and_runs_nothing_even_if_something_slipped_in(self, page: str) -> None:
        metas = {
            attrs.get("name") or attrs.get("http-equiv"): attrs.get("content")
            for tag, attrs in Reading(page).elements
            if tag == "meta"
        }
        assert metas["referrer"] == "no-referrer"
        assert (metas["Content-Security-Policy"] or "").startswith("default-src 'none'")


def test_the_code_is_in_every_link_of_a_page_that_was_opened_with_one() -> None:
    for page in (
        home_page([HomeModel("wine", "1", latest=entry_of(example_report()))], with_key=True, code="k e&y"),
        report_page(example_report(), served=True, code="k e&y"),
        reports_page("wine", [entry_of(empty_report())], code="k e&y"),
        no_report_page("wine", code="k e&y"),
        instance_page(trail(), code="k e&y"),
        PAGES["spot check"],
        docs_page(openapi(), code="k e&y"),
    ):
        links = [href for href in Reading(page).links if not href.startswith("#")]
        assert links
        assert all(href.endswith("code=k+e%26y") for href in links), links


def test_a_stored_report_has_no_links_that_its_file_could_not_follow() -> None:
    assert all(href.startswith("#") for href in Reading(report_page(example_report())).links)


def test_the_code_is_never_in_a_command_to_copy() -> None:
    for text in re.findall(r"<pre.*?</pre>", docs_page(openapi(), code="geheim"), flags=re.DOTALL):
        assert "geheim" not in text


def test_without_a_key_the_home_page_tells_no_verdict_and_links_to_no_data() -> None:
    model = HomeModel("wine", "1", latest=entry_of(example_report("multiclass")))
    told = Reading(home_page([model], with_key=False, code="stolen"))
    assert "wine" in told.text
    assert "Alert" not in told.text
    assert "95.2" not in told.text
    assert not [href for href in told.links if href.startswith("/models") or "stolen" in href]


def test_a_model_that_cannot_be_served_says_why() -> None:
    page = home_page([HomeModel("wine", None, problem="its SHA-256 differs")], with_key=False)
    assert "its SHA-256 differs" in Reading(page).text


def test_the_first_screen_gives_each_section_its_verdict_number_limit_and_sentence() -> None:
    report = example_report("binary")
    text = Reading(report_page(report)).text.replace("\u00a0", " ")
    first = text[: text.index("How many calls got a sensible output")]
    for section in (report.coverage, report.performance, report.profiling, report.drift):
        assert section.verdict.sentence in first
    for number in ("95.2 %", "97.0 %", "0.810", "0.950", "0.03", "410 µs", "5 ms", "0.310", "0.100"):
        assert number in first, number
    assert first.count("Alert") == 3
    assert "Provisional" in first


def test_only_a_provisional_report_is_called_so() -> None:
    final = msgspec.structs.replace(example_report(), provisional=False)
    assert "Provisional" not in Reading(report_page(final)).text


def test_every_number_of_the_report_stands_on_the_page() -> None:
    report = example_report("binary")
    text = Reading(report_page(report)).text
    for figure in report.performance.figures:
        assert figure.title in text
        assert (figure.status or ("Not worse beyond chance." if figure.level == "ok" else figure.sentence)) in text
    for one in [*report.drift.features, *report.drift.outputs]:
        assert one.sentence in text
        assert all(statistic.title in text for statistic in one.statistics)
    for stage in report.profiling.stages:
        assert stage.title in text
    for count in report.coverage.reasons:
        assert count.name.replace("_", " ") in text
    for sentence in [*report.notes, *report.model.convergence, *report.performance.notes, report.drift.method]:
        assert sentence in text
    assert report.sources.findings[0].what in text


def test_quiet_features_are_folded_away_and_drifted_ones_never_are() -> None:
    report = example_report("binary")
    loud, quiet = report.drift.features[0], report.drift.features[1]
    named = [msgspec.structs.replace(one, name=f"{one.level} {n}") for one in (loud, quiet) for n in range(20)]
    page = report_page(msgspec.structs.replace(report, drift=msgspec.structs.replace(report.drift, features=named)))
    before, folded = page.split('<details class="fold">')
    assert "17 more features are distributed as before production" in Reading(page).text
    assert [one.name for one in named if f"<bdi>{one.name}</bdi></h4>" in before] == [one.name for one in named[:23]]
    assert all(f"<bdi>{one.name}</bdi></h4>" in folded for one in named[23:])
    assert '<details class="fold">' not in report_page(report), "four features are no long scroll"


def test_words_on_an_input_fault_stand_only_where_its_verdict_is_not_ok() -> None:
    report = example_report("binary")
    own = [msgspec.structs.replace(rates, sentence=f"{rates.name}: hm.") for rates in report.coverage.features]
    report = msgspec.structs.replace(report, coverage=msgspec.structs.replace(report.coverage, features=own))
    text = Reading(report_page(report)).text
    for rates in own:
        assert (rates.sentence in text) is (rates.level in ("warn", "alert")), rates.name
    quiet = [
        msgspec.structs.replace(rates, level="ok", kinds=[], outside=3, name=f"f{n}")
        for n, rates in enumerate(report.coverage.features)
    ]
    calm = msgspec.structs.replace(report, coverage=msgspec.structs.replace(report.coverage, features=quiet))
    table = report_page(calm).split("Faults in the input, by feature")[1].split("</table>")[0]
    assert "In words" not in table
    assert table.count("</th>") == 6 + len(quiet)


def test_a_column_of_figures_by_class_is_there_only_if_a_class_has_some() -> None:
    report = example_report("multiclass")
    bare = [msgspec.structs.replace(one, figures=[]) for one in report.performance.classes]
    without = msgspec.structs.replace(report, performance=msgspec.structs.replace(report.performance, classes=bare))
    assert "Figures, now and before" in Reading(report_page(report)).text
    assert "Figures, now and before" not in Reading(report_page(without)).text


def test_a_card_shortens_a_long_description_at_a_word_and_names_its_numbers() -> None:
    story = "Which cultivar was it? " + "measured " * 60
    entry = entry_of(example_report("multiclass"))
    headline = f.Verdict(level="ok", sentence="Good.", figure="roc_auc_macro", value=0.81)
    moved = f.Verdict(level="ok", sentence="Good.", figure="probability:class_1", value=0.14)
    entry = msgspec.structs.replace(entry, verdicts=entry.verdicts | {"performance": headline, "drift": moved})
    model = HomeModel("wine", "1", description=story, latest=entry)
    words = Reading(home_page([model], with_key=True)).text.split()
    assert "measured…" in words
    assert "characters)" not in words
    assert " ".join(words).count("ROC AUC, one against the rest, macro 0.810") == 1
    assert " ".join(words).count("probability: class_1 0.140") == 1, "a name too long for its card wraps at its colon"


def test_a_report_without_calls_has_no_silent_blank() -> None:
    text = Reading(report_page(empty_report())).text
    assert text.count("There were no calls in this window") >= 4
    assert text.count("No data") >= 5
    assert "no bundle wine/1 here" in text


def test_plots_are_described_for_those_who_cannot_see_them() -> None:
    page = report_page(example_report("multiclass"))
    plots = [tag for tag in re.findall(r"<svg [^>]*>", page) if 'role="img"' in tag]
    described = re.findall(r'<svg [^>]*role="img"><title>[^<]+</title><desc>[^<]+</desc>', page)
    assert len(described) == len(plots) > 10
    assert all('aria-hidden="true"' in tag for tag in re.findall(r"<svg [^>]*>", page) if tag not in plots)


def test_hostile_values_are_shown_and_mean_nothing() -> None:
    for name, page in PAGES.items():
        assert "<script" not in page, name
        assert "\u202e" not in page, name
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page), name
    assert "<script>alert('x')</script>" in Reading(PAGES["report with hostile values"]).text
    assert "{{7*7}}" in Reading(no_report_page(ATTACK)).text


def test_a_value_of_100_kb_is_cut_on_the_page_of_its_instance() -> None:
    record = {"kind": "score", "outcome": "scored", "ts": "2026-11-23T14:05:06.123456Z", "x": {"n": "z" * 100_000}}
    page = instance_page(InstanceTrail("m", "a", [Evidence(record, "b", 0, 0)]))
    assert len(page) < 100_000
    assert "… (100,000 characters)" in page


def test_a_thousand_features_and_classes_stay_under_two_megabytes_and_say_what_is_left_out() -> None:
    report = example_report("multiclass")
    name = "n" * 5000 + "é"
    many = [msgspec.structs.replace(report.drift.features[0], name=f"{i} {name}", sentence=name) for i in range(1000)]
    rates = [msgspec.structs.replace(report.coverage.features[0], name=f"{i} {name}", missing=i) for i in range(1000)]
    labels = [f"{i} {name}" for i in range(50)]
    large = msgspec.structs.replace(
        report,
        coverage=msgspec.structs.replace(report.coverage, features=rates, hours=report.coverage.hours * 16),
        performance=msgspec.structs.replace(
            report.performance,
            confusion=f.Confusion(labels=labels, counts=[[10**9] * 50] * 50),
            classes=[msgspec.structs.replace(report.performance.classes[0], label=label) for label in labels],
            curves=[msgspec.structs.replace(c, label=label) for label in labels for c in report.performance.curves],
            notes=[name] * 1000,
        ),
        drift=msgspec.structs.replace(report.drift, features=many, outputs=many),
    )
    page = report_page(large)
    assert len(page.encode()) < MOST_BYTES
    text = Reading(page).text
    for told in (
        "940 more features in",
        "960 more features with faults",
        "38 more classes",
        "30 more classes",
        "940 more outputs",
    ):
        assert told in text, told


def test_an_instance_shows_values_beside_their_ranges_with_flags_and_where_they_lie() -> None:
    text = Reading(instance_page(trail())).text.replace("\u00a0", " ")
    for told in (
        "3001.5",
        "143.5 to 2,501",
        "outside: above",
        "missing",
        "artifact: unseen category",
        "6.98 to 28.11 mm",
    ):
        assert told in text, told
    for told in ("malignant", "93.0 %", "Ground truth", "benign", "9f2c" * 16, "challenger", "judge 41 µs", "Verified"):
        assert told in text, told


def test_the_raw_record_stands_on_its_page_as_json() -> None:
    evidence = trail().evidence[0]
    reading = Reading(instance_page(InstanceTrail("m", "a", [evidence])))
    found = next(words for words in reading.words if words.lstrip().startswith("{"))
    assert json.loads(found) == evidence.record


def test_an_instance_shows_notes_seals_replays_and_how_to_check_them() -> None:
    text = Reading(instance_page(trail())).text
    for told in (
        "Disputed",
        "R. Okafor",
        "The radius is that of another patient.",
        "Sealed and signed",
        "5e" * 32,
        "The same to the last bit",
        "0.9300000000000002",
        "2 more scored records were not replayed",
        "python -m audit verify --since 2026-11-23T14:00 --until 2026-11-23T15:00",
        f"python -m scoring replay {trail().id} --model breast-cancer",
    ):
        assert told in text, told


def test_of_an_id_with_thousands_of_records_the_oldest_and_the_newest_are_shown() -> None:
    record = {"kind": "score", "outcome": "scored", "ts": "2026-11-23T14:05:06.123456Z"}
    page = instance_page(InstanceTrail("m", "a", [Evidence(record, "b", n, 0, verified=True) for n in range(5000)]))
    text = Reading(page).text
    assert "4,800 between them are in the JSON" in text
    assert all(f"{sequence}, 0" in text for sequence in (0, 99, 4900, 4999))
    assert len(page) < 1_000_000


def test_a_spot_check_says_of_how_many_it_was_drawn_and_links_each_instance() -> None:
    reading = Reading(PAGES["spot check"])
    assert "4 records drawn at random from 40 that match, of 1,200 records looked at" in reading.text
    assert "Drawn with seed 17" in reading.text
    assert "/models/wine/instances/a-17?code=k+e%26y" in reading.links
    fixed = "sample=3&since=2026-11-23T12%3A00%3A00.000000Z&until=2026-11-24T12%3A00%3A00.000000Z&seed=17"
    assert f"/models/wine/instances?{fixed}&code=k+e%26y" in reading.links
    assert "No record matches" in Reading(PAGES["spot check of nothing"]).text
    hostile = Reading(PAGES["spot check with hostile values"]).text
    assert "3 older hours of it were not looked at" in hostile
    assert "and 3 more." in hostile


def test_a_frame_that_does_not_verify_is_said_first() -> None:
    record = trail().evidence[0].record
    trails = InstanceTrail("m", "a", [Evidence(record, "b", 0, 0, verified=True), Evidence(record, "c", 1, 0)])
    text = Reading(instance_page(trails)).text
    assert "Not verified" in text[: text.index("In the log")]


def test_the_documentation_shows_each_route_with_a_command_that_a_shell_can_run() -> None:
    text = Reading(docs_page(openapi(), base_url="http://127.0.0.1:9")).text
    assert "/models/{model}/score" in text
    page = docs_page(openapi(), base_url="http://127.0.0.1:9")
    command = next(w for w in Reading(page).words if w.startswith("curl -X POST"))
    echoed = subprocess.run(
        ["bash", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}; KEY=k; {command}"],
        capture_output=True,
        text=True,
        check=True,
    )
    arguments = echoed.stdout.splitlines()
    assert "http://127.0.0.1:9/models/breast-cancer/score" in arguments
    assert json.loads(arguments[-1])["instances"][0]["breast-cancer"] == "it's"


def test_the_documentation_of_the_real_api_names_every_route_and_feature(tmp_path: Path) -> None:
    write_bundle(tmp_path, numeric_manifest(3))
    document = real_openapi(Catalog.load(tmp_path))
    text = Reading(docs_page(document)).text
    for path in document["paths"]:
        assert path in text, path
    schemas = document["components"]["schemas"].values()
    described = [feature["name"] for schema in schemas for feature in schema.get("x-features", [])]
    assert described
    for name in described:
        assert name in text


def test_what_is_odd_about_an_instance_as_a_whole_is_shown_and_so_is_one_that_is_none() -> None:
    record = {"kind": "score", "outcome": "scored", "flags": {"artifacts": {"*": ["duplicate_instance"]}}, "x": {}}
    found = [Evidence(each, "blob", 1, 0, verified=True) for each in (record, record | {"x": [1, "<b>"]})]
    text = Reading(instance_page(InstanceTrail("wine", "a", found, ""))).text
    assert "The instance as a whole: artifact: duplicate instance" in text
    assert 'What was sent is no object of features: [1, "<b>"]' in text


def test_fields_of_a_body_of_several_shapes_are_those_of_all_of_them() -> None:
    one = {"properties": {"a": {"type": "string"}, "b": {"const": 1}}, "required": ["a"]}
    other = {"properties": {"a": {"type": "array", "items": {"type": "integer"}}}, "required": ["a"]}
    body = {"content": {"application/json": {"schema": {"anyOf": [one, other]}}}}
    text = Reading(docs_page({"paths": {"/x": {"post": {"requestBody": body, "responses": {}}}}})).text
    assert "a required" in text
    assert "string or list of integer" in text


def test_a_reference_in_a_circle_ends() -> None:
    circle = {
        "paths": {"/x": {"get": {"responses": {"200": {"$ref": "#/a"}}}}},
        "a": {"$ref": "#/b"},
        "b": {"$ref": "#/a"},
    }
    assert "/x" in Reading(docs_page(circle)).text


def test_importing_the_pages_loads_no_template_engine() -> None:
    modules = ["home", "report", "reports", "instance", "spot_check", "docs"]
    program = f"import sys, importlib; [importlib.import_module('evaluation.pages.' + m) for m in {modules}]"
    heavy = "print([m for m in ('jinja2', 'pandas', 'sklearn', 'scipy', 'pyarrow', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{program}; {heavy}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_instance_page_says_which_value_was_refused() -> None:
    cut = {"prefix": "y" * 64, "length": 2000, "sha256": "0" * 64}
    record = {
        "kind": "score",
        "outcome": "rejected",
        "reasons": ["wrong_type", "not_finite", "too_long", "unknown_feature"],
        "flags": {
            "missing": ["unknown"],
            "faults": {
                "age": ["wrong_type"],
                "member": ["wrong_type"],
                "height": ["not_finite"],
                "job": ["too_long"],
                "wieght": ["unknown_feature"],
            },
        },
        "x": {"age": 41.5, "member": 1, "height": "Infinity", "job": cut, "weight": 70, "unknown": "N/A", "wieght": 70},
    }
    kinds = {
        "age": "integer",
        "member": "boolean",
        "height": "float",
        "job": "string",
        "weight": "float",
        "unknown": "float",
    }
    features = [{"name": name, "type": kind} for name, kind in kinds.items()]
    page = instance_page(InstanceTrail("m", "a", [Evidence(record, "b", 0, 0)], features=features))
    rows = re.findall(r'<bdi>(\w+)</bdi></th>.*?<td class="flags">(.*?)</td>', page)
    flags = {name: re.findall(r'class="chip">(.*?)<', found) for name, found in rows}
    assert flags == {
        "age": ["wrong type"],
        "member": ["wrong type"],
        "height": ["not finite"],
        "job": ["too long"],
        "weight": [],
        "unknown": ["missing"],
        "wieght": ["unknown feature"],
    }
    assert "y" * 64 + "… (2,000 characters)" in Reading(page).text


def test_the_page_of_an_instance_too_large_for_the_log_shows_its_beginning_and_no_features() -> None:
    sent = {"prefix": '{"age": 3', "length": 300_000, "sha256": "0" * 64}
    record = {"kind": "score", "outcome": "rejected", "reasons": ["too_long"], "x": sent}
    features = [{"name": "age", "type": "float"}]
    text = Reading(instance_page(InstanceTrail("m", "a", [Evidence(record, "b", 0, 0)], features=features))).text
    assert '{"age": 3… (300,000 bytes)' in text
    assert "not sent" not in text


def test_the_pages_say_how_far_beyond_the_training_range_is_outside() -> None:
    assert WIDENED_BY == 0.05
    assert "farther from the training range than 5 % of" in Reading(instance_page(trail())).text
    assert "farther from it than 5 % of" in Reading(docs_page(openapi())).text
