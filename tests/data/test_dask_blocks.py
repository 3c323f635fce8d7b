"""The blocks of a dask array are encoded where they are."""

import sys
import time

import numpy as np
import pytest

from vaeviz import Encoder, GuessWarning, Posterior, condition_on, encode
from vaeviz.data import dask_blocks, row_buffer
from vaeviz.data.dask_blocks import ShippedFunction, dask_cluster, library_versions
from vaeviz.data.labels import label_name
from vaeviz.errors import InputError

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

N = 500


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((N, 8)).astype(np.float32)


@pytest.fixture(autouse=True)
def _no_processes():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def mean_and_log_var(x):
    return x[:, :2], x[:, 2:4] - 1


@pytest.mark.parametrize("chunks", [(100, 8), (100, 3), ((0, 1, 399, 0, 100), 8), (1000, 8)])
def test_codes_are_those_of_an_array_in_memory(x, chunks):
    posterior, expected = encode(mean_and_log_var, da.from_array(x, chunks=chunks)), encode(mean_and_log_var, x)
    np.testing.assert_array_equal(posterior.mean, expected.mean)
    np.testing.assert_array_equal(posterior.std, expected.std)
    assert posterior.prior == expected.prior


def test_bytes_are_divided_in_the_blocks():
    pictures = np.random.default_rng(0).integers(0, 256, (N, 8, 8), dtype=np.uint8)
    encoder = Encoder(lambda x: x.reshape(len(x), -1)[:, :2], returns="mean", batch_size=64, pad=True)
    with pytest.warns(GuessWarning):
        expected = encode(encoder, pictures).mean
    with pytest.warns(GuessWarning):
        np.testing.assert_array_equal(encode(encoder, da.from_array(pictures, chunks=(90, 8, 4))).mean, expected)


def test_a_torch_module_is_shared_by_threads(x):
    nn = pytest.importorskip("torch.nn")
    model = nn.Sequential(nn.Linear(8, 4), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    posterior = encode(model, da.from_array(x, chunks=(20, 8)))
    np.testing.assert_allclose(posterior.mean, encode(model, x).mean, rtol=1e-5, atol=1e-6)
    assert model.training


def test_each_row_keeps_its_condition(x):
    condition = np.arange(N, dtype=np.float32)[:, None]
    encoder = Encoder(lambda x, c: x[:, :1] + c, returns="mean")
    posterior = encode(encoder, da.from_array(x, chunks=(90, 8)), condition)
    np.testing.assert_allclose(posterior.mean, x[:, :1] + condition, rtol=1e-6)
    fixed = encode(condition_on(encoder, [2.0]), da.from_array(x, chunks=(90, 8)))
    np.testing.assert_allclose(fixed.mean, x[:, :1] + 2, rtol=1e-6)


def test_few_results_are_in_memory_at_once(x, monkeypatch):
    monkeypatch.setattr(dask_blocks, "MAX_PENDING_BYTES", 1000)
    monkeypatch.setattr(row_buffer, "MAX_BYTES_IN_MEMORY", 1000)
    posterior = encode(mean_and_log_var, da.from_array(x, chunks=(50, 8)))
    assert isinstance(posterior.mean.base, np.memmap)
    np.testing.assert_array_equal(posterior.mean, x[:, :2])
    np.testing.assert_array_equal(posterior[10:20].mean, x[10:20, :2])


def test_a_warning_of_a_block_reaches_the_caller(x):
    x[400:, 2] = 60
    with pytest.warns(GuessWarning, match="log_var"):
        encode(Encoder(mean_and_log_var, batch_size=50), da.from_array(x, chunks=(100, 8)))


def test_nan_is_an_error_that_names_the_block(x):
    x[234] = np.nan
    with pytest.raises(InputError, match=r"block 2 .* row 200 .* row 34"):
        encode(Encoder(mean_and_log_var, batch_size=50), da.from_array(x, chunks=(100, 8)))


def test_an_encoder_that_fails_in_a_block_names_it(x):
    x[300:400, 0] = 9

    def fails(x):
        if (x[:, 0] == 9).any():
            raise RuntimeError("too large")
        return x[:, :2]

    with pytest.raises(InputError, match=r"block 3 .*too large"):
        encode(Encoder(fails, batch_size=50), da.from_array(x, chunks=(100, 8)))


def test_blocks_of_unknown_size_are_refused(x):
    array = da.from_array(x, chunks=(100, 8))
    selected = array[array[:, 0] > 0]
    with pytest.raises(InputError) as raised:
        encode(mean_and_log_var, selected)
    assert "compute_chunk_sizes" in raised.value.fix.python
    assert len(encode(mean_and_log_var, selected.compute_chunk_sizes())) == (x[:, 0] > 0).sum()


def test_an_encoder_that_cannot_be_sent_is_refused(x):
    lock = __import__("threading").Lock()

    def locked(x):
        with lock:
            return x[:, :2]

    blocks = da.from_array(x, chunks=(100, 8))
    with dask.config.set(scheduler="processes"), pytest.raises(InputError, match="locked cannot be sent"):
        encode(locked, blocks)
    np.testing.assert_array_equal(encode(locked, blocks).mean, encode(locked, x).mean)  # by threads


def test_a_process_without_the_module_is_named(tmp_path, monkeypatch):
    (tmp_path / "own_model.py").write_text("def fn(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    import own_model

    shipped = ShippedFunction(own_model.fn, "encoder fn", dask_cluster())
    monkeypatch.delitem(sys.modules, "own_model")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    with pytest.raises(InputError) as raised:
        shipped.load()
    assert raised.value.expected == "own_model"


def test_other_versions_of_a_library_are_refused():
    pytest.importorskip("torch")
    shipped = ShippedFunction(mean_and_log_var, "encoder fn", dask_cluster())
    assert shipped.load() is shipped.load()
    assert shipped.versions == library_versions()
    shipped.versions = {**shipped.versions, "torch": "1.0.0"}
    with pytest.raises(InputError) as raised:
        shipped.load()
    assert raised.value.expected == "torch 1.0.0"


def test_a_scheduler_that_fails_is_an_error(x):
    def broken(*args, **kwargs):
        raise OSError("Timed out trying to connect")

    first = da.from_array(x, chunks=(100, 8))
    with pytest.raises(InputError) as raised, dask.config.set(scheduler=broken):
        list(
            dask_blocks.map_row_blocks(
                ShippedFunction(mean_and_log_var, "encoder", dask_cluster()), first, bytes_per_row=8
            )
        )
    assert raised.value.got == "OSError"


@pytest.mark.slow
def test_a_worker_that_dies_loses_nothing(x, tmp_path):
    distributed = pytest.importorskip("distributed")
    marker = tmp_path / "died"

    def dies_once(x):
        import os
        import pathlib

        from distributed import get_worker

        try:
            get_worker()
        except ValueError:  # in this process, which encodes the first batch
            return mean_and_log_var(x)
        if not pathlib.Path(marker).exists():
            pathlib.Path(marker).touch()
            os._exit(1)
        time.sleep(0.05)
        return x[:, :2], x[:, 2:4] - 1

    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster):
        posterior: Posterior = encode(dies_once, da.from_array(x, chunks=(25, 8)))
        assert marker.exists()
        np.testing.assert_array_equal(posterior.mean, x[:, :2])


def test_labels_of_dask_have_no_name():
    assert label_name(da.arange(3)) == ""
