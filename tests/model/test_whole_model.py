"""Models whose own reconstruction shows how their outputs are to be read, and what decode(encode(x)) leaves out."""

import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz import GuessWarning, decode, encode
from vaeviz.errors import InputError
from vaeviz.model.collect_inputs import with_cached_codes
from vaeviz.model.decode import latent_size
from vaeviz.model.noise import fixed_noise
from vaeviz.model.opening import with_decoder
from vaeviz.model.output_tree import list_outputs

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

X = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
POINTS = np.random.default_rng(0).standard_normal((60, 2)).astype(np.float32)
SPREADS = {
    "log_var": lambda spread: (spread / 2).exp(),
    "log_std": lambda spread: spread.exp(),
    "std": lambda spread: spread,
    "var": lambda spread: spread.sqrt(),
    "unknown": lambda spread: spread.abs() + 0.3,
}
KINDS = ("log_var", "log_std", "std", "var")


class Halves(nn.Module):
    """A VAE whose encoder returns mean and spread in one array."""

    def __init__(self, kind="log_var", draws=True):
        super().__init__()
        self.kind, self.draws = kind, draws
        last = nn.Softplus() if kind in ("std", "var") else nn.Identity()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), last)
        self.decoder = nn.Sequential(nn.Linear(4, 64), nn.Sigmoid())

    def split(self, x):
        return self.encoder(x).chunk(2, 1)

    def forward(self, x):
        mean, spread = self.split(x)
        z = mean + torch.randn_like(mean) * SPREADS[self.kind](spread) if self.draws else mean
        return self.decoder(z).view_as(x), mean, spread


class Plane(nn.Module):
    """A VAE of points in the plane with a code in the plane, so that no shape tells its outputs apart."""

    def __init__(self, draws):
        super().__init__()
        self.draws = draws
        self.e, self.decoder = nn.Linear(2, 4), nn.Linear(2, 2)

    def forward(self, x):
        mean, log_var = self.e(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_var / 2).exp() if self.draws else mean
        return self.decoder(z), mean, log_var


class TwoOutputs(nn.Module):
    """An encoder that returns (mean, ln σ) without names, as the world models of Ha and Schmidhuber do."""

    def __init__(self):
        super().__init__()
        self.mean, self.spread, self.up = nn.Linear(64, 3), nn.Linear(64, 3), nn.Linear(3, 64)

    def encode(self, x):
        return self.mean(x.flatten(1)), self.spread(x.flatten(1))

    def decode(self, z):
        return torch.sigmoid(self.up(z))

    def forward(self, x):
        mean, log_std = self.encode(x)
        return self.decode(torch.distributions.Normal(mean, log_std.exp()).rsample()).view_as(x)


class Between(nn.Module):
    """An autoencoder with something between its encoder and its decoder."""

    def __init__(self, step):
        super().__init__()
        self.enc, self.dec = (
            nn.Sequential(nn.Flatten(), nn.Linear(64, 4)),
            nn.Sequential(nn.Linear(4, 64), nn.Sigmoid()),
        )
        self.codebook, self.step, self.rng = nn.Embedding(5, 4), step, np.random.default_rng(0)

    def draw(self, z, std):
        return torch.from_numpy(self.rng.normal(0, std, z.shape)).float()

    def encode(self, x):
        return self.enc(x)

    def quantize(self, z):
        indices = torch.cdist(z, self.codebook.weight).argmin(1)
        return torch.tensor(0.5), self.codebook(indices), indices

    def project(self, z):
        return z / z.norm(dim=1, keepdim=True)

    def decode(self, z):
        return self.dec(z)

    def forward(self, x):
        z = self.encode(x)
        steps = {
            "quantize": lambda z: self.quantize(z)[1],
            "project": self.project,
            "hidden": lambda z: z.flip(1) * 3,
            "noise of NumPy": lambda z: z + torch.from_numpy(np.random.standard_normal(z.shape)).float(),
            "noise of NumPy, hidden": lambda z: z.flip(1) * 3 + torch.from_numpy(np.random.randn(*z.shape)).float(),
            "noise of a generator": lambda z: z + self.draw(z, 0.05),
            "noise of a generator, hidden": lambda z: z.flip(1) * 3 + self.draw(z, 0.05),
            "large noise of a generator": lambda z: z + self.draw(z, 3),
        }
        return self.decode(steps[self.step](z)).view_as(x)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_of_mean_and_spread_is_divided_as_the_model_does(kind, recwarn):
    model = Halves(kind)
    mean, spread = model.split(torch.from_numpy(X))
    posterior = encode(model, X)
    np.testing.assert_allclose(posterior.mean, mean.detach(), atol=1e-6)
    np.testing.assert_allclose(posterior.std, SPREADS[kind](spread).detach(), rtol=1e-5)
    assert not recwarn.list
    np.testing.assert_allclose(decode(model, posterior), model.decoder(mean).detach(), atol=1e-6)


@pytest.mark.parametrize("draws", [True, False], ids=["sampling", "no noise in eval mode"])
def test_mean_and_spread_that_alternate_are_read_as_the_model_does(draws, recwarn):
    class Alternating(Halves):
        def split(self, x):
            values = self.encoder(x)
            return values[:, ::2], values[:, 1::2]

    model = Alternating(draws=draws)
    mean, log_var = model.split(torch.from_numpy(X))
    posterior = encode(model, X)
    np.testing.assert_allclose(posterior.mean, mean.detach(), atol=1e-6)
    np.testing.assert_allclose(posterior.std, (log_var / 2).exp().detach(), rtol=1e-5)
    advice = " ".join(
        one.message.fix.python for one in recwarn.list
    )  # without noise, nothing proves the kind of spread
    assert not advice if draws else "::2" in advice
    assert "every 2" in str(vaeviz.inspect(model, X))


def test_a_spread_that_explains_nothing_is_left_out_with_a_warning():
    model = Halves("unknown")
    with pytest.warns(GuessWarning, match="not used"):
        posterior = encode(model, X)
    np.testing.assert_allclose(posterior.mean, model.split(torch.from_numpy(X))[0].detach(), atol=1e-6)
    assert posterior.std is None


@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")  # the signs of an untrained network may look like anything
def test_a_decoder_of_half_the_codes_proves_the_halves_without_a_forward():
    halves = Halves()
    posterior = encode((halves.encoder, halves.decoder), X)
    np.testing.assert_allclose(posterior.mean, halves.split(torch.from_numpy(X))[0].detach(), atol=1e-6)
    assert posterior.std is not None


@pytest.mark.parametrize("draws", [True, False], ids=["sampling", "no noise in eval mode"])
def test_the_decoder_tells_the_reconstruction_from_the_mean(draws, recwarn):
    model = Plane(draws)
    mean, log_var = model.e(torch.from_numpy(POINTS)).chunk(2, 1)
    posterior = encode(model, POINTS)
    np.testing.assert_allclose(posterior.mean, mean.detach(), atol=1e-6)
    np.testing.assert_allclose(posterior.std, (log_var / 2).exp().detach(), rtol=1e-5)
    assert not recwarn.list


def test_the_noise_of_the_model_proves_the_kind_of_spread(recwarn):
    model = TwoOutputs()
    np.testing.assert_allclose(encode(model, X).std, model.encode(torch.from_numpy(X))[1].exp().detach(), rtol=1e-5)
    assert vaeviz.inspect(model, X).encoder_declaration.startswith('vaeviz.Encoder(fn, returns="mean,log_std"')
    assert not recwarn.list


@pytest.mark.parametrize("step", ["quantize", "project"])
def test_a_step_that_the_model_takes_before_it_decodes_is_taken(step, recwarn):
    model = Between(step)
    own = model(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(decode(model, encode(model, X), reference=X), own, atol=1e-6)
    inspection = vaeviz.inspect(model, X)
    assert step in {one.value for one in inspection.encoder if one.name == "then"}
    assert not recwarn.list


class Tokens(nn.Module):
    """An autoencoder that replaces each of several tokens by the nearest entry of a codebook."""

    def __init__(self, code_shape, tokens):
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Unflatten(1, code_shape))
        self.dec = nn.Sequential(nn.Flatten(), nn.Linear(12, 64), nn.Unflatten(1, (8, 8)))
        self.quantizer, self.tokens = Codebook(tokens), tokens

    def encode(self, x):
        return self.enc(x)

    def decode(self, z):
        return self.dec(z)

    def forward(self, x):
        z = self.encode(x)
        if z.ndim == 4:
            z = z.movedim(1, -1)
        quantized = self.quantizer(z.reshape(self.tokens))[1].view_as(z)
        return self.decode(quantized.movedim(-1, 1) if z.ndim == 4 else quantized)


class Codebook(nn.Module):
    def __init__(self, tokens):
        super().__init__()
        self.embedding, self.tokens = nn.Embedding(5, 3), tokens

    def forward(self, tokens):
        assert tokens.ndim == len(self.tokens)
        assert tokens.shape[1:] == self.tokens[1:]
        indices = torch.cdist(tokens, self.embedding.weight).argmin(-1)
        return torch.tensor(0.5), self.embedding(indices), indices


@pytest.mark.parametrize("tokens", [(-1, 4, 3), (-1, 3)])
@pytest.mark.parametrize("code_shape", [(12,), (4, 3), (3, 2, 2)])
def test_a_codebook_of_tokens_is_applied_as_the_model_does(code_shape, tokens, recwarn):
    model = Tokens(code_shape, tokens)
    encoder = vaeviz.Encoder(model, batch_size=16)
    samples = decode(model, encode(encoder, X))
    np.testing.assert_allclose(samples, model(torch.from_numpy(X)).detach(), atol=1e-6)
    assert not any("own reconstruction" in str(one.message) for one in recwarn)


def test_outputs_that_a_quantizer_leaves_out_are_no_outputs():
    returned = (np.zeros((5, 2)), np.float32(0.5), (None, None), [None])
    assert [output.path for output in list_outputs(returned)] == [(0,), (1,)]


def test_a_method_knows_the_model_that_it_belongs_to(recwarn):
    model = Between("quantize")
    own = model(torch.from_numpy(X)).detach()
    np.testing.assert_allclose(decode(model.decode, encode(model.encode, X), reference=X), own, atol=1e-6)
    assert not recwarn.list


def test_a_method_knows_a_decoder_of_another_kind_of_name():
    class Model(Halves):
        def encode(self, x):
            return self.encoder(x)

    model = Model(draws=False)
    by_model, by_method = encode(model, X), encode(model.encode, X)
    assert by_method.size == by_model.size == 4
    np.testing.assert_array_equal(by_method.std, by_model.std)


def test_a_step_that_cannot_be_found_causes_a_warning_with_both_errors():
    model = Between("hidden")
    with pytest.warns(GuessWarning) as caught:
        samples = decode(model, encode(model, X), reference=X)
    own = model(torch.from_numpy(X)).detach().numpy()
    for reconstruction in (samples, own):
        assert f"{np.abs(reconstruction - X)[:8].mean():.3g}" in str(caught[0].message)


@pytest.mark.parametrize("step", ["noise of NumPy", "noise of a generator"])
def test_noise_explains_a_difference(step, recwarn):
    encode(Between(step), X)
    assert not recwarn.list


@pytest.mark.parametrize(
    "step", ["noise of NumPy, hidden", "noise of a generator, hidden", "large noise of a generator"]
)
def test_noise_of_numpy_does_not_hide_a_difference(step):
    state = np.random.get_state()[1].copy()
    with pytest.warns(GuessWarning, match="own reconstruction"):
        encode(Between(step), X)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


BATCHES = {
    "key": lambda batch: batch["image"],
    "get": lambda batch: batch.get("x"),
    "tuple": lambda batch: next(iter(batch)),
    "two keys": lambda batch: (batch["label"], batch["x"])[1],
}


@pytest.mark.parametrize("how", BATCHES)
@pytest.mark.parametrize("step", ["quantize", "hidden"])
def test_the_call_of_a_model_that_takes_a_batch_is_compared(how, step, recwarn):
    class Lightning(Between):
        def forward(self, batch):
            assert not torch.is_tensor(batch)
            x = BATCHES[how](batch)
            return {"recon": super().forward(x), "loss": torch.tensor(0.0)}

        def encode(self, x, y=None):
            return self.enc(x)

    model = Lightning(step)
    posterior = encode(model, X, np.arange(40) % 3) if how == "two keys" else encode(model, X)
    messages = [str(one.message) for one in recwarn if "own reconstruction" in str(one.message)]
    assert bool(messages) == (step == "hidden")
    if step == "quantize":
        expected = Between.forward(model, torch.from_numpy(X)).detach()
        np.testing.assert_allclose(decode(model, posterior, reference=X), expected, atol=1e-6)


def test_a_call_that_fails_causes_a_warning_that_nothing_was_compared(recwarn):
    class NeedsMore(Between):
        def forward(self, x, mask):
            return super().forward(x * mask)

    class Conditional(Between):
        def forward(self, x, y):
            return super().forward(x * y)

    class Decodes(Between):
        def forward(self, z):
            return self.decode(z)

    for kind in (Conditional, Decodes):
        encode(kind("hidden"), X)
    assert not recwarn.list
    with pytest.warns(GuessWarning, match="mask"):
        encode(NeedsMore("hidden"), X)


def test_a_sigmoid_of_the_model_shows_that_its_decoder_returns_logits():
    class Logits(Halves):
        def forward(self, x):
            return torch.sigmoid(super().forward(x)[0])

    model = Logits()
    with pytest.warns(GuessWarning) as caught:
        encode(model, X)
    assert caught[0].message.fix.python == 'Write vaeviz.Decoder(fn, output="logits").'


def test_a_decoder_that_ignores_its_codes_proves_nothing(recwarn):
    model = Plane(draws=True)
    with torch.no_grad():
        model.decoder.weight.zero_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            encode(model, POINTS)
        except vaeviz.InputError as error:
            assert "returns=" in error.fix.python


class Whole(nn.Module):
    """A vector-quantized autoencoder without an encode method, whose forward returns its reconstruction and others."""

    def __init__(self, returns, names=("encoder", "decoder")):
        super().__init__()
        self.returns, self.names = returns, names
        setattr(self, names[0], nn.Sequential(nn.Flatten(), nn.Linear(64, 4)))
        self.codebook = nn.Embedding(5, 4)
        setattr(self, names[1], nn.Sequential(nn.Linear(4, 64), nn.Sigmoid()))

    def forward(self, x):
        z = getattr(self, self.names[0])(x)
        quantized = self.codebook(torch.cdist(z, self.codebook.weight).argmin(1))
        recon = getattr(self, self.names[1])(quantized).view_as(x)
        found = {"recon": recon, "loss": (z - quantized).square().mean(), "x": x, "losses": (z - quantized).mean(1)}
        outputs = tuple(found[name] for name in self.returns.split(","))
        return outputs if len(outputs) > 1 else outputs[0]


OUTPUTS_WITHOUT_CODES = ("recon", "recon,loss", "loss,recon,loss", "recon,x,loss", "recon,x", "x,recon", "recon,losses")


@pytest.mark.parametrize("returns", OUTPUTS_WITHOUT_CODES)
@pytest.mark.parametrize("names", [("encoder", "decoder"), ("enc", "dec")], ids=" ".join)
def test_a_reconstruction_is_not_a_code(returns, names):
    """The codes are those of the encoder, and a warning says that the quantization is left out."""
    model = Whole(returns, names)
    with pytest.warns(GuessWarning, match="own reconstruction"):
        mean = encode(model, X).mean
    np.testing.assert_allclose(mean, getattr(model, names[0])(torch.from_numpy(X)).detach(), atol=1e-6)


@pytest.mark.parametrize("returns", OUTPUTS_WITHOUT_CODES)
@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: lambda x: model(x)], ids=["module", "lambda"])
def test_a_whole_model_of_unknown_parts_is_an_error(returns, wrap):
    model = Whole(returns, ("first", "second"))
    with pytest.raises(vaeviz.InputError) as caught:
        encode(wrap(model), X)
    assert (caught.value.got, caught.value.expected) == ("reconstructions", "codes")


@pytest.mark.parametrize(
    "layers",
    [
        (
            nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2)),
            nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 64)),
        ),
        (nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2), nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 64)),
    ],
    ids=["two parts", "layers"],
)
def test_the_advice_divides_a_sequential_autoencoder_at_its_narrowest_layer(layers):
    model = nn.Sequential(*layers)
    x = X.reshape(40, 64)
    with pytest.raises(vaeviz.InputError) as caught:
        encode(model, x)
    at = 1 if len(layers) == 2 else 3
    for part in (f"vaeviz.Encoder(fn[:{at}])", f"vaeviz.Decoder(fn[{at}:])"):
        assert part in caught.value.fix.python
    codes = encode(model[:at], x)
    np.testing.assert_allclose(decode(model[at:], codes), model(torch.from_numpy(x)).detach(), atol=1e-6)


def test_a_reconstruction_of_another_library_causes_a_warning(recwarn):
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((64, 60)))[0].astype(np.float32)
    flat = X.reshape(40, 64)
    with pytest.warns(GuessWarning, match="resemble"):
        encode(lambda x: (x - 0.5) @ basis @ basis.T + 0.5, flat)
    recwarn.clear()
    for code in (lambda x: x, lambda x: x[:, ::-1] - 3, lambda x: (x - 0.5) @ basis):
        encode(code, flat)
    assert not recwarn.list


class Projection(nn.Module):
    """A VAE with a layer between its code and its decoder."""

    def __init__(self, draws):
        super().__init__()
        self.draws = draws
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16))
        self.mean, self.log_var, self.up = nn.Linear(16, 4), nn.Linear(16, 4), nn.Linear(4, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 64), nn.Sigmoid())

    def forward(self, x):
        hidden = self.encoder(x)
        mean, log_var = self.mean(hidden), self.log_var(hidden)
        z = mean + torch.randn_like(mean) * (log_var / 2).exp() if self.draws else mean
        return self.decoder(self.up(z)).view_as(x), mean, log_var


@pytest.mark.parametrize("draws", [True, False])
def test_a_layer_between_code_and_decoder_is_named_in_a_line_that_works(draws):
    fn = Projection(draws)
    with pytest.warns(GuessWarning, match="own reconstruction") as caught:
        posterior = encode(fn, X)
    (line,) = (part for part in caught[0].message.fix.python.split(", where")[0].split("Write ")[1:])
    decoder = eval(line, {"vaeviz": vaeviz, "fn": fn})
    with torch.no_grad(), fixed_noise(0.0):
        own = fn.eval()(torch.from_numpy(X))[0].numpy()
    np.testing.assert_allclose(decode(decoder, posterior, reference=X), own, atol=1e-6)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*own reconstruction")
        encode(with_decoder(fn, decoder), X)


@pytest.mark.filterwarnings("ignore::vaeviz.GuessWarning")
@pytest.mark.parametrize(
    "read",
    [
        lambda halves: encode(halves, X),
        lambda halves: encode((halves.encoder, halves.decoder), X),
        lambda halves: encode({"encoder": halves.encoder, "decoder": halves.decoder}, X),
        lambda halves: with_cached_codes({"encoder": halves.encoder, "decoder": halves.decoder, "x": X})[
            "encoder"
        ]._cached[1],
        lambda halves: encode(with_decoder(halves.encoder, halves.decoder), X),
    ],
    ids=["whole", "tuple", "dictionary", "inputs", "arguments"],
)
def test_an_array_is_divided_however_the_decoder_is_passed(read):
    halves = Halves()
    np.testing.assert_allclose(read(halves).mean, halves.split(torch.from_numpy(X))[0].detach(), atol=1e-6)


def test_nothing_of_the_model_or_of_random_states_changes():
    model = Halves().train()
    model.encoder.append(nn.BatchNorm1d(8))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    encode(model, X)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training


@pytest.mark.parametrize(
    "draw",
    [
        lambda: torch.randn(2, 3),
        lambda: torch.randn((2, 3), dtype=torch.float64),
        lambda: torch.randn_like(torch.zeros(2, 3)),
        lambda: torch.empty(2, 3).normal_(),
        lambda: torch.normal(torch.zeros(2, 3), torch.ones(2, 3)),
        lambda: torch.normal(0.0, 1.0, (2, 3)),
        lambda: torch.normal(torch.zeros(2, 3), std=1.0),
        lambda: torch.distributions.Normal(torch.zeros(2, 3), 1.0).rsample(),
        lambda: torch.distributions.Normal(torch.zeros(2, 3), 1.0).sample(),
        lambda: torch.distributions.MultivariateNormal(torch.zeros(2, 3), torch.eye(3)).rsample(),
        lambda: np.random.randn(2, 3),
        lambda: np.random.standard_normal((2, 3)),
        lambda: np.random.normal(np.zeros(3), scale=1.0, size=(2, 3)),
    ],
)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_noise_is_fixed_however_it_is_drawn(draw, value):
    with fixed_noise(value):
        drawn = draw()
    assert drawn.shape == (2, 3)
    assert (drawn == value).all()
    assert not (draw() == value).any()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.Linear(5, 64), 5), (nn.Sequential(nn.ReLU(), nn.Linear(7, 3), nn.Linear(3, 64)), 7)],
    ids=["linear", "sequential"],
)
def test_the_first_layer_of_a_decoder_tells_its_latent_size(layer, shape):
    assert latent_size(layer) == shape


def test_the_first_convolution_tells_what_to_declare():
    with pytest.raises(vaeviz.InputError) as caught:
        latent_size(nn.ConvTranspose2d(100, 3, 4))
    assert "latent_shape=(100, 1, 1)" in caught.value.fix.python


class Features(nn.Module):
    """A VAE as in MONAI: `encode` and `decode` are networks of features, with the latent layers between them."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Sequential(nn.Linear(12, 16), nn.Tanh()), nn.Sequential(nn.Linear(16, 12))
        self.mu, self.log_var, self.expand = nn.Linear(16, 3), nn.Linear(16, 3), nn.Linear(3, 16)

    def decode_forward(self, z):
        return self.decode(self.expand(z))

    def forward(self, x):
        h = self.encode(x)
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        return self.decode_forward(z), mu, log_var, z


class Pair(nn.Module):
    """An autoencoder that consists of its `encode` and `decode` alone."""

    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Linear(12, 3), nn.Linear(3, 12)

    def forward(self, x):
        return self.decode(self.encode(x))


def test_forward_wins_over_a_network_of_features(recwarn):
    model, x = Features(), np.random.default_rng(0).standard_normal((32, 12)).astype(np.float32)
    posterior = vaeviz.encode(model, x)
    with torch.no_grad():
        h = model.encode(torch.tensor(x))
        np.testing.assert_allclose(posterior.mean, model.mu(h), atol=1e-6)
        np.testing.assert_allclose(posterior.std, torch.exp(0.5 * model.log_var(h)), atol=1e-6)
        np.testing.assert_allclose(vaeviz.decode(model, posterior), model.decode_forward(model.mu(h)), atol=1e-5)
    assert not recwarn


def test_a_network_that_returns_the_codes_is_the_encoder(recwarn):
    model, x = Pair(), np.random.default_rng(0).standard_normal((32, 12)).astype(np.float32)
    np.testing.assert_allclose(vaeviz.encode(model, x).mean, model.encode(torch.tensor(x)).detach(), atol=1e-6)
    assert not recwarn


def test_codes_that_the_model_itself_does_not_return_cause_a_warning_with_a_line_that_works(recwarn):
    """As the models of mlcolvar do, which scale their samples before the encoder."""

    class Scales(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.register_buffer("factor", torch.tensor(factor))
            self.encoder, self.decoder = nn.Linear(6, 2), nn.Linear(2, 6)

        def forward(self, x):
            return self.encoder(self.factor * x)

    x = np.random.default_rng(0).random((20, 6), dtype=np.float32)
    fn = Scales(3.0)
    encode(fn, x)
    advice = recwarn.pop(GuessWarning).message.fix.python
    assert "vaeviz.Encoder(lambda x: fn(x))" in advice
    expected = fn(torch.from_numpy(x)).detach()
    np.testing.assert_allclose(encode(vaeviz.Encoder(lambda x: fn(x)), x).mean, expected, atol=1e-6)
    encode(Scales(1.0), x)
    assert not recwarn.list


class LearnedPrior(nn.Module):
    """A prior with parameters."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.ones(2))

    def sample(self, shape):
        return self.mean + torch.randn(*shape, 2)


class WithPrior(nn.Module):
    """A VAE that holds its prior."""

    def __init__(self, prior):
        super().__init__()
        self.enc, self.dec, self.prior = nn.Linear(6, 4), nn.Linear(2, 6), prior

    def encode(self, x):
        return tuple(self.enc(x).chunk(2, dim=1))

    def decode(self, z):
        return self.dec(z)


class StandardNormal(nn.Module):
    """N(0, I), as libraries of flows name it."""

    def log_prob(self, z):
        return -0.5 * (z**2).sum(1)


class Normal:
    """A distribution whose moments are methods, as those of JAX are."""

    def log_prob(self, z):
        return -0.5 * (z**2).sum(1)

    def mean(self):
        return np.zeros(2)

    variance = mean


OTHER_PRIORS = [
    LearnedPrior(),
    torch.distributions.Normal(torch.ones(2), torch.ones(2)),
    torch.distributions.MultivariateNormal(torch.zeros(2), torch.tensor([[1.0, 0.9], [0.9, 1.0]])),
    Normal(),
]


@pytest.mark.parametrize("prior", OTHER_PRIORS)
def test_a_model_with_a_prior_of_its_own_says_that_another_is_assumed(prior):
    x = np.random.default_rng(0).random((20, 6))
    with pytest.warns(vaeviz.GuessWarning, match="prior of its own") as caught:
        vaeviz.encode(WithPrior(prior), x)
    fixes = [one.message.fix.python for one in caught if "prior" in str(one.message)]
    assert 'prior="normal"' in fixes[0]
    assert 'prior="other"' in fixes[0]


def test_a_standard_normal_prior_is_what_is_assumed(recwarn):
    normal = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    for prior in (normal, torch.distributions.Independent(normal, 1), StandardNormal(), None):
        vaeviz.encode(WithPrior(prior), np.random.default_rng(0).random((20, 6)))
    assert not [one for one in recwarn if "prior of its own" in str(one.message)]


def test_another_prior_refuses_what_needs_a_normal_one():
    model, x = WithPrior(LearnedPrior()), np.random.default_rng(0).random((20, 6))
    encoder = vaeviz.Encoder(model, prior="other", returns="mean,log_var")
    decoder = vaeviz.Decoder(model, prior="other", output="values", latent_shape=(2,))
    assert vaeviz.encode(encoder, x).prior is None
    for plot in (vaeviz.samples, vaeviz.traversal, vaeviz.interpolation, vaeviz.manifold_grid):
        with pytest.raises(vaeviz.NotApplicable, match="prior"):
            plot(decoder)
    for plot in (vaeviz.aggregate_posterior, vaeviz.prior_holes):
        with pytest.raises(vaeviz.NotApplicable, match="prior"):
            plot(encoder, x)
    with pytest.raises(vaeviz.InputError) as error:
        vaeviz.Decoder(model, prior=model.prior)
    assert 'prior="other"' in error.value.fix.python
    assert vaeviz.decode(decoder, model.prior.sample((5,))).shape == (5, 6)


def test_a_model_that_reshapes_samples_of_a_wrong_size_is_reported_by_its_rows():
    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.decoder = nn.Linear(64, 4), nn.Linear(2, 64)

        def forward(self, x):
            mean, log_var = self.layer(x.view(-1, 64)).chunk(2, dim=1)
            return self.decoder(mean), mean, log_var

    with pytest.raises(InputError) as raised:
        encode(Whole(), X.reshape(40, -1)[:, :32])
    assert raised.value.got == "20 rows"
