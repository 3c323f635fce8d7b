import copy
import inspect
from typing import Literal

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import vaeviz
from vaeviz.errors import InputError, NotApplicable, UnknownName
from vaeviz.plugins.plot_spec import INPUTS, PageShape, PlotSpec, get_plot, plot_names, register_plot

ARRAYS = ("x", "labels", "factors", "other_x")
HISTORY = {"epoch": [1, 2, 3], "train_elbo": [-3.0, -2.0, -1.0], "train_kl": [0.1, 0.2, 0.3]}


@pytest.fixture
def inputs(digits, make_encoder, make_decoder):
    """Everything that a built-in plot may ask for, for a latent of three dimensions."""
    decoder = make_decoder(3)

    def likelihood(x, z):
        return -2 * ((np.asarray(x) - decoder(np.asarray(z))) ** 2).sum(axis=(1, 2))

    return {
        "encoder": make_encoder(3),
        "decoder": decoder,
        "x": digits.x,
        "labels": digits.labels,
        "condition": None,
        "factors": np.column_stack([digits.labels, digits.x.mean(axis=(1, 2))]),
        "history": HISTORY,
        "likelihood": likelihood,
        "other_x": digits.x[:, ::-1].copy(),
        "other_encoder": make_encoder(4, seed=3),
        "runs": [(9.0, 30.0, "one"), (5.0, 36.0, "other")],
        "feature_names": [f"pixel {k}" for k in range(64)],
        "factor_names": ["digit", "ink"],
    }


@pytest.fixture(params=plot_names())
def spec(request) -> PlotSpec:
    return get_plot(request.param)


QUICK = {
    "tsne": {"perplexity": 5.0},
    "map_quality": {"perplexity": 5.0},
    "likelihood_bound": {"n_draws": 20},
    "aggregate_posterior": {"n_grid": 40, "n_permutations": 100},
    "manifold_grid": {"n_grid": 5},
}


def call(spec, inputs, **place):
    given = {name: inputs[name] for name in spec.required + spec.optional if name in inputs}
    return spec(**given, **QUICK.get(spec.name, {}), **place)


def a_place(spec):
    figure = Figure(layout="constrained")
    return {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}


def figure_of(place):
    return place.get("figure") or place["ax"].figure


def test_register_plot_returns_the_function_itself(registered):
    def mine(encoder, x, labels=None, *, count: int = 3, ax=None):
        """A first line.

        And more.
        """

    assert register_plot(mine) is mine
    assert register_plot(page=PageShape("full", 0.4))(mine) is mine


def test_the_spec_says_what_the_signature_says(registered):
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
    assert list(spec.options) == ["count"]
    assert spec.place == "ax"
    assert spec.page == PageShape("full", 0.4)
    assert spec.summary == "A first line."
    assert spec.missing({"decoder": 1, "x": None}) == ("x",)
    assert spec.missing({"decoder": 1, "x": 2}) == ()


def test_an_input_of_another_name_is_legal(registered):
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


def with_list(encoder, *, sizes: list[int] = (), ax=None): ...
def with_array(encoder, *, weights: np.ndarray | None = None, ax=None): ...
def with_pairs(encoder, *, pairs: tuple[tuple[int, int], ...] = (), ax=None): ...
def with_absent_type(encoder, *, look: "Look" = None, ax=None): ...  # noqa: F821


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (with_list, r"'sizes' is annotated list\[int\], which nobody can write on a command line; expected bool, int"),
        (with_array, r"'weights' is annotated numpy.ndarray \| None, which nobody can write"),
        (with_pairs, r"'pairs' is annotated tuple\[tuple\[int, int\], ...\], which nobody can write"),
        (with_absent_type, r"'look' is annotated 'Look', which cannot be read .*outside of `if TYPE_CHECKING`"),
        (with_kwargs, "not allowed"),
        (with_args, "not allowed"),
        (without_place, "one place to draw"),
        (with_two_places, "one place to draw"),
        (with_positional_place, "one place to draw"),
        (without_default, "'count' needs a default"),
        (without_annotation, "'count' needs an annotation"),
    ],
)
def test_a_function_that_breaks_the_contract_is_not_registered(registered, function, reason):
    with pytest.raises(InputError, match=rf"^plot {function.__name__}: .*{reason}"):
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


def test_types_for_type_checkers_only_may_stand_anywhere_but_on_options(registered):
    names = {"__name__": "typed_plots"}
    exec(TYPE_CHECKING_ONLY, names)
    spec = get_plot("typed")
    assert spec.required == ("encoder", "x")
    assert {name: option.annotation for name, option in spec.options.items()} == {
        "count": int | None,
        "how": Literal["a", "b"],
    }


def test_what_is_not_decorated_is_no_plot(registered):
    registered.add("vaeviz.plots", "undecorated", lambda encoder, *, ax=None: ax)
    with pytest.raises(InputError, match="is not a plot: decorate it with @register_plot"):
        get_plot("undecorated")


def test_an_unknown_plot_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'latent_scatter'"):
        get_plot("latent_scater")


def test_built_in_plots_are_public():
    assert all(getattr(vaeviz, name) is get_plot(name).function for name in plot_names())


def test_built_in_inputs_are_in_the_vocabulary_and_in_its_order(spec):
    for names in (spec.required, spec.optional):
        assert list(names) == sorted(names, key=INPUTS.index)
    assert spec.required


def test_built_in_options_have_annotations_and_defaults_that_fit_them(spec):
    for option in spec.options.values():
        assert option.check(option.default) == option.default


def test_built_in_docstrings_start_with_a_sentence_and_name_every_parameter(spec):
    assert spec.summary[0].isupper()
    assert spec.summary.endswith(".")
    told = inspect.getdoc(spec.function)
    shared = {"seed", "ax", "figure", "kind", "cmap", "palette", "continuous", "size", "opacity", "rasterized"}
    for name in [*spec.required, *spec.optional, *spec.options]:
        assert name in told or name in shared | {"marker_kws"}


def test_built_in_plots_draw_where_they_are_told_and_leave_the_rest_alone(spec, inputs):
    place = a_place(spec)
    other = plt.figure()
    np.random.seed(7)
    state, rc = np.random.get_state()[1].copy(), dict(matplotlib.rcParams)

    returned = call(spec, inputs, **place)

    if spec.place == "ax":
        assert returned is place["ax"]
        assert place["ax"].lines or place["ax"].images or place["ax"].collections
    else:
        assert list(returned.flat) == place["figure"].axes
    assert plt.get_fignums() == [other.number]
    assert plt.gcf() is other
    assert not other.axes
    assert (np.random.get_state()[1] == state).all()
    assert dict(matplotlib.rcParams) == rc


def test_built_in_plots_leave_their_inputs_as_they_were(spec, inputs):
    before = copy.deepcopy({name: inputs[name] for name in (*ARRAYS, "history", "runs")})
    call(spec, inputs, **a_place(spec))
    for name, value in before.items():
        np.testing.assert_equal(inputs[name], value, err_msg=name)


def as_tensors(inputs):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(inputs[name]) for name in ARRAYS}
    for tensor in tensors.values():
        tensor.requires_grad_(tensor.is_floating_point())
    return tensors


def as_lists(inputs):
    return {name: inputs[name].tolist() for name in ARRAYS}


@pytest.mark.parametrize("made", [as_tensors, as_lists])
def test_built_in_plots_draw_the_same_of_tensors_and_lists(spec, inputs, made):
    np.testing.assert_array_equal(pixels(spec, inputs | made(inputs)), pixels(spec, inputs))


def test_built_in_plots_without_a_place_make_a_pyplot_figure(spec, inputs):
    returned = np.atleast_1d(call(spec, inputs)).flat[0]
    assert plt.get_fignums() == [returned.figure.number]
    assert returned.figure.get_layout_engine() is not None
    assert type(returned.figure.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"


def test_built_in_plots_have_a_title_that_is_no_name_of_theirs(spec, inputs):
    place = a_place(spec)
    drawn = np.atleast_1d(call(spec, inputs, **place)).flat
    of_figure = place["figure"].get_suptitle() if spec.place == "figure" else ""
    titles = [of_figure] if of_figure else [ax.get_title() for ax in drawn]
    assert all(titles)
    assert spec.name not in titles


def pixels(spec, inputs):
    place = a_place(spec)
    call(spec, inputs, **place)
    canvas = FigureCanvasAgg(figure_of(place))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_built_in_plots_draw_the_same_thing_twice(spec, inputs):
    first, second = pixels(spec, inputs), pixels(spec, inputs)
    assert (first == second).all()
    assert first.std() > 0


@pytest.mark.parametrize("count", [3, 12])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_built_in_plots_of_few_samples_are_drawn_or_do_not_apply(spec, inputs, count):
    few = inputs | {name: inputs[name][:count] for name in ARRAYS}
    place = a_place(spec)
    try:
        spec(**{name: few[name] for name in spec.required + spec.optional}, **place)
    except NotApplicable as reason:
        assert str(reason)
    else:
        figure_of(place).draw_without_rendering()


def test_missing_inputs_of_a_plot_are_told_apart_from_given_ones(spec):
    assert spec.missing({}) == spec.required
    assert spec.missing(dict.fromkeys(spec.required, 0)) == ()
