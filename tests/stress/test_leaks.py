"""Many plots leave nothing behind: no figures, files, threads, settings or random numbers of the user."""

from __future__ import annotations

import gc
import os
import random
import tempfile
import threading
import warnings

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import vaeviz

N_PLOTS = 3  # drawn in one round


def surroundings():
    """Return what belongs to the process and not to us."""
    gc.collect()
    return {
        "figures": plt.get_fignums(),
        "files": len(os.listdir("/proc/self/fd")),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "rcParams": dict(matplotlib.rcParams),
        "warning filters": list(warnings.filters),
        "NumPy errors": np.geterr(),
        "random numbers of Python": random.getstate(),
        "random numbers of NumPy": np.random.get_state()[1].tolist(),
        "random numbers of torch": torch.get_rng_state().tolist(),
        "gradients": torch.is_grad_enabled(),
        "threads of torch": torch.get_num_threads(),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "temporary files": sorted(os.listdir(tempfile.gettempdir())) if tempfile.tempdir else [],
    }


@pytest.fixture
def own_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def draw(name, inputs, options):
    """Draw and save a plot, once into a figure of the user and once into one of its own."""
    spec = vaeviz.get_plot(name)
    given = {key: inputs[key] for key in spec.required + spec.optional if key in inputs} | options
    figure = Figure(figsize=(4, 3))
    spec(**given, **({"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}))
    with tempfile.TemporaryFile() as file:
        figure.savefig(file, dpi=30)
    with vaeviz.style("paper"):
        drawn = spec(**given)
    plt.close(np.atleast_1d(drawn).flat[0].figure.get_figure(root=True))


@pytest.mark.usefixtures("few_trees", "own_temporary_folder")
def test_plots_leave_nothing_behind(numpy_inputs, quick_options, try_all, rng, rounds):
    names = [rng.choice(vaeviz.plot_names()) for _ in range(N_PLOTS * rounds)]
    for name in dict.fromkeys(names):
        draw(name, numpy_inputs, quick_options.get(name, {}))  # imports and caches are made once

    def attempt(name):
        before = surroundings()
        draw(name, numpy_inputs, quick_options.get(name, {}))
        after = surroundings()
        assert [kind for kind in before if before[kind] != after[kind]] == []

    try_all((name, lambda name=name: attempt(name)) for name in names)


@pytest.mark.usefixtures("own_temporary_folder")
def test_refused_plots_leave_nothing_behind(numpy_inputs, try_all, rng, rounds):
    wrong = {"x": np.zeros((3, 3, 3, 3, 3)), "encoder": lambda x: 1 / 0, "decoder": lambda z: z[:1], "labels": [[1]]}

    def attempt(name):
        spec = vaeviz.get_plot(name)
        given = {key: wrong.get(key, numpy_inputs[key]) for key in spec.required}
        before = surroundings()
        try:
            spec(**given, figure=figure) if spec.place == "figure" else spec(**given, ax=figure.subplots())
        except (vaeviz.InputError, vaeviz.NotApplicable):
            after = surroundings()
            assert [kind for kind in before if before[kind] != after[kind]] == []

    figure = Figure(figsize=(4, 3))
    names = [rng.choice(vaeviz.plot_names()) for _ in range(N_PLOTS * rounds)]
    for name in dict.fromkeys(names):
        vaeviz.get_plot(name)
    try_all((name, lambda name=name: attempt(name)) for name in names)
