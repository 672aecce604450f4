"""What evaluating costs: accumulating against generating and describing, and memory against the number of fakes.

    python benchmarks/metrics.py [--num 512] [--resolution 64]

Prints milliseconds a picture of generating, describing and accumulating (their share should stay under 5 %), and the
peak memory of passes over N and 4 N fakes (it should not grow).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from stylegenes.generator import Generator
from stylegenes.metrics.features import FeaturePass
from stylegenes.metrics.moments import Moments
from stylegenes.metrics.sources import GeneratorSource
from stylegenes.perception import EXTRACTORS


def build(resolution: int) -> Generator:
    latent = {"name": "genome", "w_dim": 512, "num_genes": 64, "num_variants": 256}
    synthesis = {
        "name": "stylegan2",
        "resolution": resolution,
        "w_dim": 512,
        "channel_base": 8192,
        "channel_max": 256,
    }
    return Generator.from_spec({"latent": latent, "synthesis": synthesis}).eval().requires_grad_(False)


def milliseconds(function: Callable[[], object], pictures: int, repeats: int = 3) -> float:
    """Median over `repeats`, per picture."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2] / pictures * 1000


def shares(resolution: int, batch: int) -> None:
    source = GeneratorSource(build(resolution), batch, batch=batch)
    extractor = EXTRACTORS.build({"name": "lite0"}).eval()
    images = source.block(0, batch)
    with torch.no_grad():
        features = extractor(images)
        generating = milliseconds(lambda: source.block(0, batch), batch)
        describing = milliseconds(lambda: extractor(images), batch)
    halves = [Moments.empty(extractor.feature_dim) for _ in range(2)]

    def accumulate() -> None:
        for i, moments in enumerate(halves):
            moments.update(features[i::2])

    accumulating = milliseconds(accumulate, batch)
    share = accumulating / (generating + describing)
    print(f"generate {generating:.2f} ms, describe {describing:.2f} ms, accumulate {accumulating:.2f} ms a picture")
    print(f"accumulating costs {share:.1%} of the rest (limit 5 %): {'ok' if share < 0.05 else 'TOO MUCH'}")


def peak(num: int, resolution: int, folder: str, result: Any) -> None:
    """Run one pass in a fresh process and report the peak of its resident memory, MiB."""
    source = GeneratorSource(build(resolution), num, batch=32)
    extractor = EXTRACTORS.build({"name": "lite0", "input_size": 32}).eval()
    FeaturePass(source, extractor, keep_rows=True, folder=Path(folder)).run()
    result.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory(num: int, resolution: int) -> None:
    context = multiprocessing.get_context("spawn")
    peaks = []
    for count in (num, 4 * num):
        with tempfile.TemporaryDirectory() as folder:
            result = context.Queue()
            worker = context.Process(target=peak, args=(count, resolution, folder, result))
            worker.start()
            peaks.append(result.get())
            worker.join()
        print(
            f"{count:6d} fakes: peak memory {peaks[-1]:.0f} MiB, {count * 1280 * 4 / 2**20:.1f} MiB of features on disk"
        )
    print(f"four times the fakes take {peaks[1] - peaks[0]:+.0f} MiB (mapped pages of the features' file included)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=512)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    args = parser.parse_args()
    shares(args.resolution, args.batch)
    memory(args.num, min(args.resolution, 32))


if __name__ == "__main__":
    main()
