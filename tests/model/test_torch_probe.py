"""Which torch modules run, however a callable reaches them, and that they are left as they were."""

import dataclasses
import functools
import sys
import types

import numpy as np
import pytest

import vaeviz
from vaeviz import GuessWarning
from vaeviz.model.decode import decode_batches
from vaeviz.model.provenance import describe_inputs
from vaeviz.model.torch_probe import loaded_modules, record_modules

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

X = np.random.default_rng(0).standard_normal((32, 8)).astype(np.float32)


def trained_net():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 2)).train()
    net(torch.randn(64, 8) * 3 + 1)
    return net


NET = trained_net()
HOLDER = types.SimpleNamespace(net=NET, parts={"inner": {"net": NET}})
MODULE = types.ModuleType("module_with_a_net")
MODULE.net = NET
exec("def encode(x):\n    return net(x)", MODULE.__dict__)


@dataclasses.dataclass
class App:
    net: object

    def encode(self, x):
        return self.net(x)

    def decode(self, z):
        return z

    def __call__(self, x):
        return self.net(x)


class Outer:
    def __init__(self):
        self.app = App(NET)

    def encode(self, x):
        return self.app.net(x)

    def decode(self, z):
        return z


def closure():
    holder = HOLDER
    return lambda x: holder.net(x)


def helper(x):
    return NET(x)


REACHED = {
    "module": NET,
    "global": lambda x: NET(x),
    "default argument": lambda x, net=NET: net(x),
    "attribute of a global": lambda x: HOLDER.net(x),
    "attribute of a closure": closure(),
    "method of a plain object": App(NET).encode,
    "nested dictionaries": lambda x: HOLDER.parts["inner"]["net"](x),
    "plain object": App(NET),
    "nested plain objects": Outer(),
    "method of nested plain objects": Outer().encode,
    "attribute of an imported module": lambda x: MODULE.net(x),
    "function of a module": MODULE.encode,
    "helper function": lambda x: helper(x),
    "partial": functools.partial(lambda net, x: net(x), NET),
    "generator": lambda x: next(NET(part) for part in [x]),
}


@pytest.mark.parametrize("how", REACHED)
def test_modules_run_in_eval_mode_however_they_are_reached(how, recwarn):
    before = {name: value.clone() for name, value in NET.state_dict().items()}
    NET.eval()
    with torch.no_grad():
        expected = NET(torch.from_numpy(X)).numpy()
    NET.train()
    np.testing.assert_allclose(vaeviz.encode(REACHED[how], X).mean, expected, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in NET.state_dict().items())
    assert all(part.training for part in NET.modules())
    assert not recwarn.list


class Methods(nn.Module):
    """A module whose `encode` is a method, so that its ``forward`` does not run."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 16)
        self.head = nn.Linear(16, 2)
        self.register_buffer("mean", torch.zeros(16))
        self.register_buffer("variance", torch.ones(16))

    def encode(self, x):
        is_training = self.training
        h = nn.functional.batch_norm(self.layer(x), self.mean, self.variance, training=is_training)
        return self.head(nn.functional.dropout(h, 0.5, is_training))


@pytest.mark.parametrize("nests", [False, True])
def test_a_method_that_is_not_forward_runs_in_eval_mode(nests, recwarn):
    net = Methods().eval()
    expected = net.encode(torch.from_numpy(X)).detach()
    whole = nn.ModuleDict({"net": net}).train() if nests else net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    holder = types.SimpleNamespace(net=net)
    for fn in (lambda x: holder.net.encode(x), lambda x, net=net: net.encode(x), App(net.encode)):
        np.testing.assert_allclose(vaeviz.encode(fn, X).mean, expected, atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(part.training for part in whole.modules())
    assert not recwarn.list


class Product(nn.Module):
    """An autoencoder of bare parameters, without layers, of which no ``forward`` runs."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 2, dtype=dtype))
        self.register_buffer("n_calls", torch.zeros((), dtype=dtype))

    def encode(self, x):
        if self.training:
            self.n_calls += 1
            return x @ self.weight + 1
        assert not torch.is_grad_enabled()
        return x @ self.weight

    def decode(self, z):
        return z @ self.weight.T + self.training


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("is_held", [False, True])
def test_a_module_of_bare_parameters_runs_in_eval_mode(is_held, dtype, recwarn):
    net = Product(dtype)
    app, weight = App(net), net.weight.detach().numpy()
    encoder = (lambda x: app.net.encode(x)) if is_held else net.encode
    decoder = (lambda z: app.net.decode(z)) if is_held else net.decode
    mean = vaeviz.encode(encoder, X).mean
    np.testing.assert_allclose(mean, X @ weight, atol=1e-5)
    np.testing.assert_allclose(vaeviz.decode(decoder, mean), mean @ weight.T, atol=1e-5)
    assert not recwarn.list
    assert net.training
    assert net.n_calls == 0
    assert "__getattribute__" not in vars(nn.Module)


def test_a_cache_notices_that_bare_parameters_changed():
    app = App(Product())
    encoder = vaeviz.cache_encoding(lambda x: app.net.encode(x), X)
    before = vaeviz.encode(encoder, X).mean
    with torch.no_grad():
        app.net.weight.mul_(2)
    np.testing.assert_allclose(vaeviz.encode(encoder, X).mean, 2 * before, atol=1e-5)


class Backwards(nn.Module):
    """A VAE that declares its decoder first."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.dec = nn.Linear(2, 64)
        self.enc = nn.Linear(64, 4).to(dtype)

    def encode(self, x):
        return self.enc(x).chunk(2, dim=1)

    def decode(self, z):
        return torch.sigmoid(self.dec(z))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_order_of_attributes_does_not_matter(dtype):
    model = Backwards(dtype)
    x = np.random.default_rng(0).random((5, 8, 8), dtype=np.float32)
    expected, _ = model.encode(torch.from_numpy(x).flatten(1).to(dtype))
    posterior = vaeviz.encode(model, x)
    np.testing.assert_allclose(posterior.mean, expected.detach(), atol=1e-6)
    assert vaeviz.decode(model, posterior, reference=x).shape == x.shape


def test_the_dtype_is_that_of_the_module_that_runs():
    net = nn.Linear(8, 2).double()
    holder = types.SimpleNamespace(inner=types.SimpleNamespace(net=net))
    expected = net(torch.from_numpy(X).double()).detach()
    np.testing.assert_allclose(vaeviz.encode(lambda x: holder.inner.net(x), X).mean, expected, atol=1e-6)


enc = nn.Linear(3, 3).double()  # unrelated; its name is that of an attribute


class Parts:
    enc = nn.Linear(8, 2)


def test_a_global_with_the_name_of_an_attribute_is_not_used():
    parts, seen = Parts(), []

    def encoder(x):
        seen.append(x.dtype)
        return parts.enc(x)

    vaeviz.encode(encoder, X)
    assert torch.float64 not in seen
    assert loaded_modules(encoder) == []
    before = describe_inputs({"encoder": vaeviz.Encoder(encoder), "x": X})["encoder"]["weights_sha256"]
    with torch.no_grad():
        enc.weight += 1
    assert describe_inputs({"encoder": vaeviz.Encoder(encoder), "x": X})["encoder"]["weights_sha256"] == before
    with torch.no_grad():
        Parts.enc.weight += 1
    assert describe_inputs({"encoder": vaeviz.Encoder(encoder), "x": X})["encoder"]["weights_sha256"] != before


def test_hashes_are_those_of_the_modules_that_run():
    net, other = nn.Linear(8, 2), nn.Linear(8, 2)
    hashes = [
        describe_inputs({"encoder": vaeviz.Encoder(fn), "x": X})["encoder"]["weights_sha256"]
        for fn in (net, lambda x: net(x), lambda x, net=net: net(x), lambda x: (net, other)[0](x), App(net))
    ]
    assert len(set(hashes)) == 1
    up = nn.Linear(2, 8)
    cached = vaeviz.cache_encoding(lambda x, net=net: net(x), X)
    assert describe_inputs({"encoder": cached})["encoder"]["weights_sha256"] == hashes[0]
    decoder = vaeviz.Decoder(lambda z, net=up: net(z), latent_shape=(2,))
    assert "weights_sha256" in describe_inputs({"decoder": decoder})["decoder"]


class BareWeights:
    """A model whose weights are tensors of no module, in a list."""

    def __init__(self, dtype):
        torch.manual_seed(0)
        self.weights = [nn.Parameter(torch.randn(8, 2).to(dtype))]

    def encode(self, x):
        return x @ self.weights[0]

    def decode(self, z):
        return torch.nn.functional.linear(z, self.weights[0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_tensors_take_the_dtype_of_weights_outside_modules(dtype):
    model = BareWeights(dtype)
    expected = X @ model.weights[0].detach().float().numpy()
    codes = vaeviz.encode(model, X).mean
    np.testing.assert_allclose(codes, expected, atol=0.1 if dtype.itemsize == 2 else 1e-5)
    assert vaeviz.decode(model, codes).shape == X.shape
    w = model.weights[0]
    assert vaeviz.encode(lambda x: x @ w, X).mean.shape == (32, 2)


def test_a_function_that_makes_its_own_tensors_receives_the_dtype_of_its_weights():
    w = torch.ones(8, 2, dtype=torch.float64)
    np.testing.assert_allclose(vaeviz.encode(lambda x: torch.from_numpy(x) @ w, X).mean[:, 0], X.sum(axis=1), rtol=1e-4)


def test_complex_weights_are_refused_by_their_dtype():
    w = torch.ones(8, 2, dtype=torch.complex64)
    with pytest.raises(vaeviz.InputError, match="complex"):
        vaeviz.encode(lambda x: x @ w, X)


def test_hashes_are_those_of_weights_outside_modules():
    model = BareWeights(torch.float32)

    def hashes():
        inputs = {"encoder": vaeviz.cache_encoding(model, X), "decoder": vaeviz.open(model).decoder}
        return [one["weights_sha256"] for one in describe_inputs(inputs).values()]

    first = hashes()
    assert first == hashes()
    assert first[0] == first[1]
    with torch.no_grad():
        model.weights[0] += 1
    assert hashes()[0] not in first
    assert describe_inputs({"encoder": vaeviz.Encoder(lambda x: x[:, :2]), "x": X})["encoder"]["weights_sha256"] is None


def test_weights_beside_modules_without_any_and_complex_ones_are_hashed():
    sigmoid, turn = nn.Sigmoid(), torch.ones(8, dtype=torch.complex64)

    def hash_of(w):
        encoder = vaeviz.Encoder(lambda x: sigmoid((x * turn).real @ w))
        return describe_inputs({"encoder": encoder, "x": X})["encoder"]["weights_sha256"]

    first = torch.ones(8, 2)
    assert hash_of(first) == hash_of(first)
    assert hash_of(first) != hash_of(2 * first)


def test_a_condition_stays_an_integer_for_weights_of_float64():
    w, one_hot = torch.ones(8, 2, dtype=torch.float64), torch.eye(3)
    encoder = vaeviz.Encoder(lambda x, y: torch.as_tensor(x) @ w + one_hot[torch.as_tensor(y)][:, :2])
    y = np.arange(len(X)) % 3
    np.testing.assert_allclose(vaeviz.encode(encoder, X, y).mean, X.sum(1)[:, None] + np.eye(3)[y][:, :2], rtol=1e-4)


def test_describing_inputs_does_not_change_random_states():
    net = nn.Linear(8, 2)
    encoder = vaeviz.Encoder(lambda x: net(x) + torch.randn(len(x), 2) + float(np.random.rand()))
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[2]
    describe_inputs({"encoder": encoder, "x": X})
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[2] == before[1]


class Counting(nn.Module):
    """A module that changes its state in every call, whatever its mode."""

    def __init__(self, replaces):
        super().__init__()
        self.replaces = replaces
        self.linear = nn.Linear(8, 2)
        self.register_buffer("count", torch.zeros(()))
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, x):
        if self.replaces:
            self.count = self.count + 1
            self.scale = nn.Parameter(self.scale + 1, requires_grad=False)
        else:
            self.count.data.add_(1)
            self.scale.data.add_(1)
        return self.linear(x)


@pytest.mark.parametrize("replaces", [False, True])
def test_parameters_and_buffers_that_change_are_restored_with_a_warning(replaces):
    model = Counting(replaces)
    count, scale = model.count, model.scale
    with pytest.warns(GuessWarning, match=r"Counting\.scale, Counting\.count"):
        vaeviz.encode(vaeviz.Encoder(lambda x: model(x), returns="mean", batch_size=8), X)
    assert model.count is count
    assert model.scale is scale
    assert (float(count), float(scale)) == (0, 1)


def test_every_batch_runs_with_the_values_from_before():
    class Shifting(nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = nn.Parameter(torch.zeros(()), requires_grad=False)

        def forward(self, x):
            self.shift.data.add_(1)
            return x[:, :2] + self.shift

    with pytest.warns(GuessWarning):
        posterior = vaeviz.encode(vaeviz.Encoder(Shifting(), returns="mean", batch_size=8), X)
    np.testing.assert_allclose(posterior.mean, X[:, :2] + 1, atol=1e-6)


def test_a_module_that_first_runs_in_a_later_batch_runs_in_eval_mode(recwarn):
    first, later = nn.Linear(8, 2), nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 2))
    holder = {"first": first, "later": later}
    mean_before = later[1].running_mean.clone()
    encoder = vaeviz.Encoder(lambda x: holder["later" if x.min() > 1 else "first"](x), returns="mean", batch_size=16)
    x = np.concatenate([X[:16], np.abs(X[16:]) + 1.1])
    posterior = vaeviz.encode(encoder, x)
    assert all(part.training for part in later.modules())
    later.eval()
    np.testing.assert_allclose(posterior.mean[16:], later(torch.from_numpy(x[16:])).detach(), atol=1e-6)
    assert torch.equal(later[1].running_mean, mean_before)
    assert not recwarn.list


class Drifting(nn.Module):
    """A module that leaves its weights alone in the first batch, which encodes it twice, and then changes them."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 2)
        self.n_calls = 0

    def forward(self, x):
        self.n_calls += 1
        if self.n_calls > 2:
            self.linear.weight.add_(1)
        return self.linear(x)


@pytest.mark.parametrize(("max_bytes", "outcome"), [(1000, "restored"), (0, "lost")])
def test_a_parameter_that_changes_in_a_later_batch_is_restored_if_it_is_not_large(max_bytes, outcome, monkeypatch):
    monkeypatch.setattr("vaeviz.model.torch_probe.MAX_COPIED_BYTES", max_bytes)
    model = Drifting()
    before = model.linear.weight.clone()
    with pytest.warns(GuessWarning, match=rf"Linear\.weight .* {outcome}"):
        vaeviz.encode(vaeviz.Encoder(model, returns="mean", batch_size=16), X)
    assert torch.equal(model.linear.weight, before) == (outcome == "restored")


def test_parameters_that_are_trained_between_batches_stay_as_they_are(recwarn):
    net = nn.Linear(2, 8)
    batches = decode_batches(net, np.zeros((4, 2), np.float32), size=1)
    next(batches)
    with torch.no_grad():
        net.weight.add_(1)
    after = net.weight.clone()
    next(batches)
    assert torch.equal(net.weight, after)
    assert not recwarn.list


def test_nan_in_a_buffer_is_not_a_change(recwarn):
    net = nn.Linear(8, 2)
    net.register_buffer("last_loss", torch.tensor(float("nan")))
    vaeviz.encode(net, X)
    assert not recwarn.list


def test_parameters_are_copied_once_per_decoding(monkeypatch):
    net, copied = nn.Linear(2, 8), []
    clone = torch.Tensor.clone
    monkeypatch.setattr(torch.Tensor, "clone", lambda tensor: copied.append(tuple(tensor.shape)) or clone(tensor))
    vaeviz.decode(vaeviz.Decoder(net, batch_size=4), np.zeros((32, 2), np.float32))
    assert sorted(copied) == [(8,), (8, 2)]


def test_gradient_mode_and_modes_are_restored_after_an_error():
    def fails(x):
        torch.set_grad_enabled(True)
        NET(x)
        raise RuntimeError("out of luck")

    with pytest.raises(vaeviz.InputError):
        vaeviz.encode(fails, X)
    assert torch.is_grad_enabled()
    assert all(part.training for part in NET.modules())
    assert not torch.nn.modules.module._global_forward_pre_hooks


def test_modules_of_other_threads_are_not_touched():
    import threading

    other = nn.Linear(8, 2).train()
    modes = []

    class Watched(nn.Module):
        def forward(self, x):
            modes.append(self.training)
            return other(x)

    watched = Watched().train()
    with record_modules(lambda module: pytest.fail("recorded another thread")) as calls:
        thread = threading.Thread(target=lambda: watched(torch.zeros(1, 8)))
        thread.start()
        thread.join()
    assert modes == [True]
    assert calls == []


def test_nothing_is_imported_for_numpy_functions(python):
    printed = python(
        "import sys, numpy as np, vaeviz\n"
        "vaeviz.encode(lambda x: x[:, :2], np.ones((3, 4)))\n"
        "vaeviz.decode(lambda z: z, np.ones((3, 4)))\n"
        "print('torch' in sys.modules)"
    )
    assert printed == "False"
    assert "torch" in sys.modules


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("make", [torch.jit.script, lambda net: torch.compile(net, backend="eager")])
def test_scripted_and_compiled_modules_run_in_eval_mode(make, recwarn):
    made = make(NET)
    expected = vaeviz.encode(NET, X).mean
    holder = {"net": made}
    recwarn.clear()
    for fn in (made, lambda x: made(x), lambda x: holder["net"](x)):
        np.testing.assert_allclose(vaeviz.encode(fn, X).mean, expected, atol=1e-6)
        assert NET.training
    assert not recwarn.list


# Layouts


def test_a_function_that_arranges_samples_itself_receives_them_as_they_are():
    conv = nn.Conv2d(1, 2, 8)
    x = np.random.default_rng(0).random((5, 8, 8), dtype=np.float32)
    expected = conv(torch.from_numpy(x)[:, None]).flatten(1).detach()
    for fn in (lambda x: conv(x.unsqueeze(1)).flatten(1), nn.Sequential(nn.Unflatten(1, (1, 8)), conv, nn.Flatten())):
        np.testing.assert_allclose(vaeviz.encode(fn, x).mean, expected, atol=1e-6)


def test_one_image_is_not_taken_for_channels():
    conv = nn.Sequential(nn.Conv2d(1, 2, 8), nn.Flatten())
    x = np.random.default_rng(0).random((1, 8, 8), dtype=np.float32)
    np.testing.assert_allclose(vaeviz.encode(conv, x).mean, conv(torch.from_numpy(x)[:, None]).detach(), atol=1e-6)
