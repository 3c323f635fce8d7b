import numpy as np
import pytest

import vaeviz
from vaeviz import InputError, NotApplicable, Posterior
from vaeviz.analysis.active_dimensions import (
    MIN_KL,
    MIN_SHARE,
    active_dimensions,
    check_dims,
    most_active_dims,
    triage,
)
from vaeviz.analysis.linear_vae import linear_vae

COVARIANCE = np.diag([4, 2, 1, 0.3, 0.2, 0.1])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(5).standard_normal((4000, 6)) * np.sqrt(np.diag(COVARIANCE))


def posterior_of(model, x):
    mean, log_var = model.encode(x)
    return Posterior(mean, np.exp(log_var / 2), "normal")


# Active dimensions


def test_thresholds_agree_for_a_gaussian_channel():
    """KL of N(μ, s) where μ has the share 0.01 of a unit variance: −½ ln(1 − 0.01)."""
    assert -0.5 * np.log(1 - MIN_SHARE) == pytest.approx(MIN_KL, abs=5e-5)


def test_numbers_are_the_mean_kl_and_the_variance_of_the_mean():
    found = active_dimensions(Posterior([[0, 1, 3], [0, -1, 3]], np.ones((2, 3))))
    np.testing.assert_allclose(found.kl, [0, 0.5, 4.5])
    np.testing.assert_allclose(found.variance, [0, 1, 0])
    np.testing.assert_allclose(found.min_variance, [0.01, 0.02, 0.01])
    assert found.mask.tolist() == [False, True, False]


def test_active_dimensions_of_the_linear_vae_are_those_of_its_closed_form(x):
    model = linear_vae(COVARIANCE, 4, noise=0.5, beta=1.5)
    assert active_dimensions(posterior_of(model, x)).mask.tolist() == model.active.tolist()


def test_constant_dimension_of_a_deterministic_encoder_is_collapsed(x):
    found = active_dimensions(Posterior(np.column_stack([np.full(len(x), 0.3), x[:, 0]])))
    assert found.mask.tolist() == [False, True]
    assert np.isnan(found.kl).all()
    np.testing.assert_allclose(found.activity, [0, x[:, 0].var()], rtol=1e-5, atol=1e-9)


def test_code_that_varies_by_rounding_alone_is_constant(x):
    noise = np.random.default_rng(0).standard_normal(len(x))
    codes = Posterior(np.column_stack([300 + 1e-4 * noise, 1e-7 * noise, x[:, 0], 0.01 * x[:, 0]]))
    assert active_dimensions(codes).mask.tolist() == [False, False, True, True]


def test_dimension_with_infinite_kl_is_active():
    mean = np.random.default_rng(0).standard_normal((20, 2))
    found = active_dimensions(Posterior(mean, np.column_stack([np.zeros(20), np.full(20, 0.5)])))
    assert found.kl[0] == np.inf
    assert found.mask.all()


def test_nothing_is_active_with_one_sample():
    assert not active_dimensions(Posterior([[3.0, 1.0]], [[0.1, 0.1]], "normal")).mask.any()


def test_ranking_puts_active_dimensions_first_by_descending_activity():
    mean = np.random.default_rng(0).standard_normal((500, 4)) * [1, 3, 0, 2]
    posterior = Posterior(mean + [0, 0, 9, 0], np.ones((500, 4)), "normal")
    assert active_dimensions(posterior).ranking.tolist() == [1, 3, 0, 2]
    assert active_dimensions(Posterior(mean)).ranking.tolist() == [1, 3, 0, 2]


def test_most_active_dims_are_sorted_by_index():
    posterior = Posterior(np.random.default_rng(0).standard_normal((500, 4)) * [1, 3, 0.1, 2])
    assert most_active_dims(posterior, 2) == (1, 3)
    assert most_active_dims(posterior, 1) == (1,)
    assert most_active_dims(posterior, 3) == (0, 1, 3)


def test_first_of_equally_active_dimensions_are_chosen():
    assert most_active_dims(Posterior(np.zeros((3, 4)), np.ones((3, 4))), 2) == (0, 1)


@pytest.mark.parametrize("dims", [(0, 0), (0, 4), (-1, 0)])
def test_selected_dims_differ_and_exist(dims):
    with pytest.raises(InputError) as caught:
        check_dims(dims, 4)
    assert "0 to 3" in caught.value.expected


def test_number_of_selected_dims_is_checked():
    assert check_dims((2, 0), 4, 2) == (2, 0)
    with pytest.raises(InputError) as caught:
        check_dims((0, 1, 2), 4, 2)
    assert caught.value.got == "(0, 1, 2)"


def test_table_has_a_row_for_each_dimension(x):
    model = linear_vae(COVARIANCE, 4, noise=0.5, beta=1.5)
    found = active_dimensions(posterior_of(model, x))
    assert found.mask.any()  # a cached property, which is not a column
    frame = found.to_frame()
    assert frame.columns.tolist() == [
        "dimension", "active", "kl", "kl_error", "variance", "variance_error", "min_variance"
    ]  # fmt: skip
    assert frame["active"].tolist() == found.mask.tolist()
    np.testing.assert_array_equal(frame["kl"], found.kl)


# One verdict everywhere

ACTIVE = [True, True, False, True, False]


@pytest.fixture(scope="module")
def constant_mean():
    """Posteriors whose third dimension has a KL of 0.32 nats but the same mean and spread for every sample.

    The KL of the fourth is lower, and it is active; the fifth is the prior.
    """
    rng = np.random.default_rng(3)
    mean = rng.standard_normal((200, 5)) * [0.9, 0.8, 0, 0.4, 0] + [0, 0, 0.8, 0, 0]
    std = np.broadcast_to([0.4, 0.5, 1, 0.9, 1], mean.shape)
    return Posterior(mean, std, "normal")


def verdict_of_active_dimensions(q, x):
    return active_dimensions(q).mask


def verdict_of_triage(q, x):
    return triage(q, lambda z: z, x).status == "active"


def verdict_of_latent_triage(q, x):
    axes = vaeviz.latent_triage(q, lambda z: z, x)
    names = np.array([label.get_text() for label in axes[-1].get_xticklabels()])
    places = np.concatenate([np.ravel(line.get_xdata()) for line in axes[0].lines if line.get_marker() == "o"])
    return np.isin([f"$z_{{{dim}}}$" for dim in range(1, 6)], names[places.astype(int)])


def verdict_of_traversal(q, x):
    (ax,) = vaeviz.traversal(lambda z: z, q, x, kind="table")
    names = [label.get_text() for label in ax.get_yticklabels()]
    collapsed = [name.split()[0] for name in names if name.endswith("collapsed")]
    return ~np.isin([f"$z_{{{dim}}}$" for dim in range(1, 6)], collapsed)


def verdict_of_latent_pairs(q, x):
    shown = [ax.get_xlabel() for ax in vaeviz.latent_pairs(q, x)[-1]]
    return np.isin([f"$z_{{{dim}}}$" for dim in range(1, 6)], shown)


def verdict_of_disentanglement(q, x):
    factors = np.arange(len(x)) % 4
    return ~np.ma.getmaskarray(vaeviz.disentanglement(q, x, factors)[0].images[0].get_array())[0]


def verdict_of_collapsed_check(q, x):
    from vaeviz.health.checks.collapsed import collapsed

    return ~np.isin(np.arange(5), collapsed(q, x).numbers["collapsed"])


def verdict_of_ignored_check(q, x):
    from vaeviz.health.checks.ignored import ignored

    return np.isin(np.arange(5), ignored(q, lambda z: z, x).numbers["encoded"])


@pytest.mark.parametrize(
    "verdict",
    [
        verdict_of_active_dimensions,
        verdict_of_triage,
        verdict_of_latent_triage,
        verdict_of_traversal,
        verdict_of_latent_pairs,
        verdict_of_disentanglement,
        verdict_of_collapsed_check,
        verdict_of_ignored_check,
    ],
)
def test_every_figure_and_check_agrees_on_what_is_active(verdict, constant_mean):
    assert active_dimensions(constant_mean).kl[2] == pytest.approx(0.32, abs=1e-4)
    assert active_dimensions(constant_mean).kl[3] < 0.32
    x = np.random.default_rng(0).standard_normal((200, 5))
    assert verdict(constant_mean, x).tolist() == ACTIVE


def test_latent_scatter_prefers_an_active_dimension_to_a_constant_one_with_more_kl():
    mean = np.random.default_rng(3).standard_normal((200, 3)) * [0.9, 0, 0.4] + [0, 0.8, 0]
    posterior = Posterior(mean, np.broadcast_to([0.4, 1, 0.9], mean.shape), "normal")
    ax = vaeviz.latent_scatter(posterior, mean)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$z_{1}$", "$z_{3}$")


# Triage


def test_triage_of_the_linear_vae_has_the_closed_forms(x):
    model = linear_vae(COVARIANCE, 4, noise=0.5, beta=1.5)
    found = triage(posterior_of(model, x), model, x)
    assert found.status.tolist() == ["active", "active", "active", "collapsed"]
    assert (np.abs(found.kl - model.kl) <= 3 * found.kl_error).all()
    assert (np.abs(found.variance - model.mean_variance) <= 3 * found.variance_error).all()
    squares = (model.weights**2).sum(axis=0)  # q(z) is N(0, I), the decoder linear
    effect = squares / squares.sum()
    assert (np.abs(found.effect - effect) <= 3 * found.effect_error + 0.05 * effect).all()
    assert (found.effect_error < 0.15 * effect + 1e-12).all()


def test_optimal_linear_vae_has_only_active_dimensions(x):
    model = linear_vae(COVARIANCE, 3)
    assert set(triage(posterior_of(model, x), model, x).status) == {"active"}


def test_dimension_that_the_decoder_ignores_is_found(x):
    model = linear_vae(COVARIANCE, 3)
    found = triage(posterior_of(model, x), lambda z: model.decode(z * [1, 0, 1]), x)
    assert found.status.tolist() == ["active", "ignored", "active"]
    assert (found.count("active"), found.count("ignored"), found.count("collapsed")) == (2, 1, 0)
    assert found.to_frame()["status"].tolist() == found.status.tolist()


def test_constant_posterior_off_the_prior_is_collapsed_despite_its_kl(x):
    mean = np.column_stack([x[:, 0] / 2, np.full(len(x), 0.7)])
    found = triage(Posterior(mean, np.full(mean.shape, 0.3), "normal"), lambda z: z, None)
    assert found.kl[1] > 0.5
    assert found.status.tolist() == ["active", "collapsed"]


def test_small_code_with_a_smaller_spread_is_active(x):
    """The variance of 0.01 of Burda et al. supposes an aggregate posterior of unit variance."""
    posterior = Posterior(x[:, :1] / 100, np.full((len(x), 1), 1e-3), "normal")
    found = triage(posterior, lambda z: 100 * z, x[:, :1])
    assert found.variance[0] < 0.01
    assert found.status.tolist() == ["active"]


def test_thresholds_are_options(x):
    model = linear_vae(COVARIANCE, 3)
    posterior = posterior_of(model, x)
    assert triage(posterior, model, x, min_kl=10).count("collapsed") == 3
    assert triage(posterior, model, x, min_share=0.99).count("collapsed") == 3
    assert triage(posterior, model, x, min_effect=100.0).count("ignored") == 3


def test_numbers_close_to_their_threshold_are_uncertain(x):
    model = linear_vae(COVARIANCE, 3)
    posterior = posterior_of(model, x)
    found = active_dimensions(posterior, min_kl=float(active_dimensions(posterior).kl[1]))
    assert found.uncertain.tolist() == [False, True, False]
    triaged = triage(posterior, model, x)
    least = max(float(triaged.effects.share[2]), float(triaged.effects.local[2]) / 10)
    assert triage(posterior, model, x, min_effect=least).status[2] == "uncertain"
    assert triaged.count("uncertain") == 0


def test_fewest_dimensions_that_carry_the_kl_are_counted():
    mean = np.sqrt(2 * np.array([[9.0, 0.9, 0.1, 0], [9.0, 0.9, 0.1, 0]])) * [[1], [-1]]
    found = active_dimensions(Posterior(mean, np.ones((2, 4)), "normal"))
    assert [found.n_dims_with_kl_share(share) for share in (0.5, 0.95, 0.98, 0.999)] == [1, 2, 2, 3]
    assert active_dimensions(Posterior(np.zeros((3, 2)), np.ones((3, 2)))).n_dims_with_kl_share() == 0
    with pytest.raises(NotApplicable):
        active_dimensions(Posterior(mean)).n_dims_with_kl_share()


def test_triage_needs_finite_gaussian_posteriors(x):
    model = linear_vae(COVARIANCE, 3)
    posterior = posterior_of(model, x)
    for unsuitable in (
        Posterior(posterior.mean),
        posterior[:1],
        Posterior(posterior.mean, 0 * posterior.std, "normal"),
    ):
        with pytest.raises(NotApplicable):
            triage(unsuitable, model, x[: len(unsuitable)])


def test_triage_needs_a_decoder(x):
    with pytest.raises(InputError, match="decoder"):
        triage(posterior_of(linear_vae(COVARIANCE, 3), x), None, x)
