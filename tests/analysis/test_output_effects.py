import numpy as np
import pytest

from vaeviz import Posterior
from vaeviz.analysis.output_effects import output_effects


@pytest.fixture(scope="module")
def posterior():
    """Codes of four used dimensions, the last of which draws only a small detail, and one that is ignored."""
    mean = np.random.default_rng(0).standard_normal((400, 5))
    return Posterior(mean, np.full(mean.shape, 0.1), "normal")


def picture(z, size=16):
    """Return pictures (M, size, size) in which each of four dimensions brightens another patch."""
    pixels = np.zeros((len(z), size, size))
    pixels[:, 2:8, 2:8] = z[:, 0, None, None]
    pixels[:, 8:14, 2:8] = z[:, 1, None, None]
    pixels[:, 2:8, 8:14] = z[:, 2, None, None] ** 2
    pixels[:, 10, 10] = 0.5 * z[:, 3]
    return pixels


def padded(z):
    return np.pad(picture(z), ((0, 0), (16, 16), (16, 16)))


def test_shares_add_up_to_one_for_separate_patches(posterior):
    found = output_effects(picture, posterior)
    assert abs(found.share.sum() - 1) < 0.05 + 2 * np.hypot.reduce(found.share_error)
    assert found.share[4] == found.local[4] == 0
    assert found.local[[0, 1, 3]] == pytest.approx(1, abs=0.25)
    assert found.share[3] < 0.01 < found.share[2]


def test_small_detail_is_used_and_no_response_is_ignored(posterior):
    found = output_effects(picture, posterior)
    assert found.used().tolist() == [True, True, True, True, False]
    assert found.ignored().tolist() == [False, False, False, False, True]


@pytest.mark.parametrize("decoder", [padded, lambda z: 10 * picture(z), lambda z: 5 - picture(z)])
def test_padding_scale_and_offset_change_nothing(posterior, decoder):
    before, after = output_effects(picture, posterior), output_effects(decoder, posterior)
    np.testing.assert_allclose(after.share, before.share, rtol=1e-4)
    np.testing.assert_allclose(after.local, before.local, rtol=1e-4)
    assert after.used().tolist() == before.used().tolist()
    assert after.ignored().tolist() == before.ignored().tolist()


def test_effect_of_an_even_decoder_is_seen():
    codes = Posterior(np.random.default_rng(0).standard_normal((200, 1)), np.full((200, 1), 0.1), "normal")
    found = output_effects(lambda z: z**2, codes)
    assert abs(found.share[0] - 1) < 0.05 + 3 * found.share_error[0] and found.used().all()


def test_constant_decoder_ignores_every_dimension(posterior):
    found = output_effects(lambda z: np.full((len(z), 3), 0.3) + 1e-8 * z[:, :3], posterior)
    assert found.ignored().all() and not found.used().any()


def test_few_samples_are_decoded_for_many_dimensions():
    decoded = []

    def decoder(z):
        decoded.append(len(z))
        return z[:, :3]

    codes = Posterior(np.random.default_rng(0).standard_normal((100, 1500)))
    found = output_effects(decoder, codes)
    assert found.n_rows == 4
    assert sum(decoded) <= 24 * 1500 + 512
    assert found.used()[:3].all() and found.ignored()[3:].all()


def test_many_equal_dimensions_are_used():
    codes = Posterior(np.random.default_rng(0).standard_normal((300, 600)))
    weights = np.random.default_rng(1).standard_normal((599, 20))
    found = output_effects(lambda z: z[:, 1:] @ weights, codes)
    assert found.used().sum() > 590 and not found.ignored()[1:].any() and found.ignored()[0]


def test_shares_agree_with_their_spread_over_seeds(posterior):
    found = [output_effects(picture, posterior, seed=seed) for seed in range(12)]
    spread = np.std([effects.share[:3] for effects in found], axis=0, ddof=1)
    assert (np.mean([effects.share_error[:3] for effects in found], axis=0) > 0.5 * spread).all()
