"""Plots of a conditional model: the condition that codes are decoded under, and how it is named."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

import vaeviz
from vaeviz import Decoder, NotApplicable, condition_on
from vaeviz.model.repeatability import N_REPEATED_ROWS
from vaeviz.plugins.plot_spec import get_plot, plot_names


def one_line(ax):
    return ax.get_title().replace("\n", " ")


@pytest.fixture
def watched(linear):
    """The linear decoder, which keeps the codes and the classes that it is given."""
    calls = []

    def fn(z, y):
        if len(z) > N_REPEATED_ROWS:  # without those that only show whether the decoder samples
            calls.append((z, y))
        return linear.decode(z, y)

    decoder = Decoder(fn, output="values", latent_shape=(2,), conditions=linear.classes, prior="normal", name="watched")
    decoder.fn.calls = calls
    return decoder


@pytest.fixture
def call(call_plot, still_figure):
    """Draw a plot by its name and return what it returns."""

    def draw(name, inputs, **options):
        spec, figure = get_plot(name), still_figure(figsize=(6, 4))
        place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
        drawn = call_plot(spec, inputs, **options, **place)
        figure.draw_without_rendering()
        return drawn

    return draw


ENCODING = [name for name in plot_names() if {"encoder", "runs"} & set(get_plot(name).required)]


@pytest.mark.parametrize("name", ENCODING)
def test_a_missing_condition_is_explained(name, conditional_inputs, call):
    with pytest.raises(NotApplicable, match="condition"):
        call(name, conditional_inputs | {"condition": None})


@pytest.mark.parametrize("name", ["samples", "manifold_grid"])
def test_a_decoder_without_declared_conditions_is_refused(name, call):
    with pytest.raises(NotApplicable, match="condition"):
        call(name, {"decoder": Decoder(lambda z, y: z, latent_shape=(2,))})


# Samples: a row each


def test_samples_have_a_row_for_each_condition_with_the_same_codes(ax, watched, linear):
    vaeviz.samples(watched, n_samples=60, kind="table", ax=ax)
    codes, classes = watched.fn.calls[0]
    first, second, third = (codes[classes == place] for place in range(3))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    assert len(first) == 8  # not 20: a row is no longer than those of a square of sixty
    assert [text.get_text() for text in ax.get_yticklabels()] == list(linear.classes)
    title = "Means of p(x | z, y) under 3 conditions,\nin each row the same 8 draws, z ~ N(0, I)"
    assert ax.get_title() == title


def test_samples_of_images_name_their_rows(ax, make_decoder):
    plain = make_decoder()
    decoder = Decoder(lambda z, y: plain(z), latent_shape=(2,), conditions=range(5))
    vaeviz.samples(decoder, n_samples=10, ax=ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1", "2", "3", "4"]
    assert one_line(ax) == (
        "Means of p(x | z, y) under 5 conditions, in each row the same 2 draws, assuming z ~ N(0, I)"
    )


def test_samples_of_chosen_conditions(ax, watched):
    vaeviz.samples(watched, condition=["high", "low"], n_samples=4, ax=ax)
    assert {int(y) for y in watched.fn.calls[0][1]} == {0, 2}
    watched.fn.calls.clear()
    vaeviz.samples(condition_on(watched, "middle"), n_samples=9, ax=ax)
    (z, y), *_ = watched.fn.calls
    assert (len(z), set(y)) == (9, {1})
    assert ax.get_title().startswith("Means of p(x | z, y = middle), 9 draws")


# Grids and traversals: a panel each


def test_a_grid_has_a_panel_for_each_condition_under_its_name(ax, watched, linear):
    assert vaeviz.manifold_grid(watched, n_grid=4, kind="signal", ax=ax) is ax
    assert [panel.get_title() for panel in ax.child_axes] == list(linear.classes)
    first, *others = (z for z, _ in watched.fn.calls)
    assert all((z == first).all() for z in others)
    assert one_line(ax) == "Decoded grid under 3 conditions, 4 × 4 nodes of equal prior mass"
    assert not ax.axison
    assert [bool(panel.get_ylabel()) for panel in ax.child_axes] == [True, False, False]
    assert all(panel.get_xlabel() for panel in ax.child_axes)


def test_panels_share_one_scale_and_have_one_bar(ax):
    decoder = Decoder(lambda z, y: np.repeat(10.0 * y[:, None], 16, axis=1), latent_shape=(2,), conditions=range(4))
    vaeviz.manifold_grid(decoder, n_grid=3, kind="image", ax=ax)
    assert {panel.images[0].get_clim() for panel in ax.child_axes} == {(0.0, 30.0)}
    assert [len(panel.child_axes) for panel in ax.child_axes] == [0, 1, 0, 0]  # the bar, at the right of the first row
    assert len(ax.child_axes[0].images[0].get_array()) == len(ax.child_axes[3].images[0].get_array())


def test_panels_do_not_overlap_and_stay_within_their_frame(ax):
    decoder = Decoder(lambda z, y: 0 * np.repeat(z, 32, axis=1), latent_shape=(2,), conditions=range(10))
    vaeviz.manifold_grid(decoder, n_grid=3, ax=ax)
    ax.figure.draw_without_rendering()
    frame, boxes = ax.get_window_extent(), [panel.get_window_extent() for panel in ax.child_axes]
    assert len(boxes) == 10
    assert all(frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1 and frame.y0 - 1 <= box.y0 for box in boxes)
    assert not [1 for i, box in enumerate(boxes) for other in boxes[:i] if box.overlaps(other)]
    titles = [panel.title.get_window_extent() for panel in ax.child_axes]
    assert not [1 for title in titles for box in boxes if title.overlaps(box)]


def test_a_fixed_decoder_has_a_plain_grid_on_latent_axes(ax, watched):
    vaeviz.manifold_grid(condition_on(watched, "low"), n_grid=4, kind="signal", ax=ax)
    assert not ax.child_axes
    assert ax.get_title().startswith("Decoded grid given y = low, 4 × 4 nodes")


def test_panels_of_points_share_their_limits(ax):
    decoder = Decoder(lambda z, y: z + 10 * y[:, None], latent_shape=(2,), conditions=range(3), output="values")
    vaeviz.manifold_grid(decoder, n_grid=3, ax=ax)
    ax.figure.draw_without_rendering()
    limits = [(*panel.get_xlim(), *panel.get_ylim()) for panel in ax.child_axes]
    np.testing.assert_allclose(limits, limits[:1] * 3, rtol=1e-6)


def test_a_traversal_has_a_panel_for_each_condition_and_one_around_a_sample(linear, linear_parts, watched):
    place = Figure(figsize=(7, 4), layout="constrained")
    (ax,) = vaeviz.traversal(watched, linear_parts["encoder"], linear.x, linear.labels, kind="signal", figure=place)
    assert [panel.get_title() for panel in ax.child_axes] == list(linear.classes)
    assert "nearest to the prior mean" in one_line(ax) and one_line(ax).endswith("under 3 conditions")
    watched.fn.calls.clear()
    place = Figure(figsize=(7, 4), layout="constrained")
    (ax,) = vaeviz.traversal(
        watched, linear_parts["encoder"], linear.x, linear.labels, around=25, change=False, kind="signal", figure=place
    )
    assert not ax.child_axes
    assert {*watched.fn.calls[-1][1]} == {1}
    assert one_line(ax).endswith("the posterior mean of sample 25, given y = middle")


def test_a_change_is_drawn_under_one_condition(linear, linear_parts, watched):
    parts = (watched, linear_parts["encoder"], linear.x, linear.labels)
    with pytest.raises(NotApplicable, match="3 conditions") as error:
        vaeviz.traversal(*parts, change=True)
    assert "vaeviz.condition_on(decoder, 'low')" in error.value.fix.python
    axes = vaeviz.traversal(condition_on(watched, 0), *parts[1:], change=True, kind="signal")
    assert len(axes) == 2


# Codes of samples: their own condition


def test_reconstructions_are_decoded_under_each_samples_own_condition(ax, linear, linear_parts, watched):
    rows = (45, 3, 25)
    vaeviz.reconstruction_pairs(linear_parts["encoder"], watched, linear.x, condition=linear.names, rows=rows, ax=ax)
    (z, y), *_ = watched.fn.calls
    assert y.tolist() == [2, 0, 1]
    np.testing.assert_allclose(z, linear.encode(linear.x, linear.labels)[0][list(rows)], rtol=1e-4, atol=1e-5)


def test_paths_run_within_a_condition_and_are_named_after_it(ax, linear, linear_parts, watched):
    parts = (watched, linear_parts["encoder"], linear.x, linear.names, linear.labels)
    vaeviz.interpolation(*parts, n_paths=6, n_steps=4, kind="signal", ax=ax)
    (z, y), *_ = watched.fn.calls
    assert y.tolist() == [place for place in (0, 0, 1, 1, 2, 2) for _ in range(4)]
    means = linear.encode(linear.x, linear.labels)[0]
    for path, end in ((path, end) for path in range(6) for end in (0, 3)):
        same = np.flatnonzero(np.abs(means - z[4 * path + end]).max(axis=1) < 1e-4)
        assert linear.labels[same] == y[4 * path]
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["low", "low", "middle", "middle", "high", "high"]
    assert one_line(ax) == "Linear interpolation between posterior means, within a condition"


def test_a_path_from_one_condition_to_another_keeps_the_first(ax, linear, linear_parts, watched):
    parts = (watched, linear_parts["encoder"], linear.x, linear.names, linear.labels)
    vaeviz.interpolation(*parts, pair=(50, 3), n_steps=4, kind="signal", ax=ax)
    assert watched.fn.calls[0][1].tolist() == [2] * 4
    assert one_line(ax).endswith("under the condition of the first")
    vaeviz.interpolation(*parts, between=("low", "high"), n_paths=3, n_steps=4, kind="signal", ax=ax)
    assert set(watched.fn.calls[1][1]) == {0}


def test_effects_are_measured_under_the_condition_of_each_sample(linear, linear_parts, watched):
    posterior = vaeviz.encode(linear_parts["encoder"], linear.x, linear.labels)
    found = vaeviz.triage(posterior, watched, linear.x, n_samples=60)
    (z, y) = watched.fn.calls[1]  # the first are codes of q(z)
    means = linear.encode(linear.x, linear.labels)[0]
    row = np.abs(means[:, 1] - z[7, 1]).argmin()  # the second dimension is held while the first moves
    assert y[7] == linear.labels[row]
    assert (found.status == "active").all()


def test_prior_samples_in_holes_are_decoded_under_every_condition_in_turn(linear, linear_parts, watched):
    figure = Figure(figsize=(7, 3), layout="constrained")
    vaeviz.prior_holes(
        linear_parts["encoder"], linear.x, watched, linear.labels, n_grid=2, kind="signal", figure=figure
    )
    _, y = watched.fn.calls[0]
    assert y.tolist() == [0, 1, 2, 0][: len(y)]


def test_other_samples_need_a_fixed_condition(linear, linear_parts):
    parts = [linear_parts[name] for name in ("encoder", "decoder")]
    with pytest.raises(NotApplicable, match="other_x") as error:
        vaeviz.reconstruction_error(*parts, linear.x, condition=linear.labels, other_x=-linear.x)
    assert "vaeviz.condition_on(vaeviz.Encoder(encoder), 'low')" in error.value.fix.python
    fixed = [condition_on(part, "low") for part in parts]
    axes = vaeviz.reconstruction_error(*fixed, linear.x[:20], other_x=linear.x[20:])
    assert len(axes) == 3


def test_encoders_with_and_without_a_condition_are_compared(linear, linear_parts):
    plain = lambda x: x[:, :2]  # noqa: E731
    for pair in ((linear_parts["encoder"], plain), (plain, linear_parts["encoder"])):
        left, _ = vaeviz.compare(pair[0], linear.x, pair[1], condition=linear.labels)
        assert left.collections or left.lines


def test_bounds_of_a_conditional_model_are_conditional(linear, conditional_inputs, call):
    axes = call("likelihood_bound", conditional_inputs)
    assert r"\ln p(x\,|\,y)" in axes[0].figure.get_suptitle()


def test_codes_of_a_conditional_model_may_be_independent_of_its_condition(linear, conditional_inputs):
    given_inputs = {name: conditional_inputs[name] for name in ("encoder", "decoder", "x", "labels", "likelihood")}
    report = vaeviz.analyze(**given_inputs)
    assert "are the condition" in report["classes"].sentence
    assert "condition_on" in report["neighbors"].sentence
    assert report["likelihood"].status == "healthy"
    assert "ln p(x | y)" in report["likelihood"].sentence
    assert not report.names_with_status("failed")
