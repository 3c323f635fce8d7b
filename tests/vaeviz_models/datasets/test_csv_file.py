"""Tables of one's own: ``csv:FILE``."""

import numpy as np
import pytest

from vaeviz.data.dataset import Dataset, Split
from vaeviz.data.loading import load_data
from vaeviz.data.labels import factorize_labels
from vaeviz.errors import GuessWarning, InputError, NoSuchSplit
from vaeviz.plugins import registry
from vaeviz_models.datasets import csv_file as delimited


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
    data = table("\nheight,width, kg\n1,2, 3\n\n-4.5,5e1,6\n".replace(",", delimiter))
    np.testing.assert_array_equal(data.x, np.array([[1, 2, 3], [-4.5, 50, 6]], np.float32))
    assert data.feature_names == ("height", "width", "kg")
    assert (data.labels, data.name, data.kind) == (None, "own", None)


def test_delimiters_in_quoted_names_part_nothing(table):
    assert table('"mean, of x (mm), left";"b"\n1;2\n').feature_names == ("mean, of x (mm), left", "b")


def test_a_long_table_is_read_in_blocks(table, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 3)
    data = table("a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(8)), labels="y")
    assert data.x[:, 0].tolist() == list(range(8))
    assert data.labels.tolist() == [0, 1] * 4


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["10", "9"], np.array([10, 9])),
        (["0.5", "2"], np.array([0.5, 2])),
        (["yes", "no, never"], np.array(["yes", "no, never"])),
        (["yes", ""], np.array(["yes", ""])),
        (["0.5", ""], np.array([0.5, np.nan])),
        (["00501", "501"], np.array(["00501", "501"])),
        (["nan", "inf"], np.array(["nan", "inf"])),
        (["9" * 30, "1"], np.array([1e30, 1])),
        (["1,5", "2"], np.array(["1,5", "2"])),
    ],
)
def test_the_column_of_labels_is_none_of_the_samples(table, written, read):
    data = table(f'a,"my, label",b\n1,"{written[0]}",2\n3," {written[1]}",4\n', labels="my, label")
    np.testing.assert_array_equal(data.x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(data.labels, read)
    assert data.labels.dtype.kind == read.dtype.kind
    assert data.feature_names == ("a", "b")


def test_classes_that_are_integers_keep_their_order_where_some_are_missing(table):
    codes, names = factorize_labels(table("a,y\n1,10\n2,2\n3,\n", labels="y").labels)
    assert names == ("2", "10")
    assert codes.tolist() == [1, 0, -1]


def test_columns_without_a_name_are_left_out(table):
    assert table(",a,b,,\n0,1,2,,\n1,3,4,,\n").x.tolist() == [[1, 2], [3, 4]]


def test_a_byte_order_mark_and_windows_line_ends_are_no_text(table):
    data = table(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n")
    assert (data.feature_names, data.x.tolist()) == (("a", "b"), [[1, 2]])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("a,b\n", "no line but the first"),
        ("1,2\n3,4\n", "the first line holds numbers, expected the names"),
        ("5.1,3.5,setosa\n4.9,3,setosa\n", "the first line holds numbers, expected the names"),
        ("a,b\n1,2\n3\n", "line 3 has 1 values, the first line has 2 names"),
        ("a,a\n1,2\n", "two columns are named 'a'"),
        ("a,b\n\n1,2\n3,red\n", "column 'b' has 'red', which is no finite number, in line 4; name the column as"),
        ("a;b\n1;2,5\n", "column 'b' has '2,5', .* in line 2; write decimals with a point"),
        ("a,b\n1,\n", "column 'b' has no value, in line 2; fill it, or leave that line out"),
        ("a,b\n1,nan\n", "column 'b' has 'nan', .*; fill it"),
        ("a,b\n1,1e99\n", "column 'b' has '1e99'"),
        (b"a,b\n\xff\xfe,1\n", "cannot be read as a table"),
    ],
)
def test_what_is_no_table_of_numbers_is_told(table, text, told):
    with pytest.raises(InputError, match=told):
        table(text)


def test_only_what_is_there_can_be_asked_for(table):
    with pytest.raises(InputError, match="has no column 'c' for the labels; it has a, b"):
        table("a,b,\n1,2,\n", labels="c")
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


def test_a_file_that_is_not_there_is_no_misspelled_data_set():
    for name in ("wines.tsv", "wines/pictures"):
        with pytest.raises(
            InputError, match=f"'{name}': there is no such file or folder, and no data set of that name"
        ):
            load_data(name)


def test_a_data_set_of_a_plug_in_may_have_a_dot_in_its_name(monkeypatch):
    def wines(*, split: Split = "all"):
        return Dataset(np.zeros((2, 3)), name="wines")

    monkeypatch.setattr(registry, "entries", lambda group: {"wines.v2": None})
    monkeypatch.setattr(registry, "load", lambda group, name: {"wines.v2": wines}[name])
    assert load_data("wines.v2", split="all").name == "wines"


@pytest.mark.parametrize(("first", "step"), [(0, 1), (1, 1), (20240001, 1), (1000, -1)])
def test_a_column_that_numbers_the_rows_is_told(table, first, step):
    rows = "".join(f"{first + step * i},{i % 3}\n" for i in range(delimited.NUMBERED_FROM))
    with pytest.warns(GuessWarning, match="column 'id' numbers the rows, and is taken for a feature"):
        assert table(f"id,a\n{rows}").feature_names == ("id", "a")


def test_a_column_that_only_rises_is_not(table, recwarn):
    table("a,b\n" + "".join(f"{2 * i},{i % 3}\n" for i in range(12)))
    table("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(delimited.NUMBERED_FROM - 1)))
    assert not recwarn
