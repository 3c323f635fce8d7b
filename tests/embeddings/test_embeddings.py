"""Engines of maps: which one is chosen, what it needs, where further codes come to lie."""

import importlib.util
import io

import numpy as np
import pytest

from vaeviz import NotApplicable
from vaeviz.embeddings._base import choose_engine, clear_embedding_cache, embed
from vaeviz.embeddings.pca import pca_initialization
from vaeviz.errors import InputError

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
    """Let a library look as if it were not installed, or as if it were."""
    find = importlib.util.find_spec

    def hide(module, found=None):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: found if name == module else find(name))
        if not found:
            monkeypatch.setitem(__import__("sys").modules, module, None)

    return hide


@pytest.mark.parametrize(
    ("total", "perplexity", "expected"),
    [(1000, 30.0, "tsne"), (1001, 30.0, "opentsne"), (2000, 700.0, "tsne"), (70_000, 30.0, "opentsne")],
)
def test_auto_is_opentsne_where_there_are_many_codes(without, total, perplexity, expected):
    without("openTSNE", found=object())
    assert choose_engine(total, perplexity) == expected


def test_auto_is_scikit_learn_where_opentsne_is_not_installed(without):
    without("openTSNE")
    assert choose_engine(70_000) == "tsne"


@pytest.mark.parametrize(("engine", "module"), [("opentsne", "openTSNE"), ("umap", "umap")])
def test_an_engine_without_its_library_says_what_to_install(without, engine, module):
    without(module)
    with pytest.raises(InputError, match=rf"'{engine}': needs {module}, .*pip install \"vaeviz\[{engine}\]\""):
        embed(CODES, engine)


def test_the_start_is_the_two_leading_components_and_small():
    start = pca_initialization(CODES)
    components = embed(CODES, "pca").points
    assert start[:, 0].std() == pytest.approx(1e-4)
    np.testing.assert_allclose(start / start[0, 0], components / components[0, 0], atol=1e-9)


@pytest.mark.parametrize("engine", PLACING)
def test_further_codes_are_placed_among_their_like(engine):
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
def test_codes_of_the_map_are_placed_where_they_are(engine):
    embedding = embed(CODES, engine, perplexity=10.0)
    extent = np.ptp(embedding.points, axis=0).max()
    off = np.linalg.norm(embedding.place(CODES) - embedding.points, axis=1)
    assert np.median(off) < 0.02 * extent


@pytest.mark.parametrize("engine", [*PLACING, "tsne"])
def test_the_same_seed_gives_the_same_bytes(engine):
    first = embed(CODES, engine, perplexity=10.0, seed=4).points
    clear_embedding_cache()
    assert embed(CODES, engine, perplexity=10.0, seed=4).points.tobytes() == first.tobytes()


def test_principal_components_place_exactly():
    embedding = embed(CODES, "pca")
    np.testing.assert_allclose(embedding.place(CODES), embedding.points, atol=1e-9)
    middle = embedding.place((CODES[:1] + CODES[1:2]) / 2)
    np.testing.assert_allclose(middle[0], embedding.points[:2].mean(axis=0), atol=1e-5)


def test_scikit_learn_cannot_place():
    embedding = embed(CODES, "tsne", perplexity=10.0)
    assert not embedding.can_place
    with pytest.raises(NotApplicable, match="'tsne' cannot place further codes; opentsne, umap and pca can"):
        embedding.place(FURTHER)


@pytest.mark.parametrize("codes", [FURTHER[:, :4], FURTHER[0]])
def test_placed_codes_are_of_the_size_of_the_mapped_ones(codes):
    with pytest.raises(InputError, match=r"codes to place: got shape .*, expected \(M, 5\)"):
        embed(CODES, "pca").place(codes)


@opentsne
def test_opentsne_never_lowers_the_perplexity_unasked():
    with pytest.raises(NotApplicable, match="a perplexity of 50 needs more than 150 points, got 150"):
        embed(CODES, "opentsne", perplexity=50.0)


@opentsne
@pytest.mark.parametrize(
    ("total", "methods"), [(3_999, ["bh", "bh"]), (4_000, ["fft", "bh"]), (20_000, ["fft", "fft"])]
)
def test_the_method_follows_the_number_of_codes_in_each_phase(total, methods):
    from vaeviz.embeddings.opentsne import PHASES

    assert [phase.method(total) for phase in PHASES] == methods


@opentsne
def test_both_methods_give_a_map(monkeypatch):
    from vaeviz.embeddings import opentsne as engine

    monkeypatch.setattr(engine, "PHASES", (engine.Phase(100, 12, interpolated_from=0), engine.Phase(50, 1, 0)))
    points, _ = engine.opentsne(CODES, perplexity=10.0)
    centers = np.stack([points[code == CLASSES].mean(axis=0) for code in range(3)])
    nearest = np.linalg.norm(points[:, None] - centers, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, CLASSES)


@pytest.mark.parametrize("engine", ["tsne", pytest.param("opentsne", marks=opentsne)])
def test_a_bar_runs_to_the_end_and_nothing_else_is_printed(monkeypatch, capsys, engine):
    from tqdm import tqdm

    from vaeviz.embeddings import _libraries

    bars = []

    def shown(total, doing):
        bars.append(tqdm(total=total, desc=doing, file=io.StringIO(), mininterval=0))
        return bars[-1]

    monkeypatch.setattr(f"vaeviz.embeddings.{engine}.progress_bar", shown)
    assert _libraries.progress_bar(1, "nothing").total == 1
    embed(CODES + 1, engine, perplexity=10.0)
    assert bars[0].n == bars[0].total
    assert capsys.readouterr() == ("", "")


def test_codes_are_remembered_by_their_values(registered):
    calls = []

    def counted(z):
        calls.append(len(z))
        return z[:, :2]

    registered.add("vaeviz.embeddings", "counted", counted)
    for codes in (CODES, CODES.copy(), CODES[:100]):
        embed(codes, "counted")
    assert calls == [150, 100]


def test_an_engine_cannot_spoil_the_codes(registered):
    def spoiling(z):
        z[:] = 0
        return z[:, :2]

    registered.add("vaeviz.embeddings", "spoiling", spoiling)
    codes = CODES.copy()
    embed(codes, "spoiling")
    np.testing.assert_array_equal(codes, CODES)
