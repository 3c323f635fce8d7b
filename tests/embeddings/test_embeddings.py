"""Engines: which one is chosen, what it needs, and where further codes are placed."""

import importlib.util
import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from vaeviz import NotApplicable
from vaeviz.embeddings import choose_engine, clear_embedding_cache, embed
from vaeviz.embeddings._libraries import n_threads
from vaeviz.embeddings.pca import pca, pca_initialization
from vaeviz.errors import InputError, UnknownName

RNG = np.random.default_rng(0)
CLASSES = np.arange(150) % 3
CODES = (RNG.standard_normal((150, 5)) + 20 * CLASSES[:, None]).astype(np.float32)
FURTHER = (RNG.standard_normal((30, 5)) + 20 * (np.arange(30) % 3)[:, None]).astype(np.float32)

opentsne = pytest.mark.skipif(not importlib.util.find_spec("openTSNE"), reason="openTSNE is not installed")
umap = [
    pytest.mark.skipif(not importlib.util.find_spec("umap"), reason="umap-learn is not installed"),
    pytest.mark.adapters,  # it compiles for half a minute
    pytest.mark.filterwarnings("ignore"),
]
PLACING = ["pca", pytest.param("opentsne", marks=opentsne), pytest.param("umap", marks=umap)]


@pytest.fixture
def without(monkeypatch):
    """Return a function that makes a library appear not installed, or installed."""
    find = importlib.util.find_spec

    def hide(module, found=None):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: found if name == module else find(name))
        if not found:
            monkeypatch.setitem(sys.modules, module, None)

    return hide


@pytest.mark.parametrize(
    ("n_codes", "perplexity", "expected"),
    [(1000, 30.0, "tsne"), (1001, 30.0, "opentsne"), (2000, 700.0, "tsne"), (70_000, 30.0, "opentsne")],
)
def test_auto_is_opentsne_for_many_codes(without, n_codes, perplexity, expected):
    without("openTSNE", found=object())
    assert choose_engine(n_codes, perplexity) == expected


def test_auto_is_scikit_learn_if_opentsne_is_not_installed(without):
    without("openTSNE")
    assert choose_engine(70_000) == "tsne"


def test_auto_is_torch_if_it_is_in_use_and_finds_a_gpu(without, monkeypatch):
    without("openTSNE", found=object())
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True)))
    assert (choose_engine(1001, 30.0), choose_engine(1000, 30.0)) == ("torch_tsne", "tsne")


@pytest.mark.parametrize(("engine", "module"), [("opentsne", "openTSNE"), ("umap", "umap")])
def test_engine_without_its_library_says_what_to_install(without, engine, module):
    without(module)
    with pytest.raises(InputError) as caught:
        embed(CODES, engine)
    assert f'pip install "vaeviz[{engine}]"' in caught.value.fix.python


def test_initialization_is_small_principal_components():
    start = pca_initialization(CODES)
    components = embed(CODES, "pca").points
    assert start[:, 0].std() == pytest.approx(1e-4)
    np.testing.assert_allclose(start / start[0, 0], components / components[0, 0], atol=1e-9)


@pytest.mark.parametrize("engine", PLACING)
def test_further_codes_are_placed_in_their_cluster(engine):
    embedding = embed(CODES, engine, perplexity=10.0)
    assert embedding.engine == engine
    assert embedding.can_place
    before = embedding.points.copy()
    placed = embedding.place(FURTHER)
    assert placed.shape == (30, 2)
    centers = np.stack([embedding.points[code == CLASSES].mean(axis=0) for code in range(3)])
    nearest = np.linalg.norm(placed[:, None] - centers, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.arange(30) % 3)
    np.testing.assert_array_equal(embedding.points, before)


@pytest.mark.parametrize("engine", PLACING)
def test_mapped_codes_are_placed_at_their_own_points(engine):
    embedding = embed(CODES, engine, perplexity=10.0)
    extent = np.ptp(embedding.points, axis=0).max()
    distances = np.linalg.norm(embedding.place(CODES) - embedding.points, axis=1)
    assert np.median(distances) < 0.02 * extent


@pytest.mark.parametrize("engine", [*PLACING, "tsne"])
def test_the_same_seed_gives_the_same_map(engine):
    first = embed(CODES, engine, perplexity=10.0, seed=4).points
    clear_embedding_cache()
    assert embed(CODES, engine, perplexity=10.0, seed=4).points.tobytes() == first.tobytes()


def test_principal_components_place_codes_exactly():
    embedding = embed(CODES, "pca")
    np.testing.assert_allclose(embedding.place(CODES), embedding.points, atol=1e-9)
    middle = embedding.place((CODES[:1] + CODES[1:2]) / 2)
    np.testing.assert_allclose(middle[0], embedding.points[:2].mean(axis=0), atol=1e-5)


def test_scikit_learn_cannot_place_codes():
    embedding = embed(CODES, "tsne", perplexity=10.0)
    assert not embedding.can_place
    with pytest.raises(NotApplicable) as caught:
        embedding.place(FURTHER)
    assert '"opentsne"' in caught.value.fix.python


@pytest.mark.parametrize("codes", [FURTHER[:, :4], FURTHER[0]])
def test_placed_codes_have_the_dimension_of_the_mapped_ones(codes):
    with pytest.raises(InputError) as caught:
        embed(CODES, "pca").place(codes)
    assert caught.value.expected == "(M, 5)"


@opentsne
def test_opentsne_does_not_lower_the_perplexity():
    with pytest.raises(NotApplicable, match="150 codes"):
        embed(CODES, "opentsne", perplexity=50.0)


@opentsne
@pytest.mark.parametrize(
    ("n_codes", "methods"), [(3_999, ["bh", "bh"]), (4_000, ["fft", "bh"]), (20_000, ["fft", "fft"])]
)
def test_method_of_each_phase_follows_the_number_of_codes(n_codes, methods):
    from vaeviz.embeddings.opentsne import PHASES

    assert [phase.method(n_codes) for phase in PHASES] == methods


@opentsne
def test_interpolation_in_both_phases_separates_clusters(monkeypatch):
    from vaeviz.embeddings import opentsne as engine

    monkeypatch.setattr(engine, "PHASES", (engine.Phase(100, 12, min_fft_codes=0), engine.Phase(50, 1, 0)))
    points, _ = engine.opentsne(CODES, perplexity=10.0)
    centers = np.stack([points[code == CLASSES].mean(axis=0) for code in range(3)])
    nearest = np.linalg.norm(points[:, None] - centers, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, CLASSES)


@opentsne
def test_progress_bar_of_opentsne_reaches_its_end(monkeypatch):
    from tqdm import tqdm

    bars = []

    def recorded_bar(total, desc):
        bars.append(tqdm(total=total, desc=desc, file=io.StringIO(), mininterval=0))
        return bars[-1]

    monkeypatch.setattr("vaeviz.embeddings.opentsne.progress_bar", recorded_bar)
    embed(CODES + 1, "opentsne", perplexity=10.0)
    assert bars[0].n == bars[0].total


@pytest.mark.parametrize("engine", ["pca", "tsne", pytest.param("opentsne", marks=opentsne)])
def test_engines_print_nothing(capsys, engine):
    embed(CODES + 2, engine, perplexity=10.0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("limit", "expected"), [("2,1", 2), ("3", 3), (" 2 ", 2), ("64", 8), ("", 8), ("0", 8), ("many", 8)]
)
def test_threads_are_limited_by_omp_num_threads_and_by_available_cpus(monkeypatch, limit, expected):
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert n_threads() == expected


def test_maps_are_cached_by_the_values_of_the_codes(registered):
    calls = []

    def counting(z):
        calls.append(len(z))
        return z[:, :2]

    registered.add("vaeviz.embeddings", "counting", counting)
    for codes in (CODES, CODES.copy(), CODES[:100]):
        embed(codes, "counting")
    assert calls == [150, 100]


def test_engine_cannot_change_the_codes(registered):
    def zeroing(z):
        z[:] = 0
        return z[:, :2]

    registered.add("vaeviz.embeddings", "zeroing", zeroing)
    codes = CODES.copy()
    embed(codes, "zeroing")
    np.testing.assert_array_equal(codes, CODES)


def test_pca_of_a_large_matrix_in_blocks_is_that_of_the_matrix(tmp_path, monkeypatch):
    z = (np.random.default_rng(0).standard_normal((3000, 5)) * [1, 5, 0.1, 3, 2] + 100).astype(np.float32)
    expected, place = pca(z)
    np.save(tmp_path / "z.npy", z)
    monkeypatch.setattr("vaeviz.embeddings.pca.MAX_SVD_VALUES", 100)
    monkeypatch.setattr("vaeviz.data.out_of_core.MAX_ROW_VALUES", 999)
    found, place_in_blocks = pca(np.load(tmp_path / "z.npy", mmap_mode="r"))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(place_in_blocks(z[:7]), place(z[:7]), atol=1e-6)
    assert place(z[:0]).shape == (0, 2)


def test_pca_finds_the_two_leading_components():
    z = RNG.standard_normal((200, 4)) * [0.1, 5, 0.2, 2]
    embedded = embed(z, "pca", seed=0, perplexity=30.0).points
    np.testing.assert_allclose(embedded, (z - z.mean(0))[:, [1, 3]], atol=0.6)
    np.testing.assert_allclose(embedded.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(embedded[:, 0] @ embedded[:, 1], 0, atol=1e-9)
    np.testing.assert_allclose(embed(-z, "pca").points, -embedded, atol=1e-9)


def test_tsne_separates_clusters():
    z = np.concatenate([RNG.standard_normal((20, 5)), 50 + RNG.standard_normal((20, 5))])
    embedded = embed(z, "tsne", perplexity=5.0, seed=0).points
    assert embedded.shape == (40, 2)
    within = np.linalg.norm(embedded[:20] - embedded[:20].mean(0), axis=1).max()
    assert np.linalg.norm(embedded[:20].mean(0) - embedded[20:].mean(0)) > 2 * within


def test_engine_receives_the_settings_that_it_has(registered):
    def first_two(z, *, seed: int = 0):
        return z[:, :2] + seed

    registered.add("vaeviz.embeddings", "first_two", first_two)
    embedded = embed(np.eye(3, 4), "first-two", seed=2, perplexity=30.0)
    np.testing.assert_array_equal(embedded.points, np.eye(3, 2) + 2)


def test_engine_that_returns_another_shape_is_an_error(registered):
    registered.add("vaeviz.embeddings", "same", lambda z: z)
    with pytest.raises(InputError) as caught:
        embed(np.eye(3, 4), "same")
    assert (caught.value.got, caught.value.expected) == ("shape (3, 4)", "shape (3, 2)")


def test_unknown_engine_suggests_the_nearest_name():
    with pytest.raises(UnknownName) as caught:
        embed(np.eye(3, 4), "tsn")
    assert "tsne" in caught.value.fix.python


def test_codes_are_a_matrix_and_not_all_equal():
    with pytest.raises(InputError) as caught:
        embed(np.zeros(5), "pca")
    assert caught.value.expected == "(N, D)"
    with pytest.raises(NotApplicable):
        embed(np.ones((5, 3)), "pca")


def test_map_is_a_table_of_points():
    embedding = embed(CODES, "pca")
    np.testing.assert_array_equal(embedding.to_frame()[["x", "y"]], embedding.points)
