"""Threads: fixed or chosen by time, restored after a training, and recorded."""

from collections import Counter

import pytest
import torch

from vaeviz_models import TrainState, fit, mlp, seeded
from vaeviz_models.training import threads
from vaeviz_models.training.threads import choose_threads, thread_counts

CPU = torch.device("cpu")


class Machine:
    """Stand-in for a clock: a step takes as many seconds as it does here with its number of threads."""

    def __init__(self, seconds):
        self.seconds, self.now, self.used = seconds, 0.0, Counter()
        self.choice = choose_threads(list(seconds), clock=lambda: self.now)

    def take_steps(self, count):
        """Take steps; return the share of each number of threads."""
        self.used.clear()
        for _ in range(count):
            n_threads = next(self.choice)
            self.now += self.seconds[n_threads]
            self.used[n_threads] += 1
        return {n_threads: n / count for n_threads, n in self.used.items()}


@pytest.mark.parametrize("fastest", [1, 4])
def test_the_faster_number_is_used(fastest):
    machine = Machine({1: 1.0, 4: 1.0} | {fastest: 0.7})
    assert machine.take_steps(2000)[fastest] > 0.95


def test_a_neighbor_is_noticed_when_it_comes_and_when_it_goes():
    machine = Machine({1: 1.0, 4: 0.7})
    machine.take_steps(500)
    machine.seconds = {1: 1.1, 4: 12.0}
    machine.take_steps(300)
    assert machine.take_steps(1000)[1] > 0.95
    machine.seconds = {1: 1.0, 4: 0.7}
    machine.take_steps(1500)
    assert machine.take_steps(1000)[4] > 0.95


@pytest.mark.parametrize("slow", [0.7, 1.3, 12, 100])
def test_trials_cost_little_however_slow_a_number_is(slow):
    machine = Machine({1: 1.0, 4: slow})
    machine.take_steps(1)
    began = machine.now
    machine.take_steps(20_000)
    assert (machine.now - began) / 20_000 < 1.06 * min(1.0, slow)


def test_one_slow_step_decides_nothing():
    """A step that includes the scores and the checkpoint of an epoch takes longer."""
    times = iter([0.0, 0, 1, 1, 50, 50, 51, 51, 53, 53, 55, 55, 57, 57, 57, 58, 59])
    choice = choose_threads([1, 4], clock=lambda: next(times))
    assert [next(choice) for _ in range(9)] == [1, 1, 1, 1, 4, 4, 4, 4, 1]


def test_a_fixed_number_is_never_timed():
    choice = choose_threads([3], clock=lambda: 1 / 0)
    assert [next(choice) for _ in range(5)] == [3] * 5


def test_numbers_to_choose_from(monkeypatch):
    monkeypatch.setattr(threads, "cpu_count", lambda: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 16)
    assert thread_counts("auto", CPU) == (1, 4)
    assert thread_counts("auto", torch.device("cuda")) == (4,)
    assert thread_counts(6, CPU) == (6,)
    assert thread_counts(None, CPU) == (16,)
    monkeypatch.setattr(threads, "cpu_count", lambda: 1)
    assert thread_counts("auto", CPU) == (1,)


@pytest.mark.parametrize("setting, used", [(None, 1), (2, 2), ("auto", 1)])
def test_fit_restores_the_threads_and_records_what_it_used(setting, used, noise_images):
    state = TrainState.start(seeded(mlp, (5, 4), hidden=(16,), seed=0), device="cpu")
    during = []
    fit(
        state.model,
        noise_images,
        epochs=2,
        batch_size=32,
        threads=setting,
        resume=state,
        progress=False,
        after_epoch=lambda state: during.append(torch.get_num_threads()),
    )
    assert during == [used, used]
    assert torch.get_num_threads() == 1
    assert state.thread_steps == {used: 6}


def test_the_threads_are_restored_when_a_training_fails(noise_images):
    def fail(state):
        raise KeyboardInterrupt

    model = seeded(mlp, (5, 4), hidden=(16,), seed=0)
    with pytest.raises(KeyboardInterrupt):
        fit(model, noise_images, epochs=1, threads=2, device="cpu", progress=False, after_epoch=fail)
    assert torch.get_num_threads() == 1
