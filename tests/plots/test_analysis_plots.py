"""Plots of measured numbers: what their artists hold, and what they refuse."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import vaeviz
from vaeviz import Encoder, InputError, Model, NotApplicable, Posterior, export_figures, get_plot
from vaeviz.analysis.importance_bound import importance_bound
from vaeviz.analysis.map_quality import map_quality as measured_map

pytestmark = pytest.mark.no_cover

RNG = np.random.default_rng(0)
N = 90
LABELS = np.arange(N) % 3
X = (RNG.random((N, 6, 6)) * 0.5 + LABELS[:, None, None] * 0.2).astype(np.float32)
WEIGHT = RNG.standard_normal((36, 4)) / 3


def encoder(x):
    mean = (x.reshape(len(x), -1) - 0.4) @ WEIGHT
    return mean, np.full_like(mean, -2.0)


def mean_only(x):
    return encoder(x)[0]


def decoder(z):
    return 1 / (1 + np.exp(-(z @ WEIGHT.T))).reshape(len(z), 6, 6)


def likelihood(x, z):
    return -0.5 * ((x - decoder(z)) ** 2).sum(axis=(1, 2)) / 0.1


INPUTS = {
    "encoder": encoder,
    "decoder": decoder,
    "x": X,
    "labels": LABELS,
    "condition": None,
    "factors": np.column_stack([LABELS, X.mean(axis=(1, 2))]),
    "likelihood": likelihood,
    "other_x": 1 - X,
    "other_encoder": lambda x: encoder(x)[0][:, ::-1] * 2,
    "runs": [(1.0, 9.0, "a"), (2.0, 7.0, "b")],
    "feature_names": None,
    "factor_names": ("class", "level"),
}
NAMES = (
    "compare",
    "disentanglement",
    "latent_neighbors",
    "latent_pairs",
    "likelihood_bound",
    "map_quality",
    "rate_distortion",
    "reconstruction_error",
)


def drawn(name, /, *, omit=(), **given):
    """The Axes of a plot from the inputs above, those in `given`, and options; and its figure."""
    spec = get_plot(name)
    inputs = {key: (INPUTS | given)[key] for key in spec.required + spec.optional if key not in omit}
    options = {key: value for key, value in given.items() if key in spec.options}
    figure = Figure(figsize=(7, 4), layout="constrained")
    place = {"figure": figure} if spec.place == "figure" else {"ax": figure.subplots()}
    axes = spec(**inputs, **options, **place)
    return np.atleast_1d(axes), figure


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.slow  # test_plot_contract draws every plot twice, and tests/export compares the files of a set
def test_exported_sets_are_reproducible(tmp_path, few_trees):
    light = {"likelihood_bound": {"n_draws": 20}, "map_quality": {"perplexity": 5.0}}
    sets = [export_figures(tmp_path / part, plots=NAMES, settings=light, dpi=40, **INPUTS) for part in ("one", "two")]
    assert [record.status for record in sets[0]] == ["drawn"] * len(NAMES), sets[0]
    assert [record.files for record in sets[0]] == [record.files for record in sets[1]]


@pytest.mark.parametrize(
    ("name", "given", "token"),
    [
        ("likelihood_bound", {"encoder": mean_only}, "deterministic"),
        ("disentanglement", {"encoder": mean_only, "estimator": "samples"}, "deterministic"),
        ("disentanglement", {"factors": np.ones((N, 1))}, "actor"),
        ("latent_neighbors", {"labels": np.zeros(N, int)}, "class"),
        ("latent_neighbors", {"labels": X.mean(axis=(1, 2))}, "continuous"),
        ("latent_pairs", {"encoder": Posterior(np.ones((N, 4)), np.ones((N, 4))), "min_kl": 1.0}, "0 of 4"),
        ("latent_pairs", {"encoder": Posterior(np.ones((N, 2)), np.ones((N, 2)))}, "of 2"),
        ("map_quality", {"encoder": Posterior(np.zeros((N, 2)))}, "latent_scatter"),
        ("compare", {"other_encoder": Posterior(np.zeros((N, 2)))}, r"\w"),
        ("rate_distortion", {"runs": [Model(Encoder(encoder), name="bare")]}, "likelihood"),
    ],
)
def test_meaningless_requests_are_not_applicable(name, given, token):
    with pytest.raises(NotApplicable, match=token):
        drawn(name, **given)


@pytest.mark.parametrize(
    ("name", "given", "token"),
    [
        ("latent_neighbors", {"n_neighbors": (0, 5)}, "0"),
        ("latent_neighbors", {"max_points": 0}, "max_points"),
        ("map_quality", {"perplexity": 0.0}, "perplexity"),
        ("compare", {"n_neighbors": 0}, "0"),
        ("latent_pairs", {"dims": (0, 1)}, "dims"),
        ("latent_pairs", {"dims": (0, 1, 1)}, "dims"),
        ("likelihood_bound", {"n_draws": 0}, "0"),
        ("reconstruction_error", {"measure": "cross-entropy", "x": X * 3}, r"\[0, 1\]"),
        ("reconstruction_error", {"n_samples": -1}, "n_samples"),
        ("disentanglement", {"bins": 1}, "bins"),
    ],
)
def test_unusable_options_are_an_error(name, given, token):
    with pytest.raises(InputError, match=token):
        drawn(name, **given)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("latent_neighbors", {"n_neighbors": (1, 90)}),
        ("compare", {"n_neighbors": 90}),
        ("map_quality", {"n_neighbors": 45}),
    ],
)
def test_too_few_points_for_the_neighbors_do_not_apply(name, given):
    with pytest.raises(NotApplicable, match="90"):
        drawn(name, **given)


@pytest.mark.parametrize("name", ["likelihood_bound", "elbo_decomposition"])
def test_a_named_likelihood_is_that_of_the_decoder_of_the_model(name):
    pair, named = {"encoder": encoder, "decoder": decoder}, vaeviz.decoder_likelihood(decoder, "gaussian")
    _, by_name = drawn(name, encoder=pair, likelihood="gaussian")
    _, by_function = drawn(name, likelihood=named)
    titles = [[ax.get_title() for ax in figure.axes] + [figure.get_suptitle()] for figure in (by_name, by_function)]
    assert titles[0] == titles[1]
    with pytest.raises(InputError):
        drawn(name, likelihood="gaussian")
    with pytest.warns(vaeviz.GuessWarning, match="36 values"):
        drawn(name, encoder=pair, likelihood=lambda x, z: -((x - decoder(z)) ** 2).mean(axis=(1, 2)))


def test_likelihood_bound_draws_the_bound_that_was_computed():
    axes, figure = drawn("likelihood_bound", n_draws=50)
    bound = importance_bound(likelihood, X, vaeviz.encode(encoder, X), n_draws=50)
    curve, elbo = axes[0].lines
    np.testing.assert_array_equal(curve.get_xdata(), [1, 5, 10, 50])
    np.testing.assert_allclose(curve.get_ydata(), bound.mean)
    np.testing.assert_allclose(elbo.get_ydata(), bound.elbo.mean())
    each = axes[1].containers[0].lines[0]
    np.testing.assert_allclose(each.get_xydata(), np.column_stack([bound.elbo, bound.values[:, -1]]))
    assert sum(patch.get_height() for patch in axes[2].patches) == N
    assert "N = 90" in figure.get_suptitle()
    assert "40 of 90" in drawn("likelihood_bound", n_draws=5, max_points=40)[1].get_suptitle()


def test_rate_distortion_draws_points_and_lines_of_equal_elbo():
    (ax,), _ = drawn("rate_distortion", runs=[(2.0, 7.0, "b"), (1.0, 9.0, "a")])
    np.testing.assert_array_equal(ax.containers[0].lines[0].get_xydata(), [[1, 9], [2, 7]])
    assert {"a", "b"} <= set(texts(ax)) and "as recorded" in ax.get_title()
    lines = [line for line in ax.lines if line.get_color() == "0.85"]
    assert len(lines) > 2
    for line in lines:
        assert np.diff(line.get_xydata().sum(axis=1)) == pytest.approx(0)
    model = Model(Encoder(encoder), inputs={"likelihood": likelihood}, name="m")
    (ax,), _ = drawn("rate_distortion", runs=[model])
    assert "N = 90" in ax.get_title() and "1 model\n" in ax.get_title()


def test_reconstruction_error_by_label_with_cases_and_roc():
    axes, _ = drawn("reconstruction_error", n_samples=5)
    assert [label.get_text() for label in axes[0].get_xticklabels()] == ["0", "1", "2"]
    errors = ((X - decoder(mean_only(X))) ** 2).mean(axis=(1, 2))
    medians = [line.get_ydata()[0] for line in axes[0].lines if line.get_color() == "0.1"]
    np.testing.assert_allclose(medians, [np.median(errors[label == LABELS]) for label in range(3)], rtol=1e-5)
    worst = X[errors.argmax()]
    mosaic = axes[1].images[0].get_array()
    assert mosaic.max() <= 1 and np.isin(np.round(worst, 5), np.round(mosaic.data, 5)).all()
    assert axes[2].get_title().startswith("ROC area")
    assert len(drawn("reconstruction_error", omit=("other_x", "labels"))[0]) == 2


def test_disentanglement_masks_dimensions_without_kl(few_trees):
    mean = np.column_stack([LABELS, X.mean(axis=(1, 2)) * 5, np.zeros(N)])
    std = np.column_stack([np.full((N, 2), 0.1), np.ones(N)])
    axes, _ = drawn("disentanglement", encoder=Posterior(mean, std, "normal"))
    cells = axes[0].images[0].get_array()
    assert cells.shape == (2, 3) and cells.mask[:, 2].all() and not cells.mask[:, :2].any()
    assert cells[0, 0] == pytest.approx(1)
    assert "1 masked" in axes[0].get_title()
    assert [label.get_text() for label in axes[1].get_yticklabels()][:2] == ["MIG", "SAP"]
    assert all("±" in text for text in texts(axes[1]))


def test_latent_neighbors_draws_confusion_and_the_pca_baseline():
    axes, _ = drawn("latent_neighbors", encoder=Posterior(LABELS[:, None] + 0.01 * RNG.random((N, 1))))
    np.testing.assert_array_equal(axes[0].images[0].get_array(), np.eye(3))
    ours, theirs = (container.lines[0].get_ydata() for container in axes[1].containers)
    np.testing.assert_array_equal(ours, 1)
    assert (theirs <= 1).all()
    legend = [text.get_text() for text in axes[1].get_legend().get_texts()]
    assert any("PCA of $x$, 1-D" in text for text in legend)


def test_latent_neighbors_names_the_subsample_in_the_title():
    axes, _ = drawn("latent_neighbors", max_points=60)
    assert f"60 of {N} samples" in " ".join(axes[0].get_title().split())


def test_latent_neighbors_leaves_missing_labels_out():
    labels = np.array(["a", "b", ""], dtype=object)[LABELS]
    axes, _ = drawn("latent_neighbors", labels=labels)
    assert "N = 60" in axes[0].get_title()
    assert axes[0].images[0].get_array().shape == (2, 2)


def test_latent_pairs_draws_a_corner_of_the_active_dimensions():
    mean = RNG.standard_normal((N, 5)) * [1, 1, 0, 1, 1]
    axes, figure = drawn("latent_pairs", encoder=Posterior(mean, np.full((N, 5), 0.9) ** [1, 1, 0, 1, 1]), labels=None)
    assert axes.shape == (4, 4)
    assert [ax.get_xlabel() for ax in axes[-1]] == ["$z_{1}$", "$z_{2}$", "$z_{4}$", "$z_{5}$"]
    points = axes[3, 1].collections[0].get_offsets().astype(float)
    assert {tuple(point) for point in points.round(4)} == {tuple(row) for row in mean[:, [1, 4]].round(4)}
    assert not axes[0, 1].axison and "4 of 5 dimensions" in figure.get_suptitle()


def test_latent_pairs_of_many_dimensions_shows_the_most_active():
    axes, _ = drawn("latent_pairs", encoder=Posterior(RNG.standard_normal((N, 10)) * np.arange(1, 11)))
    assert axes.shape == (8, 8) and axes[-1, 0].get_xlabel() == "$z_{3}$"


def test_latent_pairs_of_many_dimensions_and_classes_stay_readable():
    posterior = Posterior(RNG.standard_normal((N, 6)), np.full((N, 6), 0.5), "normal")
    axes, _ = drawn("latent_pairs", encoder=posterior, labels=np.arange(N) % 5)
    assert sum(line.get_label().startswith("prior 2") for line in axes[1, 0].lines) == 1
    assert not axes[0, 0].collections  # no filling under the densities of five classes
    assert axes[0, 0].lines
    axes, _ = drawn("latent_pairs", encoder=posterior, dims=(0, 1, 2))
    assert sum(line.get_label().startswith("prior 1, 2, 3") for line in axes[1, 0].lines) == 1
    assert len(axes[0, 0].collections) == 3


def test_latent_pairs_with_continuous_labels_has_a_color_bar():
    _, figure = drawn("latent_pairs", labels=X.mean(axis=(1, 2)))
    assert any(ax.get_ylabel() == "label" for ax in figure.findobj(lambda artist: hasattr(artist, "get_ylabel")))


def test_map_quality_names_its_baselines():
    axes, _ = drawn("map_quality", engine="pca")
    legend = [text.get_text() for text in axes[1].get_legend().get_texts()]
    assert legend[:2] == ["PCA", "random"] and "recall" in legend
    recall = [line.get_ydata() for line in axes[1].lines if line.get_color() == "C2" and len(line.get_ydata())]
    assert (recall[0] >= recall[-1]).all()


def test_a_line_under_a_map_shows_its_quality():
    (ax,), _ = drawn("tsne", perplexity=5.0)
    mean = vaeviz.encode(encoder, X).mean
    points = vaeviz.embed(mean, "tsne", perplexity=5.0, seed=0).points
    recall = measured_map(mean, points, (10,)).mean("recall")[0]
    (line,) = texts(ax)
    assert line.startswith("trustworthiness") and line.endswith(f"recall {recall:.2f} ($k$ = 10)")
    assert not texts(drawn("tsne", engine="pca")[0][0])


def test_compare_aligns_the_second_to_the_first():
    turned = np.array([[0.0, 1.0], [-1.0, 0.0]])
    axes, figure = drawn(
        "compare", encoder=lambda x: mean_only(x)[:, :2], other_encoder=lambda x: 3 * mean_only(x)[:, :2] @ turned + 5
    )
    first, second = (ax.collections[0] for ax in axes)
    np.testing.assert_allclose(second.get_offsets(), first.get_offsets(), atol=1e-4)
    assert len(first.colors.names) == 3 and first.colors.colors == second.colors.colors
    np.testing.assert_array_equal(first.colors.index, second.colors.index)
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert "CKA 1" in figure.get_supxlabel() and "±" in figure.get_supxlabel()


@pytest.mark.parametrize("sizes", [(1, 1), (1, 4), (4, 2)])
def test_compare_of_latents_of_other_sizes(sizes):
    ours, theirs = (lambda x, size=size: mean_only(x)[:, :size] for size in sizes)
    axes, _ = drawn("compare", encoder=ours, other_encoder=theirs)
    assert [f"{size}-D" in ax.get_title() for ax, size in zip(axes, sizes)] == [True, True]


def test_continuous_labels_do_not_group_errors():
    axes, _ = drawn("reconstruction_error", labels=np.linspace(1.7e9, 1.7e9 + 1, N))
    assert [label.get_text() for label in axes[0].get_xticklabels()] == ["all"]
    assert f"N = {N}" in axes[0].get_title()


def test_latent_neighbors_shows_only_classes_with_samples():
    labels = vaeviz.Dataset(X, 2 * LABELS, ("a", "b", "c", "d", "e", "f")).named_labels()
    axes, _ = drawn("latent_neighbors", labels=labels)
    assert axes[0].images[0].get_array().shape == (3, 3)
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["a", "c", "e"]


def test_rate_distortion_distinguishes_recorded_from_measured_points():
    ax = vaeviz.rate_distortion([(3.0, 9.0, "paper"), (4.0, 8.0, "other")])
    assert "\nas recorded;" in ax.get_title()
    measured = vaeviz.analysis.rate_distortion.RatePoint(3.0, 9.0, "one", 0.1, 0.2)
    assert "\nas measured, 1 as recorded;" in vaeviz.rate_distortion([measured, (4.0, 8.0, "two")]).get_title()


def test_no_figure_stays_open_after_an_error():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    for name, given in (
        ("reconstruction_error", {"labels": LABELS[:-1]}),
        ("reconstruction_error", {"other_x": np.full_like(X, np.nan)}),
    ):
        with pytest.raises(InputError):
            get_plot(name)(encoder=encoder, decoder=decoder, **{"x": X} | given)
    with pytest.raises(InputError, match="marker_kws"):
        vaeviz.latent_scatter(encoder, X, marker_kws={"s": 3})
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("names", "degrees"), [("012", 0), (("Adélie penguin", "Chinstrap penguin", "Gentoo penguin"), 90)]
)
def test_long_class_names_are_rotated(names, degrees):
    axes, _ = drawn("latent_neighbors", labels=np.array(list(names))[LABELS])
    assert {label.get_rotation() for label in axes[0].get_xticklabels()} == {degrees}


LONG = np.array([f"{kind} of a long name" for kind in ("northern wetland", "southern marsh", "central plateau")])


def test_long_class_names_are_abbreviated():
    axes, _ = drawn("latent_neighbors", labels=LONG[LABELS])
    across, up = (
        [label.get_text() for label in labels] for labels in (axes[0].get_xticklabels(), axes[0].get_yticklabels())
    )
    assert across == up
    assert max(map(len, across)) <= 16
    axes, _ = drawn("reconstruction_error", labels=LONG[LABELS])
    boxes = [label.get_text() for label in axes[0].get_xticklabels()]
    assert max(map(len, boxes)) <= 16
    assert len(set(boxes)) == 3


@pytest.mark.parametrize("classes", [3, 14])
def test_the_legend_of_latent_pairs_stays_in_its_corner(classes):
    names = np.array([f"{letter} marshes and floodplains" for letter in "abcdefghijklmn"])
    axes, figure = drawn("latent_pairs", labels=names[np.arange(N) % classes])
    figure.canvas.draw()
    legend, densities = axes[0, -1].get_legend().get_window_extent(), axes[0, 0].get_window_extent()
    assert legend.x0 > densities.x1


@pytest.mark.parametrize("name", ["latent_neighbors", "reconstruction_error", "latent_pairs"])
def test_names_in_mathtext_are_not_cut(name):
    species = np.array([rf"$\mathit{{{genus}\ sylvestris}}$" for genus in ("Pinus", "Malus", "Fagus")])
    _, figure = drawn(name, labels=species[LABELS])
    figure.canvas.draw()


def test_disentanglement_scores_the_most_active_of_many_dimensions():
    rng = np.random.default_rng(0)
    means = rng.standard_normal((60, 30)) * np.where(np.arange(30) % 10 == 4, 2, 0.5)
    axes = vaeviz.disentanglement(Posterior(means), means, means[:, [4]], max_dims=3, figure=Figure())
    assert [tick.get_text() for tick in axes[0].get_xticklabels()] == ["$z_{5}$", "$z_{15}$", "$z_{25}$"]
    assert "3 most active of 30" in " ".join(axes[0].get_title().split())


def test_the_legend_of_accuracies_is_below_them():
    (_, ax), figure = drawn("latent_neighbors")
    figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y1 < ax.bbox.y0
