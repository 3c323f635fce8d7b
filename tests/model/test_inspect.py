import numpy as np
import pytest

import vaeviz
from vaeviz import Decoder, Encoder

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

X = np.random.default_rng(0).random((20, 4, 4), dtype=np.float32)


def encoder(x):
    flat = x.reshape(len(x), -1)
    return flat[:, :2] - 0.5, flat[:, 2:4] - 3


def decoder(z):
    return np.tanh(np.repeat(z, 8, axis=1))


def values_of(properties):
    return {one.name: one.value for one in properties}


def test_both_parts_are_inspected():
    inspection = vaeviz.inspect(x=X, encoder=encoder, decoder=decoder)
    of_encoder = values_of(inspection.encoder)
    assert of_encoder["callable"] == "encoder"
    assert of_encoder["returns"] == "mean,log_var"
    assert of_encoder["latent size"] == "2"
    assert of_encoder["input shape"] == "(4, 4)"
    assert of_encoder["value range"] == "that of the data"
    assert of_encoder["deterministic"] == "yes"
    assert of_encoder["prior"] == "N(0, I)"
    of_decoder = values_of(inspection.decoder)
    assert of_decoder["latent shape"] == "(2,)"
    assert of_decoder["samples"] == "(4, 4)"
    (warning,) = (one for one in inspection.decoder if one.name == "warning")
    assert "value_range=(-1, 1)" in warning.declaration.python


def test_evidence_and_declarations_are_printed():
    inspection = vaeviz.inspect(x=X, encoder=encoder, decoder=decoder)
    for declaration, flag in (
        ('vaeviz.Encoder(fn, returns="mean,std")', "--returns mean,std"),
        ("vaeviz.Encoder(fn, input_shape=(-1,))", "--input-shape -1"),
        ("vaeviz.Decoder(fn, value_range=(-1, 1))", "--value-range -1,1"),
        ('vaeviz.Decoder(fn, output="logits")', "--output logits"),
        (
            'vaeviz.Encoder(fn, returns="mean,log_var", input_shape=(4, 4), prior="normal")',
            "--returns mean,log_var --input-shape 4,4 --prior normal",
        ),
    ):
        assert declaration in str(inspection)
        assert flag in inspection.for_command_line()
        assert declaration not in inspection.for_command_line()


def test_declarations_are_marked_as_declared():
    inspection = vaeviz.inspect(
        encoder=Encoder(encoder, returns="mean,other", value_range=(-1, 1), input_shape=(16,)),
        decoder=Decoder(decoder, latent_shape=(2,), output="logits"),
        x=X,
    )
    of_encoder, of_decoder = values_of(inspection.encoder), values_of(inspection.decoder)
    assert (of_encoder["returns"], of_encoder["value range"], of_encoder["prior"]) == ("mean", "-1 to 1", "unknown")
    assert of_encoder["input shape"] == "(16,)"
    assert of_decoder["prior"] == "unknown"
    assert "value_range=(-1, 1)" in inspection.encoder_declaration
    assert 'output="logits"' in inspection.decoder_declaration


def test_without_samples_only_declarations_are_listed():
    inspection = vaeviz.inspect(encoder=encoder, decoder=Decoder(decoder, latent_shape=(2,)))
    assert values_of(inspection.encoder)["latent size"] == "unknown"
    assert values_of(inspection.decoder)["samples"] == "(16,)"
    assert inspection.encoder_declaration == ""


def test_sampling_and_errors_are_listed():
    def samples(x):
        return encoder(x)[0] + np.random.default_rng().standard_normal((len(x), 2))

    def fails(z):
        raise RuntimeError("out of luck")

    inspection = vaeviz.inspect(x=X, encoder=samples, decoder=fails)
    assert values_of(inspection.encoder)["deterministic"] == "no: it samples"
    assert "RuntimeError: out of luck" in values_of(inspection.decoder)["problem"]


def test_advice_does_not_name_samples_after_a_failed_call():
    def fails(x):
        raise RuntimeError("out of luck")

    evidence = {one.name: one.evidence for one in vaeviz.inspect(fails, X).encoder}
    assert evidence["returns"] == evidence["latent size"] == "the call failed"


def test_a_bare_module_is_inspected_as_an_encoder_as_plots_use_it():
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    inspection = vaeviz.inspect(module, X)
    assert values_of(inspection.encoder)["latent size"] == "3"
    assert inspection.decoder == ()
    with pytest.raises(vaeviz.InputError) as caught:
        vaeviz.inspect(module)
    assert 'role="encoder"' in caught.value.fix.python


def test_an_adapter_knows_the_latent_size():
    from sklearn.decomposition import PCA

    inspection = vaeviz.inspect(PCA(3).fit(X.reshape(20, -1)), X)
    assert values_of(inspection.decoder)["latent shape"] == "(3,)"
    assert values_of(inspection.encoder)["prior"] == "unknown"


def test_a_module_is_inspected_in_eval_mode_and_restored():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 2)).train()
    found = values_of(vaeviz.inspect(x=X, encoder=lambda x: model(x)).encoder)
    assert found["deterministic"] == "yes"
    assert found["modules"] == "Flatten, Dropout, Linear"
    assert model.training


# Declarations to paste


def spatial(x):
    return x.reshape(len(x), 4, 2, 2)


def sampled(x):
    mean, log_var = encoder(x)
    return mean, log_var, mean + np.exp(log_var / 2) * np.random.default_rng().standard_normal(mean.shape)


@pytest.mark.parametrize(
    "fn",
    [
        encoder,
        lambda x: encoder(x)[0],
        lambda x: list(encoder(x)),
        lambda x: [encoder(x)[0]],
        lambda x: dict(zip(("mu", "logvar"), encoder(x))),
        lambda x: (x, *encoder(x)),
        lambda x: torch.distributions.Normal(torch.as_tensor(encoder(x)[0]), 1.0),
        spatial,
        sampled,
    ],
)
def test_the_declaration_of_a_function_gives_the_same_codes(fn, check_declaration):
    check_declaration(encoder=fn, x=X)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Linear(16, 2), (4, 4)),
        (nn.Sequential(nn.Linear(16, 2), nn.ReLU()), (4, 4, 1)),
        (nn.Sequential(nn.Conv2d(1, 2, 4), nn.Flatten()), (4, 4)),
        (nn.Sequential(nn.Conv2d(3, 2, 4), nn.Flatten()), (4, 4, 3)),
        (nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), (3, 3, 3)),
        (nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), (3, 5, 3)),
        (nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 2, 4), nn.Flatten()), (4, 4, 3)),
        (nn.Sequential(nn.Conv1d(1, 2, 16), nn.Flatten()), (16,)),
        (nn.Sequential(nn.Conv1d(3, 2, 16), nn.Flatten()), (16, 3)),
        (nn.Sequential(nn.Conv1d(3, 2, 16), nn.Flatten()), (3, 16)),
        (nn.Sequential(nn.Conv1d(8, 2, 8), nn.Flatten()), (8, 8)),
    ],
    ids=str,
)
def test_the_declaration_of_a_module_gives_the_same_codes(module, shape, check_declaration):
    x = np.random.default_rng(0).random((7, *shape), dtype=np.float32)
    check_declaration(encoder=module, x=x)
    check_declaration(encoder=lambda x: module(x), x=x)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Linear(2, 16), (4, 4)),
        (nn.Sequential(nn.Linear(2, 16), nn.Unflatten(1, (1, 4, 4)), nn.Sigmoid()), (4, 4)),
        (nn.Sequential(nn.Linear(2, 48), nn.Unflatten(1, (3, 4, 4)), nn.Tanh()), (4, 4, 3)),
        (nn.Sequential(nn.Linear(2, 27), nn.Unflatten(1, (3, 3, 3)), nn.Conv2d(3, 3, 1)), (3, 3, 3)),
    ],
    ids=str,
)
def test_the_declaration_of_a_decoder_gives_the_same_samples(module, shape, check_declaration):
    x = np.random.default_rng(0).random((7, *shape), dtype=np.float32)
    inspection = check_declaration(encoder=lambda x: x.reshape(len(x), -1)[:, :2], decoder=module, x=x)
    assert "latent_shape=(2,)" in inspection.decoder_declaration


def test_preprocess_is_part_of_the_declaration():
    def inverted(x):
        return 1 - x

    inspection = vaeviz.inspect(encoder=Encoder(encoder, preprocess=inverted), x=X)
    names = {"vaeviz": vaeviz, "fn": encoder, "inverted": inverted}
    declared = eval(inspection.encoder_declaration, names)
    np.testing.assert_allclose(vaeviz.encode(declared, X).mean, encoder(1 - X)[0], atol=1e-6)
    assert "--preprocess inverted" in inspection.encoder_flags


def test_the_declaration_of_a_conditional_model_gives_the_same_codes(linear, linear_parts, check_declaration):
    check_declaration(
        encoder=linear_parts["encoder"], decoder=linear_parts["decoder"], x=linear.x, condition=linear.names
    )


def test_the_declarations_of_opened_models_give_the_same_codes(run, digits, check_declaration):
    from sklearn.decomposition import PCA

    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.down = nn.Linear(2, 64), nn.Linear(64, 4)

        def encode(self, x):
            return self.down(x).chunk(2, dim=1)

        def decode(self, z):
            return torch.sigmoid(self.up(z))

    check_declaration(PCA(3).fit(digits.x.reshape(60, -1)), digits.x)
    assert "input_shape=(64,)" in check_declaration(Pair(), digits.x).encoder_declaration
    check_declaration(str(run), digits.x)


def test_parts_that_are_given_apart_cannot_show_what_is_between_them():
    class Quantized(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), nn.Linear(2, 16)

        def quantize(self, z):
            return z.round()

        def forward(self, x):
            return self.decoder(self.quantize(self.encoder(x))).view_as(x)

    torch.manual_seed(0)
    model = Quantized()
    apart = values_of(vaeviz.inspect(x=X, encoder=model.encoder, decoder=model.decoder).encoder)
    assert apart["then"] == "unknown"
    assert values_of(vaeviz.inspect(model, X).encoder)["then"] == "quantize"
