"""Arrays of other libraries become NumPy arrays, and value ranges [0, 1]."""

import numpy as np
import pytest

import vaeviz
from vaeviz.data.arrays import as_array, rescale
from vaeviz.data.out_of_core import StoredArray
from vaeviz.errors import InputError


@pytest.mark.parametrize(
    "value",
    [[[1, 2], [3, 4]], ((1.0, 2.0), (3.0, 4.0)), np.array([[1, 2], [3, 4]], np.int16), np.float16([[1, 2], [3, 4]])],
)
def test_numbers_keep_their_values(value):
    np.testing.assert_array_equal(as_array(value), [[1, 2], [3, 4]])


def test_a_numpy_array_is_not_copied():
    x = np.zeros((2, 3))
    assert as_array(x) is x


def test_tensors_and_sparse_matrices_become_arrays():
    torch = pytest.importorskip("torch")
    from scipy.sparse import csr_array

    for value in (torch.ones(2, 3, requires_grad=True), torch.ones(2, 3, dtype=torch.bfloat16), csr_array([[1.0] * 3])):
        assert (as_array(value) == 1).all()


VALUES = np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])


def as_frame(x):
    return pytest.importorskip("pandas").DataFrame(x, columns=["a", "b", "c"])


ARRAYS = {
    "matrix": np.matrix,
    "masked array without masked values": np.ma.masked_array,
    "sparse matrix": lambda x: pytest.importorskip("scipy.sparse").csr_matrix(x),
    "sparse array": lambda x: pytest.importorskip("scipy.sparse").coo_array(x),
    "sparse tensor": lambda x: pytest.importorskip("torch").from_numpy(x).to_sparse(),
    "sparse tensor by rows": lambda x: pytest.importorskip("torch").from_numpy(x).to_sparse_csr(),
    "booleans": lambda x: x.astype(bool),
    "tensor of booleans": lambda x: pytest.importorskip("torch").from_numpy(x.astype(bool)),
    "frame": as_frame,
    "frame of several types": lambda x: as_frame(x).astype({"a": bool, "b": "Int64"}),
    "polars frame": lambda x: pytest.importorskip("polars").DataFrame(x),
    "xarray": lambda x: pytest.importorskip("xarray").DataArray(x),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.parametrize("kind", ARRAYS)
def test_samples_in_arrays_of_other_kinds_are_encoded(kind):
    x = ARRAYS[kind](VALUES)
    np.testing.assert_array_equal(vaeviz.encode(lambda x: 2 * x[:, :2], x).mean, 2 * VALUES[:, :2])
    assert np.asarray(vaeviz.Dataset(x).x).tolist() == VALUES.tolist()


@pytest.mark.parametrize(
    ("value", "got", "line"),
    [
        (np.ma.masked_equal(VALUES, 1), "3 masked values", "x.filled(0)"),
        (lambda: as_frame(VALUES).assign(name="a", day="b"), "name, day", 'x.select_dtypes("number")'),
    ],
    ids=["masked values", "text columns"],
)
def test_values_that_are_hidden_or_not_numbers_are_an_error_whose_line_works(value, got, line):
    x = value() if callable(value) else value
    with pytest.raises(InputError) as caught:
        vaeviz.encode(lambda x: x, x)
    assert caught.value.got == got
    assert line in caught.value.fix.python
    vaeviz.encode(lambda x: x, eval(line, {"x": x}))


def test_missing_values_of_a_frame_are_named_by_row():
    frame = as_frame(VALUES).astype("Float64")
    frame.iloc[1, 0] = None
    with pytest.raises(InputError, match="row 1"):
        vaeviz.encode(lambda x: x, frame)


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ([[1, 2], [3]], "ragged list"),
        (["a", "b"], "array of <U1"),
        (np.ones(3, np.complex64), "array of complex64"),
        (None, "NoneType"),
    ],
)
def test_other_values_are_an_error(value, got):
    with pytest.raises(InputError, match=r"^x is ") as raised:
        as_array(value, "x")
    assert raised.value.got == got


@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "uint32", "int16", "int32", "int64", "float16", "float32", "float64"]
)
@pytest.mark.parametrize("rescale_all", [rescale, lambda values, pair: np.asarray(StoredArray(values, pair))])
def test_rescaling_is_exact_for_every_type(dtype, rescale_all):
    values = np.array([[0, 51, 127], [255, 1, 254]], dtype)
    found = rescale_all(values, (0, 255))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, (values.astype(np.float64) / 255).astype(np.float32))


def test_rescaling_maps_the_ends_of_the_range_to_0_and_1():
    np.testing.assert_array_equal(rescale(np.array([-1000, 0, 3000], np.int16), (-1000, 3000)), [0, 0.25, 1])
    large = np.array([0, 2**31, 2**32 - 1], np.uint32)
    np.testing.assert_allclose(rescale(large, (0, 2**32 - 1)), [0, 0.5, 1], rtol=1e-6)


def test_values_outside_the_declared_range_are_an_error():
    for values in (np.array([[0, 256]]), np.array([[-1, 255]])):
        with pytest.raises(InputError) as raised:
            rescale(values, (0, 255))
        assert raised.value.expected == "0 to 255"
    with pytest.raises(InputError, match="value_range"):
        rescale(np.zeros(3), (1, 1))


def test_a_mapping_is_refused_with_one_of_its_parts():
    with pytest.raises(InputError) as raised:
        as_array({"train": np.zeros(3)}, "x")
    assert "x['train']" in raised.value.fix.python
