from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

import vaeviz
from vaeviz import NotApplicable, training_curves
from vaeviz.errors import InputError, UnknownName

EPOCHS = [1, 2, 3, 4]
HISTORY = {
    "epoch": EPOCHS,
    "beta": [1, 1, 1, 1],
    "train_elbo": [-9.0, -7.0, -6.0, -5.5],
    "train_log_likelihood": [-8.0, -5.0, -4.0, -3.5],
    "train_kl": [1.0, 2.0, 2.0, 2.0],
    "test_elbo": [-9.5, -7.5, -6.5, -6.0],
    "test_log_likelihood": [-8.5, -5.5, -4.5, -4.0],
    "test_kl": [1.0, 2.0, 2.0, 2.0],
}


@pytest.fixture
def figure():
    return Figure(layout="constrained")


def test_one_panel_for_the_elbo_and_each_of_its_terms(figure):
    axes = training_curves(HISTORY, figure=figure)
    assert list(axes) == figure.axes
    assert [ax.get_title().replace("\n", " ") for ax in axes] == [
        "ELBO, one-sample estimate",
        r"$\ln p(x|z)$, one sample of $z$",
        "KL to the prior",
    ]
    assert axes[0].get_ylabel() == "nats per sample"
    assert axes[0].get_xlim()[0] > 0.4  # no tick at an epoch 0
    for ax, name in zip(axes, ("elbo", "log_likelihood", "kl")):
        lines = {line.get_label(): line for line in ax.lines}
        assert list(lines) == ["train", "test"]
        for part, line in lines.items():
            np.testing.assert_array_equal(line.get_xdata(), EPOCHS)
            np.testing.assert_array_equal(line.get_ydata(), HISTORY[f"{part}_{name}"])
        assert ax.get_xlabel() == "epoch"


def test_the_sets_are_named_and_keep_their_colors(figure):
    everything = HISTORY | {"validation_elbo": [-9, -8, -7, -6]}
    axes = training_curves(everything, figure=figure)
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["train", "validation", "test"]
    colors = [{line.get_label(): line.get_color() for line in ax.lines} for ax in axes]
    assert colors[0]["test"] == colors[1]["test"] == colors[2]["test"] != colors[0]["train"]


def test_missing_quantities_have_no_panel(figure):
    history = {"epoch": EPOCHS, "train_log_likelihood": [-8.0, -5.0, -4.0, -3.5]}
    (ax,) = training_curves(history, figure=figure)
    assert ax.get_title() == "log likelihood"
    assert ax.get_legend() is None


def test_the_first_epochs_can_be_left_out(figure):
    axes = training_curves(HISTORY, skip=2, figure=figure)
    np.testing.assert_array_equal(axes[0].lines[0].get_xdata(), [3, 4])
    np.testing.assert_array_equal(axes[0].lines[0].get_ydata(), [-6, -5.5])


def steep(epochs):
    """A history that starts far below where it goes on."""
    elbo = np.linspace(-100, -90, epochs)
    elbo[0] = -500
    return {"epoch": list(range(1, epochs + 1)), "train_elbo": elbo, "train_kl": np.linspace(1, 2, epochs)}


def test_a_steep_beginning_is_cut_in_all_panels_and_the_labels_say_so(figure):
    elbo, kl = training_curves(steep(20), figure=figure)
    low, high = elbo.get_ylim()
    assert -101 < low < -99 < -90 < high < -88
    assert elbo.get_xlabel() == kl.get_xlabel() == "epoch (first 2 cut)"
    assert len(elbo.lines[0].get_ydata()) == 20
    assert 1 < kl.get_ylim()[0] < kl.lines[0].get_ydata()[2]


@pytest.mark.parametrize(("epochs", "settings"), [(9, {}), (20, {"cut": False})])
def test_short_histories_are_not_cut(figure, epochs, settings):
    elbo, _ = training_curves(steep(epochs), figure=figure, **settings)
    assert elbo.get_ylim()[0] < -500
    assert elbo.get_xlabel() == "epoch"


def test_one_epoch_can_be_seen(figure):
    (ax,) = training_curves({"epoch": [1], "train_elbo": [-3.0]}, figure=figure)
    assert ax.lines[0].get_marker() == "o"


def test_epochs_are_whole_numbers(figure):
    axes = training_curves(HISTORY, figure=figure)
    assert all(tick == round(tick) for tick in axes[0].get_xticks())


def test_a_subfigure_is_drawn_into(figure):
    left, right = figure.subfigures(1, 2)
    axes = training_curves(HISTORY, figure=right)
    assert list(axes) == right.axes
    assert not left.axes


class KerasHistory:
    """What `keras.Model.fit` returns."""

    epoch = (0, 1)
    history: ClassVar = {"loss": [3.0, 2.0], "val_loss": [4.0, 3.0]}


FOREIGN_HISTORIES = {
    "a list": [3.0, 2.0],
    "an array": np.array([3.0, 2.0]),
    "a dictionary": {"loss": [3.0, 2.0], "val_loss": [4.0, 3.0]},
    "one mapping per epoch": [{"loss": 3.0, "val_loss": 4.0}, {"loss": 2.0, "val_loss": 3.0}],
    "a data frame": pd.DataFrame({"loss": [3.0, 2.0], "val_loss": [4.0, 3.0], "comment": ["slow", "fast"]}),
    "Keras": KerasHistory(),
}


@pytest.mark.parametrize("history", FOREIGN_HISTORIES.values(), ids=FOREIGN_HISTORIES)
def test_histories_of_other_libraries_are_drawn(figure, history):
    (ax,) = training_curves(history, figure=figure)
    lines = {line.get_label(): line.get_ydata().tolist() for line in ax.lines}
    assert lines.pop("loss") == [3, 2]
    assert lines in ({}, {"validation": [4, 3]})
    assert ax.lines[0].get_xdata().tolist() == [1, 2]
    assert (ax.get_title(), ax.get_ylabel()) == ("loss", "")


@pytest.mark.parametrize(
    "names", [("train_kl", "val_kl"), ("kl/train", "kl/test"), ("training kl", "valid kl"), ("kl_train", "kl_val")]
)
def test_sets_are_named_before_or_after_the_quantity(figure, names):
    (ax,) = training_curves({name: [2.0, 1.0] for name in names}, figure=figure)
    assert ax.get_title() == "KL"
    assert {line.get_label() for line in ax.lines} <= {"train", "validation", "test"}
    assert len(ax.lines) == 2


def test_many_quantities_form_rows(figure):
    axes = training_curves({name: [2.0, 1.0] for name in "abcde"}, figure=figure)
    assert [ax.get_title() for ax in axes] == list("abcde")
    assert axes[3].get_subplotspec().rowspan.start == 1


def test_values_that_cannot_be_drawn_are_counted(figure):
    (ax,) = training_curves({"loss": [1.0, np.nan, np.inf, 1e308, 2.0]}, figure=figure)
    assert ax.lines[0].get_xdata().tolist() == [1, 5]
    assert "2 infinite" in ax.get_legend().get_texts()[0].get_text()
    figure.draw_without_rendering()


def test_only_a_history_of_vaeviz_models_is_known_to_be_estimated(figure):
    foreign = {name: values for name, values in HISTORY.items() if name != "beta"}
    assert [ax.get_title() for ax in training_curves(foreign, figure=figure)] == ["ELBO", "log likelihood", "KL"]


@pytest.mark.parametrize("history", [{}, {"epoch": EPOCHS}, {"name": ["a", "b"]}, "missing.csv", 3.0, [object()]])
def test_a_history_without_numbers_is_an_error(history):
    with pytest.raises(InputError) as error:
        training_curves(history)
    assert error.value.got
    assert error.value.expected


def test_columns_of_another_length_are_an_error():
    with pytest.raises(InputError, match="history") as error:
        training_curves({"epoch": EPOCHS, "train_elbo": [1.0, 2.0, 3.0]})
    assert (error.value.got, error.value.expected) == ("3 values of train_elbo", "4 values")


@pytest.mark.parametrize("skip", [4, 9])
def test_a_history_without_epochs_has_no_curves(skip):
    with pytest.raises(NotApplicable, match=f"skip={skip}"):
        training_curves(HISTORY, skip=skip)
    with pytest.raises(NotApplicable):
        training_curves({"epoch": [], "train_elbo": []})


def test_a_negative_skip_is_an_error():
    with pytest.raises(InputError, match="skip") as error:
        training_curves(HISTORY, skip=-1)
    assert (error.value.got, error.value.expected) == ("-1", "0 or more")


def test_settings_are_drawn_last_and_only_if_they_vary(figure):
    warm_up = HISTORY | {"beta": [0.1, 0.5, 1, 1]}
    axes = training_curves(warm_up, figure=figure)
    assert axes[-1].get_title() == r"$\beta$"
    assert axes[0].get_title() == "ELBO, one-sample estimate"
    constant = {"lr": [0.1] * 4, "loss": [4.0, 3.0, 2.0, 1.0]}
    assert [ax.get_title() for ax in training_curves(constant, figure=Figure())] == ["loss"]
    assert len(training_curves(constant, quantities=("lr",), figure=Figure())) == 1


def test_the_terms_of_the_bound_come_first(figure):
    names = ("grad_norm", "lr", "kl_loss", "reconstruction_loss", "loss")
    axes = training_curves({name: [2.0, 1.0] for name in names}, figure=figure)
    assert [ax.get_title() for ax in axes] == ["loss", "reconstruction loss", "kl loss", "grad norm", "learning rate"]


def test_quantities_are_chosen_by_name(figure):
    history = {name: [2.0, 1.0] for name in ("loss", "kl", "accuracy")}
    axes = training_curves(history, quantities=("accuracy", "kl"), figure=figure)
    assert [ax.get_title() for ax in axes] == ["accuracy", "KL"]
    with pytest.raises(UnknownName) as error:
        training_curves(history, quantities=("acuracy",))
    with pytest.raises(InputError):
        training_curves(history, quantities=())
    assert "accuracy" in error.value.fix.python


def test_columns_are_renamed(figure):
    (ax,) = training_curves(
        {"L": [2.0, 1.0], "L_v": [3.0, 2.0]}, columns={"L": "train_loss", "L_v": "val_loss"}, figure=figure
    )
    assert [line.get_label() for line in ax.lines] == ["train", "validation"]


RUNS = {
    "long": {"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 2.0]},
    "short": {"epoch": [1, 2], "loss": [5.0, 4.0], "kl": [1.0, 2.0]},
}


def test_several_runs_share_panels_and_keep_their_colors(figure):
    loss, kl = training_curves(RUNS, figure=figure)
    long, short, validation = loss.lines
    assert long.get_ydata().tolist() == [3, 2, 1]
    assert short.get_ydata().tolist() == [5, 4]
    assert long.get_color() == validation.get_color() != short.get_color() == kl.lines[0].get_color()
    assert long.get_linestyle() != validation.get_linestyle()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["long", "short", "validation"]


def test_runs_without_a_common_count_are_drawn_by_entry(figure):
    axes = training_curves({"a": {"epoch": [1, 2], "loss": [2.0, 1.0]}, "b": {"loss": [3.0, 2.0]}}, figure=figure)
    assert axes[0].get_xlabel() == "entry"


def test_many_runs_have_different_colors(figure):
    (ax,) = training_curves({f"run {k}": {"loss": [2.0, k]} for k in range(14)}, figure=figure)
    assert len({tuple(np.atleast_1d(line.get_color())) for line in ax.lines}) == 14


def test_axes_can_be_logarithmic(figure):
    history = {"loss": [100.0, 10.0, 1.0], "elbo": [-100.0, -10.0, -1.0]}
    with pytest.warns(UserWarning, match="elbo"):
        loss, elbo = training_curves(history, log_x=True, log_y=True, figure=figure)
    assert (loss.get_xscale(), loss.get_yscale(), elbo.get_yscale()) == ("log", "log", "linear")


def test_axes_that_cannot_be_logarithmic_are_errors():
    with pytest.raises(InputError) as error:
        training_curves({"epoch": [0, 1], "loss": [2.0, 1.0]}, log_x=True)
    assert error.value.got == "0"
    with pytest.raises(NotApplicable):
        training_curves({"elbo": [-2.0, -1.0]}, log_y=True)


def test_a_column_without_a_number_is_named(figure):
    (ax,) = training_curves({"train_loss": [2.0, 1.0], "val_loss": [np.nan, np.nan]}, figure=figure)
    assert ax.get_legend().get_texts()[1].get_text() == "validation, all NaN"


def test_the_command_overlays_several_histories(tmp_path, monkeypatch):
    from vaeviz.cli.main import cli

    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("epoch,loss\n1,3\n2,2\n")
    drawn = CliRunner().invoke(cli, ["plot", "training_curves", "--history", "a.csv", "--history", "b.csv"])
    assert drawn.exit_code == 0, drawn.output


def test_a_figure_of_a_set_is_high_enough_for_all_rows_of_panels(tmp_path):
    names = ["train_elbo", "train_kl", "train_log_likelihood", "learning_rate", "grad_norm", "beta"]
    history = {"epoch": [1, 2]} | {name: [1.0, 2.0] for name in names}
    (record,) = vaeviz.export_figures(tmp_path, history=history, plots=["training_curves"], dpi=40)
    assert (record.status, record.warnings) == ("drawn", [])


@pytest.mark.parametrize("columns", [len, 3, "loss", [("L", "loss")], {"L": 3}])
def test_columns_that_are_no_names_are_an_error(columns):
    with pytest.raises(InputError) as caught:
        training_curves({"epoch": [1, 2], "L": [3.0, 2.0]}, columns=columns)
    assert caught.value.expected == "a dictionary of names"
