"""The local key: made once, also by two at once, and readable by its owner alone."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local.keys import check_key, read_or_make_key
from infra.local.process import LocalError


def test_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "data" / "key"
    key = read_or_make_key(path)
    assert len(key) >= 32
    assert read_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    assert read_or_make_key(tmp_path / "a") != read_or_make_key(tmp_path / "b")


def test_many_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(read_or_make_key, [tmp_path / "key"] * 64))
    assert len(keys) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


def test_a_key_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("a-key-of-mine\n")
    path.chmod(0o644)
    assert read_or_make_key(path) == "a-key-of-mine"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_key_file_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(LocalError, match="key in"):
        read_or_make_key(tmp_path / "key")


def test_a_place_that_cannot_hold_the_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match="--data"):
        read_or_make_key(tmp_path / "file" / "key")


@pytest.mark.parametrize("key", ["", "short", "with space", "a&b=cdefgh", "ключключ", "a" * 257, "12345678\n"])
def test_a_key_that_cannot_stand_in_a_url_is_refused(key: str) -> None:
    with pytest.raises(LocalError, match="8 to 256"):
        check_key(key, "--key")
