import numpy as np
import pytest

import vaeviz
from vaeviz import GuessWarning
from vaeviz.errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

ORDERS = {
    "recon,mean,log_var": (0, 1, 2),
    "mean,log_var,recon": (1, 2, 0),
    "mean,recon,log_var": (1, 0, 2),
    "recon,x,mean,log_var": (0, 3, 1, 2),
    "recon,mean,log_var,z": (0, 1, 2, 4),
    "recon,z,mean,log_var": (0, 4, 1, 2),
    "loss,recon,mean,log_var": (5, 0, 1, 2),
}


class Whole(nn.Module):
    """A VAE with a trunk, two heads, and a forward that returns some of its tensors, in some order."""

    def __init__(self, order=(0, 1, 2)):
        super().__init__()
        torch.manual_seed(0)
        self.order = order
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
        self.fc_mean, self.fc_log_var = nn.Linear(16, 3), nn.Linear(16, 3)
        self.decoder = nn.Sequential(nn.Linear(3, 64), nn.Sigmoid())

    def forward(self, x):
        hidden = self.encoder(x)
        mean, log_var = self.fc_mean(hidden), self.fc_log_var(hidden) - 2
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        recon = self.decoder(z).view_as(x)
        everything = (recon, mean, log_var, x, z, (recon - x).square().mean())
        return tuple(everything[i] for i in self.order)


def codes_of(model, x):
    """Mean and standard deviation, by the model's own layers."""
    with torch.no_grad():
        hidden = model.encoder(torch.from_numpy(x))
        return model.fc_mean(hidden).numpy(), torch.exp(0.5 * (model.fc_log_var(hidden) - 2)).numpy()


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_a_forward_gives_the_codes_in_every_known_order(order, images, draws):
    model = Whole(order)
    posterior, _ = draws(model, images, size=3)
    mean, std = codes_of(model, images)
    np.testing.assert_allclose(posterior.mean, mean, atol=1e-5)
    np.testing.assert_allclose(posterior.std, std, rtol=1e-4)
    assert posterior.prior == "normal"


def test_a_lambda_around_a_forward_gives_the_same_codes(images):
    model = Whole()
    np.testing.assert_allclose(vaeviz.encode(lambda x: model(x), images).mean, codes_of(model, images)[0], atol=1e-5)


def test_a_forward_without_codes_is_an_error_that_says_what_to_write(images):
    with pytest.raises(InputError) as caught:
        vaeviz.encode(vaeviz.open(Alone()).encoder, images)
    assert "(mean, log_var)" in str(caught.value)


class Alone(Whole):
    def forward(self, x):
        return super().forward(x)[0]


@pytest.mark.usefixtures("strict")
def test_encoder_and_decoder_attributes_are_the_pair_if_there_is_nothing_else(images, draws):
    class Autoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
            self.decoder = nn.Sequential(nn.Linear(2, 64), nn.Sigmoid())

        def forward(self, x):
            return self.decoder(self.encoder(x))

    model = Autoencoder()
    posterior, _ = draws(model, images, size=2)
    assert posterior.std is None
    np.testing.assert_allclose(posterior.mean, model.encoder(torch.from_numpy(images)).detach(), atol=1e-6)


@pytest.mark.usefixtures("strict")
def test_encode_and_decode_win_over_forward(images, draws):
    class Methods(Whole):
        def encode(self, x):
            hidden = self.encoder(x)
            return self.fc_mean(hidden), self.fc_log_var(hidden) - 2

        def decode(self, z):
            return self.decoder(z)

    posterior, decoded = draws(Methods(), images, size=3)
    np.testing.assert_allclose(posterior.std, codes_of(Methods(), images)[1], rtol=1e-4)
    assert 0 <= decoded.min() <= decoded.max() <= 1


# Files


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.to_code = nn.Linear(64, 4)
        self.norm = nn.BatchNorm1d(4)
        self.to_sample = nn.Linear(2, 64)

    def forward(self, x):
        return self.encode(x)

    @torch.jit.export
    def encode(self, x):
        mean, log_var = self.norm(self.to_code(x.flatten(1))).chunk(2, dim=1)
        return mean, log_var - 3

    @torch.jit.export
    def decode(self, z):
        return torch.sigmoid(self.to_sample(z))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("frozen", [False, True])
def test_a_torchscript_file_with_encode_and_decode(frozen, images, draws, tmp_path):
    model = Scripted()
    scripted = torch.jit.script(model)
    if frozen:
        scripted = torch.jit.freeze(scripted.eval(), preserved_attrs=["encode", "decode"])
    scripted.save(tmp_path / "vae.pt")
    posterior, _ = draws(vaeviz.open(tmp_path / "vae.pt", trust=True), images, size=2)
    with torch.no_grad():
        expected = model.eval().encode(torch.from_numpy(images))[0]
    np.testing.assert_allclose(posterior.mean, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_traced_encoder_needs_its_role(images, tmp_path):
    layer = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    torch.jit.trace(layer, torch.zeros(2, 8, 8)).save(tmp_path / "encoder.pt")
    expected = layer(torch.from_numpy(images)).detach()
    encoder, decoder = vaeviz.open(str(tmp_path / "encoder.pt"), role="encoder", trust=True)
    assert decoder is None
    np.testing.assert_allclose(vaeviz.encode(encoder, images).mean, expected, atol=1e-6)
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path / "encoder.pt", trust=True)
    assert 'role="encoder"' in caught.value.fix.python


class Exported(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Dropout(0.5))

    def forward(self, x):
        mean, log_var = self.net(x).chunk(2, dim=1)
        return mean, log_var - 3


@pytest.mark.parametrize("fixed", [False, True])
def test_an_exported_program(fixed, images, tmp_path):
    model = Exported().eval()
    shapes = None if fixed else ({0: torch.export.Dim("n")},)
    program = torch.export.export(model, (torch.zeros(16, 1, 8, 8),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "encoder.pt2")
    expected = model(torch.from_numpy(images)[:, None])[0].detach()
    for given in (tmp_path / "encoder.pt2", program):
        encoder, decoder = vaeviz.open(given, trust=True)
        assert decoder is None
        assert (encoder.input_shape, encoder.pad) == ((1, 8, 8), True if fixed else None)
        np.testing.assert_allclose(vaeviz.encode(encoder, images).mean, expected, atol=1e-5)


def test_an_exported_program_with_a_bounded_batch(images, tmp_path):
    shapes = ({0: torch.export.Dim("n", min=2, max=32)},)
    program = torch.export.export(Exported().eval(), (torch.zeros(16, 8, 8),), dynamic_shapes=shapes)
    torch.export.save(program, tmp_path / "encoder.pt2")
    encoder = vaeviz.open(tmp_path / "encoder.pt2", trust=True).encoder
    assert encoder.batch_size == 32
    assert vaeviz.encode(encoder, images).mean.shape == (40, 2)


def test_an_exported_decoder_says_its_latent_size(tmp_path):
    program = torch.export.export(nn.Linear(3, 64), (torch.zeros(1, 3),))
    torch.export.save(program, tmp_path / "decoder.pt2")
    decoder = vaeviz.open(tmp_path / "decoder.pt2", trust=True).decoder
    assert (decoder.latent_shape, decoder.batch_size) == ((3,), 1)
    decoder = vaeviz.Decoder(program, output="values")
    assert vaeviz.decode(decoder, np.zeros((5, 3))).shape == (5, 64)


def test_declarations_complete_what_a_program_says():
    program = torch.export.export(nn.Linear(3, 64), (torch.zeros(4, 3),))
    decoder = vaeviz.Decoder(program, sample_shape=(8, 8), output="logits")
    decoded = vaeviz.decode(decoder, np.zeros((5, 3)))
    assert decoded.shape == (5, 8, 8)
    assert 0 < decoded.min() < decoded.max() < 1


@pytest.mark.parametrize("name", ["missing.pt", "missing.pt2", "missing.onnx", "missing.keras"])
def test_a_missing_file_is_named(name, tmp_path):
    with pytest.raises(InputError) as caught:
        vaeviz.open(tmp_path / name)
    assert caught.value.got == str(tmp_path / name)


@pytest.mark.parametrize("name", ["cut.pt", "cut.pt2", "cut.onnx", "cut.keras"])
def test_a_truncated_file_is_named(name, tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / name).write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=name):
        vaeviz.open(tmp_path / name, trust=True)


# A part alone


@pytest.mark.usefixtures("only_records")
def test_every_plot_of_a_decoder_alone_is_drawn(tmp_path):
    generator = nn.Sequential(nn.Linear(5, 64), nn.Tanh())
    decoder = vaeviz.Decoder(generator, latent_shape=(5,), sample_shape=(8, 8), value_range=(-1, 1))
    records = vaeviz.export_figures(tmp_path, decoder=decoder, dpi=30)
    by_status = {record.plot: record.status for record in records}
    assert by_status["samples"] == by_status["manifold_grid"] == "drawn"
    reasons = {record.plot: record.reason for record in records if record.status == "skipped"}
    assert "encoder" in reasons["latent_scatter"]
    assert "failed" not in by_status.values()


@pytest.mark.usefixtures("only_records")
def test_every_plot_of_an_encoder_alone_is_drawn(images, tmp_path):
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    records = vaeviz.export_figures(tmp_path, encoder=encoder, x=images, dpi=30)
    reasons = {record.plot: record.reason for record in records if record.status == "skipped"}
    assert "decoder" in reasons["samples"]
    assert {record.status for record in records} == {"drawn", "skipped"}


def test_an_encoder_that_samples_warns(images):
    class Sampling(Whole):
        def encode(self, x):
            return self(x)[1] + torch.randn(len(x), 3)

    with pytest.warns(GuessWarning, match="it samples"):
        vaeviz.encode(Sampling(), images)


def test_a_call_that_returns_a_loss_leaves_the_parts_of_a_model(images):
    """As in tutorials of zuko: the parts return distributions, and the call the bound of each sample."""

    class Gaussian(nn.Sequential):
        def forward(self, x):
            return torch.distributions.Normal(super().forward(x), 0.5)

    class Bound(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = Gaussian(nn.Flatten(), nn.Linear(64, 3))
            self.decoder = Gaussian(nn.Linear(3, 64), nn.Sigmoid())
            self.prior = nn.Linear(1, 1)

        def forward(self, x):
            q = self.encoder(x)
            return self.decoder(q.rsample()).log_prob(x.flatten(1)).sum(1)

    model = Bound()
    posterior = vaeviz.encode(model, images)
    expected = model.encoder(torch.from_numpy(images)).mean.detach()
    np.testing.assert_allclose(posterior.mean, expected, atol=1e-6)
    np.testing.assert_allclose(posterior.std, 0.5)
    decoded = vaeviz.decode(model, posterior).reshape(len(images), -1)
    np.testing.assert_allclose(decoded, model.decoder(expected).mean.detach(), atol=1e-6)
