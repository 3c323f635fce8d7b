"""Bytes become [0, 1] wherever they are stored, unless a model proves that it takes bytes, and never silently."""

import warnings

import numpy as np
import pytest
from PIL import Image

import vaeviz
from vaeviz import Dataset, Encoder, GuessWarning, encode
from vaeviz.data.out_of_core import as_samples, is_same_source
from vaeviz.data.value_ranges import expand_unit_range
from vaeviz.errors import InputError

PICTURES = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
MASKS = (PICTURES > 127).astype(np.uint8)


def first_two(x):
    return x.reshape(len(x), -1)[:, :2]


def mapped(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def tensor(x, folder):
    return pytest.importorskip("torch").from_numpy(x)


def loader(x, folder):
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.from_numpy(x)), batch_size=7)


def torch_dataset(x, folder):
    torch = pytest.importorskip("torch")
    return torch.utils.data.TensorDataset(torch.from_numpy(x), torch.arange(len(x)))


STORAGES = {
    "array": lambda x, folder: x,
    "memory map": mapped,
    "list of arrays": lambda x, folder: list(x),
    "tensor": tensor,
    "loader": loader,
    "torch Dataset": torch_dataset,
    "Dataset": lambda x, folder: Dataset(x),
    "PIL images": lambda x, folder: [Image.fromarray(one) for one in x],
}
ANY_ARRAY = [name for name in STORAGES if name != "PIL images"]


@pytest.fixture(params=STORAGES)
def stored(request, tmp_path):
    """Return a function that stores samples in one of several ways."""
    return lambda x: STORAGES[request.param](x, tmp_path)


def codes(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return encode(first_two, x).mean


def test_bytes_are_divided_by_255_with_a_warning_and_silently_once_declared(stored):
    divided = first_two(PICTURES / np.float32(255))
    with pytest.warns(GuessWarning) as caught:
        np.testing.assert_array_equal(encode(first_two, stored(PICTURES)).mean, divided)
    for value_range, factor in (((0, 1), 1), ((0, 255), 255)):
        assert f"value_range={value_range}" in caught[0].message.fix.python
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mean = encode(Encoder(first_two, value_range=value_range), stored(PICTURES)).mean
        np.testing.assert_allclose(mean, divided * factor, rtol=1e-6)


@pytest.mark.parametrize(("n_bits", "dtype"), [(8, np.float32), (12, np.uint16), (16, np.uint16), (16, np.int32)])
def test_whole_numbers_of_pictures_warn_with_lines_that_work(n_bits, dtype):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network, white = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)), 2**n_bits - 1
    x = (PICTURES / 255 * white).astype(dtype)
    with pytest.warns(GuessWarning) as caught:
        mean = encode(network, x).mean
    advice = caught[0].message.fix.python
    assert f"x / {white}" in advice
    assert f"value_range=(0, {white})" in advice
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode(network, x / white)
        declared = encode(Encoder(network, value_range=(0, white)), x / white).mean
        encode(network, np.round(PICTURES.reshape(20, 64) * 4.0))  # counts
    np.testing.assert_allclose(declared, mean, rtol=1e-3, atol=1e-3 * white)


def test_masks_of_0_and_1_keep_their_values(stored):
    np.testing.assert_array_equal(codes(stored(MASKS)), first_two(MASKS))


def test_dark_bytes_are_divided_and_said(stored):
    with pytest.warns(GuessWarning, match="16") as caught:
        mean = encode(first_two, stored(PICTURES // 16 + 1)).mean
    np.testing.assert_array_equal(mean, first_two((PICTURES // 16 + 1) / np.float32(255)))
    assert "x / 16" in caught[0].message.fix.python


@pytest.mark.parametrize("stored", ANY_ARRAY, indirect=True)
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint16])
def test_other_types_keep_their_values(dtype, stored):
    x = PICTURES.astype(dtype)
    np.testing.assert_array_equal(codes(stored(x)), first_two(x).astype(np.float32))


@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")
@pytest.mark.parametrize("shape", [(13,), (2,), (60,), (64,), (3072,), (60, 3), (3, 8, 8)], ids=str)
def test_bytes_of_every_width_are_divided(shape):
    x = np.random.default_rng(1).integers(0, 256, (20, *shape), dtype=np.uint8)
    np.testing.assert_array_equal(encode(first_two, x).mean, first_two(x / np.float32(255)))


@pytest.mark.parametrize(
    ("shape", "kind"), [((13,), "table"), ((2,), "point"), ((60, 3), "signal")], ids=["table", "points", "signals"]
)
def test_bytes_of_other_declared_kinds_keep_their_values(shape, kind):
    x = np.random.default_rng(1).integers(0, 256, (20, *shape), dtype=np.uint8)
    np.testing.assert_array_equal(codes(Dataset(x, kind=kind)), first_two(x))


class Projection:
    """An autoencoder that reconstructs samples in a subspace, and divides what it receives by itself."""

    def __init__(self, size, divisor):
        self.basis = np.linalg.qr(np.random.default_rng(0).standard_normal((size, 4)))[0].astype(np.float32)
        self.divisor = divisor

    def encode(self, x):
        return (x.reshape(len(x), -1) / self.divisor - 0.5) @ self.basis

    def decode(self, z):
        return z @ self.basis.T + 0.5

    def bytes(self, n_samples=20):
        z = np.random.default_rng(1).standard_normal((n_samples, 4)) * len(self.basis) ** 0.5 / 8
        return np.clip(255 * self.decode(z), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [60, 64, 3072])
@pytest.mark.parametrize("divisor", [1, 255])
def test_the_reconstruction_proves_which_range_a_model_takes(size, divisor):
    model = Projection(size, divisor)
    x = model.bytes()
    expected = model.encode(x / np.float32(255) * divisor)
    for encoder in (model, model.encode, vaeviz.cache_encoding(model, x)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(encode(encoder, x).mean, expected, atol=1e-4)
    inspection = vaeviz.inspect(model, x)
    (found,) = (one for one in inspection.encoder if one.name == "value range")
    assert found.value == f"0 to {divisor}"
    assert "%" in found.evidence
    assert f"value_range=(0, {divisor})" in inspection.encoder_declaration


def test_a_declared_kind_says_nothing_about_the_range_of_a_model():
    model = Projection(64, 255)
    data = Dataset(model.bytes(), kind="image")
    np.testing.assert_allclose(encode(model, data).mean, model.encode(model.bytes().astype(np.float32)), atol=1e-4)


def test_a_preprocess_that_divides_bytes_receives_them():
    model = Projection(64, 1)
    x = model.bytes()
    encoder = Encoder(model, preprocess=lambda x: x / 255)
    np.testing.assert_allclose(encode(encoder, x).mean, model.encode(x / np.float32(255)), atol=1e-4)


def test_an_inspection_says_that_bytes_were_divided():
    (found,) = (one for one in vaeviz.inspect(first_two, PICTURES).encoder if one.name == "value range")
    assert found.value == "0 to 1"
    assert "255" in found.evidence
    assert "not proven" in found.evidence


def test_a_declared_kind_and_names_decide_whether_bytes_are_gray_levels():
    flat = PICTURES.reshape(20, 64)
    with pytest.warns(GuessWarning) as caught:
        assert np.asarray(Dataset(flat).x).max() == 1
    assert 'kind="table"' in caught[0].message.fix.python
    assert np.asarray(Dataset(flat, kind="image").x).max() == 1
    assert np.asarray(Dataset(flat, kind="table").x).max() == flat.max()
    names = tuple(f"feature {i}" for i in range(64))
    assert np.asarray(Dataset(flat, feature_names=names).x).max() == flat.max()
    frame = pytest.importorskip("pandas").DataFrame(flat, columns=names)
    np.testing.assert_array_equal(codes(frame), flat[:, :2])


def test_bytes_in_memory_are_the_same_samples_after_conversion():
    assert is_same_source(as_samples(PICTURES, "x"), PICTURES)
    encoder = vaeviz.cache_encoding(first_two, PICTURES)
    assert encode(encoder, PICTURES) is encoder._cached[1]


def test_originals_and_reconstructions_of_bytes_have_one_scale():
    ax = vaeviz.reconstruction_pairs(first_two, lambda z: np.repeat(z, 32, axis=1), PICTURES)
    assert np.nanmax(ax.images[0].get_array()) <= 1


def test_pictures_in_floating_point_with_the_values_of_bytes_are_said():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
    x = PICTURES.astype(np.float32)
    with pytest.warns(GuessWarning) as caught:
        encode(net, x)
    assert "x / 255" in caught[0].message.fix.python
    expected = net(torch.from_numpy(x)).detach()
    declared = Encoder(net, value_range=(0, 1))
    for encoder, samples in ((declared, PICTURES), (Encoder(net, value_range=(0, 255)), x / 255), (net, x - 128)):
        with warnings.catch_warnings():
            warnings.simplefilter("error", GuessWarning)
            mean = encode(encoder, samples).mean
        if encoder not in (net, declared):
            np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-3)


# Declared ranges


@pytest.mark.parametrize(
    ("x", "value_range", "line"),
    [
        (PICTURES / 127.5 - 1, (-1, 1), "(x + 1) / 2"),
        (PICTURES / 127.5 - 1, (0, 1), "(x + 1) / 2"),
        (PICTURES.astype(np.float32), (-1, 1), "x / 255"),
        (PICTURES.astype(np.float32), (0, 1), "x / 255"),
        (PICTURES.astype(np.float32), (0, 255), "x / 255"),
        ((PICTURES // 16).astype(np.float32), (0, 1), "x / 15"),
        ((PICTURES - 127.0) / 70, (-1, 1), "value_range"),
    ],
)
def test_data_that_do_not_fit_a_declared_range_are_an_error_whose_line_works(x, value_range, line):
    encoder = Encoder(first_two, value_range=value_range)
    with pytest.raises(InputError) as caught:
        encode(encoder, x)
    assert line in caught.value.fix.python
    if line != "value_range":
        encode(encoder, eval(line, {"x": x}))


def test_data_in_the_unit_interval_are_rescaled_and_may_overshoot_a_little():
    x = np.array([[-0.04, 0.5, 1.05]], np.float32)
    np.testing.assert_allclose(expand_unit_range(x, (-1, 1), "e"), [[-1.08, 0, 1.1]], rtol=1e-6)


@pytest.mark.parametrize("value_range", [([-2, -2, -2], [2, 2, 2]), (0, 1, 2), (1, 0), 3, "01", (0, np.nan)])
@pytest.mark.parametrize("part", [vaeviz.Encoder, vaeviz.Decoder])
def test_a_range_that_is_not_two_numbers_is_an_error_at_once(part, value_range):
    with pytest.raises(InputError) as caught:
        part(first_two, value_range=value_range)
    assert caught.value.expected == "(low, high)"
    assert "std" in caught.value.fix.python


# The decoder's side


def tanh_pair(z):
    return np.tile(np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8), (len(z), 1, 1))


@pytest.mark.parametrize(("declared", "undeclared"), [("encoder", "Decoder"), ("decoder", "Encoder")])
def test_a_range_of_one_part_alone_is_said_once_and_can_be_declared(declared, undeclared):
    x = PICTURES / np.float32(255)
    parts = {"encoder": first_two, "decoder": tanh_pair}
    classes = {"encoder": vaeviz.Encoder, "decoder": vaeviz.Decoder}
    parts[declared] = classes[declared](parts[declared], value_range=(-1, 1))
    with pytest.warns(GuessWarning) as caught:
        vaeviz.decode(parts["decoder"], encode(parts["encoder"], x))
    assert f"{undeclared}(fn, value_range=(-1, 1))" in caught[0].message.fix.python
    for value_range in ((-1, 1), (0, 1)):
        other = undeclared.lower()
        both = {**parts, other: classes[other](parts[other], value_range=value_range)}
        with warnings.catch_warnings():
            warnings.simplefilter("error", GuessWarning)
            vaeviz.decode(both["decoder"], encode(both["encoder"], x))


def test_no_declared_range_and_codes_of_unknown_origin_are_not_questioned():
    with warnings.catch_warnings():
        warnings.simplefilter("error", GuessWarning)
        vaeviz.decode(lambda z: tanh_pair(z) / 2 + 0.5, encode(first_two, PICTURES / 255))
        vaeviz.decode(vaeviz.Decoder(tanh_pair, value_range=(-1, 1)), np.zeros((3, 2)))


@pytest.mark.parametrize(("white", "line"), [(16, "x / 16"), (255, "x / 255")])
def test_data_out_of_the_range_of_a_decoder_are_said(white, line):
    x = np.random.default_rng(0).integers(0, white, (20, 8, 8), endpoint=True).astype(np.float32)
    x[0, 0, 0] = white
    with pytest.warns(GuessWarning) as caught:
        vaeviz.decode(lambda z: tanh_pair(z) / 2 + 0.5, np.zeros((20, 2)), reference=x)
    assert line in caught[0].message.fix.python
