"""Deliberately broken callables, of every kind, in every place: each is a clear error, and no figure."""

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
    "wrong rank": (lambda values: values.sum(), r"got back shape \(\), expected \(\d+, \.\.\.\): one row for each"),
    "wrong length": (lambda values: values[:-1], r"got back shape \(\d+, 3\), expected \(\d+, \.\.\.\): one row"),
    "too long": (lambda values: doubled(values), r"got back shape \(\d+, 3\), expected \(\d+, \.\.\.\): one row"),
    "nan": (lambda values: values * float("nan"), "NaN or infinite"),
    "infinite": (lambda values: values * float("inf"), "NaN or infinite"),
    "none": (lambda values: None, "got NoneType, expected an array of real numbers"),
    "ragged": (lambda values: [[1.0]] * (len(values) - 1) + [[1.0, 2.0]], "ragged|outputs, expected a mean"),
    "exception": (raises, "raised RuntimeError: the model is out of luck"),
    "huge": (lambda values: values + 1e300, "NaN or infinite"),
    "complex": (lambda values: values * 1j, "an array of complex"),
    "changing shape": (lambda values: values[:, :2], r"change shape between batches, \(2,\) and \(3,\)"),
    "strings": (lambda values: np.full((len(values), 3), "x"), "got an array of <U1, expected an array of real"),
    "a text": (lambda values: "codes", "got an array of <U5"),
    "objects": (lambda values: np.full((len(values), 3), None), "got ndarray, expected an array of real numbers"),
    "empty": (lambda values: values[:0], r"got back shape \(0, 3\)"),
    "no dimensions": (lambda values: values[:, :0], r"shape \(\d+, 0\), which holds no values"),
    "unknown names": (lambda values: {"features": values}, "outputs named features(, none|; none)|got dict, expected"),
    "a generator": (lambda values: (row for row in values), "got generator, expected an array of real numbers"),
    "another object": (lambda values: object(), "got object, expected an array of real numbers"),
}


def doubled(values):
    return torch.cat([values, values]) if isinstance(values, torch.Tensor) else np.concatenate([values, values])


def broken_callable(kind, library, batch):
    """A function of 3 values a row that goes wrong, so, in its first or its last batch."""
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


def told(kind, role, library, batch):
    """The error that such a callable gives, and what was warned of."""
    fn = broken_callable(kind, library, batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InputError) as caught:
            if role == "encoder":
                vaeviz.encode(vaeviz.Encoder(fn, batch_size=BATCH), X)
            else:
                vaeviz.decode(vaeviz.Decoder(fn, batch_size=BATCH), X)
    return str(caught.value)


@pytest.mark.parametrize("batch", ["first", "last"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("role", ["encoder", "decoder"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_broken_is_named_with_what_it_was_given_and_what_came_back(kind, role, library, batch):
    message = told(kind, role, library, batch)
    assert re.search(KINDS[kind][1], message), message
    assert message.startswith(f"{role} broken")
    assert "shape" in message
    assert len(message) < 500
    if "change shape" not in message:
        rows = ROWS % BATCH if batch == "last" else BATCH
        assert f"given a batch of shape ({rows}, 6)" in message


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("role", ["encoder", "decoder"])
def test_the_same_function_unbroken_is_fine(role, library):
    fn = broken_callable("exception", library, "never")
    if role == "encoder":
        assert vaeviz.encode(vaeviz.Encoder(lambda x: fn(x[:, :6]), batch_size=5), X).size == 3
    else:
        assert vaeviz.decode(vaeviz.Decoder(fn, batch_size=5), X).shape == (ROWS, 3)


def test_at_least_ten_kinds_of_message_come_out():
    messages = {told(kind, "encoder", "numpy", "first") for kind in KINDS}
    kinds = {re.sub(r"[\d(),. ]+", " ", message.partition(": ")[2]) for message in messages}
    assert len(kinds) >= 10, kinds


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"changing shape"}))
def test_no_figure_is_written(kind, tmp_path):
    fn = vaeviz.Decoder(broken_callable(kind, "numpy", "first"), latent_shape=(6,))
    records = vaeviz.export_figures(tmp_path, decoder=fn, plots=["samples"])
    assert [record.status for record in records] == ["failed"]
    assert not list(tmp_path.glob("*.png"))


def test_a_callable_that_fails_on_a_small_batch_is_told_how_to_declare_its_size():
    def of_four(x):
        return x.reshape(4, 6)[:, :2]

    with pytest.raises(InputError, match=r"write Encoder\(fn, batch_size=4, pad=True\)$"):
        vaeviz.encode(vaeviz.Encoder(of_four, batch_size=4), X)
    codes = vaeviz.encode(vaeviz.Encoder(of_four, batch_size=4, pad=True), X).mean
    np.testing.assert_array_equal(codes, X[:, :2])


def test_integers_and_half_precision_are_numbers_too():
    assert vaeviz.encode(lambda x: x.astype(np.float16), X).mean.dtype == np.float32
    for dtype in (np.int64, np.uint8, bool):  # which must be declared: undeclared, they are a code book's
        encoder = vaeviz.Encoder(lambda x, dtype=dtype: x.astype(dtype), returns="mean")
        assert vaeviz.encode(encoder, X).mean.dtype == np.float32
