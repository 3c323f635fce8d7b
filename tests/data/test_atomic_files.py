"""Files are written whole or not at all."""

import errno
import os
import stat

import pytest

from vaeviz.data import atomic_files
from vaeviz.data.atomic_files import atomic_path, report_write_errors
from vaeviz.errors import OutputError


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("old")
    return path


def test_readers_see_the_old_file_until_the_new_one_is_complete(old_file):
    with old_file.open() as reader:
        with atomic_path(old_file) as temporary:
            temporary.write_text("new")
            assert old_file.read_text() == "old"
        assert reader.read() == "old"
    assert old_file.read_text() == "new"
    assert os.listdir(old_file.parent) == ["figure.png"]


def test_the_temporary_file_is_hidden_in_the_same_folder_with_the_same_suffix(tmp_path):
    with atomic_path(tmp_path / "figure.svg") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".figure.")
        assert temporary.suffix == ".svg"
        temporary.touch()


def test_an_exception_leaves_the_old_file_and_nothing_else(old_file):
    with pytest.raises(RuntimeError), atomic_path(old_file) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert old_file.read_text() == "old"
    assert os.listdir(old_file.parent) == ["figure.png"]


def test_two_writers_of_one_file_do_not_share_a_temporary_file(tmp_path):
    path = tmp_path / "figure.png"
    with atomic_path(path) as first, atomic_path(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # the outer block ends last


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_new_file_has_the_permissions_that_open_gives(tmp_path):
    umask = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "new.csv") as temporary:
            temporary.touch()
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot open folders")
def test_the_file_is_flushed_before_it_is_moved_and_its_folder_after(tmp_path, monkeypatch):
    path, calls = tmp_path / "new.csv", []

    def record(descriptor):
        calls.append(("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file", path.exists()))

    monkeypatch.setattr(atomic_files.os, "fsync", record)
    with atomic_path(path) as temporary:
        temporary.touch()
    assert calls == [("file", False), ("folder", True)]


def test_temporary_files_of_killed_processes_are_found(tmp_path):
    path = tmp_path / "weights.safetensors"
    writer = atomic_path(path)
    left = writer.__enter__()  # a killed process never leaves the block
    for name in ("weights.safetensors", ".weights.best.safetensors", ".weights.txt", f".other.{32 * 'a'}.safetensors"):
        (tmp_path / name).touch()
    left.touch()
    assert atomic_files.partial_files([path, tmp_path / "history.csv"]) == [left]


def test_a_folder_is_on_disk_in_its_parents(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(atomic_files, "_flush_folder", flushed.append)
    folder = tmp_path / "runs" / "mnist"
    for _ in range(2):
        atomic_files.make_folder(folder)
        assert folder.is_dir()
    assert sorted(flushed) == [tmp_path, tmp_path / "runs"]


def test_the_advice_for_a_missing_folder_creates_it(tmp_path):
    path = tmp_path / "a folder" / "deep" / "page.html"
    with pytest.raises(OutputError) as caught, report_write_errors(path):
        path.write_text("")
    assert "mkdir -p" in caught.value.fix.command_line
    advice = caught.value.fix.python
    exec(advice[advice.index("os.makedirs") :].rstrip("."), {"os": os})
    with report_write_errors(path):
        path.write_text("")


@pytest.mark.parametrize(("number", "frees"), [(errno.ENOSPC, True), (errno.EFBIG, True), (errno.EACCES, False)])
def test_only_a_full_disk_is_advised_to_be_freed(number, frees, tmp_path):
    with pytest.raises(OutputError) as caught, report_write_errors(tmp_path / "page.html"):
        raise OSError(number, os.strerror(number))
    assert ("space" in caught.value.fix.python) == frees
