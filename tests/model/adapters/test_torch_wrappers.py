"""Wrappers of torch modules are looked through, and state dicts load whatever wrapped their module."""

import warnings

import numpy as np
import pytest

import vaeviz
from vaeviz import GuessWarning
from vaeviz.errors import InputError
from vaeviz.model.weights.load import load_weights

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net, self.out = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), nn.Linear(2, 64)

    def encode(self, x):
        return self.net(x).chunk(2, dim=1)

    def decode(self, z):
        return self.out(z).sigmoid().unflatten(1, (8, 8))

    def forward(self, x):
        mean, log_var = self.encode(x)
        return self.decode(mean), mean, log_var


class EMA(nn.Module):
    """As in ema_pytorch."""

    def __init__(self, model):
        super().__init__()
        self.online_model, self.ema_model = VAE(), model


WRAPPERS = {
    "DataParallel": nn.DataParallel,
    "AveragedModel": lambda model: torch.optim.swa_utils.AveragedModel(model),
    "compiled": lambda model: torch.compile(model, backend="eager"),
    "EMA": EMA,
    "several": lambda model: nn.DataParallel(torch.compile(model, backend="eager")),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapper_is_opened_as_its_module(wrap, images):
    model = VAE()
    expected = vaeviz.encode(model, images)
    wrapped = wrap(model)
    posterior = vaeviz.encode(wrapped, images)
    np.testing.assert_allclose(posterior.mean, expected.mean, atol=1e-6)
    np.testing.assert_allclose(posterior.std, expected.std, atol=1e-6)
    decoded = vaeviz.decode(wrapped, posterior)
    np.testing.assert_allclose(decoded, vaeviz.decode(model, expected), atol=1e-6)


def test_a_wrapped_encoder_alone_is_an_encoder(images):
    net = VAE().net
    np.testing.assert_array_equal(vaeviz.encode(nn.DataParallel(net), images).mean, vaeviz.encode(net, images).mean)


def test_a_module_that_looks_like_scikit_learn_is_a_module(images):
    from sklearn.base import BaseEstimator

    class LooksLikeAnEstimator(VAE, BaseEstimator):
        def fit(self, x):
            return self

        def transform(self, x):
            raise AssertionError

    model = LooksLikeAnEstimator()
    np.testing.assert_array_equal(vaeviz.encode(model, images).mean, vaeviz.encode(VAE(), images).mean)


# State dicts


def other_weights():
    model = VAE()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    return model


CHECKPOINTS = {
    "state dict": lambda state: state,
    "checkpoint": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"state": {0: torch.ones(2)}}},
    "model": lambda state: {"model": state, "step": torch.tensor(3)},
    "compiled": lambda state: {f"_orig_mod.{name}": value for name, value in state.items()},
    "compiled part": lambda state: {name.replace(".", "._orig_mod.", 1): value for name, value in state.items()},
}
PREFIXED = {
    "DataParallel": lambda state: {f"module.{name}": value for name, value in state.items()},
    "compiled and parallel": lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
    "Lightning": lambda state: {"state_dict": {f"model.{name}": value for name, value in state.items()}},
}


def saved(content, path):
    torch.save(content, path)
    return path


@pytest.mark.parametrize("wrap", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_state_dict_is_found_in_a_checkpoint(wrap, tmp_path):
    trained = other_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_weights(VAE, saved(wrap(trained.state_dict()), tmp_path / "weights.pt"))
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), trained.parameters()))


@pytest.mark.parametrize("wrap", PREFIXED.values(), ids=PREFIXED)
def test_a_prefix_of_all_names_is_left_out_and_said(wrap, tmp_path):
    trained = other_weights()
    with pytest.warns(GuessWarning, match="prefix"):
        loaded = load_weights(VAE, saved(wrap(trained.state_dict()), tmp_path / "weights.pt"))
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), trained.parameters()))


def test_averaged_weights_are_preferred_and_the_others_are_named(tmp_path):
    trained = other_weights()
    with pytest.warns(GuessWarning, match=r'"ema_model\."') as caught:
        loaded = load_weights(VAE, saved(EMA(trained).state_dict(), tmp_path / "weights.pt"))
    assert '"online_model."' in str(caught[0].message)
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), trained.parameters()))


def test_weights_of_another_module_are_an_error(tmp_path):
    with pytest.raises(InputError, match="does not fit"):
        load_weights(VAE, saved(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pt"))
