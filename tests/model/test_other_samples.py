"""A Posterior holds the codes of its own samples, and never answers for others."""

import numpy as np
import pandas as pd
import pytest

import vaeviz
from vaeviz import InputError, Posterior
from vaeviz.model.collect_inputs import collect_inputs
from vaeviz.model.encode import encode_others

RNG = np.random.default_rng(0)
X, OTHER = RNG.random((40, 6), dtype=np.float32), RNG.random((40, 6), dtype=np.float32)


def encoder(x):
    return x[:, :3]


def decoder(z):
    return np.repeat(z, 2, axis=1)


@pytest.mark.parametrize("is_cached", [False, True])
def test_other_samples_are_not_encoded_by_a_posterior(is_cached):
    posterior = Posterior(encoder(X))
    given = vaeviz.cache_encoding(posterior, X) if is_cached else posterior
    with pytest.raises(InputError, match="Posterior"):
        encode_others(given, OTHER)
    np.testing.assert_array_equal(encode_others(encoder, OTHER).mean, encoder(OTHER))


def test_plots_refuse_a_posterior_for_other_samples():
    posterior = Posterior(encoder(X))
    with pytest.raises(InputError, match="Posterior"):
        vaeviz.tsne(posterior, X, other_x=OTHER, engine="pca")
    with pytest.raises(InputError, match="Posterior"):
        vaeviz.reconstruction_error(posterior, decoder, X, other_x=OTHER)
    vaeviz.tsne(posterior, X, engine="pca")
    vaeviz.reconstruction_error(posterior, decoder, X)


def test_other_samples_with_other_columns_are_refused():
    x, other = pd.DataFrame(X, columns=list("abcdef")), pd.DataFrame(OTHER, columns=list("abcdef"))
    for plot in (vaeviz.latent_scatter, vaeviz.tsne):
        with pytest.raises(InputError) as error:
            plot(encoder, x, other_x=other[list("fedcba")])
        assert error.value.fix.python == f"Pass other_x[{list('abcdef')}]."
    with pytest.raises(InputError, match="columns"):
        vaeviz.reconstruction_error(encoder, decoder, x, other_x=other.rename(columns={"a": "z"}))
    with pytest.raises(InputError, match="columns"):
        collect_inputs(None, vaeviz.Dataset(x), {"encoder": encoder, "other_x": other[list("fedcba")]})
    vaeviz.latent_scatter(encoder, x, other_x=other)
    vaeviz.latent_scatter(encoder, x, other_x=OTHER)
