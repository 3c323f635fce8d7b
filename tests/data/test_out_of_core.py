"""Samples that are not in memory are read as they are needed."""

import json

import numpy as np
import pytest

import vaeviz
from vaeviz import Batches, Dataset, Posterior, encode, export_figures
from vaeviz.analysis.active_dimensions import active_dimensions
from vaeviz.data.batches import check_samples
from vaeviz.data.out_of_core import (
    StoredArray,
    as_samples,
    data_range,
    is_out_of_core,
    is_same_source,
    iterate_blocks,
    shorten,
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
    """Batches of x that can be iterated again; `passes` counts how often they were."""

    def __init__(self, x, labels=None, size=16):
        self.x, self.labels, self.size, self.passes = x, labels, size, 0

    def __iter__(self):
        self.passes += 1
        for start in range(0, len(self.x), self.size):
            rows = slice(start, start + self.size)
            yield self.x[rows] if self.labels is None else (self.x[rows], self.labels[rows])


class Chunked:
    """An array that is read by slices or ascending indices, like those of h5py."""

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
    """Return x as samples that are not in memory."""
    whole = mapped(x, tmp_path / "x.npy")
    return {
        "mapped": lambda: whole,
        "view of a map": lambda: np.asarray(whole),
        "chunked": lambda: Chunked(x),
        "reader": lambda: Reader(x),
        "function": lambda: Batches(lambda: iter(Reader(x))),
        "loader": lambda: loader(x, labels, batch_size=13),
    }[request.param]()


# Streams replace arrays


def test_a_stream_has_the_rows_of_its_array(source, x):
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


def test_a_stream_and_its_array_have_the_same_codes(source, x, encoder):
    expected, found = encode(encoder, x), encode(encoder, source)
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.std, expected.std)


@pytest.mark.parametrize("size", [1, 16, 64, 1000])
def test_the_batch_size_of_the_encoder_is_kept_for_batches_of_any_size(x, size):
    sent = []
    fn = vaeviz.Encoder(lambda batch: sent.append(len(batch)) or batch[:, 0, :2], batch_size=size)
    np.testing.assert_array_equal(encode(fn, Reader(x, size=9)).mean, x[:, 0, :2])
    assert max(sent) == min(size, N)


@pytest.mark.usefixtures("without_layout")
@pytest.mark.no_cover
@pytest.mark.parametrize("source", [pytest.param("view of a map", marks=pytest.mark.slow), "reader"], indirect=True)
def test_a_stream_and_its_array_have_the_same_figures(source, x, labels, encoder, decoder, tmp_path):
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


@pytest.mark.usefixtures("only_records")
@pytest.mark.no_cover
def test_plots_of_all_samples_accept_batches(x, labels, encoder, decoder, tmp_path):
    plots = ["interpolation", "latent_triage", "manifold_grid", "prior_holes", "samples", "traversal"]
    batches = loader(x, labels, batch_size=30)
    records = export_figures(tmp_path, encoder=encoder, decoder=decoder, x=batches, plots=plots, dpi=30)
    assert {record.status for record in records} == {"drawn"}, [record.reason for record in records]
    assert json.loads((tmp_path / "manifest.json").read_text())["inputs"]["labels"]["shape"] == [N]


def test_bytes_on_disk_become_values_in_the_unit_interval(tmp_path):
    values = np.random.default_rng(1).integers(0, 256, (20, 4, 4), dtype=np.uint8)
    np.save(tmp_path / "bytes.npy", values)
    data = vaeviz.load_data(str(tmp_path / "bytes.npy"))
    assert isinstance(data.x, StoredArray)
    assert data.x.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(data.x), values.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data[[3, 1]].x, values[[3, 1]].astype(np.float32) / np.float32(255))
    assert not is_same_source(data.x, np.load(tmp_path / "bytes.npy", mmap_mode="r"))


def test_hdf5_arrays_are_encoded_without_loading_them(x, encoder, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        stored = file.create_dataset("x", data=x, chunks=(7, 8, 8))
        np.testing.assert_array_equal(encode(encoder, stored).mean, encode(encoder, x).mean)
        np.testing.assert_array_equal(take_rows(as_samples(stored, "x"), [9, 3, 9]), x[[9, 3, 9]])


# What a stream knows


def test_encoding_takes_one_pass(x, encoder):
    reader = Reader(x)
    batches = Batches(reader)
    encode(encoder, batches)
    assert reader.passes == 2  # the first batch tells the shape
    assert len(batches) == N
    assert reader.passes == 2


def test_the_first_rows_need_no_complete_pass(x):
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


def test_given_labels_take_precedence_over_those_of_the_batches(x, labels):
    assert Dataset(Reader(x, labels), labels[::-1]).labels.tolist() == labels[::-1].tolist()


def test_cached_codes_belong_to_the_source(source, x, encoder):
    calls = []
    kept = vaeviz.cache_encoding(lambda batch: calls.append(1) or encoder(batch), source)
    calls.clear()
    assert encode(kept, source) is encode(kept, as_samples(source, "x"))
    assert calls == []
    encode(kept, x)
    assert calls


# Errors


@pytest.mark.parametrize("once", [lambda x: iter([x]), lambda x: (part for part in [x]), lambda x: map(abs, [x])])
def test_an_iterator_is_an_error_with_the_line_to_write(x, encoder, once):
    with pytest.raises(InputError, match=r"^x: ") as raised:
        encode(encoder, once(x))
    assert raised.value.got == type(once(x)).__name__
    assert "vaeviz.Batches(lambda: " in raised.value.fix.python


def test_a_loader_that_shuffles_is_an_error(x, encoder):
    with pytest.raises(InputError) as raised:
        encode(encoder, loader(x, shuffle=True))
    assert raised.value.got == "RandomSampler"
    assert "shuffle=False" in raised.value.fix.python


class Changing:
    def __init__(self, *passes):
        self.passes = list(passes)

    def __iter__(self):
        return iter(self.passes.pop(0) if len(self.passes) > 1 else self.passes[0])


@pytest.mark.parametrize(
    ("second", "index"),
    [(lambda a, b: [b, a], 0), (lambda a, b: [a], 1), (lambda a, b: [], 0), (lambda a, b: [a, b, a], 2)],
    ids=["other values", "missing last batch", "no batches", "extra batch"],
)
def test_batches_that_change_are_an_error(x, second, index):
    a, b = x[:30], x[30:]
    batches = Batches(Changing([a, b], second(a, b)))
    assert len(batches) == N
    with pytest.raises(InputError) as raised:
        list(batches)
    assert raised.value.got.startswith(f"batch {index} ")
    assert "shuffle=False" in raised.value.fix.python


@pytest.mark.parametrize(
    ("make", "got", "expected"),
    [
        (lambda x: [], "no samples", "at least one sample"),
        (lambda x: [x[0, 0]], "(8,)", "(n, ...)"),
        (lambda x: [x, x[:, :4]], "(4, 8) float32", "(8, 8) float32"),
        (lambda x: [x, x.astype(np.float64)], "(8, 8) float64", "(8, 8) float32"),
        (lambda x: ["no"], "array of <U2", "real numbers"),
    ],
)
def test_invalid_batches_are_an_error(x, encoder, make, got, expected):
    with pytest.raises(InputError) as raised:
        encode(encoder, Batches(lambda: make(x)))
    assert (raised.value.got, raised.value.expected) == (got, expected)


def test_batches_with_named_parts_are_an_error_with_the_line_to_write(x, encoder):
    with pytest.raises(InputError) as raised:
        encode(encoder, Batches(lambda: [{"image": x}]))
    assert raised.value.got == "image"
    assert "batch['image'] for batch in loader" in raised.value.fix.python


def test_an_exception_of_the_source_is_named(encoder):
    with pytest.raises(InputError, match="ZeroDivisionError") as raised:
        encode(encoder, Batches(lambda: 1 / 0))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_an_object_that_cannot_be_iterated_is_an_error():
    with pytest.raises(InputError) as raised:
        Batches(3)
    assert raised.value.got == "int"


def test_the_error_names_the_row_of_a_nan_that_is_found_while_reading(x, tmp_path, encoder):
    x = np.tile(x, (30, 1, 1))
    x[2000, 3, 3] = np.nan
    for source in (mapped(x, tmp_path / "x.npy"), Reader(x)):
        with pytest.raises(InputError, match=r"^x ") as raised:
            encode(encoder, source)
        assert raised.value.got == "row 2000"


def test_a_copy_on_write_map_keeps_its_changes(x, tmp_path, encoder):
    changed = mapped(x, tmp_path / "x.npy", mode="c")
    changed[:] = 0.25
    encode(encoder, changed)
    assert (changed == 0.25).all()


# Memory


def test_a_memory_map_is_never_loaded_completely(tmp_path, python):
    """Of 200 MB on disk a few are in memory: pages are released after reading, and codes are not views of x."""
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


def test_reconstruction_errors_decode_one_batch_at_a_time(x, encoder):
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


def test_a_stream_must_have_one_row_per_reference_sample(x):
    with pytest.raises(InputError, match=r"^x ") as raised:
        check_samples(Reader(x), "x", reference=np.zeros((60, 2)))
    assert (raised.value.got, raised.value.expected) == ("70", "60")


# Data sets of torch


def torch_parts(x, labels):
    torch = pytest.importorskip("torch")
    return torch.utils.data, torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(labels))


class PictureFiles:
    """Samples by index, with a length."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        if index >= len(self.x):
            raise IndexError
        return self.x[index]


def test_data_sets_of_torch_are_samples_with_labels(x, labels, encoder):
    data, whole = torch_parts(x, labels)

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(whole[i] for i in range(len(whole)))

    rows = list(range(5, 40, 3))
    for source, expected in (
        (whole, slice(None)),
        (data.Subset(whole, rows), rows),
        (Stream(), slice(None)),
        (data.ConcatDataset([data.Subset(whole, range(10)), data.Subset(whole, range(10, N))]), slice(None)),
    ):
        np.testing.assert_array_equal(encode(encoder, source).mean, encode(encoder, x[expected]).mean)
        np.testing.assert_array_equal(Dataset(source).labels, labels[expected])
    np.testing.assert_array_equal(encode(encoder, PictureFiles(x)).mean, encode(encoder, x).mean)


def test_items_with_names_are_an_error_with_the_line_to_write(x):
    with pytest.raises(InputError) as caught:
        encode(lambda x: x, PictureFiles([{"image": one} for one in x]))
    assert "batch['image']" in caught.value.fix.python


def test_a_data_set_is_samples_labels_and_names(x, labels, encoder, tmp_path):
    data = Dataset(x, labels, tuple("abcde"))
    np.testing.assert_array_equal(encode(encoder, data).mean, encode(encoder, x).mean)
    cached = vaeviz.cache_encoding(encoder, data)
    assert encode(cached, data) is encode(cached, data.x)
    (record,) = export_figures(tmp_path, encoder=encoder, x=data, plots=["latent_scatter"], formats=["svg"])
    assert record.status == "drawn"
    assert json.loads((tmp_path / "manifest.json").read_text())["inputs"]["labels"]["shape"] == [N]


@pytest.mark.parametrize("kind", ["loader", "data set"])
def test_reading_leaves_the_random_state_of_torch_alone(kind, x, labels, encoder):
    torch = pytest.importorskip("torch")
    data, whole = torch_parts(x, labels)

    class Noisy(data.Dataset):
        def __len__(self):
            return len(whole)

        def __getitem__(self, index):
            torch.rand(3)
            return whole[index]

    source = data.DataLoader(Noisy(), batch_size=9) if kind == "loader" else Noisy()
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    encode(encoder, source)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_long_message_keeps_its_cause():
    message = shorten("first " + "x" * 1000 + " the cause")
    assert message.startswith("first")
    assert message.endswith("the cause")
    assert len(message) < 320


@pytest.fixture
def codes(tmp_path):
    """Return a function that stores float32 arrays and maps them into memory."""

    def store(values, name="codes.npy"):
        return mapped(np.asarray(values, np.float32), tmp_path / name)

    return store


def test_memory_mapped_codes_stay_on_the_disk(codes):
    mean = np.random.default_rng(0).standard_normal((N, 3))
    posterior = Posterior(codes(mean), codes(np.exp(mean), "std.npy"), "normal")
    assert is_out_of_core(posterior.mean)
    assert is_out_of_core(posterior.std)
    in_memory = Posterior(mean, np.exp(mean), "normal")
    np.testing.assert_array_equal(posterior.mean, in_memory.mean)
    found, expected = active_dimensions(posterior), active_dimensions(in_memory)
    np.testing.assert_array_equal(found.kl, expected.kl)
    np.testing.assert_array_equal(found.variance_error, expected.variance_error)


def test_memory_mapped_codes_are_checked(codes):
    with pytest.raises(InputError):
        Posterior(codes([[0, np.inf]]))
    with pytest.raises(InputError) as raised:
        Posterior(codes([[0, 0], [0, 0]]), codes([[1, 1], [1, -2]], "std.npy"))
    assert raised.value.got == "-2"


def test_codes_beyond_the_limit_are_in_a_file(x, source, monkeypatch):
    monkeypatch.setattr("vaeviz.data.row_buffer.MAX_BYTES_IN_MEMORY", 100)
    encoder = vaeviz.Encoder(lambda x: x.reshape(len(x), -1)[:, :3], returns="mean", batch_size=16)
    posterior = encode(encoder, source)
    assert is_out_of_core(posterior.mean)
    np.testing.assert_array_equal(posterior.mean, x.reshape(N, -1)[:, :3])
