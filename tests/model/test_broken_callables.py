"""Broken callables of every kind: each causes a clear error, and no figure."""

import re
import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

torch = pytest.importorskip("torch")

ROWS, BATCH = 10, 4
X = np.random.default_rng(0).random((ROWS, 6), dtype=np.float32)


def raises(values):
    raise RuntimeError("the model is out of luck")


KINDS = {
    "wrong rank": (lambda values: values.sum(), r"shape \(\)"),
    "wrong length": (lambda values: values[:-1], r"shape \(\d+, 3\)"),
    "too long": (lambda values: doubled(values), r"shape \(\d+, 3\)"),
    "nan": (lambda values: values * float("nan"), "NaN or infinite"),
    "infinite": (lambda values: values * float("inf"), "NaN or infinite"),
    "none": (lambda values: None, "NoneType"),
    "ragged": (lambda values: [[1.0]] * (len(values) - 1) + [[1.0, 2.0]], "ragged|outputs"),
    "exception": (raises, "RuntimeError: the model is out of luck"),
    "huge": (lambda values: values + 1e300, "NaN or infinite"),
    "complex": (lambda values: values * 1j, "complex"),
    "changing shape": (lambda values: values[:, :2], r"\([23],\) and \([23],\)"),
    "strings": (lambda values: np.full((len(values), 3), "x"), "<U1"),
    "a text": (lambda values: "codes", "<U5"),
    "objects": (lambda values: np.full((len(values), 3), None), "ndarray|object"),
    "empty": (lambda values: values[:0], r"shape \(0, 3\)"),
    "no dimensions": (lambda values: values[:, :0], r"shape \(\d+, 0\)"),
    "unknown names": (lambda values: {"features": values}, "features|dict"),
    "a generator": (lambda values: (row for row in values), "generator"),
    "another object": (lambda values: object(), "object"),
}


def doubled(values):
    return torch.cat([values, values]) if isinstance(values, torch.Tensor) else np.concatenate([values, values])


def broken_callable(kind, library, batch):
    """A function that returns 3 values per row, but is broken in its first or last batch."""
    spoil = KINDS[kind][0]

    def broken(given):
        if library == "torch":
            given = given.double() if isinstance(given, torch.Tensor) else torch.from_numpy(given).double()
        else:
            given = np.asarray(given, dtype=np.float64)
        good = given[:, :3]
        place = "last" if len(given) == ROWS % BATCH else "first"
        return spoil(good) if place == batch else good

    return broken


def error_of(kind, role, library, batch):
    """The error that such a callable causes."""
    fn = broken_callable(kind, library, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError) as caught:
            if role == "encoder":
                vaeviz.encode(vaeviz.Encoder(fn, batch_size=BATCH), X)
            else:
                vaeviz.decode(vaeviz.Decoder(fn, batch_size=BATCH), X)
    return caught.value


@pytest.mark.parametrize("batch", ["first", "last"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("role", ["encoder", "decoder"])
@pytest.mark.parametrize("kind", KINDS)
def test_errors_name_the_callable_the_batch_and_the_output(kind, role, library, batch):
    error = error_of(kind, role, library, batch)
    assert re.search(KINDS[kind][1], str(error)), error
    assert f"{role} broken" in str(error)
    assert error.got
    assert len(str(error)) < 500
    if kind != "changing shape":
        rows = ROWS % BATCH if batch == "last" else BATCH
        assert f"({rows}, 6)" in str(error)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("role", ["encoder", "decoder"])
def test_the_same_function_works_unless_it_is_broken(role, library):
    fn = broken_callable("exception", library, "never")
    if role == "encoder":
        assert vaeviz.encode(vaeviz.Encoder(lambda x: fn(x[:, :6]), batch_size=5), X).size == 3
    else:
        assert vaeviz.decode(vaeviz.Decoder(fn, batch_size=5), X).shape == (ROWS, 3)


def test_messages_differ_by_what_is_wrong():
    messages = {str(error_of(kind, "encoder", "numpy", "first")) for kind in KINDS}
    kinds = {re.sub(r"[\d(),. ]+", " ", message.partition(": ")[2]) for message in messages}
    assert len(kinds) >= 10, kinds


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"changing shape"}))
def test_no_figure_is_written_by_a_broken_decoder(kind, tmp_path):
    fn = vaeviz.Decoder(broken_callable(kind, "numpy", "first"), latent_shape=(6,))
    records = vaeviz.export_figures(tmp_path, decoder=fn, plots=["samples"], dpi=30)
    assert [record.status for record in records] == ["failed"]
    assert not list(tmp_path.glob("*.png"))


def test_the_batch_size_is_proposed_to_a_callable_that_fails_on_a_small_batch():
    def of_four(x):
        return x.reshape(4, 6)[:, :2]

    with pytest.raises(InputError) as caught:
        vaeviz.encode(vaeviz.Encoder(of_four, batch_size=4), X)
    assert caught.value.fix.python == "Write vaeviz.Encoder(fn, batch_size=4, pad=True)."
    codes = vaeviz.encode(vaeviz.Encoder(of_four, batch_size=4, pad=True), X).mean
    np.testing.assert_array_equal(codes, X[:, :2])


def test_integers_and_half_precision_are_accepted():
    assert vaeviz.encode(lambda x: x.astype(np.float16), X).mean.dtype == np.float32
    for dtype in (np.int64, np.uint8, bool):  # undeclared integers are codebook indices
        encoder = vaeviz.Encoder(lambda x, dtype=dtype: x.astype(dtype), returns="mean")
        assert vaeviz.encode(encoder, X).mean.dtype == np.float32
