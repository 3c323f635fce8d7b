"""Every hint in an error or warning works when it is pasted, for the object that caused it."""

import re
import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz import Decoder, Encoder, GuessWarning, InputError, decode, encode

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.distributions import Normal  # noqa: E402

RNG = np.random.default_rng(0)
N, D = 60, 3
X = RNG.random((N, 8), dtype=np.float32)
MEAN = RNG.standard_normal((N, D)).astype(np.float32)
LOG_VAR = RNG.uniform(-3, -1, (N, D)).astype(np.float32)
STD = np.exp(LOG_VAR / 2)
Z = RNG.standard_normal((N, 2)).astype(np.float32)
CUBES = RNG.random((4, 3, 3, 3), dtype=np.float32)


def expressions(text):
    """The calls ``vaeviz.Encoder(...)``, ``vaeviz.Decoder(...)`` and ``vaeviz.condition_on(...)`` in an advice."""
    found, end = [], 0
    for start in (match.start() for match in re.finditer(r"vaeviz\.(Encoder|Decoder|condition_on)\(", text)):
        if start < end:
            continue  # inside the last one
        end = text.index("(", start)
        depth = 0
        while end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
            if depth == 0:
                break
        found.append(text[start:end])
    return found


def pasted(fix, fn):
    """The encoders and decoders that a person gets who pastes the advice."""
    names = {"__name__": __name__, "vaeviz": vaeviz, "np": np, "torch": torch, "y": 1}
    names |= dict.fromkeys(("fn", "model"), getattr(fn, "fn", fn))
    return [eval(expression, names) for expression in expressions(fix.python)]


def cause(use, part):
    """The error or warning that a use of an encoder or decoder causes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            use(part)
        except (InputError, vaeviz.NotApplicable) as error:
            return error
    guesses = [one.message for one in caught if issubclass(one.category, GuessWarning)]
    assert guesses, "nothing was said"
    return guesses[0]


def silently(use, part):
    with warnings.catch_warnings():
        warnings.simplefilter("error", GuessWarning)
        return use(part)


def encode_one_sample(x):
    mean, log_var = x.reshape(8)[:2], x.reshape(8)[2:4] - 3
    return mean, log_var


class EncodesOneSample:
    def encode(self, x):
        return encode_one_sample(x)[0]


def returning(*values, form=tuple):
    return lambda x: form([value[: len(x)] for value in values])


def sampling(*values):
    """An encoder that returns these, and a new z for None."""
    return lambda x: tuple(
        MEAN + STD * np.random.default_rng().standard_normal((N, D)) if v is None else v for v in values
    )


def tensors(function):
    """An encoder on tensors that returns what a function of mean and spread makes of them."""
    return lambda x: function(torch.from_numpy(MEAN[: len(x)]), torch.from_numpy(STD[: len(x)]))


ENCODERS = {
    "mean, std": returning(MEAN, STD),
    "mean, var": returning(MEAN, STD**2),
    "mean, log_std, z": sampling(MEAN, LOG_VAR / 2, None),
    "z, mean, std": sampling(None, MEAN, STD),
    "z is the mean": returning(MEAN, MEAN, LOG_VAR),
    "z is the mean, at the end": returning(MEAN, LOG_VAR, MEAN),
    "mean, log_std, z is the mean": returning(MEAN, LOG_VAR, MEAN),
    "features, mean, log_var": returning(X[:, :5], MEAN, LOG_VAR),
    "features of one shape, mean, log_var": returning(RNG.standard_normal((N, D)), MEAN, LOG_VAR),
    "mean, log_var, features of one shape": returning(MEAN, LOG_VAR, RNG.standard_normal((N, D))),
    "log_var, mean": returning(LOG_VAR, MEAN),
    "side by side": returning(MEAN, LOG_VAR, form=lambda v: np.concatenate(v, axis=1)),
    "stacked": returning(MEAN, LOG_VAR, form=lambda v: np.stack(v, axis=1)),
    "named log_sigma": returning(MEAN, LOG_VAR / 2, form=lambda v: {"mu": v[0], "log_sigma": v[1]}),
    "named log_sigma, which is log_var": returning(MEAN, LOG_VAR, form=lambda v: {"mu": v[0], "log_sigma": v[1]}),
    "key of a batch": lambda batch: MEAN[: len(batch["image"])],
    "layers first": lambda x: MEAN[None, : len(x)],
    "unknown names": returning(X, MEAN, form=lambda v: {"h": v[0], "out": v[1]}),
    "z, mean": sampling(None, MEAN),
    "two distributions": tensors(lambda mean, std: (Normal(mean + 1, 1.0), Normal(mean, std))),
    "mean, matrix": tensors(lambda mean, std: (mean, torch.diag_embed(std))),
    "mean, concentration": returning(MEAN, LOG_VAR[:, :1]),
    "code of the size of a sample, log-determinant": lambda x: (x[:, ::-1], x[:, :1]),
    "maps of several sizes, one sample shape": lambda x: (x[:, :5], MEAN, x[:, :2], x[:, :4]),
    "one sample at a time": lambda x: np.dot(x.reshape(8), np.ones((8, 2), np.float32)),
    "one sample at a time in torch": lambda x: torch.as_tensor(x).reshape(8) @ torch.ones(8, 2),
    "mean and log_var of one sample at a time": encode_one_sample,
    "method of one sample at a time": EncodesOneSample(),
    "declared as alone": Encoder(returning(MEAN, LOG_VAR), returns="mean"),
    "declared as three": Encoder(returning(MEAN, LOG_VAR), returns="mean,log_var,z"),
    "declared as two": Encoder(returning(MEAN), returns="mean,log_var"),
    "declared with another shape": Encoder(lambda x: x[:, :2], input_shape=(9,)),
    "declared std, which is log_var": Encoder(returning(MEAN, LOG_VAR), returns="mean,std"),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_pasted_encodes_without_a_warning(name):
    """Each line runs, and one of them gives the mean and, where it was returned, the spread."""
    fn = ENCODERS[name]
    error = cause(lambda part: encode(part, X), fn)
    posteriors = [silently(lambda part: encode(part, X), part) for part in pasted(error.fix, fn)]
    assert posteriors, error
    if "sample" in name or "another shape" in name:
        return
    right = [one for one in posteriors if one.mean.shape == MEAN.shape and np.allclose(one.mean, MEAN, atol=1e-6)]
    assert right
    without_spread = ("unknown names", "z, mean", "mean, matrix", "mean, concentration", "declared as alone")
    if name not in (*without_spread, "declared as two", "layers first", "key of a batch"):
        assert any(one.std is not None and np.allclose(one.std, STD, atol=1e-6) for one in right)


def test_tokens_become_integers():
    embedding = nn.Embedding(20, D)
    tokens = RNG.integers(0, 20, (30, 7))
    model = nn.Sequential(embedding, nn.Flatten())
    (part,) = pasted(cause(lambda part: encode(part, tokens), model).fix, model)
    expected = model(torch.from_numpy(tokens)).detach()
    np.testing.assert_allclose(silently(lambda part: encode(part, tokens), part).mean, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("use", "fn"),
    [
        (lambda part: encode(part, X).mean, lambda x, y: x[:, :2] + y[:, None]),
        (lambda part: decode(part, Z), lambda z, y: z + y[:, None]),
    ],
    ids=["encoder", "decoder"],
)
def test_a_condition_is_fixed(use, fn):
    (part,) = pasted(cause(use, fn).fix, fn)
    assert len(silently(use, part)) == N


def test_images_for_an_encoder_of_vectors_are_flattened():
    images = X.reshape(N, 2, -1)
    weights = RNG.standard_normal((X.shape[1], D)).astype(np.float32)
    fn = lambda x: x @ weights  # noqa: E731
    (part,) = pasted(cause(lambda part: encode(part, images), fn).fix, fn)
    np.testing.assert_allclose(silently(lambda part: encode(part, images), part).mean, X @ weights, atol=1e-5)


def test_an_error_without_a_message_is_named():
    def fail(x):
        raise NotImplementedError

    error = cause(lambda part: encode(part, X), fail)
    assert error.got == "raised NotImplementedError without a message."


class Graph(nn.Module):
    """Passes its arguments on, as the models of torch_geometric do, so that its signature does not name them."""

    def forward(self, *args):
        return self.propagate(*args)

    def propagate(self, x, edge_index):
        return x[edge_index].mean(dim=0)[:, :2]


@pytest.mark.parametrize("fn", [Graph(), lambda x, edge_index: Graph()(x, edge_index)], ids=["hidden", "named"])
def test_an_argument_that_is_not_a_condition_keeps_its_name(fn):
    error = cause(lambda part: encode(part, X), fn)
    (line,) = (one for one in expressions(error.fix.python) if "edge_index" in one)
    edges = torch.arange(2 * N).reshape(2, N) % N
    part = eval(line, {"vaeviz": vaeviz, "fn": fn, "edge_index": edges, "x": X})
    np.testing.assert_allclose(silently(lambda part: encode(part, X), part).mean, X[:, :2], atol=1e-6)


@pytest.mark.parametrize("decoder", [nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Unflatten(1, (8, 8)))])
def test_a_range_is_declared_for_both_parts(decoder):
    torch.manual_seed(0)
    with torch.no_grad():
        decoder[0].bias -= 1.5
    images = RNG.random((N, 8, 8), dtype=np.float32)
    fix = cause(lambda part: decode(part, Z, reference=images), decoder).fix
    ranges = [part for part in pasted(fix, decoder) if part.value_range is not None]
    assert {part.role for part in ranges} == {"encoder", "decoder"}
    silently(lambda part: decode(part, Z, reference=images), next(part for part in ranges if part.role == "decoder"))


def test_a_small_last_batch_is_padded():
    fn = Encoder(lambda x: x.reshape(50, 8)[:, :2], batch_size=50)
    (part,) = pasted(cause(lambda part: encode(part, X), fn).fix, fn)
    np.testing.assert_array_equal(silently(lambda part: encode(part, X), part).mean, X[:, :2])


def test_channels_of_a_cube_are_declared():
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten())
    error = cause(lambda part: encode(part, CUBES), model)
    assert len([silently(lambda part: encode(part, CUBES), part) for part in pasted(error.fix, model)]) == 2


def shift(values):
    return np.repeat(values, 4, axis=1) * 3


DECODERS = {
    "logits": nn.Sequential(nn.Linear(2, 64), nn.Unflatten(1, (8, 8)), nn.LayerNorm((8, 8))),
    "first layer is a convolution": nn.ConvTranspose2d(2, 1, 8),
    "cube": nn.Sequential(nn.Linear(2, 27), nn.Unflatten(1, (3, 3, 3)), nn.Conv2d(3, 3, 1), nn.Sigmoid()),
    "declared with another shape": Decoder(nn.Linear(2, 64), sample_shape=(9, 9), output="values"),
    "fewer values than codes": lambda z: z[:, :1],
}


@pytest.mark.parametrize("name", DECODERS)
def test_what_is_pasted_decodes(name):
    torch.manual_seed(0)
    fn = DECODERS[name]
    parts = pasted(cause(lambda part: decode(part, Z), fn).fix, fn)
    assert parts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GuessWarning)  # not all of the cases can be right
        samples = [decode(part, Z) for part in parts if isinstance(part, Decoder)]
    assert all(len(one) == N and np.isfinite(one).all() for one in samples)


def test_bytes_are_declared_in_either_range():
    x = RNG.integers(0, 256, (N, 8), dtype=np.uint8)
    parts = pasted(cause(lambda part: encode(part, x), lambda x: x[:, :2]).fix, lambda x: x[:, :2])
    ranges = [silently(lambda part: encode(part, x), part).mean.max() for part in parts]
    np.testing.assert_allclose(ranges, [x[:, :2].max() / 255, x[:, :2].max()], rtol=1e-6)


def test_an_autoencoder_is_divided_into_its_parts():
    model = nn.Sequential(nn.Linear(8, 2), nn.Linear(2, 8))
    encoder, decoder, whole = pasted(cause(lambda part: encode(part, X), model).fix, model)
    codes = silently(lambda part: encode(part, X), encoder)
    np.testing.assert_allclose(decode(decoder, codes), model(torch.from_numpy(X)).detach(), atol=1e-6)
    assert silently(lambda part: encode(part, X), whole).size == 8  # if its outputs are the codes after all


def test_values_that_take_turns_are_divided():
    encoder, decoder = nn.Linear(8, 4), nn.Linear(2, 8)
    expected = encoder(torch.from_numpy(X)).detach()
    halves, of_log_std, turns = pasted(cause(lambda part: encode(part, X), (encoder, decoder)).fix, encoder)
    for part, mean in ((halves, expected[:, :2]), (of_log_std, expected[:, :2]), (turns, expected[:, ::2])):
        np.testing.assert_allclose(encode(part, X).mean, mean, atol=1e-6)


def test_a_function_with_the_name_of_the_other_part_is_declared():
    def encode(z):
        return np.repeat(z, 4, axis=1)

    (part,) = pasted(cause(lambda part: decode(part, Z), encode).fix, encode)
    assert silently(lambda part: decode(part, Z), part).shape == (N, 8)


def test_one_hot_conditions_are_declared():
    model = nn.Linear(8 + 3, 2)
    y = np.arange(N) % 3
    fn = lambda x, y: model(torch.cat([torch.as_tensor(x), torch.as_tensor(y)], 1))  # noqa: E731
    encoder, _ = pasted(cause(lambda part: encode(part, X, y), fn).fix, fn)
    assert silently(lambda part: encode(part, X, y), encoder).mean.shape == (N, 2)


def test_a_decoder_of_half_the_codes_says_what_the_encoder_returns():
    encoder, decoder = nn.Linear(8, 4), nn.Linear(2, 8)
    with pytest.raises(InputError) as caught:
        decode(decoder, encode(encoder, X))
    assert (caught.value.got, caught.value.expected) == ("4", "2")
    (part,) = pasted(caught.value.fix, encoder)
    assert decode(decoder, encode(part, X)).shape == X.shape


@pytest.mark.parametrize(
    ("use", "received", "needed"),
    [
        (lambda encoder, decoder: encode(decoder, X), 8, 2),
        (lambda encoder, decoder: decode(encoder, Z), 2, 8),
        (lambda encoder, decoder: encode(encoder, X[:, :7]), 7, 8),
    ],
    ids=["decoder as encoder", "encoder as decoder", "narrow samples"],
)
def test_swapped_parts_and_wrong_widths_are_named(use, received, needed):
    encoder, decoder = nn.Linear(8, 2), nn.Linear(2, 8)
    with pytest.raises(InputError) as caught:
        use(encoder, decoder)
    assert str(received) in caught.value.got
    assert str(needed) in caught.value.expected
    assert "encoder first" in caught.value.fix.python


@pytest.mark.parametrize(
    ("encoder", "sample"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), X[:8]),
        (nn.Sequential(nn.Conv2d(3, 2, 4), nn.Flatten()), RNG.random((3, 4, 4), dtype=np.float32)),
        (nn.Linear(8, 2), X[0]),
    ],
    ids=["gray", "color", "vector"],
)
def test_one_sample_without_a_batch_axis_is_named(encoder, sample):
    with pytest.raises(InputError) as caught:
        encode(encoder, sample)
    assert "x[None]" in caught.value.fix.python
    assert len(encode(encoder, sample[None])) == 1


def test_data_in_bytes_are_named_before_the_log_variance():
    model = nn.Linear(8, 4)
    with torch.no_grad():
        model.weight.fill_(1)
    encoder = Encoder(model, returns="mean,log_var")
    with pytest.warns(GuessWarning) as caught:
        encode(encoder, X[:, :] * 20)
    assert caught[0].message.fix.python.startswith("If the model expects values in [0, 1]")


@pytest.mark.parametrize("make", [tuple, lambda parts: dict(zip(("encoder", "decoder"), parts))], ids=["tuple", "dict"])
def test_an_encoder_and_a_decoder_are_a_model(make):
    encoder, decoder = nn.Linear(8, 2), nn.Linear(2, 8)
    model = make((encoder, decoder))
    np.testing.assert_array_equal(encode(model, X).mean, encode(encoder, X).mean)
    assert decode(model, Z).shape == X.shape


def test_a_class_is_not_a_model():
    for use in (vaeviz.open, lambda model: encode(model, X), lambda model: decode(model, Z)):
        with pytest.raises(InputError, match="is a class"):
            use(nn.Linear)


@pytest.mark.parametrize(
    ("name", "route"),
    [("model.ckpt", "checkpoint"), ("model.pkl", "trust"), ("model.h5", "keras"), ("folder/saved_model.pb", ".keras")],
)
def test_files_that_are_refused_name_the_route(name, route, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"model")
    with pytest.raises(InputError) as caught:
        vaeviz.open(path.parent if name.startswith("folder") else path)
    assert route in caught.value.fix.python
    assert caught.value.fix.command_line or route == ".keras"


@pytest.mark.parametrize("returns", ["maen,log_var", "mean,log_vra", "mean,lgovar", "mean,sdt", "mean,logvr"])
def test_a_misspelled_output_is_an_error_at_once(returns):
    with pytest.raises(InputError, match="returns"):
        Encoder(nn.Linear(8, 2), returns=returns)


@pytest.mark.parametrize("returns", ["mean,other", "z,mean,logits", "recon,mean,log_var,kl", "mean,log_q", "mean,h"])
def test_other_names_are_accepted(returns):
    assert Encoder(nn.Linear(8, 2), returns=returns).returns == returns


def test_warnings_point_at_the_line_of_the_user():
    def encoder(x):
        return x[:, :2] + np.random.default_rng().standard_normal((len(x), 2))

    for call in (lambda: encode(encoder, X), lambda: vaeviz.latent_scatter(encoder, X)):
        with pytest.warns(GuessWarning) as caught:
            call()
        assert {one.filename for one in caught} == {__file__}
