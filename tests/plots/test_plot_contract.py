"""The contract of plots: how one is registered, and what every built-in plot does with every kind of input."""

import copy
import inspect
import re
import warnings
from functools import partial
from typing import Literal

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection
from matplotlib.figure import Figure

import vaeviz
from vaeviz.drawing.scatter import ClassScatter
from vaeviz.errors import InputError, NotApplicable, SmallPlaceWarning, UnknownName
from vaeviz.plugins.axes_layout import cell_box
from vaeviz.plugins.inputs import INPUTS
from vaeviz.plugins.plot_spec import PageShape, get_plot, plot_names, register_plot

ARRAYS = ("x", "labels", "factors", "other_x")


@pytest.fixture(params=plot_names())
def spec(request):
    return get_plot(request.param)


# Registration


def test_register_plot_returns_the_function_with_a_title_and_a_legend(registered):
    def mine(encoder, x, labels=None, *, count: int = 3, ax=None):
        """A first line.

        And more.
        """
        ax.set_title("mine")
        return ax

    for plot in (register_plot(mine), register_plot(page=PageShape("full", 0.4))(mine)):
        assert inspect.unwrap(plot) is mine
        assert plot.__doc__ == mine.__doc__
        assert list(inspect.signature(plot).parameters)[-4:] == ["count", "title", "legend", "ax"]
        assert plot(1, 2, ax=Figure().subplots(), title="other").get_title() == "other"


def test_a_spec_follows_from_the_signature(registered):
    @register_plot(page=PageShape("full", 0.4))
    def mine(decoder, x, labels=None, *, count: int = 3, ax=None):
        """A first line.

        And more.
        """

    spec = get_plot("mine")
    assert spec.function is mine
    assert (spec.name, spec.distribution) == ("mine", __name__.partition(".")[0])
    assert spec.required == ("decoder", "x")
    assert spec.optional == ("labels",)
    assert list(spec.options) == ["count", "title", "legend"]
    assert spec.place == "ax"
    assert spec.page == PageShape("full", 0.4)
    assert spec.summary == "A first line."
    assert spec.missing_inputs({"decoder": 1, "x": None}) == ("x",)
    assert spec.missing_inputs({"decoder": 1, "x": 2}) == ()


def test_inputs_may_have_other_names(registered):
    @register_plot
    def mine(energies, *, ax=None):
        """Energies."""

    assert get_plot("mine").required == ("energies",)


def with_kwargs(encoder, *, ax=None, **kwargs): ...
def with_args(*encoders, ax=None): ...
def without_place(encoder, *, count: int = 3): ...
def with_two_places(encoder, *, ax=None, figure=None): ...
def with_positional_place(encoder, ax=None): ...
def without_default(encoder, *, count: int, ax=None): ...
def without_annotation(encoder, *, count=3, ax=None): ...
def with_title(encoder, *, title: str = "", ax=None): ...


def with_list(encoder, *, sizes: list[int] = (), ax=None): ...
def with_array(encoder, *, weights: np.ndarray | None = None, ax=None): ...
def with_pairs(encoder, *, pairs: tuple[tuple[int, int], ...] = (), ax=None): ...
def with_absent_type(encoder, *, look: "Look" = None, ax=None): ...  # noqa: F821


@pytest.mark.parametrize(
    ("function", "token"),
    [
        (with_list, "sizes"),
        (with_array, "weights"),
        (with_pairs, "pairs"),
        (with_absent_type, "look"),
        (with_kwargs, "kwargs"),
        (with_args, "args"),
        (without_place, "ax"),
        (with_two_places, "ax"),
        (with_positional_place, "ax"),
        (without_default, "count"),
        (without_annotation, "count"),
        (with_title, "title"),
    ],
)
def test_a_function_that_breaks_the_contract_is_not_registered(registered, function, token):
    with pytest.raises(InputError, match=rf"{function.__name__}.*{token}"):
        register_plot(function)
    assert function.__name__ not in plot_names()


TYPE_CHECKING_ONLY = """
from __future__ import annotations
from typing import TYPE_CHECKING, Literal
from vaeviz import register_plot
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from vaeviz import Encoder

@register_plot
def typed(encoder: Encoder, x, *, count: int | None = 3, how: Literal["a", "b"] = "a", ax: Axes | None = None) -> Axes:
    return ax
"""


def test_only_options_need_types_at_run_time(registered):
    names = {"__name__": "typed_plots"}
    exec(TYPE_CHECKING_ONLY, names)
    spec = get_plot("typed")
    assert spec.required == ("encoder", "x")
    assert {name: option.annotation for name, option in spec.options.items()} == {
        "count": int | None,
        "how": Literal["a", "b"],
        "title": str | bool,
        "legend": bool,
    }


def test_an_undecorated_function_is_not_a_plot(registered):
    registered.add("vaeviz.plots", "undecorated", lambda encoder, *, ax=None: ax)
    with pytest.raises(InputError, match="register_plot"):
        get_plot("undecorated")


def test_an_unknown_plot_lists_the_nearest_names():
    with pytest.raises(UnknownName) as error:
        get_plot("latent_scater")
    assert error.value.got == "latent_scater"
    assert "latent_scatter" in error.value.fix.python


def test_built_in_plots_are_public():
    assert all(getattr(vaeviz, name) is get_plot(name).function for name in plot_names())


def test_built_in_inputs_follow_the_order_of_the_vocabulary(spec):
    for names in (spec.required, spec.optional):
        assert list(names) == sorted(names, key=list(INPUTS).index)
    assert spec.required


def test_built_in_options_have_annotations_and_defaults_that_fit_them(spec):
    for option in spec.options.values():
        assert option.check(option.default) == option.default


# What every built-in plot says of itself


def test_built_in_docstrings_document_every_parameter(spec):
    docstring = inspect.getdoc(spec.function)
    assert re.match(r"Plot .*\.$", spec.summary)
    for section in ("Parameters", "Returns", "Raises"):
        assert f"\n{section}\n{'-' * len(section)}\n" in docstring
    for name in (*spec.required, *spec.optional, *spec.options, spec.place):
        assert re.search(rf"^{name} : ", docstring, re.MULTILINE), name


def test_built_in_counts_have_names(spec):
    assert not {"n", "count", "k", "top", "size", "opacity", "steps"} & set(spec.options)


# What every built-in plot does with every kind of input


def torch_modules(inputs):
    """The NumPy encoder and decoder as torch modules."""
    torch = pytest.importorskip("torch")
    encode_numpy, decode_numpy = inputs["encoder"], inputs["decoder"]
    origin = encode_numpy(np.full((1, 8, 8), 0.3))[0]  # the encoder subtracts 0.3, so that this is 0
    units = np.full((64, 8, 8), 0.3) + np.eye(64).reshape(64, 8, 8)
    logits = np.log(1 / decode_numpy(np.eye(3)) - 1)

    class LinearEncoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(encode_numpy(units)[0] - origin, dtype=torch.float32))

        def forward(self, x):
            mean = (x.flatten(1) - 0.3) @ self.weight
            return mean, torch.full_like(mean, -2.0)

    class SigmoidDecoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(-logits.reshape(3, 64), dtype=torch.float32))

        def forward(self, z):
            return torch.sigmoid(z @ self.weight).reshape(-1, 8, 8)

    return {
        "encoder": vaeviz.Encoder(LinearEncoder(), returns="mean,log_var"),
        "decoder": vaeviz.Decoder(SigmoidDecoder(), latent_shape=(3,), output="values"),
    }


def deterministic(inputs):
    encoder = inputs["encoder"]
    return {"encoder": vaeviz.Encoder(lambda x: encoder(x)[0], returns="mean")}


MODELS = {
    "numpy": lambda inputs: {},
    "torch": torch_modules,
    "posterior": lambda inputs: {"encoder": vaeviz.encode(inputs["encoder"], inputs["x"]), "other_x": None},
    "deterministic": deterministic,
}
LABELS = {
    "none": lambda inputs: {"labels": None},
    "strings": lambda inputs: {"labels": np.array([f"digit {label}" for label in inputs["labels"]])},
    "floats": lambda inputs: {"labels": inputs["x"].mean(axis=(1, 2))},
    "missing": lambda inputs: {"labels": np.where(inputs["labels"] < 5, inputs["labels"].astype(str), "")},
}
DATA = {
    "uint8": lambda inputs: {name: (255 * inputs[name]).astype(np.uint8) for name in ("x", "other_x")},
}
NEED_A_SPREAD = {  # plots that raise NotApplicable for an encoder without standard deviations
    "aggregate_posterior",
    "elbo_decomposition",
    "latent_triage",
    "likelihood_bound",
    "posterior_ellipses",
    "prior_holes",
    "samples",
}
NEED_MORE_THAN_TWO_DIMENSIONS = {"latent_pairs", "map_quality", "tsne"}


@pytest.fixture
def new_place(still_figure):
    """Make a place for a plot in a figure of its own."""

    def make(spec):
        figure = still_figure()
        return {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}

    return make


@pytest.fixture
def draw_and_check(call_plot, new_place):
    """Draw into a given place, and assert that everything else is as it was before; return all Axes."""

    def draw(spec, inputs):
        place, bystander = new_place(spec), plt.figure()
        before = copy.deepcopy({name: inputs[name] for name in (*ARRAYS, "history") if name in inputs})
        np.random.seed(7)
        state, params = np.random.get_state()[1].copy(), dict(matplotlib.rcParams)
        try:
            returned = call_plot(spec, inputs, **place)
        finally:
            assert plt.get_fignums() == [bystander.number] and not bystander.axes
            assert (np.random.get_state()[1] == state).all()
            assert dict(matplotlib.rcParams) == params
            for name, value in before.items():
                np.testing.assert_equal(inputs[name], value, err_msg=name)
        if spec.place == "ax":
            assert returned is place["ax"]
            assert returned.has_data() or returned.child_axes
            assert returned.get_title() not in ("", spec.name)
            axes = np.atleast_1d(returned)
        else:
            axes = returned
            assert list(axes.flat) == place["figure"].axes[: axes.size]
            assert place["figure"].get_suptitle() or all(ax.get_title() for ax in axes.flat)
        check_codes(spec.name, axes, inputs)
        check_samples_shown(spec.name, axes, inputs)
        check_label_colors(axes, inputs)
        return axes

    return draw


def check_codes(name, axes, inputs):
    """Assert that points are drawn at the posterior means."""
    if name not in ("latent_scatter", "latent_pairs", "posterior_ellipses"):
        return
    codes = vaeviz.encode(inputs["encoder"], inputs["x"], inputs.get("condition")).mean
    if name == "latent_pairs":
        panels = [(axes[row, column], axes[-1, column], axes[-1, row]) for row, column in ((1, 0), (2, 1))]
    else:
        panels = [(axes[0], axes[0], None)]
    for ax, below, below_row in panels:
        labels = below.get_xlabel(), below_row.get_xlabel() if below_row else ax.get_ylabel()
        dims = [int(re.search(r"\d+", label)[0]) - 1 for label in labels]
        marks = next(c for c in ax.collections if isinstance(c, (ClassScatter, EllipseCollection)))
        points = np.asarray(marks.get_offsets(), dtype=float)
        order = partial(np.lexsort, axis=0)
        np.testing.assert_allclose(
            points[order(points.T)], codes[:, dims][order(codes[:, dims].T)], rtol=1e-4, atol=1e-5
        )


def check_samples_shown(name, axes, inputs):
    """Assert that pictures hold the samples and the decoded samples that they should."""
    if np.ndim(inputs["x"]) != 3 or inputs["x"].dtype.kind == "u" or name not in EXPECTED_SAMPLES:
        return
    posterior = vaeviz.encode(inputs["encoder"], inputs["x"])
    expected = EXPECTED_SAMPLES[name](inputs["x"], posterior, partial(vaeviz.decode, inputs["decoder"]))
    pixels = np.sort(np.concatenate([np.ma.compressed(image.get_array()) for ax in axes for image in ax.images]))
    wanted = np.concatenate([np.ravel(samples) for samples in expected])
    after = np.searchsorted(pixels, wanted).clip(1, len(pixels) - 1)
    distance = np.minimum(abs(pixels[after] - wanted), abs(pixels[after - 1] - wanted))
    np.testing.assert_allclose(distance, 0, atol=1e-5)


def worst_case(x, posterior, decode):
    decoded = decode(posterior)
    worst = ((x - decoded) ** 2).mean(axis=(1, 2)).argmax()
    return x[worst], decoded[worst]


def center_of_prior(x, posterior, decode):
    """The sample in the middle of a grid or of a row; unknown without a prior."""
    return (decode(np.zeros((1, posterior.size), np.float32)) if posterior.prior else x[:0],)


EXPECTED_SAMPLES = {
    "reconstruction_pairs": lambda x, posterior, decode: (x[:3], decode(posterior)[:3]),
    "reconstruction_error": worst_case,
    "interpolation": lambda x, posterior, decode: (x[:2], decode(posterior)[:2]),
    "samples": lambda x, posterior, decode: (decode(np.random.default_rng(0).standard_normal((4, posterior.size))),),
    "manifold_grid": center_of_prior,
    "traversal": center_of_prior,
}


def check_label_colors(axes, inputs):
    """Assert that each class has one color, and no two have the same."""
    labels = inputs.get("labels")
    if labels is None or np.asarray(labels).dtype.kind == "f":
        return
    colors = {}
    for marks in (c for ax in axes.flat for c in ax.collections if isinstance(c, ClassScatter)):
        if len(marks.get_offsets()) == len(labels) and marks.colors.names:
            for color, rows in marks.layers():
                for label in np.unique(np.asarray(labels)[rows]):
                    colors.setdefault(label, set()).add(color)
    assert all(len(shown) == 1 for shown in colors.values())
    assert len(set.union(set(), *colors.values())) == len(colors)


@pytest.mark.parametrize("model", MODELS)
def test_every_plot_of_every_kind_of_model(spec, model, numpy_inputs, draw_and_check, few_trees):
    inputs = numpy_inputs | MODELS[model](numpy_inputs)
    if model == "deterministic" and spec.name in NEED_A_SPREAD:
        with pytest.raises(NotApplicable) as error:
            draw_and_check(spec, inputs)
        assert error.value.message
    else:
        draw_and_check(spec, inputs)


@pytest.mark.no_cover
def test_every_plot_of_a_conditional_model(spec, conditional_inputs, draw_and_check, few_trees):
    if spec.name in NEED_MORE_THAN_TWO_DIMENSIONS:
        with pytest.raises(NotApplicable) as error:
            draw_and_check(spec, conditional_inputs)
        assert error.value.fix.python
    else:
        draw_and_check(spec, conditional_inputs)


@pytest.mark.no_cover
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", [name for name in plot_names() if "labels" in get_plot(name).optional])
def test_every_plot_with_labels_of_every_kind(name, labels, numpy_inputs, draw_and_check):
    draw_and_check(get_plot(name), numpy_inputs | LABELS[labels](numpy_inputs))


@pytest.mark.parametrize("labels", ["strings", "missing"])
def test_neighbors_vote_for_named_classes(labels, numpy_inputs, draw_and_check):
    draw_and_check(get_plot("latent_neighbors"), numpy_inputs | LABELS[labels](numpy_inputs))


def test_neighbors_do_not_vote_for_numbers(numpy_inputs, draw_and_check):
    with pytest.raises(NotApplicable) as error:
        draw_and_check(get_plot("latent_neighbors"), numpy_inputs | LABELS["floats"](numpy_inputs))
    assert "labels" in error.value.fix.python


@pytest.mark.no_cover
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", [name for name in plot_names() if "x" in get_plot(name).required])
@pytest.mark.filterwarnings("ignore::vaeviz.errors.GuessWarning")
def test_every_plot_of_data_of_every_type(name, data, numpy_inputs, draw_and_check, few_trees):
    draw_and_check(get_plot(name), numpy_inputs | DATA[data](numpy_inputs))


# What they draw without a place, twice, and of few samples


@pytest.fixture
def pixels(call_plot, new_place):
    """Draw a plot and return its pixels."""

    def draw(spec, inputs):
        place = new_place(spec)
        call_plot(spec, inputs, **place)
        canvas = FigureCanvasAgg(place.get("figure") or place["ax"].figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())

    return draw


def as_tensors(inputs, names):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(inputs[name]) for name in names}
    for tensor in tensors.values():
        tensor.requires_grad_(tensor.is_floating_point())
    return tensors


def as_lists(inputs, names):
    return {name: inputs[name].tolist() for name in names}


@pytest.mark.no_cover
def test_a_second_call_with_tensors_and_lists_gives_the_same_picture(spec, numpy_inputs, pixels, few_trees):
    first = pixels(spec, numpy_inputs)
    assert first.std() > 0
    others = as_tensors(numpy_inputs, ("x", "other_x")) | as_lists(numpy_inputs, ("labels", "factors"))
    np.testing.assert_array_equal(pixels(spec, numpy_inputs | others), first)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["compare", "disentanglement", "reconstruction_error"])  # these take all the arrays
def test_lists_of_samples_and_tensors_of_labels_give_the_same_picture(name, numpy_inputs, pixels, few_trees):
    others = as_lists(numpy_inputs, ("x", "other_x")) | as_tensors(numpy_inputs, ("labels", "factors"))
    spec = get_plot(name)
    np.testing.assert_array_equal(pixels(spec, numpy_inputs | others), pixels(spec, numpy_inputs))


@pytest.mark.no_cover
def test_plots_without_a_place_make_a_pyplot_figure_with_the_given_title(spec, numpy_inputs, call_plot, few_trees):
    returned = np.atleast_1d(call_plot(spec, numpy_inputs, title="Mine")).flat[0]
    assert plt.get_fignums() == [returned.figure.number]
    assert type(returned.figure.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"
    assert "Mine" in (returned.figure.get_suptitle(), returned.get_title())


@pytest.mark.no_cover
@pytest.mark.parametrize("n_samples", [3, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_plots_of_few_samples_are_drawn_or_do_not_apply(spec, numpy_inputs, n_samples, new_place, few_trees):
    few = numpy_inputs | {name: numpy_inputs[name][:n_samples] for name in ARRAYS}
    place = new_place(spec)
    try:
        spec(**{name: few[name] for name in spec.required + spec.optional if name in few}, **place)
    except NotApplicable as error:
        assert error.message
    else:
        (place.get("figure") or place["ax"].figure).draw_without_rendering()


# Where they draw


@pytest.mark.no_cover
def test_every_plot_draws_into_one_axes_of_a_grid(spec, numpy_inputs, call_plot, few_trees):
    _, places = plt.subplots(2, 3, figsize=(12, 8))
    cell = cell_box(places[1, 1])
    returned = np.ravel(call_plot(spec, numpy_inputs, ax=places[1, 1]))
    assert not any(ax.has_data() or ax.get_title() for ax in places.flat if ax is not places[1, 1])
    outer = [ax.get_window_extent() if spec.place == "figure" else ax.get_tightbbox() for ax in returned]
    corners = np.array([box.extents for box in outer if box is not None])
    assert (corners[:, :2] > np.subtract(cell.p0, 5)).all()  # pixels
    assert (corners[:, 2:] < np.add(cell.p1, 5)).all()


@pytest.mark.parametrize("is_tight", [False, True], ids=["plain", "tight"])
def test_plots_in_a_small_grid_do_not_overlap(is_tight, numpy_inputs, call_plot):
    figure, places = plt.subplots(2, 3)
    names = ["latent_scatter", "posterior_ellipses", "latent_triage", "manifold_grid", "samples", "rate_distortion"]
    for ax, name in zip(places.flat, names):
        call_plot(get_plot(name), numpy_inputs, ax=ax)
    if is_tight:
        figure.tight_layout()
    figure.draw_without_rendering()
    boxes = [ax.get_tightbbox().padded(-2) for ax in places.flat]  # pixels
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
        assert (np.array([box.p0, figure.bbox.p1 - box.p1]) > -5).all()


@pytest.mark.parametrize("name", ["compare", "likelihood_bound", "latent_triage", "prior_holes"])
def test_panels_in_a_small_place_are_too_small_and_the_advice_works(name, numpy_inputs, call_plot):
    _, places = plt.subplots(2, 3)
    with pytest.warns(SmallPlaceWarning) as caught:
        axes = call_plot(get_plot(name), numpy_inputs, ax=places[0, 1])
    (warning,) = (each.message for each in caught if each.category is SmallPlaceWarning)
    part = axes[0].figure.bbox
    for legend in filter(None, (ax.get_legend() for ax in axes)):
        box = legend.get_window_extent()
        assert part.x0 - 1 < box.x0 < box.x1 < part.x1 + 1
    advised = re.search(r"plt\.figure\(.*\)(?=, or)", warning.fix.python)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SmallPlaceWarning)
        call_plot(get_plot(name), numpy_inputs, figure=eval(advised, {"plt": plt}))


def test_panels_follow_the_axes_that_they_divide(numpy_inputs, call_plot):
    figure, places = plt.subplots(1, 2)
    call_plot(get_plot("compare"), numpy_inputs, ax=places[1])
    (part,) = figure.subfigs
    figure.draw_without_rendering()
    before = part.bbox.x0
    figure.subplots_adjust(left=0.4)
    figure.draw_without_rendering()
    assert part.bbox.x0 > before + 20
    assert all(part.bbox.x0 <= ax.get_window_extent().x0 for ax in part.axes)


@pytest.mark.no_cover
def test_panels_in_the_corner_of_a_grid_allow_a_layout_engine_later(numpy_inputs, call_plot):
    figure, places = plt.subplots(2, 2)
    for ax in (places[0, 0], places[1, 1]):
        call_plot(get_plot("compare"), numpy_inputs, ax=ax)
    figure.set_layout_engine("constrained")
    figure.draw_without_rendering()
    boxes = [part.bbox.extents for part in figure.subfigs]
    assert boxes[0][2] <= boxes[1][0]
    assert boxes[0][1] >= boxes[1][3]


@pytest.mark.no_cover
def test_every_plot_can_do_without_title_and_legends(spec, numpy_inputs, call_plot, new_place, few_trees):
    place = new_place(spec)
    axes = np.ravel(call_plot(spec, numpy_inputs, title=False, legend=False, **place))
    figure = place.get("figure") or place["ax"].figure
    assert not figure.get_suptitle()
    assert not figure.legends
    assert not any(inner.get_legend() for ax in axes for inner in (ax, *ax.child_axes))
    assert len(axes) > 1 or not axes[0].get_title()


@pytest.mark.parametrize("name", ["latent_scatter", "traversal"])
@pytest.mark.parametrize("kind", ["several", "3-D", "polar", "a figure", "text", "removed"])
def test_a_place_that_cannot_be_drawn_into_is_an_error(name, kind, numpy_inputs, call_plot):
    figure = Figure()
    removed = figure.subplots()
    removed.remove()
    places = {
        "several": lambda: figure.subplots(2, 3),
        "3-D": lambda: figure.add_subplot(projection="3d"),
        "polar": lambda: figure.add_subplot(projection="polar"),
        "a figure": lambda: figure,
        "text": lambda: "ax",
        "removed": lambda: removed,
    }
    with pytest.raises(InputError, match="ax") as error:
        call_plot(get_plot(name), numpy_inputs, ax=places[kind]())
    assert "ax=" in error.value.fix.python


@pytest.mark.parametrize("given", [["encoder", "x"], ["encoder"], []])
def test_a_missing_input_is_an_error_with_the_call_of_a_whole_model(given, numpy_inputs):
    with pytest.raises(InputError) as error:
        vaeviz.reconstruction_pairs(*(numpy_inputs[name] for name in given))
    assert error.value.expected == "encoder, decoder, x"
    assert "reconstruction_pairs(model, x=x)" in error.value.fix.python


def takes_both_parts(name):
    return {"encoder", "decoder", "x"}.issubset(inspect.signature(get_plot(name).function).parameters)


@pytest.mark.parametrize("name", [*filter(takes_both_parts, plot_names())])
def test_a_whole_model_may_be_passed_once(name, numpy_inputs):
    encoder, decoder, x = (numpy_inputs[name] for name in ("encoder", "decoder", "x"))
    plot = get_plot(name).function
    once = plot(vaeviz.open((encoder, decoder)), x=x)
    parts = plot(encoder=encoder, decoder=decoder, x=x)
    if name != "prior_holes":  # whose panels of decoded samples are an option
        assert [ax.get_title() for ax in np.ravel(once)] == [ax.get_title() for ax in np.ravel(parts)]
        images, expected = (
            [image.get_array() for ax in np.ravel(axes) for image in ax.images] for axes in (once, parts)
        )
        for image, other in zip(images, expected, strict=True):
            np.testing.assert_array_equal(image, other)


@pytest.mark.parametrize("given", [{"encoder": "encoder"}, {"decoder": "decoder"}, {"encoder": "posterior"}])
def test_one_part_does_not_stand_for_both(given, numpy_inputs):
    parts = {**numpy_inputs, "posterior": vaeviz.encode(numpy_inputs["encoder"], numpy_inputs["x"])}
    with pytest.raises(InputError, match="missing"):
        vaeviz.reconstruction_pairs(**{name: parts[value] for name, value in given.items()}, x=numpy_inputs["x"])


@pytest.mark.parametrize("name", ["traversal", "samples", "manifold_grid", "interpolation"])
def test_samples_in_place_of_an_encoder_are_an_error(name, numpy_inputs):
    with pytest.raises(InputError) as error:
        getattr(vaeviz, name)(numpy_inputs["decoder"], numpy_inputs["x"])
    assert "x=" in error.value.fix.python


def test_a_plot_draws_into_one_place(numpy_inputs, call_plot):
    figure = Figure()
    with pytest.raises(InputError, match="ax and figure"):
        call_plot(get_plot("traversal"), numpy_inputs, ax=figure.subplots(), figure=figure)
    with pytest.raises(InputError, match="figure"):
        call_plot(get_plot("traversal"), numpy_inputs, figure=figure.subplots())


def test_an_axes_passed_by_position_is_an_error(numpy_inputs):
    parts = [numpy_inputs[name] for name in ("decoder", "encoder", "x")]
    with pytest.raises(InputError, match="condition") as error:
        vaeviz.traversal(*parts, Figure().subplots())
    assert "ax=" in error.value.fix.python


def test_missing_inputs_are_the_required_ones(spec):
    assert spec.missing_inputs({}) == spec.required
    assert spec.missing_inputs(dict.fromkeys(spec.required, 0)) == ()


def test_a_warning_is_given_once_per_call():
    weights = np.random.default_rng(0).standard_normal((2, 64))
    x = np.random.default_rng(0).random((40, 8, 8))
    posterior = vaeviz.Posterior(x[:, 0, :2] - 0.5, np.full((40, 2), 0.1), "normal")
    for _ in range(2):
        with pytest.warns(vaeviz.GuessWarning) as caught:
            vaeviz.traversal(lambda z: np.tanh(z @ weights).reshape(-1, 8, 8), posterior, x, order="effect")
        assert len(caught) == 1
        assert caught[0].filename == __file__
        plt.close("all")


@pytest.mark.no_cover
@pytest.mark.parametrize("width", [3.25, 5.5, 6.75])
def test_plots_share_a_figure_at_the_width_of_a_venue(width):
    rng = np.random.default_rng(0)
    weights, means = rng.standard_normal((2, 64)), rng.standard_normal((90, 2))
    decoder = vaeviz.Decoder(lambda z: (np.tanh(z @ weights) / 2 + 0.5).reshape(-1, 8, 8), output="values")
    posterior = vaeviz.Posterior(means, np.full((90, 2), 0.3), "normal")
    x, labels = vaeviz.decode(decoder, posterior), np.arange(90) % 5
    with vaeviz.style("paper"):
        figure = plt.figure(figsize=(width, 0.62 * width + 0.7), layout="constrained")
        axes = figure.subplot_mosaic("ab;cc", height_ratios=(2, 1))
        vaeviz.latent_scatter(posterior, x, labels, title="Codes", legend=False, ax=axes["a"])
        vaeviz.manifold_grid(decoder, posterior, x, n_grid=4, title="Grid", ax=axes["b"])
        vaeviz.reconstruction_pairs(posterior, decoder, x, title="Reconstructions", n_samples=5, ax=axes["c"])
        for letter, ax in axes.items():
            ax.set_title(letter, loc="left")
        figure.legend(*axes["a"].get_legend_handles_labels(), loc="outside lower center", ncols=6, columnspacing=0.8)
        figure.canvas.draw()
        sizes = {text.get_fontsize() for ax in axes.values() for text in (ax.title, ax.xaxis.label, ax.yaxis.label)}
    assert sizes == {8}
    boxes = [ax.get_tightbbox() for ax in axes.values()] + [figure.legends[0].get_window_extent()]
    for place, box in enumerate(boxes):
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])
    assert [ax.get_title() for ax in axes.values()] == ["Codes", "Grid", "Reconstructions"]
    plt.close(figure)
