"""host.json: what is honoured, and what is refused by name."""

import json
from pathlib import Path

import pytest

from infra.local.host_json import HostJson, read_host_json
from infra.local.process import LocalError


def read(tmp_path: Path, content: object) -> HostJson:
    (tmp_path / "host.json").write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_host_json(tmp_path)


def test_the_prefix_is_api_unless_set(tmp_path: Path) -> None:
    assert read(tmp_path, {"version": "2.0"}) == HostJson("api")
    assert read(tmp_path, {"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}).route_prefix == ""
    assert read(tmp_path, {"version": "2.0", "extensions": {"http": {"routePrefix": "/v1/"}}}).route_prefix == "v1"


def test_headers_and_the_list_of_functions_are_read(tmp_path: Path) -> None:
    http = {"customHeaders": {"X-Frame-Options": "DENY"}, "maxConcurrentRequests": 16}
    found = read(tmp_path, {"version": "2.0", "functions": ["Score"], "extensions": {"http": http}})
    assert found == HostJson("api", (("X-Frame-Options", "DENY"),), frozenset({"score"}))


def test_the_host_json_of_this_project_is_accepted() -> None:
    assert read_host_json(Path(__file__).parents[2]).route_prefix == ""


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "not JSON"),
        ("{'version': '2.0'}", "not JSON"),
        ("\xff", "not JSON"),
        ([], "the file must be an object"),
        ({}, "version"),
        ({"version": 2.0}, "version"),
        ({"version": "2.0", "http": {}}, "unknown setting http"),
        ({"version": "2.0", "extensions": []}, "extensions must be"),
        ({"version": "2.0", "extensions": {"http": {"routePrfix": ""}}}, "extensions.http.routePrfix"),
        ({"version": "2.0", "extensions": {"http": {"routePrefix": None}}}, "routePrefix"),
        ({"version": "2.0", "extensions": {"http": {"routePrefix": "{a}"}}}, "routePrefix"),
        ({"version": "2.0", "extensions": {"http": {"customHeaders": {"a": 1}}}}, "customHeaders.a"),
        ({"version": "2.0", "functions": "score"}, "functions"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, content: object, named: str) -> None:
    with pytest.raises(LocalError, match=r"host\.json") as error:
        read(tmp_path, content)
    assert named in str(error.value)


def test_a_folder_without_it_is_no_function_app(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="--app"):
        read_host_json(tmp_path)
    (tmp_path / "host.json").mkdir()
    with pytest.raises(LocalError, match="cannot be read"):
        read_host_json(tmp_path)
