"""Realistic, empty and hostile inputs for every page; no numbers of it are measured."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from audit.browse import Filter
from audit.integrity import Integrity
from audit.reader import Position
from audit.records import Record
from audit.spot_check import Asked, SpotCheck
from audit.survey import Survey
from evaluation.format.comparison import Comparison, Difference, Side
from evaluation.pages.docs import docs_page
from evaluation.pages.home import HomeModel, home_page
from evaluation.pages.instance import instance_page
from evaluation.pages.report import report_page
from evaluation.pages.reports import no_report_page, reports_page
from evaluation.pages.side_by_side import side_by_side_page
from evaluation.pages.spot_check import FIELDS, refused_look_page, spot_check_page
from evaluation.pages.trail import Evidence, InstanceTrail, Replayed
from evaluation.report_format import ReportEntry, Window, entry_of
from tests.evaluation.example_report import empty_report, example_report

ATTACK = (
    "\"><img src=x onerror=alert(1)><script>alert('x')</script></style></title>{{7*7}}&amp;\u202egnp.exe\x00\x07\ud800"
)


def pages() -> dict[str, str]:
    """Every page by a name that says what it shows."""
    return {
        "report of a classifier": report_page(example_report("binary")),
        "report of many classes, served": report_page(example_report("multiclass"), served=True, code="k e&y"),
        "report of a regression": report_page(example_report("regression")),
        "report without labels": report_page(example_report(labels=False)),
        "report without calls": report_page(empty_report()),
        "report with hostile values": report_page(example_report(hostile=True), served=True),
        "home": home_page(_models(), with_key=True, code="k e&y"),
        "home without a key": home_page(_models(), with_key=False),
        "home without models": home_page([], with_key=True),
        "home with hostile values": home_page([_hostile_model()], with_key=True, code=ATTACK),
        "reports": reports_page("wine", [entry_of(example_report("multiclass")), entry_of(empty_report())], code="k"),
        "reports, three weeks": reports_page("wine", history_entries(), code="k e&y"),
        "side by side": side_by_side_page(comparison()),
        "side by side with hostile values": side_by_side_page(comparison(ATTACK)),
        "reports, none yet": reports_page("wine", []),
        "reports with hostile values": reports_page(ATTACK, [entry_of(example_report(hostile=True))], code=ATTACK),
        "no report yet": no_report_page("wine", code="k"),
        "no report yet, hostile": no_report_page(ATTACK),
        "instance": instance_page(trail(), code="k e&y"),
        "spot check": spot_check_page("wine", {"sample": "3"}, *_spot_check(3), reasons=["wrong_type"], code="k e&y"),
        "spot check of nothing": spot_check_page("wine", {}, *_spot_check(None, none=True)),
        "spot check with hostile values": spot_check_page(
            ATTACK, dict.fromkeys(FIELDS, ATTACK), *_spot_check(None, hostile=True), reasons=[ATTACK], code=ATTACK
        ),
        "spot check refused, hostile": refused_look_page(ATTACK, dict.fromkeys(FIELDS, ATTACK), ATTACK, code=ATTACK),
        "instance without records": instance_page(InstanceTrail("wine", "a-17", [])),
        "instance with hostile values": instance_page(hostile_trail(), code=ATTACK),
        "docs": docs_page(openapi(), code="k"),
        "docs of nothing": docs_page({"openapi": "3.1.0", "paths": {}}),
        "docs with hostile values": docs_page(openapi(ATTACK), code=ATTACK),
    }


def history_entries() -> list[ReportEntry]:
    """Three weeks of days that go from bad to worse, two of them made again; a week; a window since a version."""
    example, levels = entry_of(example_report("multiclass")), ("no data", "ok", "warn", "alert")
    found = []
    for day in range(1, 22):
        name = f"2026-11-{day:02}"
        window = Window(kind="day", since=f"{name}T00:00:00Z", until=f"2026-11-{day + 1:02}T00:00:00Z", hours=24)
        verdicts = {
            section: replace(verdict, level=levels[min(3, (day + shift) // 6)])
            for shift, (section, verdict) in enumerate(example.verdicts.items())
        }
        for made in ("T00:07:00.000000Z", "T09:00:00.000000Z")[: 2 if day > 19 else 1]:
            id = f"day-{name}-202611{day + 1:02}{made[:9].replace(':', '')}Z"
            as_of = f"2026-11-{day + 1:02}{made}"
            found.append(replace(example, id=id, window=window, as_of=as_of, verdicts=verdicts, provisional=False))
    week = Window(kind="week", since="2026-11-16T00:00:00Z", until="2026-11-23T00:00:00Z", hours=168)
    since = Window(kind="version", since="2026-11-14T09:00:00Z", until="2026-11-23T00:00:00Z", hours=207, version="2")
    wide = [replace(example, id=f"{window.kind}-1", window=window) for window in (week, since)]
    return found[::-1] + wide


def comparison(word: str = "petal length") -> Comparison:
    """Two windows; `word` stands wherever names come from outside."""
    before, now = example_report("binary"), example_report("binary")
    figures = [
        replace(figure, sentence=f"{word}: {figure.sentence if figure.value is not None else figure.status}")
        for figure in now.performance.figures
    ]
    features = [replace(one, name=word) for one in now.drift.features]
    verdict = replace(now.verdict, sentence=f"{word} has drifted.")
    side = Side(
        label="22 November 2026, the whole day (UTC)",
        version="1",
        role="champion",
        window=before.window,
        verdicts=entry_of(before).verdicts,
        counts=before.coverage.counts,
        figures=figures,
        times=[replace(stage, edges_ms=[], counts=[]) for stage in now.profiling.stages],
    )
    other = replace(side, label=word, version=word, verdicts={})
    difference = Difference(
        label=word, figures=figures, drift=replace(now.drift, features=features, verdict=verdict), verdict=verdict
    )
    return Comparison(
        schema=1,
        kind="windows",
        model=word,
        as_of=now.as_of,
        provisional=True,
        verdict=verdict,
        sides=[side, other],
        differences=[difference],
        notes=[f"{word} is not known."],
    )


def _models() -> list[HomeModel]:
    return [
        HomeModel(
            name="breast-cancer",
            champion="1",
            versions=("1", "2"),
            task="binary",
            features=30,
            description="Is the mass malignant? Logistic regression on 30 measurements of cell nuclei.",
            latest=entry_of(example_report("binary")),
        ),
        HomeModel(name="diabetes", champion="1", versions=("1",), task="regression", features=10),
        HomeModel(name="wine", champion=None, problem="wine/1: model.onnx: its SHA-256 is not the manifest's"),
    ]


def _hostile_model() -> HomeModel:
    entry = entry_of(example_report(hostile=True))
    return HomeModel(
        name=ATTACK, champion=ATTACK, versions=(ATTACK,) * 20, task=ATTACK, description="x" * 100_000, latest=entry
    )


def _spot_check(sample: int | None, *, none: bool = False, hostile: bool = False) -> tuple[Asked, SpotCheck]:
    """Records of each kind, or none; with hostile values time was up and some of it does not verify."""
    word = ATTACK.encode("utf-8", "replace").decode() if hostile else "low_confidence"
    asked = Asked(Filter(model="wine", since_s=1_795_435_200.0), sample=sample, seed=17, now_s=1_795_521_600.0)
    about: dict[str, Any] = {"v": 1, "ts": "2026-11-23T14:05:06.123456Z", "model": "wine", "writer": "w"}
    records = [
        Record(id="a-17", kind="score", outcome="scored", role="champion", version="1", y={"label": word}, **about),
        Record(id=word, kind="score", outcome="abstained", role="challenger", version="2", reasons=[word], **about),
        Record(id="a-17", kind="note", y={"verdict": "disputed", "author": word}, **about),
        Record(id="a-18", kind="request_error", reasons=["not_json"], **about),
    ]
    survey = Survey(looked_at=1200, matched=40, open_blobs=1, hours_left=3 if hostile else 0)
    survey.findings = [f"log/{word}: at offset 17"] * 8 if hostile else []
    found = [(record, Position("log/v1/2026/11/23/14/w-0.jsonl", 2, line)) for line, record in enumerate(records)]
    return asked, SpotCheck([] if none else found, survey)


def trail() -> InstanceTrail:
    """A scored instance with a flag of each kind, its challenger, its label, and notes; replayed, and sealed."""
    score = {
        "v": 1,
        "kind": "score",
        "id": "0192f0c1-7b5a-7cc3-8d4e-2f1a3b4c5d6e",
        "ts": "2026-11-23T14:05:06.123456Z",
        "request": "req-1",
        "row": 0,
        "rows": 3,
        "run": ["0192f0c1-7b5a-7cc3-8d4e-000000000001", 0, 3],
        "model": "breast-cancer",
        "version": "1",
        "role": "champion",
        "outcome": "scored",
        "flags": {"missing": ["texture"], "outside": {"area": "above"}, "artifacts": {"kind": ["unseen_category"]}},
        "x": {"radius": 17.99, "area": 3001.5, "kind": "frozen", "texture": None},
        "y": {"label": "malignant", "probabilities": {"malignant": 0.93, "benign": 0.07}},
        "us": {"decode": 6, "judge": 41, "infer": 26, "encode": 5},
        "writer": "20261123T140506-3f9c2a71",
    }
    label = {"v": 1, "kind": "label", "id": score["id"], "ts": "2026-11-24T08:00:00.000000Z", "outcome": "recorded"}
    blob = "log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl"
    note = {"v": 1, "kind": "note", "id": score["id"], "ts": "2026-11-25T09:00:00.000000Z"}
    found = {"verdict": "disputed", "author": "R. Okafor", "comment": "The radius is that of another patient.\nSee 17."}
    sealed = Integrity(
        blob=blob, state="sealed", digest="digest/v1/2026/11/23/14.json", digest_sha256="5e" * 32, signature="valid",
        sentence="The digest digest/v1/2026/11/23/14.json lists this record's blob closed. Its signature is good.",
    )  # fmt: skip
    challenger = score | {"role": "challenger", "version": "2"}
    answered = {"y": score["y"], "outcome": "scored", "reasons": []}
    equal = Replayed("equal", "The same to the last bit, in a run of 3 rows.", answered, answered)
    other = answered | {"y": {"label": "malignant", "probabilities": {"malignant": 0.9300000000000002}}}
    different = Replayed("different", "Not the same bits, on the same hardware.", answered, other)
    return InstanceTrail(
        model="breast-cancer",
        id=str(score["id"]),
        evidence=[
            Evidence(score, blob, sequence=12, line=0, head="9f2c" * 16, verified=True, integrity=sealed, replay=equal),
            Evidence(challenger, blob, sequence=12, line=1, verified=True, replay=different),
            Evidence(label | {"y": {"label": "benign"}}, blob, sequence=14, line=0, head="0a" * 32, verified=True),
            Evidence(note | {"y": found}, blob, sequence=15, line=0, verified=True, integrity=sealed),
        ],
        replayed=True,
        not_replayed=2,
        integrity="3 records in 2 frames; each frame agrees with its hashes and with the one before it.",
        features=_features("area"),
    )


def hostile_trail() -> InstanceTrail:
    """Values of the worst kinds in every place, and one frame that does not verify."""
    values: dict[str, Any] = {ATTACK: ATTACK, "long": "y" * 100_000, "deep": [[ATTACK]], "number": "Infinity"}
    record = {
        "kind": "score",
        "outcome": ATTACK,
        "ts": ATTACK,
        "reasons": [ATTACK],
        "flags": {"missing": ATTACK, "outside": {ATTACK: ATTACK}, "distance": "far"},
        "x": values,
        "y": {"label": ATTACK, "probabilities": {ATTACK: 0.5, "b": "no"}},
        "us": {ATTACK: 5, "judge": None},
    }
    odd = {"kind": "request_error", "x": [1], "y": 3, "reasons": "no list", "us": 7, "flags": []}
    note = {"kind": "note", "y": {"verdict": ATTACK, "author": ATTACK, "comment": ATTACK + "\n" * 50}}
    wrong = Integrity(
        blob=ATTACK, state="provisional", digest=ATTACK, digest_sha256=ATTACK, signature="invalid", sentence=ATTACK
    )
    replay = Replayed(ATTACK, ATTACK, {"y": {"label": ATTACK}, "outcome": ATTACK, "reasons": [ATTACK]}, ATTACK)
    evidence = [
        Evidence(record, ATTACK, 0, 0, ATTACK, verified=False, integrity=wrong, replay=replay),
        Evidence(odd, "b", 1, 0),
        Evidence(note, "c", 1, 0),
        Evidence({"kind": "note", "y": [ATTACK]}, "c", 1, 1),
    ]
    return InstanceTrail(ATTACK, ATTACK, evidence, features=_features(ATTACK), target_unit=ATTACK)


def _features(name: str) -> list[dict[str, Any]]:
    return [
        {"name": "radius", "type": "float", "unit": "mm", "minimum": 6.98, "maximum": 28.11, "missing": "abstain"},
        {"name": name, "type": "float", "unit": name, "minimum": 143.5, "maximum": 2501.0, "outside": "flag"},
        {"name": "texture", "type": "float", "minimum": 9.7, "maximum": 39.3},
        {"name": "kind", "type": "string", "categories": ["fresh", name]},
    ]


def openapi(name: str = "breast-cancer") -> dict[str, Any]:
    """A small document with references, several kinds of parameters and one model."""
    parameter = {"name": "model", "in": "path", "required": True, "schema": {"type": "string", "enum": [name]}}
    request = {"instances": [{"radius": 14.1, name: "it's"}], "ids": ["a-17"]}
    body = {"schema": {"$ref": "#/components/schemas/Request"}, "examples": {name: {"value": request}}}
    answer = {"description": "An outcome each", "content": {"application/json": {"schema": {"$ref": "#/nowhere"}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hyperplane", "version": "0.1.0", "description": f"Scores instances. {name}"},
        "tags": [{"name": "score", "description": "Predictions and ground truth"}],
        "paths": {
            "/models/{model}/score": {
                "parameters": [parameter],
                "post": {
                    "summary": "Score instances with a model's champion",
                    "description": name,
                    "tags": ["score"],
                    "security": [{"key": []}],
                    "requestBody": {"required": True, "content": {"application/json": body}},
                    "responses": {"200": answer, "404": {"description": f"No such model: {name}"}},
                },
            },
            "/health": {"get": {"summary": "Whether it works", "responses": {"200": {"description": "It does"}}}},
        },
        "components": {
            "schemas": {
                "Request": {
                    "type": "object",
                    "required": ["instances"],
                    "properties": {
                        "instances": {"type": "array", "items": {"$ref": f"#/components/schemas/instance.{name}"}},
                        "ids": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
                    },
                },
                f"instance.{name}": {"type": "object", "x-features": _features(name), "examples": [{"radius": 14.1}]},
            }
        },
    }
