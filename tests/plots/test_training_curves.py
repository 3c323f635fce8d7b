from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from vaeviz import NotApplicable, training_curves
from vaeviz.errors import InputError

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
