"""Names with control characters, what XML does not allow, or invalid mathtext leave an SVG that every program reads."""

from __future__ import annotations

import io
import xml.etree.ElementTree

import numpy as np
import pytest

import vaeviz

ODD = "a\x00\x1b[31m\ufffe\u2028$_$"
N = 60
TABLE = np.random.default_rng(0).random((N, 6), dtype=np.float32)
CONDITION = np.array([ODD, "plain"])[np.arange(N) % 2]


def encode_given(x, y):
    return {"mean": 4 * x[:, :3] - 2, "log_var": x[:, 3:] - 3}


def decode_given(z, y):
    return np.concatenate([z, z], axis=1) + y[:, None]


GIVEN = {
    "encoder": vaeviz.Encoder(encode_given, conditions=(ODD, "plain")),
    "decoder": vaeviz.Decoder(decode_given, conditions=(ODD, "plain"), latent_shape=(3,), output="values"),
    "x": TABLE,
    "labels": CONDITION,
    "condition": CONDITION,
    "feature_names": [ODD, "b$^$", *"cdef"],
}
FIXED = {**GIVEN, "condition": None, "encoder": vaeviz.condition_on(GIVEN["encoder"], ODD)}
FIXED["decoder"] = vaeviz.condition_on(GIVEN["decoder"], ODD)


@pytest.mark.no_cover
@pytest.mark.parametrize("plot", ["training_curves", "compare", "rate_distortion", "disentanglement", "latent_scatter"])
def test_figures_with_odd_names_are_well_formed(plot, numpy_inputs, call_plot, still_figure, few_trees):
    own = {
        "encoder": vaeviz.Encoder(numpy_inputs["encoder"], name=ODD),
        "history": {"epoch": [1, 2, 3], f"train_{ODD}": [3.0, 2.0, 1.0], f"test_{ODD}": [3.5, 2.5, 1.5]},
        "runs": [(9.0, 30.0, ODD), (5.0, 36.0, "other")],
        "factor_names": [ODD, "ink"],
        "labels": [ODD, "plain"] * 30,
    }
    spec, figure = vaeviz.get_plot(plot), still_figure()
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    call_plot(spec, numpy_inputs | own, **place)
    _assert_well_formed(figure)


@pytest.mark.parametrize("is_fixed", [False, True], ids=["all conditions", "one condition"])
@pytest.mark.parametrize(
    "plot", ["interpolation", "latent_neighbors", "manifold_grid", "reconstruction_pairs", "samples", "traversal"]
)
def test_features_and_conditions_may_have_odd_names(plot, is_fixed, call_plot, still_figure):
    spec, figure = vaeviz.get_plot(plot), still_figure()
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    call_plot(spec, FIXED if is_fixed else GIVEN, **place)
    _assert_well_formed(figure)


def _assert_well_formed(figure):
    content = io.BytesIO()
    figure.savefig(content, format="svg")
    xml.etree.ElementTree.fromstring(content.getvalue())
