"""Every kind of sample is loaded from a file and drawn as what it is, with the names from the file."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

import vaeviz
from vaeviz.data.sample_kind import label_factors
from vaeviz.errors import InputError
from vaeviz.export.render import collect_plot_inputs, draw_figure, shared_options
from vaeviz.plugins.plot_spec import get_plot

pytestmark = pytest.mark.no_cover

RNG = np.random.default_rng(0)
N = 30
LIGHT = {
    "manifold_grid": {"n_grid": 3},
    "samples": {"n_samples": 4},
    "interpolation": {"n_paths": 2, "n_steps": 3},
    "traversal": {"n_steps": 3, "max_dims": 2},
    "reconstruction_pairs": {"n_samples": 3},
    "reconstruction_error": {"n_samples": 2},
    "prior_holes": {"n_codes": 40, "n_grid": 2},
}
SETS = {
    "signal": ({"x": RNG.standard_normal((N, 50))}, "signal"),
    "channels": ({"x": RNG.standard_normal((N, 40, 2)), "feature_names": ["left", "right"]}, "signal"),
    "points": ({"x": RNG.standard_normal((N, 2)) * 9, "feature_names": ["width", "height"]}, "point"),
    "table": ({"x": RNG.random((N, 64)) * 7, "feature_names": [f"gene {k}" for k in range(64)]}, "table"),
    "one feature": ({"x": RNG.standard_normal((N, 1)), "feature_names": ["mass"]}, "table"),
    "different scales": ({"x": RNG.random((N, 3)) * [1, 1000, 5], "feature_names": ["a", "b", "c"]}, "table"),
    "color": ({"x": RNG.integers(0, 256, (N, 6, 9, 3)).astype(np.uint8)}, "image"),
    "transparent": ({"x": RNG.random((N, 4, 9, 6))}, "image"),
    "tall": ({"x": RNG.random((N, 40, 5))}, "image"),
    "spectrogram": ({"x": -60 * RNG.random((N, 9, 20)), "kind": "spectrogram"}, "spectrogram"),
}


def model_of(shape):
    """Return a linear encoder to at most three dimensions and a decoder with values near those of the data."""
    size = int(np.prod(shape))
    weights = np.random.default_rng(1).standard_normal((size, min(3, size))) / np.sqrt(size)

    def encode(x):
        mean = x.reshape(len(x), -1) @ weights
        return mean / (1 + np.abs(mean).max()), np.full_like(mean, -2.0)

    def decode(z):
        return (z @ weights.T).reshape(len(z), *shape)

    return vaeviz.Model(vaeviz.Encoder(encode, returns="mean,log_var"), vaeviz.Decoder(decode, output="values"))


@pytest.mark.usefixtures("only_records")
@pytest.mark.parametrize("name", SETS)
def test_each_kind_is_exported_from_a_file(name, tmp_path):
    arrays, kind = SETS[name]
    np.savez(tmp_path / "own.npz", **arrays)
    data = vaeviz.load_data(f"npz:{tmp_path / 'own.npz'}")
    assert data.kind == ("spectrogram" if kind == "spectrogram" else None)
    model = model_of(data.x.shape[1:])
    plots = [*LIGHT][: 7 if name in ("channels", "table", "spectrogram") else 4]
    settings = {plot: LIGHT[plot] for plot in plots}
    records = vaeviz.export_figures(tmp_path / "out", model=model, data=data, plots=plots, settings=settings, dpi=40)
    assert {record.plot: record.reason for record in records if record.status != "drawn"} == {}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert all(figure["options"]["kind"] == data.kind for figure in manifest["figures"])
    assert ("feature_names" in manifest["inputs"]) == ("feature_names" in arrays)


def figure_of(plot, data, model=None, kind=None, **options):
    inputs = collect_plot_inputs(model or model_of(data.x.shape[1:]), data, {})
    spec = get_plot(plot)
    from vaeviz.drawing.styles import get_style

    return draw_figure(
        spec, inputs, shared_options(spec, None, kind or data.kind) | LIGHT[plot] | options, get_style("paper")
    )


@pytest.mark.parametrize("plot", [plot for plot in LIGHT if plot not in ("manifold_grid", "prior_holes")])
def test_feature_names_are_below_every_table(plot):
    data = vaeviz.Dataset(RNG.random((N, 3)), feature_names=("ash", "hue", "proline"))
    axes = figure_of(plot, data).axes
    assert any([text.get_text() for text in ax.get_xticklabels()] == ["ash", "hue", "proline"] for ax in axes)


@pytest.mark.parametrize("plot", ["samples", "reconstruction_pairs", "interpolation", "traversal", "manifold_grid"])
def test_a_data_set_declares_its_samples_as_spectrograms(plot):
    data = vaeviz.Dataset(RNG.random((N, 9, 20)), kind="spectrogram")
    (ax, *_) = figure_of(plot, data).axes
    assert ax.images[0].get_cmap().name == "magma"
    assert ax.get_xlabel().endswith("each cell: time →, frequency ↑")
    (ax, *_) = figure_of(plot, data, kind="image").axes
    assert ax.images[0].get_cmap().name == "gray"


def test_decoded_points_are_drawn_over_the_data():
    data = vaeviz.Dataset(RNG.standard_normal((N, 2)), feature_names=("width", "height"))
    (ax,) = figure_of("samples", data).axes
    np.testing.assert_allclose(ax.lines[0].get_xydata(), data.x, rtol=1e-6)
    assert (ax.lines[0].get_label(), ax.get_xlabel(), ax.get_ylabel()) == ("data", "width", "height")


def test_columns_of_a_data_frame_name_the_features_of_plots_and_figure_sets(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(RNG.random((N, 3)), columns=["ash", "hue", "proline"])
    encoder, decoder = model_of((3,))
    for ax in (
        vaeviz.reconstruction_pairs(encoder, decoder, frame, ax=Figure().subplots()),
        vaeviz.interpolation(decoder, encoder, frame, ax=Figure().subplots()),
        vaeviz.samples(decoder, encoder, frame, ax=Figure().subplots()),
        vaeviz.traversal(decoder, encoder, frame, figure=Figure())[0],
        vaeviz.reconstruction_error(encoder, decoder, frame, figure=Figure())[1],
        vaeviz.prior_holes(encoder, frame, decoder, n_codes=40, figure=Figure(figsize=(20, 8)))[1],
    ):
        assert [text.get_text() for text in ax.get_xticklabels()] == ["ash", "hue", "proline"]
    (record,) = vaeviz.export_figures(tmp_path, encoder=encoder, decoder=decoder, x=frame, plots=["samples"], dpi=40)
    assert record.status == "drawn"
    inputs = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    assert inputs["feature_names"]["shape"] == [3]


def test_the_kind_of_a_plot_takes_precedence_over_that_of_the_set_and_of_the_data(tmp_path):
    data = vaeviz.Dataset(RNG.random((N, 9, 20)), kind="spectrogram")
    plots, settings = ["samples", "traversal"], {"samples": {"kind": "image"}}
    records = vaeviz.export_figures(
        tmp_path, model=model_of((9, 20)), data=data, plots=plots, settings=settings, kind="table", dpi=40
    )
    assert [record.options["kind"] for record in records] == ["image", "table"]


def test_a_plot_option_named_kind_of_another_type_is_not_changed(registered):
    @vaeviz.register_plot
    def mine(x, *, kind: str = "step", ax=None):
        """Mine."""

    assert shared_options(get_plot("mine"), 3, "signal") == {}
    assert shared_options(get_plot("samples"), 3, "signal") == {"seed": 3, "kind": "signal"}
    assert shared_options(get_plot("samples"), None, None) == {}


@pytest.mark.parametrize(("kind", "got"), [("point", "(9, 20)"), ("picture", "'picture'")])
def test_a_kind_that_does_not_fit_is_an_error_before_anything_is_written(tmp_path, kind, got):
    with pytest.raises(InputError) as raised:
        vaeviz.export_figures(tmp_path / "out", model=model_of((9, 20)), x=RNG.random((N, 9, 20)), kind=kind)
    assert raised.value.got == got
    assert not (tmp_path / "out").exists()


def test_changes_are_drawn_for_tables_and_for_images_with_channels_first():
    data = vaeviz.Dataset(RNG.random((N, 3)) * [1, 1000, 5], feature_names=("a", "b", "c"))
    change = figure_of("traversal", data, change=True).axes[1]
    assert change.images[0].get_cmap().name == "RdBu_r"
    low, high = change.images[0].get_clim()
    assert low == -high
    assert high < 10  # in shares of the spans, not in units of the widest feature
    assert "share of span" in {text for ax in change.child_axes for text in (ax.get_ylabel(), ax.get_xlabel())}
    data = vaeviz.Dataset(RNG.random((N, 3, 8, 6)))
    change = figure_of("traversal", data, change=True).axes[1]
    assert change.images[0].get_array().ndim == 2


@pytest.mark.usefixtures("only_records")
def test_one_sample_is_enough_or_the_plot_is_skipped_with_a_reason(tmp_path):
    records = vaeviz.export_figures(tmp_path, model=model_of((5,)), x=RNG.random((1, 5)), plots=[*LIGHT], dpi=40)
    assert {record.status for record in records} == {"drawn", "skipped"}
    assert all(record.reason for record in records if record.status == "skipped")


def test_known_factors_show_their_names(few_trees):
    data = vaeviz.Dataset(
        RNG.random((90, 6)), factors=RNG.random((90, 2)), factor_names=("column", "row"), feature_names=tuple("abcdef")
    )
    encoder, _ = model_of((6,))
    inputs = collect_plot_inputs(vaeviz.Model(encoder), data, {})
    names = {name: inputs[name] for name in ("encoder", "x", "factors", "factor_names")}
    left, _ = vaeviz.disentanglement(**names, figure=Figure())
    assert [text.get_text() for text in left.get_yticklabels()] == ["column", "row"]
    assert label_factors((), data.factors) == ("factor 1", "factor 2")
    with pytest.raises(InputError, match="factor_names") as raised:
        label_factors(tuple("abc"), data.factors)
    assert (raised.value.got, raised.value.expected) == ("3", "2")
