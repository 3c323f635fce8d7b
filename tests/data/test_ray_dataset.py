"""The blocks of a Ray Dataset are encoded where they are. A few classes stand in for Ray."""

import sys
from types import ModuleType, SimpleNamespace

import cloudpickle
import numpy as np
import pandas as pd
import pytest

import vaeviz
from vaeviz import Encoder, Posterior, encode
from vaeviz.data.out_of_core import as_samples
from vaeviz.errors import InputError

SIZES = (100, 0, 150, 250)
N = sum(SIZES)


class Dataset:
    """The part of ray.data.Dataset that is used."""

    def __init__(self, *blocks):
        self.blocks, self.n_computed = blocks, 0
        self.context = SimpleNamespace(execution_options=SimpleNamespace(preserve_order=False))

    def columns(self):
        return list(self.blocks[0])

    def limit(self, n_rows):
        frames = [pd.DataFrame({name: list(values) for name, values in block.items()}) for block in self.blocks]
        return SimpleNamespace(to_pandas=lambda: pd.concat(frames)[:n_rows])

    def select_columns(self, names):
        return SimpleNamespace(to_numpy_refs=lambda: self._compute(names))

    def _compute(self, names):
        assert self.context.execution_options.preserve_order
        self.n_computed += 1
        return [{name: block[name] for name in names if len(block[name])} for block in self.blocks]


class Task:
    def __init__(self, function):
        self.function = cloudpickle.dumps(function)

    def remote(self, *args):
        return cloudpickle.loads(cloudpickle.dumps(cloudpickle.loads(self.function)(*args)))


@pytest.fixture(autouse=True)
def ray(monkeypatch):
    module, data = ModuleType("ray"), ModuleType("ray.data")
    module.data, data.Dataset, module.cloudpickle = data, Dataset, cloudpickle
    module.put = module.get = lambda value: value
    module.remote = lambda function=None, **options: (lambda own: Task(own)) if function is None else Task(function)
    monkeypatch.setitem(sys.modules, "ray", module)
    monkeypatch.setitem(sys.modules, "ray.data", data)


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((N, 8)).astype(np.float32)


def dataset_of(x, **columns):
    cuts = np.cumsum(SIZES)[:-1]
    columns = {"signal": x, **columns}
    return Dataset(
        *(dict(zip(columns, parts)) for parts in zip(*(np.split(values, cuts) for values in columns.values())))
    )


def mean_and_log_var(x):
    return x[:, :2], x[:, 2:4] - 1


def test_codes_are_those_of_an_array_in_memory(x):
    dataset, expected = dataset_of(x, label=np.arange(N) % 3), encode(mean_and_log_var, x)
    posterior = encode(mean_and_log_var, dataset)
    np.testing.assert_array_equal(posterior.mean, expected.mean)
    np.testing.assert_array_equal(posterior.std, expected.std)
    rows = [499, 3, 120]
    np.testing.assert_array_equal(as_samples(dataset, "x")[rows], x[rows])
    assert dataset.n_computed == 1
    assert not dataset.context.execution_options.preserve_order


def test_each_row_keeps_its_condition(x):
    condition = np.arange(N, dtype=np.float32)[:, None]
    posterior: Posterior = encode(Encoder(lambda x, c: x[:, :1] + c, returns="mean"), dataset_of(x), condition)
    np.testing.assert_allclose(posterior.mean, x[:, :1] + condition, rtol=1e-6)


def test_lists_of_numbers_and_tables_are_samples(x):
    cells = np.empty(N, object)
    cells[:] = list(x)
    np.testing.assert_array_equal(np.asarray(as_samples(dataset_of(cells), "x")), x)
    table = dataset_of(x[:, 0], other=np.arange(N), name=np.full(N, "a"))
    np.testing.assert_array_equal(np.asarray(as_samples(table, "x"))[:, 1], np.arange(N))
    assert vaeviz.Dataset(table).feature_names[1] == "other"
    assert len(vaeviz.Dataset(dataset_of(x))) == N


def test_columns_that_cannot_be_samples_are_refused(x):
    with pytest.raises(InputError) as raised:
        encode(mean_and_log_var, dataset_of(x, other=x))
    assert "x.select_columns(['signal'])" in raised.value.fix.python
    cells = np.empty(N, object)
    cells[:] = [row[: 4 + (k > 300)] for k, row in enumerate(x)]
    for unusable in (cells, np.full(N, "a")):
        with pytest.raises(InputError):
            encode(mean_and_log_var, dataset_of(unusable))
    with pytest.raises(InputError):
        encode(mean_and_log_var, Dataset({"signal": x[:0]}))


def test_nan_is_an_error_that_names_the_block(x):
    x[234] = np.nan
    with pytest.raises(InputError, match=r"block 2 .* row 100 .* row 134"):
        encode(Encoder(mean_and_log_var, batch_size=50), dataset_of(x))


def test_the_cause_of_a_failure_of_ray_is_named(x, ray, monkeypatch):
    def fails(value):
        raise RuntimeError("Traceback:\n  line\nOSError: no such file\n\nThe above\nUserCodeException: failed")

    monkeypatch.setattr(sys.modules["ray"], "get", fails)
    with pytest.raises(InputError, match="OSError: no such file") as raised:
        encode(mean_and_log_var, dataset_of(x))
    assert raised.value.got == "RuntimeError"


@pytest.mark.slow
def test_ray_itself_gives_the_same(x, monkeypatch):
    monkeypatch.undo()
    ray = pytest.importorskip("ray")
    data = pytest.importorskip("ray.data")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        dataset = data.from_numpy(np.array_split(x, 4)).filter(lambda row: row["data"][0] > 0)
        posterior = encode(mean_and_log_var, dataset)
        np.testing.assert_array_equal(posterior.mean, x[x[:, 0] > 0, :2])
    finally:
        ray.shutdown()
