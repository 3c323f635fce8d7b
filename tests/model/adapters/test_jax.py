import functools
import sys
import types

import numpy as np
import pytest

import vaeviz
from vaeviz.errors import InputError

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402

WEIGHTS = np.random.default_rng(0).standard_normal((64, 2)).astype(np.float32)


def encode(x):
    x = x.reshape(len(x), -1)
    return x @ WEIGHTS, jnp.full((len(x), 2), -2.0)


def encode_in_jax_alone(x):
    return x.at[:, 0].set(0).reshape(len(x), -1) @ WEIGHTS


def encode_in_bfloat16(x):
    return jnp.asarray(encode(x)[0], jnp.bfloat16)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_function_of_jax_arrays(compiled, images):
    posterior = vaeviz.encode(jax.jit(encode) if compiled else encode, images)
    np.testing.assert_allclose(posterior.mean, images.reshape(40, -1) @ WEIGHTS, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(posterior.std, np.exp(-1), rtol=1e-5)


def test_a_function_that_only_takes_jax_arrays(images):
    blank = images.copy()
    blank[:, 0] = 0
    expected = blank.reshape(40, -1) @ WEIGHTS
    np.testing.assert_allclose(vaeviz.encode(encode_in_jax_alone, images).mean, expected, rtol=1e-4, atol=1e-4)


def test_half_precision(images):
    expected = images.reshape(40, -1) @ WEIGHTS
    np.testing.assert_allclose(vaeviz.encode(encode_in_bfloat16, images).mean, expected, rtol=0.02, atol=0.02)


def test_a_decoder(images):
    decoded = vaeviz.decode(jax.jit(lambda z: jax.nn.sigmoid(z @ WEIGHTS.T)), np.zeros((3, 2)), reference=images)
    np.testing.assert_array_equal(decoded, np.full((3, 8, 8), 0.5))


def test_a_bound_linen_module(images, draws):
    nn = pytest.importorskip("flax.linen")

    class VAE(nn.Module):
        def setup(self):
            self.to_code, self.to_sample = nn.Dense(4), nn.Dense(64)
            self.drop = nn.Dropout(0.5, deterministic=True)

        def encode(self, x):
            code = self.drop(self.to_code(x.reshape(len(x), -1)))
            return code[:, :2], code[:, 2:] - 3

        def decode(self, z):
            return nn.sigmoid(self.to_sample(z)).reshape(-1, 8, 8)

        def __call__(self, x):
            mean, log_var = self.encode(x)
            return self.decode(mean), mean, log_var

    model = VAE()
    bound = model.bind(model.init(jax.random.key(0), images[:1]))
    posterior, _ = draws(bound, images, size=2)
    np.testing.assert_allclose(posterior.mean, bound.encode(images)[0], atol=1e-6)
    with pytest.raises(InputError, match=r"VAE\(\.\.\.\)\.bind\(variables\)"):
        vaeviz.open(model)


def test_a_bound_linen_module_without_encode(images):
    nn = pytest.importorskip("flax.linen")

    class Whole(nn.Module):
        def setup(self):
            self.to_code, self.to_sample = nn.Dense(4), nn.Dense(64)

        def decode(self, z):
            return self.to_sample(z)

        def __call__(self, x):
            code = self.to_code(x.reshape(len(x), -1))
            return self.decode(code[:, :2]), code[:, :2], code[:, 2:]

    model = Whole()
    bound = model.bind(model.init(jax.random.key(0), images[:1]))
    np.testing.assert_allclose(vaeviz.encode(bound, images).mean, bound(images)[1], atol=1e-6)


def test_an_nnx_module_runs_in_eval_mode(images, draws):
    nnx = pytest.importorskip("flax.nnx")

    class VAE(nnx.Module):
        def __init__(self, rngs):
            self.to_code, self.to_sample = nnx.Linear(64, 4, rngs=rngs), nnx.Linear(2, 64, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)

        def encode(self, x):
            code = self.drop(self.to_code(x.reshape(len(x), -1)))
            return code[:, :2], code[:, 2:] - 3

        def decode(self, z):
            return nnx.sigmoid(self.to_sample(z))

    model = VAE(nnx.Rngs(0))
    posterior, _ = draws(model, images, size=2)
    assert not model.drop.deterministic
    np.testing.assert_allclose(posterior.mean, model.to_code(images.reshape(40, -1))[:, :2], atol=1e-5)


def test_an_nnx_module_that_a_function_loads_is_left_as_it_was(images):
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layer, self.norm = nnx.Linear(64, 2, rngs=rngs), nnx.BatchNorm(2, rngs=rngs)
            self.drop = nnx.Dropout(0.5, rngs=rngs)

        def encode(self, x):
            return self.drop(self.norm(self.layer(x.reshape(len(x), -1))))

    net = Net(nnx.Rngs(0))
    net.eval()
    expected = net.encode(images)
    net.train()
    before = [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(net)) if "key" not in str(leaf.dtype)]
    for fn in (net.encode, lambda x: net.encode(x)):
        np.testing.assert_allclose(vaeviz.encode(fn, images).mean, expected, atol=1e-5)
    after = [np.asarray(leaf) for leaf in jax.tree.leaves(nnx.state(net)) if "key" not in str(leaf.dtype)]
    assert all(map(np.array_equal, before, after))
    assert not net.drop.deterministic
    assert not net.norm.use_running_average


class Holder:
    """A plain object, such as a trainer, that holds a network."""

    def __init__(self, net):
        self.net, self.nets = net, {"all": [net]}

    def __call__(self, x):
        return self.net(x)


def import_and_call(x):
    import vaeviz_test_networks

    return vaeviz_test_networks.net(x)


REACHED = {
    "attribute": lambda holder: lambda x: holder.net(x),
    "containers": lambda holder: lambda x: holder.nets["all"][0](x),
    "default argument": lambda holder: lambda x, owner=holder: owner.net(x),
    "partial": lambda holder: functools.partial(lambda owner, x: owner.net(x), holder),
    "callable object": lambda holder: holder,
    "imported module": lambda holder: import_and_call,
    "layers alone": lambda holder: lambda x: holder.net.drop(holder.net.norm(holder.net.layer(x))),
    "compiled": lambda holder: lambda x: sys.modules["flax.nnx"].jit(lambda net, x: net(x))(holder.net, x),
}


@pytest.fixture
def nnx_net():
    nnx = pytest.importorskip("flax.nnx")

    class Net(nnx.Module):
        def __init__(self, rngs):
            self.layer, self.norm = nnx.Linear(6, 2, rngs=rngs), nnx.BatchNorm(2, rngs=rngs)
            self.drop, self.n_calls = nnx.Dropout(0.5, rngs=rngs), nnx.Variable(jnp.zeros(()))

        def __call__(self, x):
            return self.drop(self.norm(self.layer(x)))

    return Net(nnx.Rngs(0))


def values_of(net):
    leaves = jax.tree.leaves(sys.modules["flax.nnx"].state(net))
    return [np.asarray(jax.random.key_data(leaf) if "key" in str(leaf.dtype) else leaf) for leaf in leaves]


@pytest.mark.parametrize("how", REACHED)
def test_nnx_modules_run_in_eval_mode_however_they_are_reached(how, nnx_net, monkeypatch, recwarn):
    x = np.random.default_rng(0).normal(1, 3, (40, 6)).astype(np.float32)
    nnx_net.eval()
    expected = nnx_net(x)
    nnx_net.train()
    monkeypatch.setitem(sys.modules, "vaeviz_test_networks", types.SimpleNamespace(net=nnx_net))
    before = values_of(nnx_net)
    np.testing.assert_allclose(vaeviz.encode(REACHED[how](Holder(nnx_net)), x).mean, expected, atol=1e-5)
    assert not recwarn.list
    assert all(map(np.array_equal, before, values_of(nnx_net)))
    assert not nnx_net.drop.deterministic
    assert not nnx_net.norm.use_running_average
    assert "__getattribute__" not in vars(sys.modules["flax.nnx"].Module)


def test_a_variable_of_an_nnx_module_that_changes_in_eval_mode_is_restored_with_a_warning(nnx_net):
    holder = Holder(nnx_net)

    def encode(x):
        holder.net.n_calls[...] += 1
        return holder.net(x) + holder.net.n_calls[...]

    encoder = vaeviz.Encoder(encode, batch_size=20)
    with pytest.warns(vaeviz.GuessWarning, match=r"Net\.n_calls"):
        mean = vaeviz.encode(encoder, np.ones((40, 6), np.float32)).mean
    np.testing.assert_allclose(mean[:20], mean[20:], atol=1e-6)
    assert nnx_net.n_calls[...] == 0


def test_noise_of_an_nnx_module_causes_a_warning(nnx_net):
    nnx = pytest.importorskip("flax.nnx")
    nnx_net.rngs = nnx.Rngs(1)
    holder = Holder(nnx_net)
    before = values_of(nnx_net)
    with pytest.warns(vaeviz.GuessWarning, match="samples"):
        vaeviz.encode(lambda x: holder.net(x) + jax.random.normal(holder.net.rngs(), (len(x), 2)), np.ones((40, 6)))
    assert all(map(np.array_equal, before, values_of(nnx_net)))
