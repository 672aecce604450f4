"""Phases of a step as CUDA graphs: recorded once, then replayed without a word from Python.

A graph repeats its kernels on the same memory. So everything that differs from step to step enters through buffers
that are filled beforehand: real pictures, codes, and every random number, drawn outside by the same calls on the same
generators as without a graph (`Tape`). A phase runs some steps as it is, so that libraries settle on their kernels and
optimizers have their state; then it is recorded. What cannot be recorded goes on as it is, and the log says why.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from stylegenes.records import ImageBatch
from stylegenes.training.draws import Codes

log = logging.getLogger(__name__)

WARM_UP = 3
"""How often a phase runs in the same manner before it is recorded."""


@dataclass(frozen=True)
class PhaseInputs:
    """Everything that differs from one run of a phase to the next.

    Attributes:
        real: this rank's share of the reals.
        codes: what the fakes of the whole batch are made from.
        stop: [1], whether this rank wishes to stop.
        generators: source of randomness of each micro-batch, on its device.
    """

    real: ImageBatch
    codes: Codes
    stop: torch.Tensor
    generators: list[torch.Generator]

    def tensors(self) -> list[torch.Tensor]:
        """All tensors, in a fixed order."""
        found: list[torch.Tensor] = []

        def note(tensor: torch.Tensor) -> torch.Tensor:
            found.append(tensor)
            return tensor

        self.real.map(note)
        self.codes.map(note)
        return [*found, self.stop]

    def copied(self) -> PhaseInputs:
        """The same inputs in memory of their own, with generators that only stand in for those of a device."""
        real, codes = self.real.map(torch.clone), self.codes.map(torch.clone)
        return PhaseInputs(real, codes, self.stop.clone(), [torch.Generator() for _ in self.generators])


Work = Callable[[PhaseInputs], torch.Tensor]


class Engine(Protocol):
    """What can record work on a device."""

    def capture(self, work: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """Record `work`; the result repeats it on the same memory."""
        ...


class CudaEngine:
    """CUDA graphs that share their memory, as long as one of them lives."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._living: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()

    def capture(self, work: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        """Record `work` without running it.

        Raises:
            RuntimeError: for work that waits for the device or copies from ordinary memory.
        """
        graph = torch.cuda.CUDAGraph()
        if not self._living:
            # The allocator takes no graph into memory that graphs had and none has any more.
            self._pool = torch.cuda.graph_pool_handle()
        # Other threads fetch data meanwhile and may allocate.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            result = work()
        self._living.add(graph)

        def replay() -> torch.Tensor:
            graph.replay()
            return result

        return replay


@dataclass(frozen=True)
class RandomCall:
    """One call that draws random numbers.

    Attributes:
        function: what was called.
        arguments: with what.
        keywords: with what else, besides the generator.
        source: which generator it took.
        state: the generator's state before.
        buffer: where draws are put for a replay; shared with an earlier draw that this one repeats.
        repeats: whether the generator had been set back, to draw the same again.
    """

    function: Any
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    source: int
    state: torch.Tensor
    buffer: torch.Tensor
    repeats: bool = False

    def is_call(self, function: Any, arguments: tuple[Any, ...]) -> bool:
        """Whether this draw was made by that call."""
        return self.function is function and self.arguments == arguments

    def __call__(self, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """RandomCall again."""
        return self.function(*self.arguments, **self.keywords, generator=generators[self.source])


class Tape(TorchDispatchMode):
    """Notes every random draw of some work; then hands out draws made beforehand in their place.

    Attributes:
        trouble: why the work cannot be replayed, or "".
    """

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[RandomCall] = []
        self.trouble = ""
        self._generators: list[torch.Generator] = []
        self._next: Iterator[RandomCall] | None = None

    @contextmanager
    def noting(self, generators: list[torch.Generator]) -> Iterator[None]:
        """Within this context draws are noted and take place."""
        self._generators, self._next = generators, None
        with self:
            yield

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Within this context draws come from the buffers, in the order in which they were noted."""
        self._next = iter(self.draws)
        with self:
            yield

    def refill(self, generators: Sequence[torch.Generator]) -> None:
        """RandomCall into the buffers what the work would draw from `generators`."""
        for draw in self.draws:
            if not draw.repeats:
                draw.buffer.copy_(draw(generators))

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Let every call pass that draws nothing."""
        keywords = kwargs or {}
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **keywords)
        return self._note(func, args, keywords) if self._next is None else self._play(func, args)

    def _note(self, func: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> torch.Tensor:
        others = {key: value for key, value in keywords.items() if key != "generator"}
        generator = keywords.get("generator")
        sources = [i for i, known in enumerate(self._generators) if _same(known, generator)]
        if generator is None or not sources or func._schema.is_mutable:
            self.trouble = self.trouble or f"{func} draws where nobody can draw for it beforehand"
            return func(*args, **keywords)
        state, source = generator.get_state(), sources[0]
        result = func(*args, **keywords)
        earlier = next((d for d in self.draws if d.source == source and torch.equal(d.state, state)), None)
        if earlier is not None and not earlier.is_call(func, args):
            self.trouble = self.trouble or f"{func} draws from a generator that was set back"
        buffer = torch.empty_like(result) if earlier is None else earlier.buffer
        self.draws.append(RandomCall(func, args, others, source, state, buffer, earlier is not None))
        return result

    def _play(self, func: Any, args: tuple[Any, ...]) -> torch.Tensor:
        draw = next(self._next or iter(()), None)
        if draw is None or not draw.is_call(func, args):
            raise RuntimeError(f"{func}{args} is drawn where it was not drawn before")
        # A copy, since what is drawn may be changed in place.
        return draw.buffer.clone()


def _same(known: torch.Generator, given: torch.Generator | None) -> bool:
    """Whether both are one generator; below Python, objects that stand for it are made anew."""
    return given is not None and known._cdata == given._cdata  # type: ignore[attr-defined]


@dataclass
class _Recording:
    """One phase: how it is run, how often it ran so, and its replay once there is one."""

    manner: Hashable
    runs: int = 0
    failed: bool = False
    tape: Tape = field(default_factory=Tape)
    inputs: PhaseInputs | None = None
    replay: Callable[[], torch.Tensor] | None = None
    gradients: list[torch.Tensor | None] = field(default_factory=list)


class Graphs:
    """Runs phases, and replays those that ran often enough in the same manner.

    Args:
        engine: what records.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recordings: dict[str, _Recording] = {}

    def forget(self) -> None:
        """Record anew, where what was recorded is no longer what is done, or on other memory; theirs is given back."""
        self._recordings.clear()

    def run(
        self, name: str, manner: Hashable, work: Work, inputs: PhaseInputs, parameters: list[torch.nn.Parameter]
    ) -> torch.Tensor:
        """Run `work` on `inputs`, or replay it.

        Args:
            name: of the phase.
            manner: all that decides which kernels run besides the shapes; another one is recorded anew.
            work: from inputs to statistics; leaves gradients in `parameters`.
            inputs: of this run.
            parameters: those that get gradients.
        """
        recording = self._recordings.get(name)
        if recording is None or recording.manner != manner:
            recording = self._recordings[name] = _Recording(manner)
        if recording.replay is not None:
            return self._replay(recording, inputs, parameters)
        recording.runs += 1
        if recording.runs != WARM_UP or recording.failed:
            return work(inputs)
        with recording.tape.noting(inputs.generators):
            result = work(inputs)
        # Unless the work asked to forget, since it found that it has to run in another manner.
        if self._recordings.get(name) is recording:
            self._record(name, recording, work, inputs, parameters)
        return result

    def _replay(self, recording: _Recording, inputs: PhaseInputs, parameters: list[torch.nn.Parameter]) -> torch.Tensor:
        assert recording.inputs is not None and recording.replay is not None, "what is replayed was recorded"
        for buffer, given in zip(recording.inputs.tensors(), inputs.tensors(), strict=True):
            buffer.copy_(given)
        recording.tape.refill(inputs.generators)
        for parameter, gradient in zip(parameters, recording.gradients, strict=True):
            parameter.grad = gradient
        return recording.replay().clone()

    def _record(
        self,
        name: str,
        recording: _Recording,
        work: Work,
        inputs: PhaseInputs,
        parameters: list[torch.nn.Parameter],
    ) -> None:
        before = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            parameter.grad = None
        try:
            if recording.tape.trouble:
                raise RuntimeError(recording.tape.trouble)
            buffers = inputs.copied()

            def play() -> torch.Tensor:
                with recording.tape.playing():
                    return work(buffers)

            recording.replay, recording.inputs = self._engine.capture(play), buffers
            recording.gradients = [parameter.grad for parameter in parameters]
            log.info("%s is replayed as one graph from now on", name)
        except RuntimeError as error:
            recording.failed = True
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            log.warning("%s runs kernel by kernel, since it cannot be recorded as a graph: %s", name, reason)
        finally:
            for parameter, gradient in zip(parameters, before, strict=True):
                parameter.grad = gradient
