"""Ways to stream shards, compared on small pictures: LitData, WebDataset, and stylegenes' own shards.

    pip install litdata webdataset
    python benchmarks/streaming.py --pictures 200000

Each writes the same pictures into ten shards and reads them back, shuffled, in one process. A picture carries its
number in its first bytes, so that every order can be read from the pixels.
"""

from __future__ import annotations

import argparse
import copy
import io
import itertools
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from stylegenes.data.order import DataOrder, Order, Shuffle
from stylegenes.data.shards.dataset import ShardedDataset
from stylegenes.data.shards.writing import pack_shards
from stylegenes.data.source import Picture, Source
from stylegenes.progress import log_progress
from stylegenes.size import Size

BATCH, PIXELS = 256, 32
NEAR = 1000


class Way(Protocol):
    """Writes shards and reads them in a shuffled order."""

    name: str

    def write(self, folder: Path, count: int) -> None:
        """Write pictures 0 to count - 1."""
        ...

    def read(self, folder: Path, rank: int, ranks: int, state: Any = None) -> Iterator[tuple[torch.Tensor, Any]]:
        """One epoch of this rank: batches uint8 [BATCH / ranks, 3, H, W] and what resumes after each."""
        ...


def shard_bytes(count: int) -> int:
    """Ten shards in all: 64 MB for 200,000 pictures."""
    return 320 * count


def picture(number: int) -> np.ndarray:
    """A picture uint8 [3, H, W] whose first four bytes are its number."""
    smooth = np.linspace(0, 200, 3 * PIXELS * PIXELS).astype(np.uint8)
    noise = np.random.Philox(key=number).random_raw(3 * PIXELS * PIXELS // 8).view(np.uint8) // 8
    pixels = smooth + noise
    pixels[:4] = np.array([number], np.uint32).view(np.uint8)
    return pixels.reshape(3, PIXELS, PIXELS)


class LitData:
    """Its own chunk files, its shuffle, its resumable loader."""

    name = "LitData"

    def write(self, folder: Path, count: int) -> None:
        """In this process, by the writer that `optimize` uses."""
        from litdata.streaming.writer import BinaryWriter  # pyright: ignore[reportMissingImports]

        folder.mkdir()
        writer = BinaryWriter(str(folder), chunk_bytes=shard_bytes(count))
        for number in range(count):
            writer.add_item(number, torch.from_numpy(picture(number)))
        writer.done()
        writer.merge()

    def read(self, folder: Path, rank: int, ranks: int, state: Any = None) -> Iterator[tuple[torch.Tensor, Any]]:
        """Through its data set and loader; the place of a rank is set by hand, as there is one process."""
        from litdata import StreamingDataLoader, StreamingDataset  # pyright: ignore[reportMissingImports]
        from litdata.utilities.env import _DistributedEnv  # pyright: ignore[reportMissingImports]

        data = StreamingDataset(str(folder), shuffle=True, drop_last=False, seed=1)
        data.distributed_env = _DistributedEnv(ranks, rank, 1)
        loader = StreamingDataLoader(data, batch_size=BATCH // ranks, num_workers=0)
        if state is not None:
            loader.load_state_dict(copy.deepcopy(state))
        for batch in loader:
            yield batch, copy.deepcopy(loader.state_dict())


class WebDataset:
    """Tar files, split among ranks as whole shards, shuffled in a buffer; resuming is reading past what was seen."""

    name = "WebDataset"

    def write(self, folder: Path, count: int) -> None:
        """Tars of raw pixels."""
        folder.mkdir()
        each = shard_bytes(count) // (3 * PIXELS * PIXELS)
        for shard in range(-(-count // each)):
            with tarfile.open(folder / f"{shard:06d}.tar", "w") as tar:
                for number in range(shard * each, min((shard + 1) * each, count)):
                    item = tarfile.TarInfo(f"{number:08d}.raw")
                    item.size = 3 * PIXELS * PIXELS
                    tar.addfile(item, io.BytesIO(picture(number).tobytes()))

    def read(self, folder: Path, rank: int, ranks: int, state: Any = None) -> Iterator[tuple[torch.Tensor, Any]]:
        """A pipeline with a buffer of 10,000 pictures."""
        import random

        import webdataset as wds  # pyright: ignore[reportMissingImports]

        shards = sorted(str(path) for path in folder.glob("*.tar"))
        random.Random(1).shuffle(shards)
        data = wds.DataPipeline(
            wds.SimpleShardList(shards[rank::ranks]),
            wds.tarfile_to_samples(),
            wds.shuffle(10_000, rng=random.Random(1)),
            wds.map(lambda item: torch.frombuffer(bytearray(item["raw"]), dtype=torch.uint8).view(3, PIXELS, PIXELS)),
            wds.batched(BATCH // ranks, collation_fn=torch.stack),
        )
        for number, batch in enumerate(itertools.islice(iter(data), state or 0, None), (state or 0) + 1):
            yield batch, number


class LitDataByNumber(LitData):
    """Its chunk files, read by number in the order of training."""

    name = "LitData by number"

    def read(self, folder: Path, rank: int, ranks: int, state: Any = None) -> Iterator[tuple[torch.Tensor, Any]]:
        """One picture after the other."""
        from litdata import StreamingDataset  # pyright: ignore[reportMissingImports]

        data = StreamingDataset(str(folder))
        for indices, seen in _draws(DataOrder(len(data), 1), len(data), rank, ranks, state):
            yield torch.stack([data[number] for number in indices.tolist()]), seen


class Made(Source):
    """The pictures as a source that can be packed."""

    description, label_names, left_out = "made", [], []
    parameters, channels, size = {}, 3, Size.of(PIXELS)

    def __init__(self, count: int) -> None:
        self.count = count
        self._names = [str(number) for number in range(count)]

    @property
    def names(self) -> list[str]:
        return self._names

    def fingerprint(self) -> str:
        return str(self.count)

    def labels(self) -> np.ndarray:
        return np.zeros((self.count, 0), np.float32)

    def load(self, index: int) -> Picture:
        return Picture(picture(index))


class Shards:
    """Those of `data pack --shards`, in the order of training."""

    name = "stylegenes, all"
    shuffle: Shuffle = "all"

    def write(self, folder: Path, count: int) -> None:
        """As the command does."""
        pack_shards(Made(count), folder, shard_bytes=shard_bytes(count), workers=1, track=log_progress)

    def read(self, folder: Path, rank: int, ranks: int, state: Any = None) -> Iterator[tuple[torch.Tensor, Any]]:
        """As training does."""
        data = ShardedDataset.open(folder)
        for indices, seen in _draws(data.order(1, False, self.shuffle), len(data), rank, ranks, state):
            yield data.images(indices), seen


class NearShards(Shards):
    """The same, shuffled within some shards at a time."""

    name, shuffle = "stylegenes, shards", "shards"


def _draws(order: Order, count: int, rank: int, ranks: int, state: int | None) -> Iterator[tuple[torch.Tensor, int]]:
    for start in range(state or 0, count, BATCH):
        stop = min(start + BATCH, count)
        yield order.draw(start, stop - start).indices[rank::ranks], stop


def numbers(batches: Iterator[tuple[torch.Tensor, Any]]) -> np.ndarray:
    """The numbers of all pictures, int64 [N], in their order."""
    found = [np.zeros(0, np.int64)]
    for batch, _ in batches:
        found.append(np.ascontiguousarray(batch.flatten(1)[:, :4].numpy()).view(np.uint32)[:, 0].astype(np.int64))
    return np.concatenate(found)


def repeats(found: np.ndarray, count: int) -> str:
    """How many pictures came more than once, and how many never."""
    times = np.bincount(found, minlength=count)
    return f"{int((times > 1).sum())} twice, {int((times == 0).sum())} never"


def apart(order: np.ndarray, count: int) -> float:
    """Of neighbors in the data, the share that comes within 1,000 places, over that of a uniform shuffle."""
    place = np.empty(count)
    place[order] = np.arange(len(order))
    return float((np.abs(np.diff(place)) < NEAR).mean() / (2 * NEAR / count))


def measure(way: Way, folder: Path, count: int, speed: bool) -> Iterator[tuple[str, str]]:
    """All figures of one way. Seconds are of processor time, so that what else runs on the machine does not count."""
    start = time.process_time()
    way.write(folder, count)
    yield "written in s", f"{time.process_time() - start:.0f}"
    yield "on disk, MB", f"{sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6:.0f}"
    half = count // BATCH // 2
    start = time.process_time()
    next(way.read(folder, 0, 1))
    yield "first batch after s", f"{time.process_time() - start:.2f}"
    start, clock = time.process_time(), time.perf_counter()
    state = next(itertools.islice(way.read(folder, 0, 1), half - 1, None))[1]
    yield "images/s of a core", f"{half * BATCH / (time.process_time() - start):,.0f}"
    yield "images/s by the clock", f"{half * BATCH / (time.perf_counter() - clock):,.0f}"
    start = time.process_time()
    next(way.read(folder, 0, 1, state))
    yield "first batch of a resume after s", f"{time.process_time() - start:.2f}"
    if speed:
        return
    order = numbers(way.read(folder, 0, 1))
    yield "one process", repeats(order, count)
    yield "neighbors near, 1 is ideal", f"{apart(order, count):.2f}"
    yield "three processes", repeats(np.concatenate([numbers(way.read(folder, rank, 3)) for rank in range(3)]), count)
    rest = order[half * BATCH :]
    yield "resumed, same order", str(np.array_equal(numbers(way.read(folder, 0, 1, state)), rest))
    yield "resumed on two", _on_two(way, folder, state, rest)


def _on_two(way: Way, folder: Path, state: Any, rest: np.ndarray) -> str:
    """Whether two processes take batch by batch what one would have taken."""
    try:
        shares = [numbers(way.read(folder, rank, 2, state)) for rank in range(2)]
    except ValueError as error:
        return f"refused: {error}"
    joined, same = np.concatenate(shares), BATCH // 2
    if not np.array_equal(np.sort(joined), np.sort(rest)):
        return f"{len(np.setdiff1d(rest, joined))} lost, {len(joined) - len(np.intersect1d(joined, rest))} again"
    first = np.concatenate([share[:same] for share in shares])
    return "same batches" if set(first) == set(rest[:BATCH]) else "same pictures, other batches"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200_000)
    parser.add_argument("--speed", action="store_true", help="measure times alone")
    parser.add_argument("--ways", nargs="*", default=list(WAYS))
    args = parser.parse_args()
    for name in args.ways:
        with tempfile.TemporaryDirectory() as folder:
            print(name)
            for what, figure in measure(WAYS[name](), Path(folder) / "shards", args.pictures, args.speed):
                print(f"  {what}: {figure}", flush=True)


WAYS = {way.name: way for way in (LitData, LitDataByNumber, WebDataset, Shards, NearShards)}

if __name__ == "__main__":
    main()
