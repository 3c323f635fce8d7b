"""The KL, reparameterized samples, and the schedules, against closed forms."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaeviz_models import beta_at, gaussian_kl, learning_rate_at, reparameterize


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "mean, var, kl",
    [
        (0, 1, 0),
        (1, 1, 0.5),
        (0, 4, 0.5 * (3 - math.log(4))),
        (-2, 0.25, 0.5 * (4 + 0.25 - 1 + math.log(4))),
    ],
)
def test_kl_of_one_gaussian(mean, var, kl, dtype):
    mean, var = torch.tensor([[mean]], dtype=dtype), torch.tensor([[var]], dtype=dtype)
    torch.testing.assert_close(gaussian_kl(mean, var.log()), torch.tensor([kl], dtype=dtype))


def test_kl_of_variance_four_in_numbers():
    kl = gaussian_kl(torch.zeros(1, 1), torch.full((1, 1), 4.0).log())
    assert kl.item() == pytest.approx(0.806853, abs=1e-6)


def test_kl_agrees_with_torch(generator):
    mean, log_var = torch.randn(2, 50, 7, generator=generator, dtype=torch.float64)
    posterior, prior = Normal(mean, (0.5 * log_var).exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))
    torch.testing.assert_close(gaussian_kl(mean, log_var), kl_divergence(posterior, prior).sum(dim=1))


def test_kl_is_a_sum_over_dimensions_and_not_over_samples(generator):
    mean, log_var = torch.randn(2, 5, 3, generator=generator)
    each = [gaussian_kl(mean[:, [j]], log_var[:, [j]]) for j in range(3)]
    assert gaussian_kl(mean, log_var).shape == (5,)
    torch.testing.assert_close(gaussian_kl(mean, log_var), sum(each))


def test_reparameterized_samples_have_the_posterior_mean_and_variance(generator):
    mean, log_var = torch.tensor([3.0, -1.0]), torch.tensor([0.25, 4.0]).log()
    z = reparameterize(mean.expand(100_000, 2), log_var.expand(100_000, 2), generator)
    torch.testing.assert_close(z.mean(dim=0), mean, atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(dim=0), log_var.exp(), atol=0, rtol=0.02)
    assert abs(torch.corrcoef(z.T)[0, 1]) < 0.02


def test_gradients_pass_through_the_sample(generator):
    mean = torch.tensor([[3.0]], requires_grad=True)
    log_var = torch.tensor([[math.log(4)]], requires_grad=True)
    z = reparameterize(mean, log_var, generator)
    z.sum().backward()
    assert mean.grad.item() == 1
    assert log_var.grad.item() == pytest.approx(0.5 * (z - mean).item())  # dz/d ln σ² = ½ σ ε


def test_samples_repeat_with_the_generator():
    mean, log_var = torch.zeros(2, 4, 3)
    one, same, other = (reparameterize(mean, log_var, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_generator_leaves_global_random_state_alone(generator):
    before = torch.get_rng_state()
    reparameterize(torch.zeros(4, 3), torch.zeros(4, 3), generator)
    assert torch.equal(torch.get_rng_state(), before)


def test_beta_rises_linearly_and_stays():
    assert [beta_at(epoch, 2.0, 4) for epoch in range(1, 7)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


def test_beta_without_warmup_is_constant():
    assert {beta_at(epoch, 0.7, 0) for epoch in (1, 2, 100)} == {0.7}


def test_the_learning_rate_of_burda_falls_in_stages_to_a_tenth():
    """Stage i of 3^i epochs, i = 0 to 7, at 0.001 · 10^(−i/7): 3,280 epochs in all (Burda et al. 2016, section 5)."""
    stages = [stage for stage in range(8) for _ in range(3**stage)]
    assert len(stages) == 3280
    rates = [learning_rate_at(epoch, 1e-3, "burda") for epoch in range(1, 3281)]
    assert rates == pytest.approx([1e-3 * 10 ** (-stage / 7) for stage in stages])
    assert learning_rate_at(5000, 1e-3, "burda") == rates[-1] == pytest.approx(1e-4)
    assert {learning_rate_at(epoch, 0.02, "constant") for epoch in (1, 2, 5000)} == {0.02}
