"""Every figure survives what people do with it: mouse events, zoom, other layouts, subfigures and pickling."""

import pickle
from io import BytesIO

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton, MouseEvent, NavigationToolbar2
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaeviz.analysis.latent_grid import equal_mass_nodes
from vaeviz.drawing.cells import draw_cells
from vaeviz.drawing.colors import color_labels
from vaeviz.drawing.grid_axis import GridAxis
from vaeviz.drawing.grid_layout import GridLayout
from vaeviz.drawing.sample_style import SampleStyle
from vaeviz.drawing.scatter import draw_scatter
from vaeviz.plugins.plot_spec import get_plot, plot_names

RNG = np.random.default_rng(0)
UNEVEN = GridLayout(x_axis=GridAxis(equal_mass_nodes(4), "$z_1$"), y_axis=GridAxis(equal_mass_nodes(3), "$z_2$"))
SAMPLES = {
    "image": (8, 8),
    "color image": (8, 8, 3),
    "spectrogram": (6, 20),
    "signal": (40, 2),
    "table": (5,),
    "point": (2,),
}

LIKE_OTHERS = {  # plots all of whose artists and layouts are also those of other plots
    "aggregate_posterior",
    "compare",
    "disentanglement",
    "elbo_decomposition",
    "latent_triage",
    "likelihood_bound",
    "map_quality",
    "rate_distortion",
    "reconstruction_error",
    "reconstruction_pairs",
    "samples",
    "training_curves",
    "traversal",
    "tsne",
}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] if name in LIKE_OTHERS else []) for name in plot_names()]
)
def spec(request):
    return get_plot(request.param)


@pytest.fixture
def draw_plot(spec, numpy_inputs, quick_options, few_trees):
    """Draw the plot into a Figure or SubFigure."""

    def draw(parent):
        given = {name: numpy_inputs[name] for name in spec.required + spec.optional if name in numpy_inputs}
        place = {"figure": parent} if spec.place == "figure" else {"ax": parent.subplots()}
        spec(**given, **quick_options.get(spec.name, {}), **place)

    return draw


@pytest.fixture(scope="module")
def pickled_figures():
    return {}


@pytest.fixture
def figure(spec, draw_plot, pickled_figures):
    """A fresh copy of the figure of each plot, which is made once."""
    if spec.name not in pickled_figures:
        figure = Figure(layout="constrained", dpi=50)
        draw_plot(figure)
        pickled_figures[spec.name] = pickle.dumps(figure)
    return loaded(pickled_figures[spec.name])


def loaded(pickled):
    """A figure as a person opens it again in a window."""
    figure = pickle.loads(pickled)
    FigureCanvasAgg(figure)
    return figure


def draw_without_layout(figure):
    """Draw a figure; a layout would take most of the time."""
    figure.set_layout_engine("none")
    figure.canvas.draw()


def send(figure, name, position, **settings):
    event = MouseEvent(name, figure.canvas, *position, **settings)
    figure.canvas.callbacks.process(name, event)
    return event


def centers(figure):
    """Centers of the first Axes and of the last in pixels, and a position outside of all."""
    boxes = [ax.get_window_extent() for ax in (*figure.axes[:3], *figure.axes[-1:])]
    return [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in boxes] + [(0, 0)]


def use_mouse(figure):
    """Move, click and scroll over Axes with all artists pickable; return the picked artists."""
    NavigationToolbar2(figure.canvas)  # shows the data under the mouse
    picked = []
    figure.canvas.mpl_connect("pick_event", lambda event: picked.append(event.artist))
    for artist in figure.findobj():
        artist.set_picker(True)
    artists = figure.findobj()
    for position in centers(figure):
        event = send(figure, "motion_notify_event", position)
        for artist in artists:
            assert artist.contains(event)[0] in (True, False)
        send(figure, "button_press_event", position, button=MouseButton.LEFT)
        send(figure, "button_release_event", position, button=MouseButton.LEFT)
        send(figure, "scroll_event", position, step=1)
    return picked


def drag(figure, ax, button):
    """Drag the mouse through the middle half of an Axes."""
    box = ax.get_window_extent()
    start, end = ((box.x0 + share * box.width, box.y0 + share * box.height) for share in (0.25, 0.75))
    send(figure, "button_press_event", start, button=button)
    send(figure, "motion_notify_event", end, buttons={button})
    send(figure, "button_release_event", end, button=button)


def zoom_and_pan(figure):
    """Zoom in and out of an Axes and pan it, then go back and home; draw once in between and once afterwards."""
    figure.canvas.draw_idle = lambda: None  # else every event draws
    toolbar = NavigationToolbar2(figure.canvas)
    for mode in (toolbar.zoom, toolbar.pan):
        mode()
        for button in (MouseButton.LEFT, MouseButton.RIGHT):
            drag(figure, figure.axes[0], button)
    figure.canvas.draw()
    toolbar.back()
    toolbar.home()
    figure.canvas.draw()


def pixels(figure):
    return np.asarray(figure.canvas.buffer_rgba()).copy()


@pytest.mark.no_cover
def test_figures_survive_the_mouse(figure):
    draw_without_layout(figure)
    use_mouse(figure)
    zoom_and_pan(figure)


@pytest.mark.no_cover
def test_figures_survive_tight_saving_and_tight_layout(figure):
    content = BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight")
    assert content.tell() > 0
    figure.set_layout_engine("tight")
    figure.canvas.draw()


@pytest.mark.no_cover
def test_plots_can_be_drawn_in_subfigures(draw_plot, still_figure):
    figure = still_figure(figsize=(12, 5))
    left, _ = figure.subfigures(1, 2)
    draw_plot(left)
    FigureCanvasAgg(figure).draw()
    use_mouse(figure)
    assert all(ax.get_figure() is left for ax in figure.axes)


@pytest.mark.no_cover
@pytest.mark.parametrize("layout", [GridLayout(connect="rows"), UNEVEN], ids=["cells", "uneven latent axes"])
@pytest.mark.parametrize("name", SAMPLES)
def test_grids_of_every_kind_survive_the_mouse(name, layout):
    figure = Figure(layout="constrained", dpi=50)
    kind = "spectrogram" if name == "spectrogram" else None
    draw_cells(figure.subplots(), RNG.random((3, 4, *SAMPLES[name])), SampleStyle(kind), layout)
    figure = loaded(pickle.dumps(figure))
    draw_without_layout(figure)
    use_mouse(figure)
    zoom_and_pan(figure)
    for file_format in ("svg", "pdf"):
        figure.savefig(BytesIO(), format=file_format, bbox_inches="tight")
    figure.canvas.draw()


@pytest.mark.no_cover
@pytest.mark.parametrize("name", SAMPLES)
def test_pickled_figures_look_the_same(name):
    figure = Figure(dpi=50)
    draw_cells(figure.subplots(), RNG.random((3, 4, *SAMPLES[name])), layout=UNEVEN)
    FigureCanvasAgg(figure).draw()
    again = loaded(pickle.dumps(figure))
    again.canvas.draw()
    np.testing.assert_array_equal(pixels(again), pixels(figure))


@pytest.fixture
def scatter():
    """Three distant points, of which the second has no label, in a window."""
    figure = Figure()
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    points = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]], dtype=np.float32)
    markers = draw_scatter(ax, points, color_labels(["a", "", "b"], 3))
    figure.canvas.draw()
    return markers


def at_point(markers, row, offset=0):
    x, y = markers.axes.transData.transform(markers.get_offsets()[row])
    return MouseEvent("motion_notify_event", markers.figure.canvas, x + offset, y)


def test_pickled_markers_look_the_same(scatter):
    again = loaded(pickle.dumps(scatter.figure))
    again.canvas.draw()
    np.testing.assert_array_equal(pixels(again), pixels(scatter.figure))


@pytest.mark.parametrize("row", [0, 1, 2])
def test_points_under_the_mouse_are_found(scatter, row):
    found, details = scatter.contains(at_point(scatter, row))
    assert found
    assert details["ind"].tolist() == [row]


def test_points_far_from_the_mouse_or_of_hidden_markers_are_not_found(scatter):
    assert scatter.contains(at_point(scatter, 0, offset=40)) == (False, {"ind": pytest.approx([])})
    scatter.set_visible(False)
    assert not scatter.contains(at_point(scatter, 0))[0]


def test_the_pick_radius_decides_how_close_the_mouse_must_be(scatter):
    scatter.set_picker(20)
    assert scatter.contains(at_point(scatter, 0, offset=25))[0]  # 20 points are 28 pixels at 100 dpi
    assert not scatter.contains(at_point(scatter, 0, offset=30))[0]


def test_points_of_other_figures_are_not_found(scatter):
    event = at_point(scatter, 0)
    event.canvas = FigureCanvasAgg(Figure())
    assert not scatter.contains(event)[0]


def test_a_click_picks_the_markers(scatter):
    picked = use_mouse(scatter.figure)
    scatter.set_picker(True)
    event = at_point(scatter, 2)
    send(scatter.figure, "button_press_event", (event.x, event.y), button=MouseButton.LEFT)
    assert scatter in picked


def test_the_window_extent_of_markers_is_around_their_points(scatter):
    corners = scatter.axes.transData.transform([[0, 0], [2, 2]])
    np.testing.assert_allclose(scatter.get_window_extent().get_points(), corners, rtol=1e-5)
