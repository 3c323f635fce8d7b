"""What is heavy is drawn once for a saved page: not also while the page is laid out."""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest

from vaeviz import Decoder, Posterior, latent_scatter, manifold_grid
from vaeviz.drawing.mosaic import Mosaic
from vaeviz.drawing.points import Marks


def scatter(ax):
    z = np.random.default_rng(0).standard_normal((50, 2))
    latent_scatter(Posterior(z), z, ax=ax)


def manifold(ax):
    def bright(z):
        return np.full((len(z), 4, 4), 0.5, dtype=np.float32)

    manifold_grid(Decoder(bright, latent_shape=(2,), output="values"), n=3, ax=ax)


@pytest.mark.parametrize(("drawn", "artist", "heavy"), [(scatter, Marks, "layers"), (manifold, Mosaic, "make_image")])
@pytest.mark.parametrize("layout", ["constrained", None])
def test_a_saved_page_has_them_and_draws_them_once(monkeypatch, drawn, artist, heavy, layout):
    calls, done = [], getattr(artist, heavy)
    monkeypatch.setattr(artist, heavy, lambda *args, **kwargs: calls.append(1) or done(*args, **kwargs))
    figure = plt.figure(layout=layout)
    drawn(figure.subplots())
    saved = page(figure, layout)
    assert len(calls) == 1
    figure.findobj(artist)[0].set_visible(False)
    assert page(figure, layout) != saved


def page(figure, layout):
    content = BytesIO()
    figure.savefig(content, format="png", bbox_inches=None if layout else "tight")
    return content.getvalue()
