import pytest

from vaeviz.data.atomic_files import atomic_path


def test_a_file_takes_its_place_whole(tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("old")
    with path.open() as reader:
        with atomic_path(path) as temporary:
            temporary.write_text("new")
            assert path.read_text() == "old"
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_path_has_the_same_ending_and_is_hidden(tmp_path):
    with atomic_path(tmp_path / "figure.svg") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".svg"
        assert temporary.name.startswith(".")
        temporary.touch()


def test_after_an_error_the_old_file_is_there_and_nothing_else(tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
