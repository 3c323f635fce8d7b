"""`vaeviz.watch`: what is drawn and when, where it goes, and that the training does not notice."""

import io
import random
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

import vaeviz
from vaeviz.callbacks.watch import is_first_process
from vaeviz.errors import InputError, OutputError, UnknownName


class Recorder:
    """A tracker that keeps what it receives."""

    def __init__(self):
        self.figures, self.scalars, self.captions, self.is_open = [], {}, {}, True

    def log_figure(self, name, png, *, caption, step):
        assert Image.open(io.BytesIO(png)).format == "PNG"
        self.figures.append((step, name))
        self.captions[name] = caption

    def log_scalars(self, scalars, *, step):
        self.scalars |= {(name, step): value for name, value in scalars.items()}

    def close(self):
        self.is_open = False


@pytest.fixture
def recorder():
    return Recorder()


def small_plot(encoder, x):
    """Plot the first code."""
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot(vaeviz.encode(encoder, x).mean[:, 0])
    return figure


def columns(x):
    return np.asarray(x)[:, :2]


def test_plots_by_name_and_functions_are_drawn_with_their_options(recorder, x, labels):
    def own_figure(encoder, x, labels):
        figure, ax = plt.subplots()
        ax.scatter(*vaeviz.encode(encoder, x).mean.T, c=labels)
        return figure

    plots = ["latent_scatter", small_plot, own_figure, partial(vaeviz.latent_scatter, alpha=0.5)]
    settings = {"latent_scatter": {"marker_size": 3.0}}
    watch = vaeviz.watch(plots, x, labels, to=recorder, settings=settings, max_fraction=None, dpi=50)
    watch(1, columns)
    assert [name for _, name in recorder.figures] == ["latent_scatter", "small_plot", "own_figure", "latent_scatter-2"]
    assert plt.get_fignums() == []


def test_figures_show_the_same_samples_at_each_step(recorder, x, labels):
    seen = []

    def keep(x, labels, *, ax=None):
        """Keep what is drawn."""
        seen.append((x.copy(), np.asarray(labels)))
        return ax

    watch = vaeviz.watch(keep, x, labels, to=recorder, n_samples=10, seed=3, max_fraction=None, dpi=50)
    watch(1, columns)
    watch(2, columns)
    (first, first_labels), (second, _) = seen
    assert first.shape == (10, 6)
    assert (first == second).all()
    rows = [int(np.flatnonzero((x == row).all(axis=1))[0]) for row in first]
    assert (labels[rows] == first_labels).all()
    assert "10 of 64 samples" in recorder.captions["keep"]


def test_the_caption_of_a_plot_that_shows_no_samples_counts_none(recorder, tiny_vae, x):
    settings = {"samples": {"n_samples": 4}}
    plots = ["samples", "latent_scatter"]
    watch = vaeviz.watch(plots, x, to=recorder, n_samples=10, settings=settings, max_fraction=None, dpi=50)
    watch(1, tiny_vae)
    assert "64" not in recorder.captions["samples"]
    assert recorder.captions["latent_scatter"].endswith(
        "Epoch 1. 10 of 64 samples, chosen at random, the same at each epoch."
    )


def test_captions_and_the_history_count_what_a_call_counts(x, tmp_path):
    watch = vaeviz.watch(small_plot, x, to=tmp_path, per="step", title="A training", max_fraction=None, dpi=50)
    watch(3, columns, train_kl=-0.5)
    page = (tmp_path / "index.html").read_text()
    assert (tmp_path / "history.csv").read_text() == "step,train_kl\n3,-0.5\n"
    assert "Step 3." in page
    assert "<title>A training</title>" in page
    assert "train KL&nbsp;−0.5" in page


@pytest.mark.parametrize(("every", "drawn"), [(1, [1, 2, 3, 4, 5, 6, 7, 8]), (3, [3, 6]), ("doubling", [1, 2, 4, 8])])
def test_figures_are_drawn_when_they_are_due(recorder, x, every, drawn):
    watch = vaeviz.watch(small_plot, x, to=recorder, every=every, max_fraction=None, dpi=50)
    for epoch in range(1, 9):
        watch(epoch, columns, loss=1 / epoch)
    assert [step for step, _ in recorder.figures] == drawn
    assert recorder.scalars == {("loss", epoch): 1 / epoch for epoch in range(1, 9)}


def test_a_training_with_figures_has_the_same_weights_and_random_numbers(tiny_vae, x, labels, tmp_path):
    def train(observe):
        torch.manual_seed(1)
        np.random.seed(1)
        random.seed(1)
        model = type(tiny_vae)()
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in (1, 2):
            model.train()
            for rows in np.array_split(np.random.permutation(len(x)), 4):
                optimizer.zero_grad()
                model.loss(torch.from_numpy(x[rows])).backward()
                optimizer.step()
            observe(epoch, model)
            assert model.training
        weights = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
        gradients = b"".join(value.grad.numpy().tobytes() for value in model.parameters())
        return weights, gradients, torch.rand(1).item(), np.random.rand(), random.random()

    def with_random_numbers(x, *, ax=None):
        """Draw random numbers."""
        ax.set_title(f"{random.random()} {np.random.rand()} {torch.rand(1)}")
        return ax

    plots = ["latent_scatter", "reconstruction_pairs", "samples", with_random_numbers]
    settings = {"samples": {"n_samples": 4}, "reconstruction_pairs": {"rows": (0, 1)}}
    watch = vaeviz.watch(plots, x, labels, to=tmp_path, settings=settings, max_fraction=None, dpi=50)
    watched = train(lambda epoch, model: watch(epoch, model.encode, model.decode, loss=1.0))
    assert watch.n_drawn == 2
    assert len(list(tmp_path.glob("*/*.png"))) == 8
    assert watched == train(lambda epoch, model: None)


def test_a_whole_model_supplies_both_parts(recorder, tiny_vae, x):
    watch = vaeviz.watch("reconstruction_pairs", x, to=recorder, dpi=50)
    watch(1, tiny_vae)
    assert recorder.figures == [(1, "reconstruction_pairs")]


def test_a_failing_figure_warns_once_and_the_others_are_drawn(recorder, x):
    def fail(encoder, x, *, ax=None):
        raise RuntimeError("broken")

    watch = vaeviz.watch([fail, small_plot], x, to=recorder, max_fraction=None, dpi=50)
    with pytest.warns(UserWarning, match="broken") as caught:
        watch(1, columns)
        watch(2, columns)
    assert len(caught) == 1
    assert recorder.figures == [(1, "small_plot"), (2, "small_plot")]


def test_no_figure_of_pyplot_stays_open(recorder, x):
    def fail(x):
        plt.subplots()
        raise RuntimeError("broken")

    def two(x):
        """Make two figures."""
        plt.figure()
        return plt.figure(figsize=(1, 1))

    own = plt.figure()
    watch = vaeviz.watch([fail, two], x, to=recorder, max_fraction=None, dpi=50)
    with pytest.warns(UserWarning, match="broken"):
        watch(1, columns)
    assert recorder.figures == [(1, "two")]
    assert plt.get_fignums() == [own.number]
    plt.close(own)


def test_a_number_that_counts_nothing_warns_once(recorder, x):
    watch = vaeviz.watch(small_plot, x, to=recorder, max_fraction=None, dpi=50)
    with pytest.warns(UserWarning, match="epoch is '3', expected") as caught:
        for epoch in ("3", -1, 0.5, None):
            watch(epoch, columns, loss=1.0)
    watch(2.0, columns)
    assert len(caught) == 1
    assert recorder.figures == [(2, "small_plot")]


def test_an_encoder_that_returns_nan_warns_once(recorder, x):
    watch = vaeviz.watch(small_plot, x, to=recorder, max_fraction=None)
    with pytest.warns(UserWarning, match="epoch 1") as caught:
        watch(1, lambda x: np.full((len(x), 2), np.nan), loss=float("nan"))
        watch(2, lambda x: np.full((len(x), 2), np.nan))
    assert len(caught) == 1
    assert np.isnan(recorder.scalars["loss", 1])


def test_a_place_that_cannot_be_written_warns_once_and_is_tried_again(recorder, x):
    failing = Recorder()
    failing.log_figure = lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    watch = vaeviz.watch(small_plot, x, to=[failing, recorder], max_fraction=None, dpi=50)
    with pytest.warns(UserWarning, match="No space") as caught:
        for epoch in (1, 2):
            watch(epoch, columns)
    del failing.log_figure
    watch(3, columns)
    assert len(caught) == 1
    assert failing.figures == [(3, "small_plot")]
    assert len(recorder.figures) == 3


def test_draws_that_would_take_more_than_their_share_are_skipped(recorder, x, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def slow(x, *, ax=None):
        """Take one second."""
        now[0] += 1
        return ax

    watch = vaeviz.watch(slow, x, to=recorder, max_fraction=0.1, dpi=50)
    with pytest.warns(UserWarning, match="max_fraction") as caught:
        for epoch in range(1, 21):
            now[0] += 3
            watch(epoch, columns, loss=1.0)
    assert len(caught) == 1
    assert 0.05 < watch.fraction <= 0.1
    assert watch.n_drawn + watch.n_skipped == 20
    assert len(recorder.scalars) == 20
    assert watch.seconds == watch.n_drawn == 6


def test_only_the_first_process_draws(recorder, x, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert not is_first_process()
    watch = vaeviz.watch(small_plot, x, to=recorder)
    watch(1, columns, loss=1.0)
    watch.log(1, loss=1.0)
    assert not recorder.figures
    assert not recorder.scalars


def test_the_rank_of_the_process_group_wins(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 2)
    assert not is_first_process()


def test_a_function_receives_each_figure(x):
    received = []
    watch = vaeviz.watch(small_plot, x, to=lambda name, png, caption, step: received.append((name, step)), dpi=50)
    watch(1, columns, loss=1.0)
    watch.close()
    assert received == [("small_plot", 1)]


def test_the_page_of_a_training_that_failed_says_so(x, tmp_path):
    with pytest.raises(KeyboardInterrupt), vaeviz.watch(small_plot, x, to=tmp_path, dpi=50) as watch:
        watch(1, columns)
        raise KeyboardInterrupt
    assert "The training was stopped." in (tmp_path / "index.html").read_text()


def test_trackers_are_closed_and_the_time_is_reported(recorder, x):
    with vaeviz.watch(small_plot, x, to=recorder, dpi=50) as watch:
        watch(1, columns)
    assert not recorder.is_open
    assert watch.seconds > 0
    assert "once" in repr(watch)


def test_a_number_that_is_none_warns_once(recorder, x):
    watch = vaeviz.watch(small_plot, x, to=recorder, every=100)
    with pytest.warns(UserWarning, match="note") as caught:
        watch(1, columns, loss=torch.tensor(0.5), note="first")
        watch(2, columns, note="second")
    assert len(caught) == 1
    assert recorder.scalars == {("loss", 1): 0.5}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"plots": "latent_scater"}, UnknownName),
        ({"plots": 3}, InputError),
        ({"plots": [3]}, InputError),
        ({"settings": {"latent_scatter": {"colour": 1}}}, UnknownName),
        ({"settings": {"samples": {}}}, InputError),
        ({"to": "tensorbord:logs"}, UnknownName),
        ({"to": 3}, InputError),
        ({"to": "/dev/null/folder"}, OutputError),
        ({"every": 0}, InputError),
        ({"every": "often"}, InputError),
        ({"max_fraction": 0.0}, InputError),
        ({"n_samples": 0}, InputError),
        ({"style": "poster"}, UnknownName),
        ({"labels": [0, 1]}, InputError),
        ({"encoder": columns}, InputError),
        ({"lables": [0] * 64}, UnknownName),
    ],
)
def test_wrong_arguments_are_errors_before_the_training(arguments, error, x, tmp_path):
    with pytest.raises(error):
        vaeviz.watch(**{"plots": "latent_scatter", "x": x, "to": tmp_path, **arguments})


@pytest.mark.processes
def test_watching_imports_no_torch_for_a_model_without_it(tmp_path):
    script = (
        "import sys, numpy as np, vaeviz\n"
        "x = np.random.default_rng(0).random((20, 4))\n"
        f"watch = vaeviz.watch('latent_scatter', x, to={str(tmp_path)!r}, dpi=50)\n"
        "watch(1, lambda x: x[:, :2], loss=1.0)\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert (tmp_path / "latent_scatter" / "000001.png").exists()


def test_samples_and_labels_of_a_loader_are_fixed(recorder, x, labels):
    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(labels))
    seen = []

    def keep(x, labels):
        """Keep what is drawn."""
        seen.append((np.asarray(x), np.asarray(labels)))
        return Figure(figsize=(1, 1))

    loader = torch.utils.data.DataLoader(data, batch_size=10)
    watch = vaeviz.watch(keep, loader, to=recorder, n_samples=7, max_fraction=None, dpi=50)
    watch(1, columns)
    ((drawn, drawn_labels),) = seen
    rows = [int(np.flatnonzero((x == row).all(axis=1))[0]) for row in drawn]
    assert (labels[rows] == drawn_labels).all()


def test_the_numbers_so_far_are_the_history_of_plots(recorder, x):
    received = []

    def keep(history):
        """Keep what is drawn."""
        received.append({name: list(values) for name, values in history.items()})
        return Figure(figsize=(1, 1))

    watch = vaeviz.watch(keep, x, to=recorder, every=2, max_fraction=None, dpi=50)
    watch(1, columns, loss=3.0)
    watch(2, columns, loss=2.0)
    assert received == [{"epoch": [1.0, 2.0], "loss": [3.0, 2.0]}]


def test_a_password_is_in_no_warning(x, monkeypatch):
    def fail(text):
        def connect():
            raise ConnectionError("https://me:secret@example.org does not answer \x1b[31m")

        return connect

    monkeypatch.setattr("vaeviz.callbacks.destinations.find_tracker", fail)
    watch = vaeviz.watch(small_plot, x, to="mlflow:https://me:secret@example.org", dpi=50)
    with pytest.warns(UserWarning, match="example.org") as caught:
        watch(1, columns)
    assert "secret" not in str(caught[0].message)
    assert "\x1b" not in str(caught[0].message)
