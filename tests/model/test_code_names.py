"""Names in the code of an encoder tell a log-standard deviation from a log-variance."""

import functools

import numpy as np
import pytest

import vaeviz
from vaeviz import Encoder, GuessWarning, encode

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

X = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)


class Graph(nn.Module):
    """Heads with names, as in the example of torch_geometric."""

    def __init__(self):
        super().__init__()
        self.conv_mu, self.conv_logstd = nn.Linear(8, 2), nn.Linear(8, 2)

    def forward(self, x):
        return self.conv_mu(x), self.conv_logstd(x)


class World(nn.Module):
    """Local variables with names, in a method that another one calls."""

    def __init__(self):
        super().__init__()
        self.heads = nn.Linear(8, 4)

    def divide(self, x):
        mu, logsigma = self.heads(x).chunk(2, dim=1)
        return mu, logsigma

    def encode(self, x):
        return self.divide(x)


class Plain(nn.Module):
    """A log-variance, and a decoder with a scale of its own."""

    def __init__(self):
        super().__init__()
        self.fc_mu, self.fc_logvar = nn.Linear(8, 2), nn.Linear(8, 2)
        self.log_scale = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.fc_mu(x), self.fc_logvar(x) + 0 * self.log_scale


def numpy_function(x):
    mean, log_std = x[:, :2], x[:, 2:4]
    return mean, log_std


def closure():
    hidden = World()
    return lambda x: hidden.encode(x)


def nameless(x):
    return x[:, :2], x[:, 2:4]


def names_of_the_data(x):
    x_log_std, x_log_var = x[:, 4:6], x[:, 6:]
    return x[:, :2], x[:, 2:4] + 0 * x_log_std + 0 * x_log_var


def numpy_log_var(x):
    mean, log_var = x[:, :2], x[:, 2:4]
    return mean, log_var


ENCODERS = {
    "layers": Graph,
    "method": lambda: World().encode,
    "closure": closure,
    "global": lambda: lambda x: numpy_function(x),
    "partial": lambda: functools.partial(numpy_function),
    "one array": lambda: lambda x: np.stack(numpy_function(x)),
    "no name": lambda: nameless,
    "names of the data": lambda: names_of_the_data,
}
NAMELESS = ("no name", "names of the data")


@pytest.mark.parametrize("name", ENCODERS)
def test_a_pair_that_no_name_calls_a_log_variance_causes_a_warning_with_both_declarations(name):
    torch.manual_seed(0)
    fn = ENCODERS[name]()
    with pytest.warns(GuessWarning) as caught:
        posterior = encode(fn, X)
    fix = caught[0].message.fix.python
    assert 'vaeviz.Encoder(fn, returns="mean,log_std")' in fix
    assert 'vaeviz.Encoder(fn, returns="mean,log_var")' in fix
    read = "log_var" if name in NAMELESS else "log_std"
    declared = encode(Encoder(fn, returns=f"mean,{read}"), X)
    np.testing.assert_allclose(declared.std, posterior.std, rtol=1e-4)


@pytest.mark.parametrize("make_encoder", [Plain, lambda: numpy_log_var])
def test_a_name_of_a_log_variance_is_evidence(make_encoder, recwarn):
    torch.manual_seed(0)
    encoder = make_encoder()
    encode(encoder, X)
    assert not recwarn
    (returns,) = (one for one in vaeviz.inspect(encoder=encoder, x=X).encoder if one.name == "returns")
    assert "log" in returns.evidence


def test_names_of_outputs_decide_before_names_in_code(recwarn):
    posterior = encode(lambda x: dict(zip(("mu", "log_std"), numpy_function(x))), X)
    np.testing.assert_allclose(posterior.std, np.exp(X[:, 2:4]), rtol=1e-6)
    assert not recwarn
