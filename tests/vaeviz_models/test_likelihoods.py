"""The likelihoods against torch.distributions, and the values that they allow."""

import numpy as np
import pytest
import torch
from torch import distributions

from vaeviz.errors import GuessWarning, InputError
from vaeviz_models import Bernoulli, Gaussian


def test_bernoulli_at_one_half_does_not_depend_on_the_image(generator):
    images = torch.rand(3, 28, 28, generator=generator)
    cross_entropy = -Bernoulli().log_prob(torch.zeros(3, 28, 28), images)
    torch.testing.assert_close(cross_entropy, torch.full((3,), 543.427390))


def test_bernoulli_agrees_with_torch_on_binary_images(generator):
    logits = 3 * torch.randn(5, 4, 6, generator=generator)
    x = torch.bernoulli(torch.sigmoid(logits), generator=generator)
    expected = distributions.Bernoulli(logits=logits).log_prob(x).sum(dim=(1, 2))
    torch.testing.assert_close(Bernoulli().log_prob(logits, x), expected)


def test_bernoulli_of_gray_levels_is_a_cross_entropy(generator):
    logits, x = torch.randn(5, 8, generator=generator), torch.rand(5, 8, generator=generator)
    p = torch.sigmoid(logits)
    expected = (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=1)
    torch.testing.assert_close(Bernoulli().log_prob(logits, x), expected)


def test_bernoulli_is_finite_at_extreme_logits():
    logits = torch.tensor([[1e4, -1e4]])
    assert Bernoulli().log_prob(logits, torch.tensor([[1.0, 0.0]])).item() == 0
    assert Bernoulli().log_prob(logits, torch.tensor([[0.0, 1.0]])).item() == -2e4


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("std", [0.1, 1.0, 3.0])
def test_gaussian_agrees_with_torch(std, learned, generator):
    mean, x = torch.randn(2, 5, 4, 3, generator=generator)
    expected = distributions.Normal(mean, std).log_prob(x).sum(dim=(1, 2))
    torch.testing.assert_close(Gaussian(std, learned=learned).log_prob(mean, x), expected)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(0.3), Gaussian(2.0, learned=True)])
def test_the_total_is_the_sum_over_samples(likelihood, generator):
    x, parameters = torch.rand(7, 4, 3, generator=generator), torch.randn(7, 4, 3, generator=generator)
    torch.testing.assert_close(likelihood.total(parameters, x), likelihood.log_prob(parameters, x).sum())


def test_means_are_probabilities_and_values(generator):
    parameters = torch.randn(4, 3, generator=generator)
    torch.testing.assert_close(Bernoulli().mean(parameters), 1 / (1 + (-parameters).exp()))
    assert torch.equal(Gaussian().mean(parameters), parameters)


def test_a_fixed_variance_is_saved_but_not_trained():
    fixed = Gaussian(0.5)
    assert not list(fixed.parameters())
    assert "log_var" in fixed.state_dict()


def test_a_learned_variance_becomes_that_of_the_residuals(generator):
    x = 5 + 0.3 * torch.randn(500, 6, generator=generator)
    likelihood = Gaussian(1.0, learned=True)
    optimizer = torch.optim.Adam(likelihood.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (-likelihood.total(torch.full_like(x, 5), x) / len(x)).backward()
        optimizer.step()
    residual = (x - 5).square().mean()
    torch.testing.assert_close(likelihood.log_var.exp().detach(), residual, rtol=1e-3, atol=0)


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan")])
def test_a_standard_deviation_must_be_positive(std):
    with pytest.raises(InputError) as error:
        Gaussian(std)
    assert error.value.got == str(std)


@pytest.mark.parametrize("kind", [torch.tensor, np.array], ids=["torch", "numpy"])
def test_bernoulli_allows_values_from_zero_to_one(kind):
    Bernoulli().check(kind([[0.0, 0.5, 1.0]]))
    for values, interval in (([[-0.1, 1.0]], "[-0.1, 1]"), ([[0.0, 255.0]], "[0, 255]")):
        with pytest.raises(InputError) as error:
            Bernoulli().check(kind(values))
        assert (error.value.got, error.value.expected) == (interval, "[0, 1]")
        assert "--likelihood gaussian" in error.value.fix.command_line
        Gaussian().check(kind(values))


def test_a_gaussian_warns_about_data_far_from_unit_scale(recwarn):
    Gaussian().check(np.array([[-3.0, 4.0]]))
    assert not recwarn.list
    with pytest.warns(GuessWarning, match=r"\[0, 1\.68e\+03\]"):
        Gaussian().check(np.array([[0.0, 1680.0]]))


def test_a_gaussian_of_another_shape_is_not_broadcast():
    mean, x = torch.zeros(4, 5, 5), torch.zeros(4, 1, 5, 5)
    for score in (Gaussian().log_prob, Gaussian().total):
        with pytest.raises(InputError) as error:
            score(mean, x)
        assert (error.value.got, error.value.expected) == ("(4, 5, 5)", "(4, 1, 5, 5)")
