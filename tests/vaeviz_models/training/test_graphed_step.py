"""When a `GraphedStep` takes plain steps, captures one and replays it, with CUDA replaced by stand-ins."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from vaeviz.errors import InputError
from vaeviz_models import TrainState, mlp
from vaeviz_models.training.cuda_graph import WARM_UP_STEPS, GraphedStep, can_capture

BATCH = torch.zeros(4, 8)


class FakeCuda:
    """Stand-in for torch.cuda that records what is called, and runs everything on the CPU."""

    def __init__(self, monkeypatch):
        self.events = []
        stream = SimpleNamespace(wait_stream=lambda other: None)
        stand_ins = {
            "Stream": lambda device: stream,
            "current_stream": lambda: stream,
            "set_stream": lambda stream: self.events.append("reset stream"),
            "stream": lambda stream: nullcontext(),
            "device": lambda device: nullcontext(),
            "graph": lambda graph, stream: nullcontext(),
            "CUDAGraph": self.make_graph,
        }
        for name, stand_in in stand_ins.items():
            monkeypatch.setattr(torch.cuda, name, stand_in)

    def make_graph(self):
        self.events.append("capture")
        return SimpleNamespace(
            register_generator_state=lambda generator: None, replay=lambda: self.events.append("replay")
        )

    def step(self, batch):
        self.events.append("step")


@pytest.fixture
def cuda(monkeypatch):
    return FakeCuda(monkeypatch)


@pytest.fixture
def state():
    return TrainState.start(mlp((8,), hidden=(4,)), device="cpu")


def test_a_step_is_captured_after_the_warm_up_and_then_replayed(cuda, state):
    graphed = GraphedStep(cuda.step, state)
    for _ in range(WARM_UP_STEPS + 3):
        graphed(BATCH)
    assert cuda.events == ["step"] * WARM_UP_STEPS + ["capture", "step"] + ["replay"] * 3


def test_a_discarded_step_is_captured_again_without_a_warm_up(cuda, state):
    graphed = GraphedStep(cuda.step, state)
    for _ in range(WARM_UP_STEPS + 1):
        graphed(BATCH)
    cuda.events.clear()
    graphed.discard()
    graphed(BATCH)
    graphed(BATCH)
    assert cuda.events == ["capture", "step", "replay", "replay"]


def test_a_replay_reads_the_new_batch_from_the_place_of_the_first(cuda, state):
    graphed = GraphedStep(cuda.step, state)
    for value in range(WARM_UP_STEPS + 1):
        graphed(torch.full((4, 8), float(value)))
    place = graphed.batch[0]
    graphed(torch.full((4, 8), 7.0))
    assert graphed.batch[0] is place
    assert torch.equal(place, torch.full((4, 8), 7.0))


def test_a_failed_capture_is_an_error_that_leaves_adam_as_it_was(cuda, state):
    def fail(batch):
        assert state.optimizer.param_groups[0]["capturable"]
        raise RuntimeError("operation not permitted when stream is capturing")

    graphed = GraphedStep(cuda.step, state)
    for _ in range(WARM_UP_STEPS):
        graphed(BATCH)
    graphed.step = fail
    with pytest.raises(InputError) as error:
        graphed(BATCH)
    assert error.value.fix.python == "Set model.capturable = False, in a new process."
    assert "reset stream" in cuda.events
    assert not state.optimizer.param_groups[0]["capturable"]


def test_steps_on_the_cpu_are_not_captured(state):
    assert not can_capture(state)
