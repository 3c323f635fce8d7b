"""Shared by the tests: a handful of digits, tiny models that know nothing of vaeviz, and a small trained run."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # t-SNE of a few points is slow where its threads wait for a core
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process that a test starts compiles vaeviz again

import functools
import subprocess
import sys
from pydoc import locate
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

matplotlib.use("agg")
sys.dont_write_bytecode = False  # else each run prepares the assertions of all tests again

QUICK = {  # options with which a plot takes little work
    "tsne": {"perplexity": 5.0},
    "map_quality": {"perplexity": 5.0},
    "likelihood_bound": {"n_draws": 5},
    "aggregate_posterior": {"n_grid": 20, "n_permutations": 100},
    "prior_holes": {"n_codes": 200},
    "manifold_grid": {"n_grid": 3},
    "samples": {"n_samples": 4},
    "interpolation": {"pair": (0, 1), "n_steps": 3},
    "reconstruction_pairs": {"rows": (0, 1, 2)},
    "traversal": {"n_steps": 3, "span": "prior"},
}


# The tracer of coverage nearly doubles the time of Python code, of other libraries' too. So it pauses in functions that
# take most of the time there, and in tests marked `no_cover`, whose lines other tests run as well.
UNTRACED = [
    "matplotlib.axes.Axes.__init__",
    "matplotlib.axes.Axes.get_tightbbox",
    "matplotlib.axes.Axes.legend",
    "matplotlib.backends.backend_agg.FigureCanvasAgg.draw",
    "matplotlib.figure.Figure.draw",
    "matplotlib.figure.Figure.draw_without_rendering",
    "matplotlib.figure.Figure.savefig",
    "matplotlib.figure.Figure.subplots",
    "matplotlib.layout_engine.ConstrainedLayoutEngine.execute",
    "matplotlib.legend.Legend.get_window_extent",
    "matplotlib.text.Text.get_window_extent",
    "seaborn.boxplot",
    "seaborn.kdeplot",
    "sklearn.ensemble._forest.BaseForest.fit",
    "sklearn.ensemble._forest.ForestRegressor.predict",
    "sklearn.model_selection.cross_val_predict",
    "sklearn.neighbors._base.KNeighborsMixin.kneighbors",
    "torch.optim.Adam.step",
]


def untraced(function):
    """Return a function that pauses the tracer of coverage."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return function(*args, **kwargs)
        finally:
            sys.settrace(tracer)

    return call


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marker
def pytest_collection_modifyitems(items):
    """Mark tests by folder and fixtures, and skip those marked `cuda` on a machine without a GPU."""
    for item in items:
        if item.path.parent.name == "stress":
            item.add_marker("no_cover")
        if "python" in item.fixturenames:
            item.add_marker("processes")
    on_a_gpu = [item for item in items if item.get_closest_marker("cuda")]
    if on_a_gpu:
        import torch

        if not torch.cuda.is_available():
            for item in on_a_gpu:
                item.add_marker(pytest.mark.skip(reason="there is no GPU here"))


def pytest_collection_finish():
    """Save time: pause the tracer of coverage, and let the garbage collector pass over what was imported."""
    for owner, _, name in (path.rpartition(".") for path in UNTRACED if sys.gettrace() is not None):
        setattr(locate(owner), name, untraced(getattr(locate(owner), name)))
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(scope="session")
def digits():
    """x: (60, 8, 8) digits in [0, 1], six of each class; labels: (60,) integers."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    rows = np.sort(np.concatenate([np.flatnonzero(bunch.target == digit)[:6] for digit in range(10)]))
    return SimpleNamespace(x=(bunch.images[rows] / 16).astype(np.float32), labels=bunch.target[rows])


@pytest.fixture(scope="session")
def make_encoder():
    """A linear NumPy encoder to `dims` dimensions: (mean, log_var), or the mean alone with ``spread=False``."""

    def make(dims=2, *, spread=True, seed=0):
        def linear_encoder(x):
            flat = np.asarray(x).reshape(len(x), -1)
            weights = np.random.default_rng(seed).standard_normal((flat.shape[1], dims)) / np.sqrt(flat.shape[1])
            mean = (flat - 0.3) @ weights
            return (mean, np.full_like(mean, -2.0)) if spread else mean

        return linear_encoder

    return make


@pytest.fixture(scope="session")
def make_decoder():
    """A NumPy decoder from `dims` dimensions to samples of `shape`, all of them in (0, 1)."""

    def make(dims=2, shape=(8, 8), *, seed=1):
        weights = np.random.default_rng(seed).standard_normal((dims, int(np.prod(shape))))

        def sigmoid_decoder(z):
            assert z.shape[1:] == (dims,)
            return (1 / (1 + np.exp(-z @ weights))).reshape(len(z), *shape)

        return sigmoid_decoder

    return make


@pytest.fixture(scope="session")
def numpy_inputs(digits, make_encoder, make_decoder):
    """One value for every input of the built-in plots, for a latent space of three dimensions."""
    decoder = make_decoder(3)

    def likelihood(x, z):
        return -2 * ((np.asarray(x) - decoder(np.asarray(z))) ** 2).sum(axis=(1, 2))

    return {
        "encoder": make_encoder(3),
        "decoder": decoder,
        "x": digits.x,
        "labels": digits.labels,
        "factors": np.column_stack([digits.labels, digits.x.mean(axis=(1, 2))]),
        "history": {"epoch": [1, 2, 3], "train_elbo": [-3.0, -2.0, -1.0], "train_kl": [0.1, 0.2, 0.3]},
        "likelihood": likelihood,
        "other_x": digits.x[:, ::-1].copy(),
        "other_encoder": make_encoder(4, seed=3),
        "runs": [(9.0, 30.0, "one"), (5.0, 36.0, "other")],
        "feature_names": [f"pixel {k}" for k in range(64)],
        "factor_names": ["digit", "ink"],
    }


@pytest.fixture
def invoke():
    """Run a command in this process and return click's result; errors that the command line would print are raised."""

    from click.testing import CliRunner

    from vaeviz.cli.main import cli

    def invoke_command(*args):
        result = CliRunner().invoke(cli, [str(arg) for arg in args])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke_command


@pytest.fixture
def encoder(make_encoder):
    return make_encoder()


@pytest.fixture
def decoder(make_decoder):
    return make_decoder()


class LinearConditional:
    """x = W z + V_y + σ ε with z ~ N(0, I), in closed form: what p(z | x, y) and p(x | y) are is known exactly.

    The columns of W are orthogonal, so that the dimensions of the posterior are independent. y is one of the classes
    "low", "middle" and "high", which are known to encode, decode and log_likelihood by their places.
    """

    classes = ("low", "middle", "high")
    sigma = 0.5

    def __init__(self, size=6):
        rng = np.random.default_rng(0)
        self.weights = np.linalg.qr(rng.standard_normal((size, 2)))[0] * (2.0, 1.0)
        self.offsets = np.array([-4.0, 0.0, 4.0])[:, None] + rng.standard_normal((3, size))
        self.labels = np.repeat([0, 1, 2], 20)
        self.names = np.array(self.classes)[self.labels]
        noise = self.sigma * rng.standard_normal((60, size))
        self.x = (rng.standard_normal((60, 2)) @ self.weights.T + self.offsets[self.labels] + noise).astype(np.float32)

    def encode(self, x, y):
        assert y.dtype.kind == "i"
        precision = 1 + (self.weights**2).sum(axis=0) / self.sigma**2
        mean = (x - self.offsets[y]) @ self.weights / self.sigma**2 / precision
        return mean, np.broadcast_to(-np.log(precision), mean.shape)

    def decode(self, z, y):
        assert y.dtype.kind == "i"
        return z @ self.weights.T + self.offsets[y]

    def log_likelihood(self, x, z, y):
        square = ((x - self.decode(z, y)) ** 2).sum(axis=1)
        return -0.5 * (square / self.sigma**2 + x.shape[1] * np.log(2 * np.pi * self.sigma**2))

    def log_evidence(self):
        """ln p(x | y) of the samples: N(x; V_y, W Wᵀ + σ² I)."""
        covariance = self.weights @ self.weights.T + self.sigma**2 * np.eye(len(self.weights))
        apart = self.x.astype(np.float64) - self.offsets[self.labels]
        square = (apart * np.linalg.solve(covariance, apart.T).T).sum(axis=1)
        return -0.5 * (square + np.linalg.slogdet(2 * np.pi * covariance)[1])


@pytest.fixture(scope="session")
def linear():
    """A linear conditional model in closed form, with sixty samples of it."""
    return LinearConditional()


@pytest.fixture(scope="session")
def linear_parts(linear):
    """The same as encoder, decoder and likelihood by name, the first two declared."""
    from vaeviz import Decoder, Encoder

    def likelihood(x, z, y):
        return linear.log_likelihood(x, z, y)

    likelihood.conditions = Encoder(linear.encode, conditions=linear.classes).conditions
    return {
        "encoder": Encoder(linear.encode, returns="mean,log_var", conditions=linear.classes, name="linear.encode"),
        "decoder": Decoder(
            linear.decode, output="values", latent_shape=(2,), conditions=linear.classes, prior="normal", name="linear"
        ),
        "likelihood": likelihood,
    }


@pytest.fixture
def ax():
    """An Axes that pyplot knows nothing of."""
    return Figure(figsize=(4, 4), layout="constrained").subplots()


@pytest.fixture(scope="session")
def quick_options():
    """Options by plot with which it takes little work."""
    return QUICK


@pytest.fixture
def still_figure():
    """Make figures that no layout moves, where places do not matter: to measure texts takes most of the time."""
    from matplotlib.layout_engine import PlaceHolderLayoutEngine

    def make(**options):
        engine = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True)
        return Figure(**{"figsize": (7, 5), "dpi": 40, "layout": engine} | options)

    return make


@pytest.fixture
def without_layout(monkeypatch):
    """Leave all Axes where they are, in sets of figures of which only the records matter."""
    monkeypatch.setattr("matplotlib.layout_engine.ConstrainedLayoutEngine.execute", lambda engine, figure: None)


@pytest.fixture
def only_records(without_layout, monkeypatch):
    """Draw every figure of a set once, but write empty files, where only the records matter."""
    monkeypatch.setattr("vaeviz.export.render.figure_content", lambda figure, ending, dpi: b"")


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def few_trees(monkeypatch):
    """Compute the disentanglement scores with little effort, where their precision does not matter."""
    for name, count in {"N_TREES": 3, "N_SHUFFLES": 1, "N_VOTES": 40}.items():
        monkeypatch.setattr(f"vaeviz.analysis.disentanglement.{name}", count)


@pytest.fixture
def registered():
    """Register things at run time, for one test only."""
    from vaeviz.plugins import registry

    with registry.temporary_entries():
        yield registry


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The folder of a 2-D VAE, trained on digits for two epochs."""
    from vaeviz_models.runs.train_run import train_run
    from vaeviz_models.training.config import TrainConfig

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    config = TrainConfig(epochs=2, device="cpu")
    train_run("mlp", "digits", folder, model_options={"hidden": (16,)}, config=config)
    return folder


@pytest.fixture
def python(tmp_path):
    """Run code in a fresh interpreter that also finds what lies in `tmp_path`; returns what it printed."""

    def run_code(code, *, check=True):
        path = os.pathsep.join(part for part in (str(tmp_path), os.environ.get("PYTHONPATH")) if part)
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run_code


@pytest.fixture
def plug_in(tmp_path):
    """Lay out an installed distribution in `tmp_path`: its entry points, and its files."""

    def install(name, entry_points, files):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = (line for group, points in entry_points.items() for line in (f"[{group}]", *points))
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for file, content in files.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return install
