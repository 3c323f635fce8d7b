"""Every hint in an error or warning works when it is pasted, for the object that caused it."""

import numpy as np
import pytest

import vaeviz


def test_warnings_point_at_the_line_of_the_user():
    def encoder(x):
        return x[:, :2] + np.random.default_rng().standard_normal((len(x), 2))

    x = np.ones((20, 4))
    for call in (lambda: vaeviz.encode(encoder, x), lambda: vaeviz.latent_scatter(encoder, x)):
        with pytest.warns(vaeviz.GuessWarning) as caught:
            call()
        assert {one.filename for one in caught} == {__file__}
