"""What a survey's bookkeeping costs, and how long the statistics of a large survey take.

    python -m benchmarks.survey                 # 500,000 draws, 64 genes x 1024 variants, 40 attributes
    python -m benchmarks.survey --draws 100000

Bookkeeping is everything but generator and classifier: drawing genotypes, packing, writing shards durably, and summing
the statistics for adaptive stopping. It is timed inside a real survey of a small StyleGAN2 with a small classifier.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from stylegenes.analysis.inference import StopAtPrecision
from stylegenes.analysis.statistics import VariantStatistics, tally, tally_draws
from stylegenes.generator import Generator
from stylegenes.perception import CalibratedClassifier
from stylegenes.survey import Draws, Survey, Surveyor, _make, _open_or_begin, conduct


class Timer:
    """Wraps a module's forward and adds up its seconds."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.seconds, self._forward = 0.0, module.forward
        module.forward = self._timed  # type: ignore[method-assign]

    def _timed(self, *args, **kwargs):  # noqa: ANN002, ANN003, ANN202
        start = time.perf_counter()
        result = self._forward(*args, **kwargs)
        self.seconds += time.perf_counter() - start
        return result


def networks(resolution: int, attributes: int) -> Surveyor:
    spec = {
        "latent": {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256},
        "synthesis": {"name": "stylegan2", "resolution": resolution, "w_dim": 512, "channel_base": 8192},
    }
    names = [f"attribute{i}" for i in range(attributes)]
    classifier = CalibratedClassifier({"name": "multihead"}, names, resolution=resolution)
    return Surveyor(Generator.from_spec(spec).eval(), classifier.eval())


def bookkeeping(resolution: int, num: int, attributes: int) -> float:
    """Part of a survey's time that is spent outside the networks."""
    surveyor = networks(resolution, attributes)
    timers = [Timer(surveyor.generator), Timer(surveyor.classifier)]
    plan = surveyor.plan()
    stop = StopAtPrecision(plan, 1e-6)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        conduct(surveyor, folder, plan, num_draws=num, on_shard=stop)
        total = time.perf_counter() - start
    inside = sum(timer.seconds for timer in timers)
    print(f"{num} pictures of {resolution} px in {total:.1f} s, {total - inside:.3f} s of it outside the networks")
    return (total - inside) / total


def large(draws: int, genes: int, variants: int, attributes: int, workers: int) -> None:
    """Statistics of a stored survey of this size, filled with noise."""
    surveyor = networks(8, attributes)
    rng = torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        plan = surveyor.plan(shard_size=8192)
        plan = type(plan)(**{**plan.__dict__, "num_genes": genes, "num_variants": variants})
        _open_or_begin(Path(name), plan)
        survey = Survey(name)
        stub = _Noise(rng, genes, variants, attributes)
        for index in range(-(-draws // plan.shard_size)):
            _make(stub, survey, index)  # type: ignore[arg-type]
        size = sum(path.stat().st_size for path in Path(name).iterdir()) / 2**20
        start, busy = time.perf_counter(), time.process_time()
        statistics = tally(survey, workers=workers)
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    memory = 2 * genes * variants * (2 * attributes + 1) * 8 / 2**20
    print(
        f"statistics of {statistics.num_draws:,} draws x {genes} genes x {variants} variants x {attributes} attributes:"
        f" {seconds:.2f} s from disk, {busy:.2f} s of processor time ({size:.0f} MiB),"
        f" {workers} threads, table of {memory:.0f} MiB"
    )
    again = VariantStatistics.empty(statistics.attributes, genes, variants)
    draw = stub.draw(plan, 0)
    start = time.perf_counter()
    tally_draws(again, draw.genotype, draw.probability)
    print(f"one shard of {len(draw)} draws: {1e3 * (time.perf_counter() - start):.0f} ms, one thread")


class _Noise:
    """A surveyor whose pictures are noise already judged."""

    def __init__(self, rng: torch.Generator, genes: int, variants: int, attributes: int) -> None:
        self.rng, self.genes, self.variants, self.attributes = rng, genes, variants, attributes

    def draw(self, plan, index: int) -> Draws:  # noqa: ANN001
        n = plan.shard_size
        genotype = torch.randint(self.variants, (n, self.genes), generator=self.rng).to(torch.uint16)
        return Draws(genotype, torch.rand(n, self.attributes, generator=self.rng).half(), torch.zeros(n, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=500_000)
    parser.add_argument("--genes", type=int, default=64)
    parser.add_argument("--variants", type=int, default=1024)
    parser.add_argument("--attributes", type=int, default=40)
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--num", type=int, default=2048, help="pictures of the survey whose bookkeeping is timed")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    share = bookkeeping(args.resolution, args.num, args.attributes)
    print(f"bookkeeping: {share:.2%} of the survey (limit 2 %): {'ok' if share < 0.02 else 'TOO MUCH'}")
    large(args.draws, args.genes, args.variants, args.attributes, args.workers)


if __name__ == "__main__":
    main()
