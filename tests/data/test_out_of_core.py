"""Samples that are read as they are needed."""

import json

import numpy as np
import pytest

import vaeviz
from vaeviz import Batches, Dataset, Posterior, encode, export_figures
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import (
    StoredArray,
    as_samples,
    data_range,
    is_out_of_core,
    is_same_source,
    iterate_blocks,
    subsample,
    take_rows,
)
from vaeviz.errors import InputError
from vaeviz.model.decode import decode

N = 70


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).random((N, 8, 8), dtype=np.float32)


@pytest.fixture(scope="module")
def labels():
    return np.arange(N) % 5


class Reader:
    """Batches of x that can be read again, and how often they were."""

    def __init__(self, x, labels=None, size=16):
        self.x, self.labels, self.size, self.passes = x, labels, size, 0

    def __iter__(self):
        self.passes += 1
        for start in range(0, len(self.x), self.size):
            rows = slice(start, start + self.size)
            yield self.x[rows] if self.labels is None else (self.x[rows], self.labels[rows])


class Chunked:
    """An array like those of h5py: read by slices or ascending indices."""

    chunks = None

    def __init__(self, x):
        self.x, self.shape, self.dtype = x, x.shape, x.dtype

    def __getitem__(self, rows):
        if not isinstance(rows, slice):
            assert (np.diff(rows) > 0).all()
        return self.x[rows]


def mapped(x, path, mode="r"):
    np.save(path, x)
    return np.load(path, mmap_mode=mode)


def loader(x, labels=None, **settings):
    torch = pytest.importorskip("torch")
    parts = [torch.from_numpy(part) for part in (x, labels) if part is not None]
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*parts), **settings)


@pytest.fixture(params=["mapped", "view of a map", "chunked", "reader", "function", "loader"])
def source(request, x, labels, tmp_path):
    """x as something that does not lie in memory."""
    whole = mapped(x, tmp_path / "x.npy")
    return {
        "mapped": lambda: whole,
        "view of a map": lambda: np.asarray(whole),
        "chunked": lambda: Chunked(x),
        "reader": lambda: Reader(x),
        "function": lambda: Batches(lambda: iter(Reader(x))),
        "loader": lambda: loader(x, labels, batch_size=13),
    }[request.param]()


# They stand where an array does


def test_a_stream_reads_what_an_array_holds(source, x):
    stream = as_samples(source, "x")
    assert is_out_of_core(stream)
    assert (len(stream), stream.shape, stream.ndim, stream.dtype) == (N, x.shape, 3, np.float32)
    np.testing.assert_array_equal(np.asarray(stream), x)
    for rows in (slice(3, 20), slice(None, None, 7), [40, 2, 2, 69], x[:, 0, 0] > 0.5, slice(-3, None), 5, []):
        np.testing.assert_array_equal(take_rows(stream, rows), x[rows])
    parts = list(iterate_blocks(stream, 25))
    assert [len(part) for part in parts] == [25, 25, 20]
    np.testing.assert_array_equal(np.concatenate(parts), x)
    np.testing.assert_array_equal(subsample(stream), x)
    assert data_range(stream) == (x.min(), x.max())


def test_codes_of_a_stream_are_those_of_the_array(source, x, encoder):
    expected, found = encode(encoder, x), encode(encoder, source)
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.std, expected.std)


@pytest.mark.parametrize("size", [1, 16, 64, 1000])
def test_an_encoder_gets_its_own_batch_size_whatever_the_batches(x, size):
    sent = []
    fn = vaeviz.Encoder(lambda batch: sent.append(len(batch)) or batch[:, 0, :2], batch_size=size)
    np.testing.assert_array_equal(encode(fn, Reader(x, size=9)).mean, x[:, 0, :2])
    assert max(sent) == min(size, N)


@pytest.mark.parametrize("source", ["view of a map", "reader"], indirect=True)
def test_figures_of_a_stream_are_those_of_the_array(source, x, labels, encoder, decoder, tmp_path):
    chosen = {
        "encoder": encoder,
        "decoder": decoder,
        "labels": labels,
        "likelihood": lambda x, z: -((x.reshape(len(x), -1) - z[:, :1]) ** 2).sum(axis=1),
        "plots": ["reconstruction_pairs", "reconstruction_error", "elbo_decomposition", "latent_neighbors"],
        "dpi": 40,
    }
    for name, same in {"array": x, "stream": source}.items():
        records = export_figures(tmp_path / name, x=same, other_x=same, title="set", **chosen)
        assert {record.status for record in records} == {"drawn"}, [record.reason for record in records]
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("array", "stream"))
    del first["timings.json"], second["timings.json"]
    assert [name for name in first if first[name] != second[name]] == []


def test_plots_that_look_at_all_samples_take_batches(x, labels, encoder, decoder, tmp_path):
    plots = ["interpolation", "latent_triage", "manifold_grid", "prior_holes", "samples", "traversal"]
    batches = loader(x, labels, batch_size=30)
    records = export_figures(tmp_path, encoder=encoder, decoder=decoder, x=batches, plots=plots, dpi=30)
    assert {record.status for record in records} == {"drawn"}, [record.reason for record in records]
    assert json.loads((tmp_path / "manifest.json").read_text())["inputs"]["labels"]["shape"] == [N]


def test_bytes_on_disk_are_shares_of_255(tmp_path):
    values = np.random.default_rng(1).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "bytes.npy", values)
    data = vaeviz.load_data(str(tmp_path / "bytes.npy"))
    assert isinstance(data.x, StoredArray)
    assert data.x.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(data.x), values.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data[[3, 1]].x, values[[3, 1]].astype(np.float32) / np.float32(255))
    assert not is_same_source(data.x, np.load(tmp_path / "bytes.npy", mmap_mode="r"))


def test_arrays_of_hdf5(x, encoder, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=x, chunks=(7, 8, 8))
        np.testing.assert_array_equal(encode(encoder, stored).mean, encode(encoder, x).mean)
        np.testing.assert_array_equal(take_rows(as_samples(stored, "x"), [9, 3, 9]), x[[9, 3, 9]])


# What they know


def test_encoding_is_one_pass(x, encoder):
    reader = Reader(x)
    batches = Batches(reader)
    encode(encoder, batches)
    assert reader.passes == 2  # the first batch tells the shape
    assert len(batches) == N
    assert reader.passes == 2


def test_the_first_few_are_had_without_a_whole_pass(x):
    batches = Batches(Reader(x, size=10))
    np.testing.assert_array_equal(batches[:12], x[:12])
    assert not batches.is_counted


@pytest.mark.parametrize("kind", ["integers", "strings", "column", "images"])
def test_labels_come_with_the_batches(x, kind):
    values = {"integers": np.arange(N) % 3, "strings": np.array(["a", "b"] * 35), "column": None, "images": x}[kind]
    if kind == "column":
        assert Batches(Reader(x)).labels is None
        return
    found = Dataset(Reader(x, values)).labels
    if kind == "images":
        assert found is None
    else:
        np.testing.assert_array_equal(found, values)


def test_labels_that_are_given_win(x, labels):
    assert Dataset(Reader(x, labels), labels[::-1]).labels.tolist() == labels[::-1].tolist()


def test_an_encoder_remembers_by_the_source(source, x, encoder):
    calls = []
    kept = vaeviz.cache_encoding(lambda batch: calls.append(1) or encoder(batch), source)
    calls.clear()
    assert encode(kept, source) is encode(kept, as_samples(source, "x"))
    assert calls == []
    encode(kept, x)
    assert calls


# What is refused


@pytest.mark.parametrize("once", [lambda x: iter([x]), lambda x: (part for part in [x]), lambda x: map(abs, [x])])
def test_an_iterator_is_an_error_that_says_what_to_write(x, encoder, once):
    with pytest.raises(InputError, match=r"x: got a \w+, which can be read only once.*vaeviz\.Batches\(lambda"):
        encode(encoder, once(x))


def test_a_loader_that_shuffles_is_an_error(x, encoder):
    with pytest.raises(InputError, match=r"DataLoader that shuffles \(RandomSampler\).*shuffle=False"):
        encode(encoder, loader(x, shuffle=True))


class Changing:
    def __init__(self, *passes):
        self.passes = list(passes)

    def __iter__(self):
        return iter(self.passes.pop(0) if len(self.passes) > 1 else self.passes[0])


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (lambda a, b: [b, a], "batch 0 holds other values"),
        (lambda a, b: [a], "batch 1 is missing"),
        (lambda a, b: [], "batch 0 is missing"),
        (lambda a, b: [a, b, a], "batch 2 was not there before"),
    ],
)
def test_batches_that_come_otherwise_are_an_error(x, second, told):
    a, b = x[:30], x[30:]
    batches = Batches(Changing([a, b], second(a, b)))
    assert len(batches) == N
    with pytest.raises(InputError, match=f"{told} when read again.*shuffle=False"):
        batches[[0, 60]] if told != "batch 2 was not there before" else list(batches)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda x: [], "got none, or empty ones"),
        (lambda x: [x[0, 0]], r"batch 0: got shape \(8,\), expected \(n, ...\)"),
        (lambda x: [x, x[:, :4]], r"batch 1 holds samples of shape \(4, 8\), those before are of \(8, 8\)"),
        (lambda x: [{"image": x}], r"parts named image.*batch\['image'\] for batch in loader"),
        (lambda x: ["no"], "batch 0: got an array of <U2, expected an array of real numbers"),
        (lambda x: 1 / 0, "reading batches raised ZeroDivisionError: division by zero"),
    ],
)
def test_batches_that_are_none(x, encoder, made, told):
    with pytest.raises(InputError, match=told):
        encode(encoder, Batches(lambda: made(x)))


def test_what_gives_no_batches_is_an_error():
    with pytest.raises(InputError, match="got int, expected batches, or a function that returns them"):
        Batches(3)


def test_the_row_of_a_nan_is_told_though_it_is_found_on_the_way(x, tmp_path, encoder):
    x = np.tile(x, (30, 1, 1))
    x[2000, 3, 3] = np.nan
    for source in (mapped(x, tmp_path / "x.npy"), Reader(x)):
        with pytest.raises(InputError, match=r"^x: NaN or infinite values, first in row 2000$"):
            encode(encoder, source)


def test_a_copy_on_write_map_keeps_its_changes(x, tmp_path, encoder):
    changed = mapped(x, tmp_path / "x.npy", mode="c")
    changed[:] = 0.25
    encode(encoder, changed)
    assert (changed == 0.25).all()


# Memory


def test_a_map_is_never_held_whole(tmp_path, python):
    """200 MB of bytes on disk, a few in memory: pages are given back once they were read, codes are no views of x."""
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (200_000, 32, 32)).flush()
    code = f"""
import resource
import numpy as np
import vaeviz
from vaeviz.data.out_of_core import take_rows
data = vaeviz.load_data({str(tmp_path / "x.npy")!r})
def mean(x): return x.reshape(len(x), -1)[:, :2]
vaeviz.encode(mean, data.x[:2048])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert len(vaeviz.encode(mean, data.x)) == 200_000
take_rows(data.x, np.arange(0, 200_000, 199))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    assert float(python(code)) < 60


def test_reconstruction_errors_hold_one_batch_at_a_time(x, encoder):
    from vaeviz.analysis.reconstruction import errors_from_means, reconstruction_errors

    sizes = []

    def wide(z):
        sizes.append(len(z))
        return np.repeat(z, 32, axis=1).reshape(len(z), 8, 8)

    posterior = Posterior(np.random.default_rng(0).random((5000, 2), dtype=np.float32))
    many = np.resize(x, (5000, 8, 8))
    found = errors_from_means(wide, posterior, Batches(Reader(many, size=999)))
    assert max(sizes) == 1024
    np.testing.assert_allclose(found, reconstruction_errors(many, decode(wide, posterior)))


def test_samples_of_a_stream_are_as_many_as_they_must_be(x):
    with pytest.raises(InputError, match="x: got 70 rows for 60 samples"):
        check_samples(Reader(x), "x", reference=np.zeros((60, 2)))
