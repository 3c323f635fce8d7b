import numpy as np
import pandas as pd
import pytest

from vaeviz import Decoder, Encoder, InputError, Model, NotApplicable
from vaeviz.analysis.rate_distortion import RatePoint, rate_points

EIGENVALUES, NOISE = np.array([4.0, 2.0, 1.0]), 0.25


def linear_model(beta, name="linear"):
    """Return the optimal linear VAE (Lucas et al. 2019) in the basis of the principal axes."""
    s = beta * NOISE
    active = s < EIGENVALUES
    weight = np.where(active, np.sqrt(np.maximum(EIGENVALUES - s, 0)), 0)
    std = np.where(active, np.sqrt(s / EIGENVALUES), 1)

    def likelihood(x, z):
        square = ((x - z * weight) ** 2).sum(axis=1)
        return -0.5 * (square / NOISE + 3 * np.log(2 * np.pi * NOISE))

    def encode(x):
        return x * weight / EIGENVALUES, np.broadcast_to(std, x.shape)

    return Model(Encoder(encode, returns="mean,std"), inputs={"likelihood": likelihood}, name=name)


@pytest.fixture(scope="module")
def x():
    """Samples whose covariance has exactly those eigenvalues, and mean 0."""
    z = np.random.default_rng(0).standard_normal((2000, 3))
    z -= z.mean(axis=0)
    return (np.linalg.qr(z)[0] * np.sqrt(2000 * EIGENVALUES)).astype(np.float32)


@pytest.mark.parametrize("beta", [1.0, 6.0])
def test_rate_and_distortion_of_the_optimal_linear_vae_agree_with_the_closed_form(x, beta):
    (point,) = rate_points([linear_model(beta)], x, n_draws=30)
    s = beta * NOISE
    active = s < EIGENVALUES
    assert point.rate == pytest.approx(0.5 * np.log(EIGENVALUES[active] / s).sum(), abs=1e-4)
    left = active.sum() * s + EIGENVALUES[~active].sum()
    assert point.distortion == pytest.approx(1.5 * np.log(2 * np.pi * NOISE) + left / (2 * NOISE), abs=0.05)
    assert 0 < point.rate_error < 0.1 and 0 < point.distortion_error < 0.5


def test_slope_of_the_frontier_is_minus_one_over_beta(x):
    near = rate_points([linear_model(1.99), linear_model(2.01)], x, n_draws=200)
    slope = (near[0].rate - near[1].rate) / (near[0].distortion - near[1].distortion)
    assert slope == pytest.approx(-1 / 2, rel=0.2)


def test_records_become_named_points():
    points = rate_points([(1, 2, "a"), [3.0, 4.0], RatePoint(5, 6, "c")])
    assert [(p.rate, p.distortion, p.label) for p in points] == [(1, 2, "a"), (3, 4, ""), (5, 6, "c")]
    assert points[0].elbo == -3
    assert [p.label for p in rate_points({"one": (1, 2), "two": (3, 4)})] == ["one", "two"]
    assert len(rate_points((1.0, 2.0, "alone"))) == 1


def test_point_without_x_is_the_last_row_of_the_history():
    history = {"beta": [1.0, 4.0], "test_kl": [9.0, 3.0], "test_log_likelihood": [-9.0, -80.0]}
    (point,) = rate_points([Model(inputs={"history": history})])
    assert (point.rate, point.distortion, point.label) == (3, 80, "β = 4")
    assert np.isnan(point.rate_error)


@pytest.mark.parametrize(
    ("runs", "got"),
    [
        ([], "no runs"),
        ([(-1.0, 2.0, "bad")], "rate -1, distortion 2"),
        ([(1.0, np.nan)], "rate 1, distortion nan"),
        ([Model(name="bare")], "a model without recorded rate and distortion"),
    ],
)
def test_invalid_runs_are_errors(runs, got):
    with pytest.raises(InputError) as caught:
        rate_points(runs)
    assert caught.value.got == got


def test_missing_run_folder_is_an_error():
    with pytest.raises(InputError, match="no such folder"):
        rate_points(["no such folder"])


def test_model_without_likelihood_or_spread_has_no_point(x):
    with pytest.raises(NotApplicable, match="likelihood"):
        rate_points([Model(Encoder(lambda x: x), name="m")], x)
    with pytest.raises(NotApplicable):
        rate_points([Model(Encoder(lambda x: x), inputs={"likelihood": lambda x, z: x[:, 0]}, name="m")], x)


def test_each_model_is_measured_by_its_own_decoder_and_named_likelihood(x):
    encoder = Encoder(lambda x: (x, np.full_like(x, 1e-3)), returns="mean,std")
    names = ("gaussian", "gaussian-fixed:0.5", "gaussian")
    decoders = [Decoder(lambda z, scale=scale: scale * z, latent_shape=(3,)) for scale in (1, 1, 0)]
    models = [Model(encoder, decoder, {"likelihood": name}) for decoder, name in zip(decoders, names)]
    found = [point.distortion for point in rate_points(models, x, n_draws=1)]
    constant = 1.5 * np.log(2 * np.pi)
    expected = [constant, constant + 3 * np.log(0.5), constant + EIGENVALUES.sum() / 2]
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("names", "n_warnings"),
    [
        (("bernoulli", "gaussian"), 1),
        (("gaussian", "gaussian-fixed:0.5", "continuous-bernoulli"), 0),
        (("bernoulli",), 0),
    ],
)
def test_probabilities_are_not_compared_with_densities(names, n_warnings, x, recwarn):
    encoder = Encoder(lambda x: (x, np.full_like(x, 1e-3)), returns="mean,std")
    decoder = Decoder(lambda z: np.full_like(z, 0.5), latent_shape=(3,))
    models = [Model(encoder, decoder, {"likelihood": name}) for name in names]
    rate_points({str(k): model for k, model in enumerate(models)}, np.clip(x, 0, 1), n_draws=1)
    assert sum("bernoulli and gaussian" in str(one.message) for one in recwarn) == n_warnings


def test_mapping_names_points():
    named, unnamed = rate_points({"ours": RatePoint(20.0, 90.0)})[0], rate_points([RatePoint(20.0, 90.0, "own")])[0]
    assert (named.label, unnamed.label) == ("ours", "own")


def test_one_draw_is_the_least():
    with pytest.raises(InputError) as caught:
        rate_points([linear_model(1.0)], np.ones((4, 2)), n_draws=0)
    assert caught.value.got == "n_draws = 0"


def test_points_are_a_table():
    frame = pd.DataFrame(rate_points([(1, 2, "a"), (3, 4, "b")]))
    assert frame[["label", "rate", "distortion"]].values.tolist() == [["a", 1, 2], ["b", 3, 4]]
