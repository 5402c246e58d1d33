"""Routes: templates as ASP.NET Core reads them, tried in Azure's order, on paths as Kestrel decodes them."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.process import LocalError
from infra.local.routes import Router, decode, parse, split


def match(template: str, path: str, prefix: str = "", methods: tuple[str, ...] = (), method: str = "GET") -> object:
    found = Router([parse("a_function", template, methods, prefix)]).find(method, path)
    return None if found is None else found[1]


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("models/{model}/score", "/models/wine/score", {"model": "wine"}),
        ("models/{model}/score", "/Models/Wine/SCORE/", {"model": "Wine"}),
        ("models/{model}/score", "/models/wine", None),
        ("models/{model}/score", "/models//score", None),
        ("models/{model}/score", "/models/wine/score/x", None),
        ("models/{model}", "/models/", None),
        ("models/{model?}", "/models", {}),
        ("models/{model?}", "/models/", {}),
        ("models/{model?}", "/models/wine", {"model": "wine"}),
        ("models/{model=wine}", "/models", {"model": "wine"}),
        ("models/{a?}/{b?}", "/models/1", {"a": "1"}),
        ("files/{*path}", "/files/a/b/c.txt", {"path": "a/b/c.txt"}),
        ("files/{*path}", "/files", {}),
        ("files/{*path:maxlength(3)}", "/files/a/b/c", None),
        ("{ignored:maxlength(0)?}", "/", {}),
        ("{ignored:maxlength(0)?}", "/x", None),
        ("{ignored:maxlength(0)?}", "", {}),
        ("rows/{id:int}", "/rows/12", {"id": "12"}),
        ("rows/{id:int}", "/rows/twelve", None),
        ("rows/{id:int:min(5)}", "/rows/4", None),
        (r"rows/{id:regex(^\d{{3}}-[a-z/]+$)}", "/rows/123-abc", {"id": "123-abc"}),
        (r"rows/{id:regex(^\d{{3}}$)?}", "/rows", {}),
        (r"rows/{id:regex(^(a|b)$)}", "/rows/b", {"id": "b"}),
    ],
)
def test_a_template_matches_as_in_azure(template: str, path: str, expected: object) -> None:
    assert match(template, path) == expected


def test_the_prefix_of_host_json_comes_first_and_an_empty_route_is_the_name() -> None:
    assert match("x", "/api/x", prefix="api") == {}
    assert match("x", "/x", prefix="api") is None
    assert match("", "/api/A_FUNCTION", prefix="/api/") == {}


def test_a_method_that_does_not_fit_is_no_match() -> None:
    assert match("x", "/x", methods=("post",)) is None
    assert match("x", "/x", methods=("post",), method="POST") == {}
    assert match("x", "/x", method="DELETE") == {}


def test_azure_tries_functions_in_the_order_of_their_names_not_the_literal_first() -> None:
    literal, parameter = parse("b_recent", "items/recent", (), ""), parse("A_item", "items/{id}", (), "")
    router = Router([literal, parameter])
    found = router.find("GET", "/items/recent")
    assert found is not None
    assert found[0].function == "A_item"
    assert router.hidden() == [(literal, parameter)]


def test_a_route_is_not_hidden_by_other_methods_or_by_a_constraint() -> None:
    posted = parse("a", "items/{id}", ("POST",), "")
    numbered = parse("b", "items/{id:int}", ("GET",), "")
    recent = parse("c", "items/recent", ("GET",), "")
    router = Router([posted, numbered, recent])
    assert router.hidden() == []
    found = router.find("GET", "/items/recent")
    assert found is not None
    assert found[0] is recent


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("admin/x", "admin"),
        ("Runtime/x", "runtime"),
        ("administrators", "admin"),
        ("x/{a:colour}", "'colour' is unknown"),
        ("x/{a:int(3)}", "takes no argument"),
        ("x/{a:maxlength}", "needs an argument"),
        ("x/{a:maxlength(many)}", "whole number"),
        ("x/{a:regex([)}", "unterminated"),
        ("x/{a}/{A}", "twice"),
        ("x/{*a}/b", "must come last"),
        ("x/{*a?}", "optional too"),
        ("a//b", "empty segment"),
        ("x/{a", "braces"),
        ("x/a}", "braces"),
        ("x/{}", "no name"),
        ("x/v{a}", "mixes"),
        ("x/{a}.{b}", "mixes"),
        ("x/{a:int!}", "malformed"),
        ("x/a?", "question mark"),
    ],
)
def test_a_template_that_cannot_be_used_is_an_error_that_names_function_and_fault(template: str, named: str) -> None:
    with pytest.raises(LocalError, match="Function wine") as error:
        parse("wine", template, (), "")
    assert named in str(error.value)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/a%20b", "/a b"),
        (b"/%C3%A9", "/é"),
        (b"/a%2Fb%2fc", "/a%2Fb%2fc"),
        (b"/a%252Fb", "/a%2Fb"),
        (b"/%FF%41", "/%FFA"),
        (b"/a%zz", "/a%zz"),
        (b"/a/../b/./c", "/b/c"),
        (b"/%2e%2e/%2E%2E/b", "/b"),
        (b"/a/b/..", "/a/"),
        (b"/../..", "/"),
        (b"/a%00b", None),
        (b"/\xc3\xa9", None),
    ],
)
def test_paths_are_decoded_as_kestrel_does(raw: bytes, path: str | None) -> None:
    assert decode(raw) == path


SEGMENTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text not in {".", ".."}
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
LITERALS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9._~-]{0,8}", fullmatch=True).filter(
    lambda text: not text.lower().startswith(("admin", "runtime"))
)


@given(SEGMENTS)
def test_a_parameter_gets_back_the_text_that_the_client_quoted(text: str) -> None:
    path = decode(f"/rows/{quote(text, safe='')}/end".encode())
    assert path is not None
    assert match("rows/{id}/end", path) == {"id": text}


@given(st.lists(st.one_of(LITERALS, NAMES.map(lambda name: f"{{{name}}}")), min_size=1, max_size=6), st.data())
def test_a_filled_template_matches_with_any_case_and_a_trailing_slash_and_nothing_longer(
    template: list[str], data: st.DataObject
) -> None:
    names = [part.strip("{}") for part in template if part.startswith("{")]
    if len(set(names)) < len(names):
        return
    values = {name: data.draw(SEGMENTS) for name in names}
    filled = [values[part.strip("{}")] if part.startswith("{") else part.swapcase() for part in template]
    path = "/" + "/".join(filled)
    assert match("/".join(template), path) == values
    assert match("/".join(template), path + "/") == values
    assert match("/".join(template), path + "/more") is None
    assert match("/".join(template), path + "//") is None
    assert match("/".join(template), "/" + "/".join(filled[:-1])) is None


@given(st.binary(max_size=60))
def test_any_path_can_be_decoded_and_tried(raw: bytes) -> None:
    path = decode(b"/" + raw)
    if path is not None:
        assert ".." not in split(path)
        match("{a}/{b:int}/{*c}", path)
