"""What is heavy is drawn once for a saved page: not also while the page is laid out."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest

from vaeviz import Decoder, Posterior, latent_scatter, manifold_grid
from vaeviz.drawing.mosaic import Mosaic
from vaeviz.drawing.scatter import ClassScatter


def scatter(ax):
    z = np.random.default_rng(0).standard_normal((50, 2))
    latent_scatter(Posterior(z), z, ax=ax)


def manifold(ax):
    def bright(z):
        return np.full((len(z), 4, 4), 0.5, dtype=np.float32)

    manifold_grid(Decoder(bright, latent_shape=(2,), output="values"), n_grid=3, ax=ax)


@pytest.mark.parametrize(
    ("drawn", "artist", "heavy"), [(scatter, ClassScatter, "layers"), (manifold, Mosaic, "make_image")]
)
@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_a_saved_page_has_them_and_draws_them_once(monkeypatch, drawn, artist, heavy, layout, file_format):
    calls, done = [], getattr(artist, heavy)
    monkeypatch.setattr(artist, heavy, lambda *args, **kwargs: calls.append(1) or done(*args, **kwargs))
    figure = plt.figure(layout=layout)
    drawn(figure.subplots())
    saved = page(figure, layout, file_format)
    assert len(calls) == 1
    figure.findobj(artist)[0].set_visible(False)
    assert len(page(figure, layout, file_format)) < len(saved)


def test_a_mosaic_is_known_to_its_axes(ax):
    manifold(ax)
    limits = ax.get_xlim(), ax.get_ylim()
    ax.plot([0], [0])
    ax.autoscale()
    np.testing.assert_allclose((ax.get_xlim(), ax.get_ylim()), limits, rtol=0.01)


def page(figure, layout, file_format):
    content = BytesIO()
    figure.savefig(content, format=file_format, bbox_inches=None if layout else "tight")
    return content.getvalue()
