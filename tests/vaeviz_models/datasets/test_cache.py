"""Arrays that are made once and kept in the cache."""

import numpy as np
import pytest

from vaeviz_models.datasets.cache import cache_dir, cached_array


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fail():
    raise AssertionError("made again")


def test_an_array_is_made_once_for_the_same_sources(folder):
    array = cached_array("ramp", (b"a", b"b"), lambda: np.arange(5))
    np.testing.assert_array_equal(cached_array("ramp", (b"a", b"b"), fail), array)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("sources", [(b"a", b"c"), (b"ab",), (b"a", b"b", b"")])
def test_other_sources_are_another_array(folder, sources):
    cached_array("ramp", (b"a", b"b"), lambda: np.arange(5))
    np.testing.assert_array_equal(cached_array("ramp", sources, lambda: np.zeros(2)), np.zeros(2))


def test_a_truncated_file_is_made_again(folder):
    cached_array("ramp", (b"a",), lambda: np.arange(500))
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:200])
    np.testing.assert_array_equal(cached_array("ramp", (b"a",), lambda: np.arange(500)), np.arange(500))
    np.testing.assert_array_equal(np.load(file), np.arange(500))


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAEVIZ_DATA", str(tmp_path / "file" / "cache"))
    np.testing.assert_array_equal(cached_array("ramp", (b"a",), lambda: np.arange(5)), np.arange(5))


def test_the_cache_follows_the_environment(folder, monkeypatch):
    assert cache_dir() == folder
    monkeypatch.delenv("VAEVIZ_DATA")
    assert cache_dir().name == "vaeviz"
