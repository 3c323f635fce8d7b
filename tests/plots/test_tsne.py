import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vaeviz import GuessWarning, NotApplicable, Posterior, tsne
from vaeviz.errors import InputError, UnknownName

CODES = np.random.default_rng(0).standard_normal((60, 5)) + 20 * (np.arange(60) % 3)[:, None]
LABELS = np.arange(60) % 3


@pytest.fixture
def first_two(registered):
    """An engine whose map is known: the first two dimensions."""
    registered.add("vaeviz.embeddings", "first_two", lambda z: z[:, :2])


def points_of(ax):
    return ax.collections[0].get_offsets()


def drawn_lines(ax):
    """Return the lines that hold points, without the legend handles of classes."""
    return [line for line in ax.lines if len(line.get_xdata())]


def as_set(points):
    return {tuple(point) for point in np.round(points.astype(float), 4)}


def test_a_map_of_the_posterior_means(ax):
    assert tsne(Posterior(CODES), CODES, LABELS, perplexity=10.0, ax=ax) is ax
    clusters = [points_of(ax)[ax.collections[0].colors.index == code] for code in range(3)]
    assert [len(cluster) for cluster in clusters] == [20, 20, 20]
    centers = np.array([cluster.mean(0) for cluster in clusters])
    spread = max(np.linalg.norm(cluster - center, axis=1).max() for cluster, center in zip(clusters, centers))
    assert min(np.linalg.norm(centers[i] - centers[j]) for i, j in [(0, 1), (0, 2), (1, 2)]) > spread
    assert ax.get_title() == "t-SNE of 5-dimensional codes\nN = 60, perplexity 10, by scikit-learn"


def test_a_map_has_no_ticks(ax):
    tsne(Posterior(CODES), CODES, perplexity=10.0, ax=ax)
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0
    assert ax.get_xlabel() == ax.get_ylabel() == ""
    assert ax.get_aspect() == 1


def test_principal_components_have_ticks_and_names(ax):
    tsne(Posterior(CODES), CODES, engine="pca", ax=ax)
    assert len(ax.get_xticks()) > 0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first component", "second component")
    assert ax.get_title() == "PCA of 5-dimensional codes\nN = 60"


def test_every_point_is_mapped_once(ax, first_two):
    tsne(Posterior(CODES), CODES, LABELS, engine="first_two", ax=ax)
    assert as_set(points_of(ax)) == as_set(CODES[:, :2])
    assert ax.get_title().startswith("first_two of 5-dimensional")


def test_max_points_limits_the_points_and_the_title_says_so(ax, first_two):
    tsne(Posterior(CODES), CODES, LABELS, engine="first_two", max_points=25, seed=3, ax=ax)
    assert len(points_of(ax)) == 25
    assert as_set(points_of(ax)) < as_set(CODES[:, :2])
    assert ax.get_title().endswith("\n25 of 60 points")


def test_a_label_keeps_its_color_when_only_some_points_are_shown(ax, first_two):
    labels = np.where(np.arange(60) == 0, "a", np.where(np.arange(60) % 2, "b", "c"))
    tsne(Posterior(CODES), CODES, labels, engine="first_two", max_points=10, seed=0, ax=ax)
    legend = {handle.get_label(): to_rgba(handle.get_color()) for handle in ax.get_legend().legend_handles}
    by_point = {
        tuple(np.round(points_of(ax)[row].astype(float), 4)): to_rgba(color)
        for color, rows in ax.collections[0].layers()
        for row in rows
    }
    for code, label in zip(CODES, labels):
        shown = by_point.get(tuple(np.round(np.float32(code[:2]).astype(float), 4)))
        assert shown is None or shown == legend[label]


def test_the_seed_chooses_the_points(first_two):
    from matplotlib.figure import Figure

    shown = [
        as_set(
            points_of(tsne(Posterior(CODES), CODES, engine="first_two", max_points=9, seed=s, ax=Figure().subplots()))
        )
        for s in (0, 0, 1)
    ]
    assert shown[0] == shown[1] != shown[2]


@pytest.mark.parametrize("size", [1, 2])
def test_a_latent_of_two_dimensions_or_fewer_needs_no_map(ax, size):
    with pytest.raises(NotApplicable, match=f"{size} dimension") as error:
        tsne(Posterior(CODES[:, :size]), CODES, ax=ax)
    assert "latent_scatter" in error.value.fix.python


@pytest.mark.parametrize(("n_points", "perplexity", "lowered"), [(60, 60.0, 19), (20, 30.0, 6), (4, 30.0, 1)])
def test_a_perplexity_too_large_for_the_points_is_lowered_and_the_title_says_so(ax, n_points, perplexity, lowered):
    tsne(Posterior(CODES[:n_points]), CODES[:n_points], perplexity=perplexity, ax=ax)
    assert f"perplexity {lowered}, not {perplexity:g}" in ax.get_title()


def test_three_points_are_too_few_for_tsne(ax):
    with pytest.raises(NotApplicable):
        tsne(Posterior(CODES[:3]), CODES[:3], ax=ax)


def test_other_engines_have_no_perplexity(ax):
    for perplexity in (1.0, 60.0):
        tsne(Posterior(CODES), CODES, engine="pca", perplexity=perplexity, ax=ax)


def test_a_perplexity_is_compared_with_the_drawn_points(ax):
    tsne(Posterior(CODES), CODES, max_points=25, ax=ax)
    assert "perplexity 8, not 30" in ax.get_title()


@pytest.mark.parametrize("perplexity", [0.0, -1.0])
def test_a_perplexity_is_more_than_0(ax, perplexity):
    with pytest.raises(InputError, match="perplexity"):
        tsne(Posterior(CODES), CODES, perplexity=perplexity, ax=ax)


def test_an_unknown_engine_is_an_error(ax):
    with pytest.raises(UnknownName, match="isomap"):
        tsne(Posterior(CODES), CODES, engine="isomap", ax=ax)


def test_other_data_are_placed_into_the_map(ax):
    tsne(lambda x: x, CODES, LABELS, other_x=CODES[:20] + 3, engine="pca", ax=ax)
    (placed,) = drawn_lines(ax)
    own = points_of(ax)
    np.testing.assert_allclose(placed.get_xydata()[:, 0] - own[:20, 0], np.sqrt(5) * 3, rtol=0.1)
    assert placed.get_label() == "other\n(20)"
    assert "other\n(20)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_max_points_limits_the_other_samples(ax):
    tsne(lambda x: x, CODES, other_x=CODES[:20] + 3, engine="pca", max_points=7, ax=ax)
    assert len(drawn_lines(ax)[0].get_xydata()) == 7


def test_an_engine_that_cannot_place_samples_warns_and_draws_the_map(ax):
    with pytest.warns(GuessWarning) as caught:
        tsne(lambda x: x, CODES, LABELS, other_x=CODES[:5], engine="tsne", perplexity=10.0, ax=ax)
    assert '"opentsne"' in caught[0].message.fix.python
    assert caught[0].filename == __file__
    assert len(points_of(ax)) == 60
    assert not drawn_lines(ax)


def test_a_map_of_collapsed_codes_is_called_noise(ax):
    codes = 1e-6 * np.random.default_rng(0).standard_normal((60, 5))
    tsne(Posterior(codes, np.ones((60, 5))), codes, engine="pca", ax=ax)
    assert "no dimension is active" in ax.get_title()
