"""vaeviz never needs torch for models that are not torch models."""

from __future__ import annotations

REFUSE_TORCH = """
import sys

class RefuseTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("torch was imported")

sys.meta_path.insert(0, RefuseTorch())
"""

DATA = """
import numpy as np
import matplotlib
matplotlib.use("agg")
import vaeviz

rng = np.random.default_rng(0)
codes = rng.standard_normal((60, 3))
weights = rng.standard_normal((3, 64))
def decode(z): return 1 / (1 + np.exp(-z @ weights)).reshape(len(z), 8, 8)
x = decode(codes).astype(np.float32)
labels = rng.integers(0, 3, 60)
def encode(x):
    mean = np.log(x / (1 - x)).reshape(len(x), -1) @ np.linalg.pinv(weights)
    return mean, np.full_like(mean, -2.0)
def likelihood(x, z): return -2 * ((x - decode(z)) ** 2).sum(axis=(1, 2))
"""

PLOTS = """
import tempfile
from matplotlib.layout_engine import ConstrainedLayoutEngine
import vaeviz.export.render
ConstrainedLayoutEngine.execute = lambda engine, figure: None  # a layout takes most of the time
vaeviz.export.render.figure_content = lambda figure, ending, dpi: b""  # a second rendering of the same figure
import vaeviz.analysis.disentanglement
vaeviz.analysis.disentanglement.N_TREES = 3
from pathlib import Path
folder = tempfile.mkdtemp()
history = {"epoch": [1, 2], "train_elbo": [-3.0, -2.0], "train_kl": [0.1, 0.2]}
records = vaeviz.export_figures(
    folder, encoder=vaeviz.Encoder(encode, returns="mean,log_var"), decoder=vaeviz.Decoder(decode, prior="normal"),
    x=x, labels=labels, factors=codes, history=history, likelihood=likelihood, other_x=x[::-1].copy(),
    other_encoder=vaeviz.Encoder(lambda x: encode(x)[0], returns="mean"), runs=[(9.0, 30.0, "one"), (5.0, 36.0, "two")],
    dpi=20, settings={
        "tsne": {"perplexity": 5.0}, "map_quality": {"perplexity": 5.0}, "likelihood_bound": {"n_draws": 5},
        "manifold_grid": {"n_grid": 3}, "aggregate_posterior": {"n_grid": 20, "n_permutations": 100},
        "prior_holes": {"n_codes": 200},
    },
)
assert {record.plot for record in records} == set(vaeviz.plot_names())
print({record.plot: record.reason for record in records if record.status != "drawn"})
assert "torch" not in sys.modules
"""

ANALYSIS = """
report = vaeviz.analyze(encoder=encode, decoder=decode, x=x, labels=labels, likelihood=likelihood)
print({result.name: result.sentence for result in report.checks if result.status == "failed"})
assert "torch" not in sys.modules
"""


def test_every_plot_is_drawn_and_every_check_runs_for_a_numpy_model(python):
    assert python(REFUSE_TORCH + DATA + PLOTS + ANALYSIS).splitlines() == ["{}", "{}"]


def test_help_and_list_run(python):
    code = """
from vaeviz.cli.main import main
for args in (["--help"], ["list", "plots"], ["export", "--help"]):
    try: main(args)
    except SystemExit as end: print("code", end.code)
"""
    lines = python(REFUSE_TORCH + code).splitlines()
    assert [line for line in lines if line.startswith("code ")] == ["code 0"] * 3
