"""Names with control characters, or with what XML does not allow, leave an SVG file that every program reads."""

from __future__ import annotations

import io
import xml.etree.ElementTree

import pytest

import vaeviz

ODD = "a\x00\x1b[31m\ufffe\u2028"


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
    content = io.BytesIO()
    figure.savefig(content, format="svg")
    xml.etree.ElementTree.fromstring(content.getvalue())
