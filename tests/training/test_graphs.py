"""Replaying phases changes nothing: the same bits as step after step, whatever a phase holds."""

import contextlib
import copy
import gc
import logging
import weakref

import pytest
import torch
from test_step import reals, stepper

from stylegenes.training.graphs import WARM_UP, CudaEngine, Graphs, Tape

STEPS = 7
OFTEN = ("regularizers.r1.interval=2", "regularizers.path_length.interval=2")


class Again:
    """Stands in for CUDA graphs: repeats the work on the memory it was recorded on."""

    def __init__(self):
        self.captured = 0

    def capture(self, work):
        self.captured += 1
        return work


VARIANTS = {
    "genome": (),
    "two micro-batches": ("batch.total=16",),
    "mapping": ("model.latent.name=mapping", "model.latent.depth=2"),
    "labels": ("data.labels=true", "model.latent.name=mapping", "model.latent.depth=2"),
    "diffaugment": ("augment.pipe.name=diffaugment", "augment.p.name=fixed"),
    "penalties at fakes": ("regularizers.r2.interval=2", "regularizers.wgan_gp.interval=1", "mixing=0.0"),
    "penalties by noise": (
        "regularizers.r1=none",
        "regularizers.noisy_r1.interval=2",
        "regularizers.noisy_r2.interval=2",
    ),
    "relativistic": ("loss.name=relativistic", "augment.pipe.transforms=bgcfnc", "data.resolution=32"),
}


def trained(overrides, graphs):
    """Everything that training changed after some steps, and what each phase told."""
    resolution = 32 if "data.resolution=32" in overrides else 8
    taken = stepper(*OFTEN, *overrides, micro=8, resolution=resolution)
    taken.graphs = graphs
    taken.players.augment.p.fill_(0.6)
    told = [
        result.flat()
        for step in range(STEPS)
        for result in taken.step(reals(taken.settings.total, resolution=resolution), step=step, stop=step == 6)
    ]
    modules = copy.deepcopy({name: module.state_dict() for name, module in taken.players.modules().items()})
    moments = [state for o in taken.players.optimizers.values() for state in o.state.values()]
    return told, modules, moments


@pytest.mark.parametrize("overrides", VARIANTS.values(), ids=VARIANTS)
def test_replayed_phases_give_the_same_bits(overrides, caplog):
    with caplog.at_level(logging.WARNING):
        engine = Again()
        ours, theirs = trained(overrides, Graphs(engine)), trained(overrides, None)
    assert engine.captured >= 3 and "cannot be recorded" not in caplog.text
    assert all(torch.equal(a, b) for a, b in zip(ours[0], theirs[0], strict=True))
    for name, state in ours[1].items():
        assert [key for key in state if not torch.equal(state[key], theirs[1][name][key])] == []
    for a, b in zip(ours[2], theirs[2], strict=True):
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_another_manner_is_recorded_anew():
    engine, taken = Again(), stepper("batch.total=16")
    taken.graphs = Graphs(engine)
    phase = taken.players.phases[0]
    for i in range(WARM_UP + 2):
        taken.phase(phase, reals(), key=(0, i, phase.name), stop=False)
    assert engine.captured == 1
    taken.players.penalty_scale = 0.5
    for i in range(WARM_UP):
        assert engine.captured == 1, i
        taken.phase(phase, reals(), key=(0, i, phase.name), stop=False)
    assert engine.captured == 2
    taken.graphs.forget()
    for i in range(WARM_UP):
        taken.phase(phase, reals(), key=(0, i, phase.name), stop=False)
    assert engine.captured == 3


class Memory:
    """Stands in for the allocator: memory that graphs had, and none has any more, is refused."""

    def __init__(self, monkeypatch):
        self.handles, self.users = 0, {}
        for name, fake in (("CUDAGraph", self.graph), ("graph", self.capturing), ("graph_pool_handle", self.handle)):
            monkeypatch.setattr(torch.cuda, name, fake)

    def handle(self):
        self.handles += 1
        return self.handles

    def graph(self):
        return type("CUDAGraph", (), {"replay": lambda graph: None})()

    @contextlib.contextmanager
    def capturing(self, graph, pool, capture_error_mode):
        assert pool not in self.users or any(ref() for ref in self.users[pool]), "INTERNAL ASSERT: use_count > 0"
        yield
        self.users.setdefault(pool, []).append(weakref.ref(graph))


def test_graphs_share_memory_until_none_of_them_is_left(monkeypatch):
    """As after a roll-back, or when a schedule moves on in a run of two phases."""
    memory = Memory(monkeypatch)
    engine = CudaEngine()
    replays = [engine.capture(lambda: torch.zeros(1)) for _ in range(3)]
    assert memory.handles == 1
    del replays[:2]
    gc.collect()
    replays.append(engine.capture(lambda: torch.zeros(1)))
    assert memory.handles == 1
    replays.clear()
    gc.collect()
    engine.capture(lambda: torch.zeros(1))
    assert memory.handles == 2


@pytest.mark.parametrize("late", range(1, WARM_UP + 1))
def test_memory_that_runs_out_gives_that_of_graphs_back(late, monkeypatch, caplog):
    """Also while a phase is about to be recorded: what is recorded then is the smaller micro-batch."""
    engine, taken = Again(), stepper("batch.total=16", "augment.pipe=none", "noise=const", "mixing=0.0")
    taken.graphs = Graphs(engine)
    first, phase = taken.players.phases[0], taken.players.phases[-1]
    for i in range(WARM_UP):
        taken.phase(first, reals(), key=(0, i, first.name), stop=False)
    assert taken.graphs._recordings[first.name].replay is not None
    for i in range(late - 1):
        taken.phase(phase, reals(), key=(0, i, phase.name), stop=False)
    accumulate, seen = taken._accumulate, []

    def small_only(phase, inputs):
        seen.append(first.name in taken.graphs._recordings)
        if taken.micro > 8:
            raise torch.OutOfMemoryError("pretended")
        return accumulate(phase, inputs)

    monkeypatch.setattr(taken, "_accumulate", small_only)
    taken.phase(phase, reals(), key=(0, late, phase.name), stop=False)
    assert seen == [True, False] and taken.micro == 8
    for i in range(WARM_UP + 1):
        taken.phase(phase, reals(), key=(1, i, phase.name), stop=False)
    assert engine.captured == 2 and "cannot be recorded" not in caplog.text


class Refusing:
    def capture(self, work):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")


def test_what_cannot_be_recorded_goes_on_and_is_named(caplog):
    taken = stepper("batch.total=16")
    taken.graphs = Graphs(Refusing())
    with caplog.at_level(logging.WARNING):
        for step in range(WARM_UP + 3):
            taken.step(reals(), step=step)
    assert caplog.text.count("D main runs kernel by kernel, since it cannot be recorded") == 1
    assert "not permitted when stream is capturing" in caplog.text and "and more" not in caplog.text


def test_draws_that_nobody_can_make_beforehand_are_told():
    known, tape = torch.Generator().manual_seed(0), Tape()
    with tape.noting([known]):
        torch.randn(3, generator=known)
        assert not tape.trouble
        torch.randn(3)
    assert "aten.randn.default draws where nobody" in tape.trouble


def test_a_generator_that_was_set_back_draws_the_same_again(rng):
    def work(generator, length=3):
        before = generator.get_state()
        first = torch.rand(3, generator=generator)
        generator.set_state(before)
        return first, torch.rand(length, generator=generator), torch.rand(2, generator=generator)

    tape = Tape()
    with tape.noting([rng]):
        work(rng)
    tape.refill([torch.Generator().manual_seed(1)])
    with tape.playing():
        played = work(torch.Generator())
    expected = work(torch.Generator().manual_seed(1))
    assert all(torch.equal(a, b) for a, b in zip(played, expected, strict=True))
    other = Tape()
    with other.noting([rng]):
        work(rng, length=4)
    assert "set back" in other.trouble


def test_a_tape_plays_what_the_generators_draw(rng):
    def work(generator):
        return torch.rand(2, generator=generator), torch.randint(5, (3,), generator=generator)

    tape = Tape()
    with tape.noting([rng]):
        work(rng)
    for seed in (1, 2):
        tape.refill([torch.Generator().manual_seed(seed)])
        with tape.playing():
            played = work(rng)
        expected = work(torch.Generator().manual_seed(seed))
        assert all(torch.equal(a, b) for a, b in zip(played, expected, strict=True))
    with tape.playing(), pytest.raises(RuntimeError, match="drawn where it was not drawn before"):
        torch.rand(3, generator=rng)
