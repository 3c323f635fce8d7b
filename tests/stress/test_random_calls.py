"""Every public function and plot with odd arguments: it works, its figure can be saved, or it says what is wrong.

One to three arguments of a valid call are replaced. What may come out is a result or an error of `vaeviz.errors`, never
one from inside of NumPy, matplotlib or scikit-learn, and never a call without an end.
"""

from __future__ import annotations

import datetime
import io
import math
import signal
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from scipy import sparse

import vaeviz
from vaeviz.errors import InputError, NotApplicable

N_CALLS = 2  # of each function, in one round
MAX_SECONDS = 30  # of processor time for one call
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(60, 3))


class Odd:
    """An object of a user's own class, with a text that is not short."""

    def __repr__(self):
        return "<odd\n" * 50


def numbers_like(array, value):
    """Return a copy of an array with some values replaced."""
    changed = np.array(array, dtype=float)
    changed.flat[:: max(changed.size // 7, 1)] = value
    return changed


ARRAYS = {
    "np.matrix": lambda a: np.matrix(a.reshape(len(a), -1)),
    "masked": lambda a: np.ma.masked_greater(a, 0.5),
    "sparse": lambda a: sparse.csr_matrix(a.reshape(len(a), -1)),
    "sparse array": lambda a: sparse.coo_array(a.reshape(len(a), -1)),
    "bool": lambda a: a > 0.5,
    "int8": lambda a: (a * 100).astype(np.int8),
    "uint8": lambda a: (a * 255).astype(np.uint8),
    "float16": lambda a: a.astype(np.float16),
    "big endian": lambda a: a.astype(">f8"),
    "Fortran": np.asfortranarray,
    "reversed": lambda a: a[::-1],
    "complex": lambda a: a + 1j,
    "dates": lambda a: (a * 1000).astype("datetime64[D]"),
    "times": lambda a: (a * 1000).astype("timedelta64[s]"),
    "texts": lambda a: a.astype(str),
    "bytes": lambda a: a.astype("S"),
    "objects": lambda a: a.astype(object),
    "objects with None": lambda a: np.where(a > 0.5, None, a.astype(object)),
    "records": lambda a: np.zeros(len(a), dtype=[("x", float), ("y", int)]),
    "NaN": lambda a: numbers_like(a, math.nan),
    "all NaN": lambda a: np.full(a.shape, math.nan),
    "inf": lambda a: numbers_like(a, math.inf),
    "1e30": lambda a: numbers_like(a, 1e30),
    "1e300": lambda a: numbers_like(a, 1e300),
    "-1e-300": lambda a: numbers_like(a, -1e-300),
    "constant": lambda a: np.full(a.shape, 3.0),
    "no samples": lambda a: a[:0],
    "one sample": lambda a: a[:1],
    "two samples": lambda a: a[:2],
    "fewer samples": lambda a: a[:7],
    "no values": lambda a: a.reshape(len(a), -1)[:, :0],
    "one value": lambda a: a.reshape(len(a), -1)[:, :1],
    "flat": lambda a: a.ravel(),
    "more axes": lambda a: a[..., None, None],
    "leading axis": lambda a: a[None],
    "0-d": lambda a: a.ravel()[0],
    "list": lambda a: a.tolist(),
    "ragged list": lambda a: [row[: k % 3] for k, row in enumerate(a.tolist())],
    "tuple of arrays": tuple,
    "set": lambda a: set(a.ravel().tolist()),
    "generator": lambda a: (row for row in a),
    "dict": lambda a: {"x": a},
    "tensor": lambda a: torch.tensor(a, requires_grad=a.dtype.kind == "f"),
    "bfloat16": lambda a: torch.tensor(a).bfloat16(),
    "meta tensor": lambda a: torch.empty(a.shape, device="meta"),
    "data frame": lambda a: pd.DataFrame(a.reshape(len(a), -1)),
    "nullable frame": lambda a: pd.DataFrame(a.reshape(len(a), -1)).convert_dtypes().mask(lambda f: f > 0.5),
    "series": lambda a: pd.Series(a.reshape(len(a), -1)[:, 0], index=RNG.permutation(len(a))),
    "memory view": lambda a: memoryview(np.ascontiguousarray(a)),
}
if find_spec("polars"):
    import polars

    ARRAYS["polars"] = lambda a: polars.DataFrame(a.reshape(len(a), -1))
if find_spec("xarray"):
    import xarray

    ARRAYS["xarray"] = xarray.DataArray

LABELS = {
    "dicts": lambda a: [{"a": k} for k in range(len(a))],
    "lists": lambda a: [[k] for k in range(len(a))],
    "all None": lambda a: [None] * len(a),
    "some None": lambda a: [None if k % 3 else "a" for k in range(len(a))],
    "mixed": lambda a: [(k, str(k), None, 1.5, b"x")[k % 5] for k in range(len(a))],
    "categorical": lambda a: pd.Categorical([str(k % 3) for k in range(len(a))], categories=["2", "1", "0", "no"]),
    "ordered": lambda a: pd.Series(pd.Categorical(np.arange(len(a)) % 3, ordered=True)),
    "missing categories": lambda a: pd.Categorical([None] * len(a), categories=["a"]),
    "dates": lambda a: [datetime.date(2020, 1, 1 + k % 20) for k in range(len(a))],
    "timestamps": lambda a: pd.date_range("2020", periods=len(a)),
    "one-hot": lambda a: np.eye(3)[np.arange(len(a)) % 3],
    "large integers": lambda a: np.arange(len(a), dtype=np.uint64) + 2**63,
    "huge integers": lambda a: [10**30 + k for k in range(len(a))],
    "booleans": lambda a: pd.array([True, False, None] * (len(a) // 3), dtype="boolean"),
    "long names": lambda a: [f"{'long name ' * 40}{k % 3}" for k in range(len(a))],
    "odd names": lambda a: [("\x1b[31m", "$_$", "\ud800", "<b>", "", "\\frac{", "a\nb")[k % 7] for k in range(len(a))],
    "a class for each": lambda a: np.arange(len(a)),
    "odd objects": lambda a: [Odd() for _ in range(len(a))],
}
VALUES = [
    None, True, False, -1, 0, 1, 2, 3, 7, 10**6, 2**70, -0.5, 0.0, 0.5, 1.5, 1e-300, 1e30, 1e308, math.nan, math.inf,
    -math.inf, 1j, "", "x", "1", "0,1", "none", "viridis", "normal", "\x00", "$", b"x", [], (), {}, (0, 0), (0, 1),
    (1, 0), (-1, 99), (0, 1, 2), (0.5, 0.5), (2.0, -2.0), (None, None), ("z1", "z2"), ("a", "b"), [["a"]], {"a": 1},
    {0: "red"}, {1: None}, [1, 2], set(), range(3), slice(2), np.float32(1.5), np.int64(-3), np.array([0, 1]),
    np.zeros((2, 2)), np.nan, torch.tensor(2), Path("x"), Odd(), Odd, len, lambda *a: None, lambda *a: a, object,
    Ellipsis, iter([1]), Figure(), ValueError("no"),
]  # fmt: skip
CALLABLES = {
    "returns None": lambda *given: None,
    "returns its input": lambda *given: given[0],
    "returns a text": lambda *given: "codes",
    "returns a number": lambda *given: 1.0,
    "returns NaN": lambda *given: np.full((len(given[0]), 3), math.nan),
    "returns 1e30": lambda *given: np.full((len(given[0]), 3), 1e30) * np.arange(3),
    "returns too few": lambda *given: np.zeros((max(len(given[0]) - 1, 0), 3)),
    "returns no values": lambda *given: np.zeros((len(given[0]), 0)),
    "returns objects": lambda *given: np.full((len(given[0]), 3), None),
    "returns a dict": lambda *given: {"a": np.zeros((len(given[0]), 3))},
    "returns five": lambda *given: (np.zeros((len(given[0]), 3)),) * 5,
    "returns negative variances": lambda *given: (np.zeros((len(given[0]), 3)), -np.ones((len(given[0]), 3))),
    "raises": lambda *given: 1 / 0,
    "takes nothing": lambda: None,
    "class": Odd,
    "module": torch.nn.Linear(64, 3),
    "another module": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 6)),
    "embedding": torch.nn.Embedding(4, 3),
    "module without forward": torch.nn.Module(),
}
IS_CALLABLE = ("encoder", "decoder", "likelihood", "other_encoder", "fn", "model")


@contextmanager
def time_limit(seconds):
    """Raise TimeoutError when the block takes more processor time."""

    def stop(number, frame):
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def odd_value(rng, name, value):
    """Return a description and an odd value for an argument whose value is valid."""
    if name in IS_CALLABLE and rng.random() < 0.7:
        kind = rng.choice(list(CALLABLES))
        return kind, CALLABLES[kind]
    if isinstance(value, np.ndarray) and rng.random() < 0.8:
        pool = ARRAYS | LABELS if value.ndim == 1 else ARRAYS
        kind = rng.choice(list(pool))
        return kind, pool[kind](value)
    k = rng.randrange(len(VALUES))
    return f"value {k}, {str(VALUES[k])[:20]!r}", VALUES[k]


def odd_calls(rng, n_calls, given, replaceable):
    """Yield descriptions and arguments of calls in which one to three arguments are odd."""
    for call in range(n_calls):
        changed = dict(given)
        described = []
        for name in rng.sample(replaceable, min(len(replaceable), rng.choice((1, 1, 1, 2, 3)))):
            kind, changed[name] = odd_value(rng, name, given.get(name))
            described.append(f"{name}: {kind}")
        yield f"call {call}, {'; '.join(described)}", changed


def survive(function, given):
    """Call a function; an error of our own is fine, and so is every warning but those of misused libraries."""
    with time_limit(MAX_SECONDS), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(**given)
        except (InputError, NotApplicable) as error:
            assert len(str(error)) < 3000, "The message is too long to read."
            assert error.message.strip()
            return None


def draw(spec, given, suffix):
    """Draw a plot and save its figure."""
    figure = Figure(figsize=(4, 3), layout="constrained")
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    if survive(spec, given | place) is not None:
        with time_limit(MAX_SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figure.savefig(io.BytesIO(), format=suffix, dpi=40)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", vaeviz.plot_names())
def test_a_plot_with_odd_arguments_is_drawn_or_explains_itself(name, numpy_inputs, quick_options, try_all, rng, rounds):
    spec = vaeviz.get_plot(name)
    given = {key: value for key, value in numpy_inputs.items() if key in spec.required + spec.optional}
    given |= quick_options.get(name, {})
    replaceable = [*spec.required, *spec.required, *spec.optional, *spec.options]
    try_all(
        (f"{name}, {described}", lambda changed=changed: draw(spec, changed, rng.choice(("png", "svg", "pdf"))))
        for described, changed in odd_calls(rng, N_CALLS * rounds, given, replaceable)
    )


POSTERIOR = vaeviz.Posterior(NUMBERS, np.full(NUMBERS.shape, 0.3), "normal")


def linear(x):
    flat = np.asarray(x, dtype=float).reshape(len(x), -1)
    return flat[:, :3] * 1.0, np.full((len(x), 3), -2.0)


def pixels(z):
    return np.tile(np.asarray(z), (1, 4))


SAMPLES = pixels(NUMBERS)


FUNCTIONS = {
    "Batches": {"source": [NUMBERS], "value_range": (0.0, 1.0)},
    "Dataset": {"x": NUMBERS, "labels": np.arange(60) % 3, "class_names": ("a", "b", "c"), "factors": NUMBERS,
                "name": "data", "feature_names": ("a", "b", "c"), "factor_names": ("a", "b", "c"), "kind": "table"},
    "Decoder": {"fn": pixels, "layout": None, "value_range": (0, 1), "prior": "normal", "batch_size": 3, "pad": True,
                "conditions": None, "name": "d", "output": "values", "latent_shape": (3,), "sample_shape": (12,)},
    "Encoder": {"fn": linear, "layout": None, "value_range": (0, 1), "prior": "normal", "batch_size": 3, "pad": True,
                "conditions": None, "name": "e", "returns": "mean,log_var", "input_shape": (3,), "preprocess": None},
    "Estimate": {"value": 1.0, "standard_error": 0.1},
    "Posterior": {"mean": NUMBERS, "std": np.abs(NUMBERS), "prior": "normal", "code_shape": (3,)},
    "analyze": {"model": None, "data": None, "checks": "collapsed", "settings": {}, "seed": 0, "title": "t",
                "encoder": linear, "decoder": pixels, "x": SAMPLES, "labels": np.arange(60) % 3},
    "axes_for": {"plot": vaeviz.latent_scatter, "aspect": 1.0},
    "cache_encoding": {"encoder": linear, "x": SAMPLES, "condition": None},
    "condition_on": {"model": linear, "condition": 1},
    "decode": {"decoder": pixels, "z": NUMBERS, "condition": None},
    "decoder_likelihood": {"decoder": pixels, "name": "gaussian-fixed:0.1"},
    "elbo_terms": {"posterior": POSTERIOR, "x": NUMBERS, "likelihood": None, "n_codes": 50, "max_points": 50,
                   "seed": 0},
    "embed": {"z": NUMBERS, "engine": "pca", "seed": 0, "perplexity": 5.0},
    "encode": {"encoder": linear, "x": SAMPLES, "condition": None},
    "figure_for": {"plot": vaeviz.latent_triage, "aspect": 1.0},
    "find_holes": {"posterior": POSTERIOR, "n_codes": 100, "level": 0.01, "tolerance": 0.05, "max_points": 50,
                   "seed": 0},
    "fitted_linear_vae": {"x": NUMBERS, "latent_dim": 2, "noise": 0.1, "beta": 1.0},
    "get_plot": {"name": "samples"},
    "inspect": {"model": None, "x": SAMPLES, "condition": None, "encoder": linear, "decoder": pixels},
    "linear_vae": {"covariance": np.cov(NUMBERS.T), "latent_dim": 2, "mean": None, "noise": 0.1, "beta": 1.0},
    "load_data": {"name": "digits", "split": "test", "data_dir": None, "labels": None, "value_range": None},
    "log_likelihood": {"likelihood": lambda x, z: -((x - z) ** 2).sum(axis=1), "x": NUMBERS, "z": NUMBERS},
    "mmd_test": {"a": NUMBERS, "b": NUMBERS + 1, "length": 1.0, "n_permutations": 20, "seed": 0},
    "open": {"model": torch.nn.Linear(3, 2), "role": "encoder", "trust": False},
    "prior_mismatch": {"posterior": POSTERIOR, "n_codes": 50, "n_permutations": 20, "level": 0.1, "max_points": 50,
                       "seed": 0},
    "register_plot": {"page": vaeviz.PageShape()},
    "style": {"name": "paper"},
    "triage": {"posterior": POSTERIOR, "decoder": pixels, "x": SAMPLES, "min_kl": 0.01, "n_samples": 8,
               "seed": 0},
}  # fmt: skip


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_with_odd_arguments_works_or_explains_itself(name, try_all, rng, rounds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given, function = FUNCTIONS[name], getattr(vaeviz, name)
    attempts = [("the valid call", lambda: function(**given))] + [
        (f"{name}, {described}", lambda changed=changed: survive(function, changed))
        for described, changed in odd_calls(rng, N_CALLS * rounds, given, list(given))
    ]
    try_all(attempts)
    assert list(tmp_path.iterdir()) == []


def test_an_export_with_odd_arguments_works_or_explains_itself(numpy_inputs, try_all, rng, rounds, tmp_path):
    given = {key: numpy_inputs[key] for key in ("encoder", "decoder", "x", "labels", "factors", "history")}
    given |= {"out": tmp_path / "out", "plots": ["latent_scatter", "samples"], "settings": {}, "formats": "png",
              "style": "paper", "dpi": 40, "seed": 0, "kind": None, "title": "", "analysis": False, "jobs": 1,
              "clean": False}  # fmt: skip
    try_all(
        (described, lambda changed=changed: survive(vaeviz.export_figures, changed))
        for described, changed in odd_calls(rng, N_CALLS * rounds, given, [name for name in given if name != "out"])
    )
