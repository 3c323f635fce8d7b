"""Tables of one's own: ``csv:FILE``."""

import numpy as np
import pytest

from vaeviz.data import load_data
from vaeviz.errors import InputError, NoSuchSplit


@pytest.fixture
def table(tmp_path):
    """Write a table, and read it back."""
    path = tmp_path / "own.csv"

    def write(text, **settings):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_data(str(path), **settings)

    return write


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_of_numbers_are_the_samples_and_their_names_the_features(table, delimiter):
    data = table("height,width, kg\n1,2,3\n-4.5,5e1,6\n".replace(",", delimiter))
    np.testing.assert_array_equal(data.x, np.array([[1, 2, 3], [-4.5, 50, 6]], np.float32))
    assert data.feature_names == ("height", "width", " kg")
    assert (data.labels, data.name, data.kind) == (None, "own", None)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["10", "9"], np.array([10, 9])),
        (["0.5", "2"], np.array([0.5, 2])),
        (["yes", "no, never"], np.array(["yes", "no, never"])),
        (["yes", ""], np.array(["yes", ""])),
    ],
)
def test_the_column_of_labels_is_none_of_the_samples(table, written, read):
    data = table(f'a,"my, label",b\n1,"{written[0]}",2\n3,"{written[1]}",4\n', labels="my, label")
    np.testing.assert_array_equal(data.x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(data.labels, read)
    assert data.labels.dtype.kind == read.dtype.kind
    assert data.feature_names == ("a", "b")


def test_a_column_without_a_name_is_an_index(table):
    assert table(",a,b\n0,1,2\n1,3,4\n").x.tolist() == [[1, 2], [3, 4]]


def test_a_byte_order_mark_and_windows_line_ends_are_no_text(table):
    data = table(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n")
    assert (data.feature_names, data.x.tolist()) == (("a", "b"), [[1, 2]])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("a,b\n", "no line but the first"),
        ("1,2\n3,4\n", "the first line holds numbers, expected the names"),
        ("a,b\n1,2\n3\n", "row 3 has 1 values, the first has 2 names"),
        ("a,a\n1,2\n", "two columns have the same name"),
        ("a,b\n1,2\n3,red\n", "column 'b' has 'red', which is no number, in row 3: name it as the labels"),
        ("a,b\n1,\n", "column 'b' has no value, in row 2"),
        ("a,b\n1,nan\n", "NaN|not finite|infinite"),
        (b"a,b\n\xff\xfe,1\n", "cannot be read as a table"),
    ],
)
def test_what_is_no_table_of_numbers_is_told(table, text, told):
    with pytest.raises(InputError, match=told):
        from vaeviz import encode

        encode(lambda x: x, table(text).x)


def test_only_what_is_there_can_be_asked_for(table):
    table("a,b\n1,2\n")
    with pytest.raises(InputError, match="has no column 'c' for the labels; it has a, b"):
        table("a,b\n1,2\n", labels="c")
    with pytest.raises(InputError, match="has no column of numbers"):
        table("a\n1\n", labels="a")
    with pytest.raises(NoSuchSplit, match="has no splits"):
        table("a,b\n1,2\n", split="train")
    with pytest.raises(InputError, match=r"csv: no\.csv does not exist"):
        load_data("no.csv")


def test_other_files_are_told_from_data_sets(tmp_path):
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(InputError, match=r"notes\.txt.*expected a folder of pictures, or a file \.npy"):
        load_data(str(tmp_path / "notes.txt"))


def test_a_folder_of_idx_files_is_told_from_one_of_pictures(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(InputError, match="for the IDX files there write --data mnist --data-dir"):
        load_data(str(tmp_path))
