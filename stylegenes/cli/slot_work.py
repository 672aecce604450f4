"""The work of `stylegenes slot`: parts that each have some time, of which training is the one that may not fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from stylegenes.cli.console import say
from stylegenes.cli.parcels import open_parcel, write_parcel
from stylegenes.cli.train import need_source
from stylegenes.errors import UserError
from stylegenes.training import Machine, RunConfig, apply_overrides, read_config, train
from stylegenes.training.batch import plan_batch
from stylegenes.training.players import build_players
from stylegenes.training.resolve import CONFIG_FILE, check_shape
from stylegenes.training.state import STATE_FILE, read_state, restore

CHECKS, BENCHMARK = 60.0, 90.0
"""Most seconds of the checks and of the benchmark; in a short slot a tenth and a seventh of it."""
TOO_SHORT = 15.0
"""Seconds in which neither is worth its start."""
AFTER_TRAINING = 0.12
"""Share of the slot that is kept for evaluating, drawing and packing."""
GRIDS = 3
"""Newest grids of samples that are packed."""
PREPARE = """
import sys
from stylegenes.data import open_dataset
channels = int(sys.argv[5]) if sys.argv[5] else None
open_dataset(sys.argv[1], resolution=sys.argv[2], fit=sys.argv[3], labels=sys.argv[4] or None, channels=channels)
"""
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Slot:
    """One slot; it begins when this is made.

    Attributes:
        folder: working folder; its run is in the folder run.
        minutes: how long the device is ours, from now on.
        device: where the work happens.
        recipe: settings of a new run.
        overrides: of a new run, each KEY=VALUE.
        out: where the parcel goes.
        bring: parcel of an earlier slot to go on from, or None.
        fakes: pictures that are judged at the end; None for what the device can do, 0 for none.
        told: lines of the report.
    """

    folder: Path
    minutes: float
    device: torch.device
    recipe: str
    overrides: tuple[str, ...]
    out: Path
    bring: Path | None = None
    fakes: int | None = None
    told: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def run_folder(self) -> Path:
        """The folder of its run."""
        return self.folder / "run"

    @property
    def seconds(self) -> float:
        """How long the device is ours."""
        return 60 * self.minutes

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self._began)

    def run(self) -> None:
        """All of it, in order.

        Raises:
            UserError: as `stylegenes slot`.
        """
        if self.bring is not None:
            self._unpack(self.bring)
        if self.minutes <= 0:
            return
        config = self._config()
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        self._tell(f"{name}, torch {torch.__version__}, Python {sys.version.split()[0]}, {self.minutes:g} minutes")
        rendering = self._begin_rendering(config)
        with self._part("checks"):
            self._check()
        with self._part("benchmark"):
            self._measure()
        with self._part("data"):
            if rendering.wait():
                raise RuntimeError("the data could not be prepared ahead of training")
        self._train(config)
        self._pack()
        with self._part("evaluation"):
            self._judge(config)
        with self._part("samples"):
            self._draw()
        self._pack()

    def _tell(self, line: str) -> None:
        self.told.append(line)
        say(line)

    @contextmanager
    def _part(self, name: str) -> Iterator[None]:
        """A part that may fail: training goes on without it, and the report says so."""
        start = time.monotonic()
        try:
            yield
        except Exception as error:
            self._tell(f"{name}: FAILED, {str(error) or type(error).__name__}")
        else:
            self._tell(f"{name}: {time.monotonic() - start:.1f} s")

    def _unpack(self, parcel: Path) -> None:
        """Join a parcel, unless the run here is as far; and make its snapshot, which travels as its state only."""
        here = self._images(self.run_folder)
        if here is not None:
            fresh = self.folder / ".brought"
            open_parcel(parcel, fresh)
            brought = self._images(fresh / "run")
            shutil.rmtree(fresh, ignore_errors=True)
            if brought is None or brought <= here:
                say(f"{self.run_folder} is at {here:,} images, the parcel at {brought or 0:,}: kept as it is")
                return
        open_parcel(parcel, self.folder)
        snapshot_of_state(self.run_folder)
        say(f"unpacked into {self.run_folder}, at {self._images(self.run_folder) or 0:,} images")

    def _images(self, run: Path) -> int | None:
        state = run / STATE_FILE
        return read_state(state).counters.images if state.exists() else None

    def _config(self) -> RunConfig:
        from stylegenes.recipes import recipe

        if (self.run_folder / CONFIG_FILE).exists():
            config = read_config(self.run_folder)
        else:
            config = apply_overrides(recipe(self.recipe), self.overrides)
        # What training would refuse is told now, and not when checks and benchmark have had their time.
        need_source(config.data.source)
        check_shape(config)
        plan_batch(config.batch, ranks=1, discriminator=config.model.discriminator)
        # Event files would be carried for nothing, and their package with them.
        return replace(config, tensorboard=False)

    def _begin_rendering(self, config: RunConfig) -> subprocess.Popen[bytes]:
        """Prepare the data in a process of its own, while the device is checked."""
        data = config.data
        told = [data.source, str(data.resolution), data.fit, data.label_file or "", str(data.channels or "")]
        return subprocess.Popen([sys.executable, "-c", PREPARE, *told])

    def _check(self) -> None:
        """The tests of this device, from a checkout that has them."""
        limit = min(CHECKS, self.seconds / 10)
        tests = CHECKOUT / "tests" / "test_devices.py"
        options = ["-v", "--tb=line", "--maxfail=8", "-k", self.device.type, "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *options, str(tests)]
        self._side_process(command, limit, tests, "checks.txt")

    def _measure(self) -> None:
        """The benchmark, from a checkout that has it."""
        limit = min(BENCHMARK, self.seconds / 7)
        script = CHECKOUT / "benchmarks" / "gpu.py"
        out = (self.folder / "benchmark.json").resolve()
        options = ["--seconds", f"{0.8 * limit:.0f}", "--device", self.device.type, "--out", str(out)]
        command = [sys.executable, "-m", "benchmarks.gpu", *options]
        self._side_process(command, limit, script, "benchmark.txt")

    def _side_process(self, command: list[str], limit: float, needed: Path, log: str) -> None:
        """Run a command for at most `limit` seconds; what it says goes into a file of the working folder."""
        if limit < TOO_SHORT:
            self._tell(f"{log}: left out, {limit:.0f} s are too short")
            return
        if not needed.exists():
            self._tell(f"{log}: left out, {needed} is not here")
            return
        path = self.folder / log
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            try:
                done = subprocess.run(
                    command, cwd=CHECKOUT, stdout=file, stderr=subprocess.STDOUT, timeout=limit, check=False
                )
            except subprocess.TimeoutExpired:
                self._tell(f"{log}: not done after {limit:.0f} s")
                return
        last = (path.read_text(errors="replace").strip().splitlines() or [""])[-1]
        self._tell(f"{log}: {'ended with an error, ' if done.returncode else ''}{last}")

    def _train(self, config: RunConfig) -> None:
        kept = AFTER_TRAINING * self.seconds
        machine = Machine(self.device.type)  # type: ignore[arg-type]
        before = time.monotonic()
        result = train(config, self.run_folder, machine=machine, max_seconds=max(self.left - kept, 1.0))
        self._tell(
            f"training: {result.images:,} images so far, {time.monotonic() - before:.0f} s in this slot"
            + (", finished" if result.finished else "")
        )

    def _judge(self, config: RunConfig) -> None:
        from stylegenes.cli import evaluate

        num = self.fakes if self.fakes is not None else 10_000 if self.device.type == "cuda" else 500
        if num == 0:
            return
        batch = 250 if self.device.type == "cuda" else 32
        evaluate.run(
            evaluate.Args(
                str(self.run_folder),
                data=config.data.source,
                metrics="fd,pr",
                num=num,
                batch=batch,
                device=str(self.device),
                out=self.run_folder,
            )
        )

    def _draw(self) -> None:
        """The grid that training drew last lies open beside the parcel; the file carries its codes."""
        grids = sorted(self.run_folder.glob("samples/[0-9]*.png"))
        if not grids:
            raise UserError("training drew no grid; --set intervals.image_kimg says how often it does")
        self.out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(grids[-1], self.out / "samples.png")

    def _pack(self) -> None:
        """Report and parcel; whatever comes later, this much is safe."""
        folder = self.folder
        run = self.run_folder
        names = [*run.glob("*.json"), *run.glob("*.jsonl"), run / STATE_FILE, run / "log.txt", *run.glob("metrics.png")]
        names += list(run.glob("snapshots/last/card.json"))
        names += [run / "samples" / "reals.png", *sorted(run.glob("samples/[0-9]*.png"))[-GRIDS:]]
        names += [folder / name for name in ("checks.txt", "benchmark.txt", "benchmark.json")]
        written = write_parcel(folder, [name for name in names if name.exists()], self.out)
        size = sum(path.stat().st_size for path in written) / 2**20
        self._tell(f"packed {len(written)} files, {size:.1f} MiB, into {self.out}")
        (self.out / "report.txt").write_text("\n".join(self.told) + "\n", encoding="utf-8")


def snapshot_of_state(run: Path) -> Path | None:
    """Write the snapshot of a run from its state and the card that came along; its path, None without a card."""
    from stylegenes.snapshot import read_card, save_snapshot

    snapshot = run / "snapshots" / "last"
    if not (snapshot / "card.json").exists():
        return None
    card = read_card(snapshot)
    players = build_players(replace(read_config(run), init_from=None), torch.device("cpu"))
    restore(players, read_state(run / STATE_FILE), str(run / STATE_FILE))
    return save_snapshot(snapshot, players.ema, card, discriminator=players.D)
