import numpy as np
import pytest

from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.active_dimensions import output_changes, triage
from vaeviz.analysis.linear_vae import linear_vae
from vaeviz.analysis.traversals import collapsed_dimensions, traversal_codes, traversal_ends, traversal_order

COVARIANCE = np.diag([4, 2, 1, 0.3, 0.2, 0.1])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(5).standard_normal((4000, 6)) * np.sqrt(np.diag(COVARIANCE))


def posterior_of(model, x):
    mean, log_var = model.encode(x)
    return Posterior(mean, np.exp(log_var / 2), "normal")


def test_the_linear_vae_s_active_dimensions_are_active_and_its_collapsed_ones_collapsed(x):
    model = linear_vae(COVARIANCE, 4, noise=0.5, beta=1.5)
    found = triage(posterior_of(model, x), model, x)
    assert found.verdicts.tolist() == ["active", "active", "active", "collapsed"]
    assert (np.abs(found.kl - model.kl) <= 3 * found.kl_error).all()
    assert (np.abs(found.variance - model.mean_variance) <= 3 * found.variance_error).all()
    reach = np.abs(model.weights).mean(axis=0) * 2 * 1.959964  # q(z) is N(0, I), the decoder linear
    np.testing.assert_allclose(found.effect, reach, rtol=0.06, atol=1e-9)
    np.testing.assert_allclose(found.effect_error, 0, atol=1e-6)


def test_the_healthy_control_has_nothing_collapsed_or_ignored(x):
    model = linear_vae(COVARIANCE, 3)
    assert set(triage(posterior_of(model, x), model, x).verdicts) == {"active"}


def test_a_dimension_that_the_decoder_ignores_is_told_apart(x):
    model = linear_vae(COVARIANCE, 3)
    found = triage(posterior_of(model, x), lambda z: model.decode(z * [1, 0, 1]), x)
    assert found.verdicts.tolist() == ["active", "ignored", "active"]
    assert (found.count("active"), found.count("ignored"), found.count("collapsed")) == (2, 1, 0)


def test_a_constant_posterior_off_the_prior_is_collapsed_for_all_its_kl(x):
    mean = np.column_stack([x[:, 0] / 2, np.full(len(x), 0.7)])
    found = triage(Posterior(mean, np.full(mean.shape, 0.3), "normal"), lambda z: z, None)
    assert found.kl[1] > 0.5
    assert found.verdicts.tolist() == ["active", "collapsed"]


def test_a_small_code_with_a_smaller_spread_is_not_collapsed(x):
    """Burda's variance of 0.01 supposes an aggregate posterior of unit variance."""
    posterior = Posterior(x[:, :1] / 100, np.full((len(x), 1), 1e-3), "normal")
    found = triage(posterior, lambda z: 100 * z, x[:, :1])
    assert found.variance[0] < 0.01
    assert found.verdicts.tolist() == ["active"]


def test_an_even_decoder_answers_though_both_ends_look_alike():
    posterior = Posterior(np.random.default_rng(0).standard_normal((200, 1)), np.full((200, 1), 0.1), "normal")
    assert output_changes(lambda z: z**2, posterior, np.arange(5)).min() > 3


def test_thresholds_are_options(x):
    model = linear_vae(COVARIANCE, 3)
    posterior = posterior_of(model, x)
    assert triage(posterior, model, x, min_kl=10).count("collapsed") == 3
    assert triage(posterior, model, x, min_share=0.99).count("collapsed") == 3
    assert triage(posterior, model, x, min_effect=100.0).count("ignored") == 3


def test_bad_input(x):
    model = linear_vae(COVARIANCE, 3)
    posterior = posterior_of(model, x)
    with pytest.raises(NotApplicable, match="gives no spread"):
        triage(Posterior(posterior.mean), model, x)
    with pytest.raises(NotApplicable, match="got 1 sample"):
        triage(posterior[:1], model, x[:1])
    with pytest.raises(NotApplicable, match="KL is infinite"):
        triage(Posterior(posterior.mean, 0 * posterior.std), model, x)
    with pytest.raises(InputError, match="decoder: got NoneType"):
        triage(posterior, None, x)
    with pytest.raises(InputError, match="all values are the same"):
        triage(posterior, model, np.zeros_like(x))


def test_traversals_end_at_quantiles_or_where_they_are_told():
    posterior = Posterior(np.zeros((5, 2)), np.full((5, 2), [1.0, 0.5]), "normal")
    np.testing.assert_allclose(traversal_ends(posterior, "aggregate")[1], [1.959964, 0.979982], atol=1e-6)
    np.testing.assert_allclose(traversal_ends(posterior, "prior"), [[-1.959964] * 2, [1.959964] * 2])
    np.testing.assert_allclose(traversal_ends(posterior, 3.0), [[-3, -3], [3, 3]])
    with pytest.raises(InputError, match="span = -1: expected more than 0"):
        traversal_ends(posterior, -1)


def test_traversal_codes_move_one_dimension_a_row():
    ends = np.array([[-1.0, -2.0, -3.0], [1.0, 2.0, 3.0]])
    codes = traversal_codes(np.array([7.0, 8.0, 9.0]), np.array([2, 0]), ends, 3)
    np.testing.assert_array_equal(codes[0], [[7, 8, -3], [7, 8, 0], [7, 8, 3]])
    np.testing.assert_array_equal(codes[1], [[-1, 8, 9], [0, 8, 9], [1, 8, 9]])


def test_order_by_kl_or_by_effect_and_the_collapsed(x):
    model = linear_vae(COVARIANCE, 4, noise=0.5, beta=1.5)
    posterior = posterior_of(model, x)
    assert traversal_order(posterior, "activity").tolist() == [0, 1, 2, 3]
    assert traversal_order(posterior, "effect", lambda z: model.decode(z * [1, 9, 99, 1]))[0] == 2
    assert collapsed_dimensions(posterior).tolist() == [False, False, False, True]


def test_a_deterministic_encoder_collapses_where_its_code_is_constant(x):
    codes = Posterior(np.column_stack([np.full(len(x), 0.3), x[:, 0]]))
    assert collapsed_dimensions(codes).tolist() == [True, False]


def test_what_varies_by_rounding_alone_is_constant(x):
    noise = np.random.default_rng(0).standard_normal(len(x))
    codes = Posterior(np.column_stack([300 + 1e-4 * noise, 1e-7 * noise, x[:, 0], 0.01 * x[:, 0]]))
    assert collapsed_dimensions(codes).tolist() == [True, True, False, False]
