import numpy as np
import pytest

import vaeviz
from vaeviz import Decoder, Encoder

X = np.random.default_rng(0).random((20, 4, 4), dtype=np.float32)


def encoder(x):
    flat = x.reshape(len(x), -1)
    return flat[:, :2] - 0.5, flat[:, 2:4] - 3


def decoder(z):
    return np.tanh(np.repeat(z, 8, axis=1))


def found(findings):
    return {finding.what: finding.value for finding in findings}


def test_what_is_inferred_of_both_parts():
    explanation = vaeviz.inspect(x=X, encoder=encoder, decoder=decoder)
    of_encoder = found(explanation.encoder)
    assert of_encoder["callable"] == "encoder"
    assert of_encoder["returns"] == "mean,log_var"
    assert of_encoder["latent size"] == "2"
    assert of_encoder["input shape"] == "(4, 4)"
    assert of_encoder["value range"] == "that of the data"
    assert of_encoder["deterministic"] == "yes"
    assert of_encoder["prior"] == "N(0, I)"
    of_decoder = found(explanation.decoder)
    assert of_decoder["latent shape"] == "(2,)"
    assert of_decoder["samples"] == "(4, 4)"
    assert "tanh" in of_decoder["warning"]


def test_it_prints_the_line_that_overrides_each():
    text = str(vaeviz.inspect(x=X, encoder=encoder, decoder=decoder))
    for line in (
        'else write Encoder(fn, returns="mean,std")',
        "else write Encoder(fn, input_shape=(1, 28, 28))",
        "else write Decoder(fn, value_range=(-1, 1))",
        'else write Decoder(fn, output="logits")',
        'else write Decoder(fn, prior="normal")',
    ):
        assert line in text


def test_what_is_declared_is_told_so():
    explanation = vaeviz.inspect(
        encoder=Encoder(encoder, returns="mean,other", value_range=(-1, 1), input_shape=(16,)),
        decoder=Decoder(decoder, latent_shape=(2,), output="logits"),
        x=X,
    )
    of_encoder, of_decoder = found(explanation.encoder), found(explanation.decoder)
    assert (of_encoder["returns"], of_encoder["value range"], of_encoder["prior"]) == ("mean", "-1 to 1", "not known")
    assert of_encoder["input shape"] == "(16,)"
    assert of_decoder["prior"] == "not known"


def test_without_samples_only_what_is_known_is_told():
    explanation = vaeviz.inspect(encoder=encoder, decoder=Decoder(decoder, latent_shape=(2,)))
    assert found(explanation.encoder)["latent size"] == "not known"
    assert found(explanation.decoder)["samples"] == "(16,)"


def test_sampling_and_failure_are_findings():
    def samples(x):
        return encoder(x)[0] + np.random.default_rng().standard_normal((len(x), 2))

    def fails(z):
        raise RuntimeError("out of luck")

    explanation = vaeviz.inspect(x=X, encoder=samples, decoder=fails)
    assert found(explanation.encoder)["deterministic"] == "no: it samples"
    assert "raised RuntimeError: out of luck" in found(explanation.decoder)["problem"]


def test_a_model_of_which_an_adapter_knows_the_sizes():
    from sklearn.decomposition import PCA

    explanation = vaeviz.inspect(PCA(3).fit(X.reshape(20, -1)), X)
    assert found(explanation.decoder)["latent shape"] == "(3,)"
    assert found(explanation.encoder)["prior"] == "not known"


def test_an_encoder_in_train_mode_is_looked_at_in_eval_mode():
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(16, 2)).train()
    assert found(vaeviz.inspect(x=X, encoder=lambda x: model(x)).encoder)["deterministic"] == "yes"
    assert model.training
