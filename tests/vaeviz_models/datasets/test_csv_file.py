"""Tables of numbers are read with the names of their columns: ``csv:FILE``."""

import warnings

import numpy as np
import pytest

from vaeviz.data.labels import factorize_labels
from vaeviz.data.loading import load_data
from vaeviz.errors import GuessWarning, InputError, NoSuchSplit
from vaeviz_models.datasets import csv_file


@pytest.fixture
def table(tmp_path):
    """Write a table, and read it back."""
    path = tmp_path / "own.csv"

    def write(text, **settings):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_data(str(path), **settings)

    return write


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_are_features_with_their_names(table, delimiter):
    data = table("\nheight,width, kg\n1,2, 3\n-4.5,5e1,6\n".replace(",", delimiter))
    np.testing.assert_array_equal(data.x, np.array([[1, 2, 3], [-4.5, 50, 6]], np.float32))
    assert data.feature_names == ("height", "width", "kg")
    assert (data.labels, data.name, data.kind) == (None, "own", None)


def test_delimiters_in_quoted_names_do_not_separate_columns(table):
    assert table('"mean, of x (mm), left";"b"\n1;2\n').feature_names == ("mean, of x (mm), left", "b")


def test_a_table_of_too_many_columns_is_refused_before_it_is_read(table, monkeypatch):
    monkeypatch.setattr(csv_file, "MAX_COLUMNS", 3)
    monkeypatch.setattr(csv_file.pd, "read_csv", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(InputError) as caught:
        table("a,b,c,d\n1,2,3,4\n")
    assert caught.value.got == "4 columns"
    assert "numpy.save" in caught.value.fix.python


def test_a_long_table_is_read_in_blocks(table, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_PER_BLOCK", 3)
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
        (["inf", "yes"], np.array(["inf", "yes"])),
        (["9" * 30, "1"], np.array([1e30, 1])),
        (["1,5", "2"], np.array(["1,5", "2"])),
    ],
)
def test_the_column_of_labels_is_not_a_feature(table, written, read):
    data = table(f'a,"my, label",b\n1,"{written[0]}",2\n3," {written[1]}",4\n', labels="my, label")
    np.testing.assert_array_equal(data.x, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(data.labels, read)
    assert data.labels.dtype.kind == read.dtype.kind
    assert data.feature_names == ("a", "b")


@pytest.mark.parametrize("missing", ["NA", "NaN", "<NA>", "None", ""])
def test_missing_labels_of_other_programs_leave_numbers_numbers(table, missing):
    codes, names = factorize_labels(table(f"a,y\n1,10\n2,2\n3,{missing}\n", labels="y").labels)
    assert (codes.tolist(), names) == ([1, 0, -1], ("2", "10"))


def test_a_text_that_counts_as_a_missing_label_is_said(table):
    with pytest.warns(GuessWarning) as caught:
        labels = table("a,y\n1,DE\n2,NA\n3,FR\n4,NA\n", labels="y").labels
    assert "NA" in caught[0].message.message and "2 rows" in caught[0].message.message
    assert factorize_labels(labels)[1] == ("DE", "FR")


def test_integer_classes_keep_their_order_if_some_labels_are_missing(table):
    codes, names = factorize_labels(table("a,y\n1,10\n2,2\n3,\n", labels="y").labels)
    assert names == ("2", "10")
    assert codes.tolist() == [1, 0, -1]


def test_columns_without_a_name_are_left_out(table):
    assert table(",a,b,,\n0,1,2,,\n1,3,4,,\n").x.tolist() == [[1, 2], [3, 4]]


def test_a_byte_order_mark_and_windows_line_ends_are_ignored(table):
    data = table(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n")
    assert (data.feature_names, data.x.tolist()) == (("a", "b"), [[1, 2]])


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "no lines"),
        ("\n\n", "no lines"),
        ("a,b\n", "no rows"),
        ("a,b\n\n\n", "no rows"),
        ("1,2\n3,4\n", "1, 2"),
        ("5.1,3.5,setosa\n4.9,3,setosa\n", "5.1, 3.5, setosa"),
        ("a,b\n1,2\n3\n", "1 values in line 3"),
        ("a,a\n1,2\n", "a"),
    ],
)
def test_a_file_that_is_not_a_table_of_numbers_is_an_error(table, text, got):
    with pytest.raises(InputError, match=r"own\.csv") as raised:
        table(text)
    assert raised.value.got == got


@pytest.mark.parametrize(
    ("text", "got", "line", "fix"),
    [
        ("a,b\n1,2\n3,red\n", "red", 3, "labels='b'"),
        ("\n\na,b\n1,2\n3,4\n5,red\n", "red", 6, "labels='b'"),
        ("a;b\n1;2,5\n", "2,5", 2, "point"),
        ("a,b\n1,\n", "", 2, "Fill"),
        ("a,b\n1,2\n,\n3,4\n", "", 3, "Fill"),
        ("a,b\n1,nan\n", "nan", 2, "Fill"),
        ("a,b\n1,1e99\n", "1e99", 2, "labels"),
        ("a,b\n1,inf\n", "inf", 2, "labels"),
    ],
)
def test_a_value_that_is_not_a_finite_number_is_an_error_with_its_column_and_line(table, text, got, line, fix):
    with pytest.raises(InputError, match=rf"line {line}\b") as raised:
        table(text)
    column = "a" if "\n,\n" in text else "b"
    assert f"column {column!r}" in raised.value.message
    assert raised.value.got == got
    assert fix in raised.value.fix.python


@pytest.mark.parametrize("position", ["first block", "later block"])
def test_a_row_with_too_many_values_is_an_error(table, position, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_PER_BLOCK", 2)
    rows = "1,2\n" * (1 if position == "first block" else 6)
    with pytest.raises(InputError, match="saw 3"):
        table(f"a,b\n{rows}3,4,5\n")


def test_bytes_that_are_not_text_are_an_error(table):
    with pytest.raises(InputError) as raised:
        table(b"a,b\n\xff\xfe,1\n")
    assert raised.value.expected == "a table"


@pytest.mark.parametrize("n_rows", [2, 100])
def test_blank_lines_between_rows_are_named_in_a_warning(table, n_rows, monkeypatch):
    monkeypatch.setattr(csv_file, "ROWS_PER_BLOCK", 3)
    rows = "1,2\n" * n_rows
    with pytest.warns(GuessWarning, match=rf": {n_rows + 3}\. ") as caught:
        data = table(f"\na,b\n{rows}\n3,4\n\n\n")
    assert len(caught) == 1
    assert data.x[-1].tolist() == [3, 4]
    assert len(data) == n_rows + 1


def test_blank_lines_before_and_after_the_table_are_ignored(table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert table("\n\na,b\n1,2\n\n\n").x.tolist() == [[1, 2]]


@pytest.mark.parametrize(("text", "got"), [("a,b,\n1,2,\n", "c"), ("c\n1\n", "no feature")])
def test_labels_need_a_column_beside_the_features(table, text, got):
    with pytest.raises(InputError) as raised:
        table(text, labels="c")
    assert raised.value.got == got


def test_a_table_has_no_splits(table):
    with pytest.raises(NoSuchSplit) as raised:
        table("a,b\n1,2\n", split="train")
    assert (raised.value.got, raised.value.fix.command_line) == ("train", "Add --split all.")


def test_a_missing_table_is_an_error():
    with pytest.raises(InputError) as raised:
        load_data("no.csv")
    assert raised.value.got == "no.csv"


@pytest.mark.parametrize(("first", "step"), [(0, 1), (1, 1), (20240001, 1), (1000, -1)])
def test_a_column_that_numbers_the_rows_raises_a_warning(table, first, step):
    rows = "".join(f"{first + step * i},{i % 3}\n" for i in range(csv_file.MIN_COUNTED_ROWS))
    with pytest.warns(GuessWarning, match="'id'"):
        assert table(f"id,a\n{rows}").feature_names == ("id", "a")


def test_a_column_that_only_rises_raises_no_warning(table, recwarn):
    table("a,b\n" + "".join(f"{2 * i},{i % 3}\n" for i in range(12)))
    table("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(csv_file.MIN_COUNTED_ROWS - 1)))
    assert not recwarn
