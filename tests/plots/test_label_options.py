"""Options and inputs that all plots with labels share: palettes, names of classes, highlights, scales and loaders."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgba

import vaeviz
from vaeviz import Posterior
from vaeviz.data.dataset import dataset_from_anndata
from vaeviz.data.labels import labels_for
from vaeviz.drawing.colors import color_labels
from vaeviz.errors import UnknownName
from vaeviz.plugins.options import validate_settings

RNG = np.random.default_rng(0)
CODES = RNG.standard_normal((60, 4))
LABELS = np.arange(60) % 3
PLOTS = {
    "latent_scatter": {},
    "tsne": {"engine": "pca"},
    "latent_pairs": {},
    "posterior_ellipses": {},
    "compare": {"other_encoder": Posterior(CODES[:, ::-1])},
}


@pytest.fixture
def drawn(still_figure):
    """Draw a plot and return its handles by label."""

    def draw(name, x=CODES, **options):
        figure = still_figure()
        posterior = Posterior(CODES, np.full((60, 4), 0.3), "normal")
        place = {"figure": figure} if vaeviz.get_plot(name).place == "figure" else {"ax": figure.subplots()}
        getattr(vaeviz, name)(posterior, x, **PLOTS[name] | options, **place)
        return {
            label: handle.get_color()
            for ax in figure.axes
            for handle, label in zip(*ax.get_legend_handles_labels())
            if hasattr(handle, "get_color")
        }

    return draw


@pytest.mark.parametrize("name", PLOTS)
def test_classes_have_the_names_and_colors_that_a_person_chooses(name, drawn):
    handles = drawn(
        name, labels=LABELS, class_names=("cat", "dog", "cow"), palette={"cat": "red", "dog": "lime", "cow": "blue"}
    )
    assert {label: to_rgba(handles[label]) for label in ("cat", "dog", "cow")} == {
        "cat": to_rgba("red"),
        "dog": to_rgba("lime"),
        "cow": to_rgba("blue"),
    }


@pytest.mark.parametrize("name", PLOTS)
def test_highlighted_classes_stand_out_of_the_others(name, drawn):
    handles = drawn(name, labels=LABELS, highlight=("1",))
    assert "1" in handles and "other" in handles
    assert not {"0", "2"} & set(handles)
    with pytest.raises(UnknownName):
        drawn(name, labels=LABELS, highlight=("7",))


@pytest.mark.parametrize("name", PLOTS)
def test_labels_come_with_a_dataset(name, drawn):
    assert {"cat", "dog", "cow"} <= set(drawn(name, vaeviz.Dataset(CODES, LABELS, ("cat", "dog", "cow"))))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ({"class_names": "cat,dog"}, ("cat", "dog")),
        ({"class_names": "0=cat,1=dog"}, {"0": "cat", "1": "dog"}),
        ({"palette": "red,blue"}, "red,blue"),
        ({"palette": "cat=red,dog=blue"}, {"cat": "red", "dog": "blue"}),
        ({"highlight": "1,2"}, ("1", "2")),
        ({"dims": "z1,z3"}, ("z1", "z3")),
        ({"dims": "0,2"}, (0, 2)),
        ({"limits": "0,1.5"}, (0.0, 1.5)),
    ],
)
def test_options_can_be_written_on_a_command_line(text, value):
    assert list(validate_settings(vaeviz.latent_scatter, text, owner="latent_scatter").values()) == [value]


def test_class_names_name_boxes_pairs_and_ends_of_paths(still_figure):
    names = {"class_names": ("cat", "dog", "cow")}
    posterior, figure = Posterior(CODES), still_figure()
    boxes = vaeviz.reconstruction_error(
        posterior, lambda z: z, CODES, LABELS, palette=["red", "green", "blue"], figure=figure, **names
    )[0]
    assert [text.get_text() for text in boxes.get_xticklabels()] == ["cat", "dog", "cow"]
    assert {to_hex(patch.get_facecolor()) for patch in boxes.patches} == {"#ff0000", "#008000", "#0000ff"}
    pairs = vaeviz.reconstruction_pairs(
        posterior, lambda z: z, CODES, LABELS, n_samples=3, ax=still_figure().subplots(), **names
    )
    assert {text.get_text() for text in pairs.get_yticklabels()} == {"cat", "dog", "cow"}
    draw_path = partial(vaeviz.interpolation, lambda z: z, posterior, CODES, LABELS, **names)
    draw_path(between=("cat", "cow"), ax=still_figure().subplots())
    with pytest.raises(UnknownName):
        draw_path(between=("cat", "2"), ax=still_figure().subplots())


def test_ellipses_smaller_than_their_dots_are_not_called_ellipses(still_figure):
    wide, narrow = still_figure().subplots(), still_figure().subplots()
    vaeviz.posterior_ellipses(Posterior(CODES, np.full((60, 4), 0.3)), CODES, ax=wide)
    vaeviz.posterior_ellipses(Posterior(CODES, np.full((60, 4), 1e-4)), CODES, ax=narrow)
    assert "smaller than dots" in narrow.get_title()
    assert "smaller than dots" not in wide.get_title()


def test_pairs_count_points_that_are_far_out(still_figure):
    codes = CODES.copy()
    codes[3, 1] = 1e5
    figure = still_figure()
    axes = vaeviz.latent_pairs(Posterior(codes), codes, figure=figure)
    assert "1 beyond the axes" in figure.get_suptitle()
    assert axes[-1, 0].get_ylim()[1] < 10


def first_encoder(x):
    return x


def second_encoder(x):
    return 0.01 * x + RNG.standard_normal(x.shape)


def test_compared_spaces_have_the_names_of_their_encoders_and_the_same_spread(still_figure):
    axes = vaeviz.compare(first_encoder, CODES, second_encoder, figure=still_figure())
    assert [ax.get_title().partition(":")[0] for ax in axes] == ["first_encoder", "second_encoder, aligned"]
    spreads = [ax.collections[0].get_offsets().std(axis=0).max() for ax in axes]
    assert 0.5 < spreads[1] / spreads[0] < 2


def test_neighbors_have_the_names_of_the_classes(still_figure):
    axes = vaeviz.latent_neighbors(
        Posterior(CODES), CODES, LABELS, class_names=("cat", "dog", "cow"), figure=still_figure()
    )
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["cat", "dog", "cow"]


class Cells:
    """Has what vaeviz reads of an AnnData."""

    X = CODES
    shape = CODES.shape
    var_names = ("gene 1", "gene 2", "gene 3", "gene 4")

    def __init__(self):
        kinds = pd.Categorical(np.resize(["b", "a"], len(CODES)), categories=["b", "a", "c"])
        self.obs = pd.DataFrame({"kind": kinds})
        self.uns = {"kind_colors": np.array(["#ff0000", "#00ff00", "#0000ff"])}


@pytest.mark.parametrize("how", ["column", "data set", "part of a data set"])
def test_labels_of_an_anndata_keep_the_colors_that_scanpy_stores(how):
    cells = Cells()
    data = dataset_from_anndata(cells, "kind", "cells")
    labels = {
        "column": lambda: labels_for(cells, cells.obs["kind"]),
        "data set": lambda: labels_for(data, None),
        "part of a data set": lambda: replace(data, source=None)[4:].labels,
    }[how]()
    colors = color_labels(labels, len(labels))
    assert dict(zip(colors.names, map(to_hex, colors.colors))) == {"b": "#ff0000", "a": "#00ff00"}
    renamed = color_labels(labels, len(labels), class_names={"b": "bone"})
    assert [to_hex(color) for color in renamed.colors] == ["#ff0000", "#00ff00"]
    assert color_labels(labels, len(labels), palette="red,blue,green").colors[0] == to_rgba("red")


# The name of the labels

AGES = np.linspace(20, 60, 60) + 0.5


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("far", [0, 1])
def test_a_color_bar_has_the_name_of_the_column(name, far, still_figure):
    ages = np.where(np.arange(60) < far, 1000, AGES)
    place = "figure" if vaeviz.get_plot(name).place == "figure" else "ax"
    figure = still_figure()
    posterior = Posterior(CODES, np.full((60, 4), 0.3), "normal")
    draw = getattr(vaeviz, name)
    draw(
        posterior,
        CODES,
        labels=pd.Series(ages, name="age"),
        **PLOTS[name],
        **{place: figure if place == "figure" else figure.subplots()},
    )
    inner = [child for ax in figure.axes for child in ax.child_axes]
    labels = {ax.get_ylabel() for ax in (*figure.axes, *inner)}
    assert ("age (1 beyond the scale)" if far else "age") in labels


@pytest.mark.parametrize(("name", "axis"), [("reconstruction_error", "xaxis"), ("latent_neighbors", "yaxis")])
def test_classes_have_the_name_of_the_column(name, axis, still_figure, make_decoder):
    species = pd.Series(LABELS, name="species")
    others = {"decoder": make_decoder(4, (4,))} if name == "reconstruction_error" else {}
    axes = getattr(vaeviz, name)(Posterior(CODES), x=CODES, labels=species, figure=still_figure(), **others)
    assert getattr(axes[0], axis).get_label_text().startswith("species")


def test_a_data_set_keeps_the_name_of_its_labels():
    data = vaeviz.Dataset(CODES, pd.Series(AGES, name="age"))
    assert data.label_name == data[:5].label_name == "age"
    assert color_labels(labels_for(data, None), 60).scale_label == "age"
    np.testing.assert_array_equal(data.named_labels(), AGES)
    assert color_labels(vaeviz.Dataset(CODES, AGES).named_labels(), 60).scale_label == "label"
