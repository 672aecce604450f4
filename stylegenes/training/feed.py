"""Real batches: taken from the packed data in the order of training, one step ahead."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import torch

from stylegenes.cameras import mirrored
from stylegenes.data.order import Order, Shuffle
from stylegenes.data.protocols import LabeledImages
from stylegenes.devices import keep_to_one_core
from stylegenes.records import Condition, ImageBatch, TensorMap
from stylegenes.size import Size
from stylegenes.synthesis import SynthesisNetwork
from stylegenes.training.draws import rng_for, seed_for


class Data(LabeledImages, Protocol):
    """What training needs of a packed data set."""

    @property
    def license(self) -> str:
        """Terms and credit of the pictures, or "" where they are not known."""
        ...

    def cameras(self, indices: torch.Tensor) -> torch.Tensor | None:
        """float32 [N, 25], or None where they are not known."""
        ...

    def order(self, seed: int, mirror: bool, shuffle: Shuffle) -> Order:
        """In which order training sees the pictures."""
        ...

    def expect(self, wanted: Callable[[], torch.Tensor]) -> None:
        """The pictures that `wanted` tells are needed soon."""
        ...


RESIDENT = 0.25
"""Share of a GPU's free memory that a data set may take to be kept there."""
_CHUNK = 1024


def to_float(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """uint8 [N, C, H, W] to float32 in [-1, 1] on `device`."""
    return images.to(device, non_blocking=True).float().div_(127.5).sub_(1)


class Feed:
    """This rank's share of each step's reals: samples rank, rank + ranks, ... of the whole batch.

    Args:
        data: the packed data set.
        total: images in a step over all ranks.
        rank: number of this process.
        ranks: number of processes.
        mirror: whether half of the images are flipped.
        labels: whether labels come along.
        cameras: whether cameras come along, where the data has some.
        seed: of the order.
        shuffle: what each epoch is a permutation of.
        device: where the batches go.
        resident: whether the pictures are kept there, as uint8; None does where a GPU has room. Otherwise they are
            copied from pinned memory, beside the computation.
    """

    def __init__(
        self,
        data: Data,
        *,
        total: int,
        rank: int,
        ranks: int,
        mirror: bool,
        labels: bool,
        cameras: bool = False,
        seed: int,
        shuffle: Shuffle = "all",
        device: torch.device,
        resident: bool | None = None,
    ) -> None:
        self.data, self.total, self.rank, self.ranks = data, total, rank, ranks
        self.with_labels, self.with_cameras, self.device = labels, cameras, device
        self.order = data.order(seed_for(seed, "data"), mirror, shuffle)
        self._pool = ThreadPoolExecutor(1, "feed", keep_to_one_core)
        self._ahead: dict[int, Future[_Share]] = {}
        self._pictures = _kept(data, device) if (fits(data, device) if resident is None else resident) else None
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def batch(self, position: int) -> ImageBatch:
        """The batch that begins after `position` images; the next one is fetched meanwhile."""
        future = self._ahead.pop(position, None) or self._pool.submit(self._load, position)
        self._ahead = {position + self.total: self._pool.submit(self._load, position + self.total)}
        share = future.result().map(self._send)
        if self._stream is not None:
            torch.cuda.current_stream(self.device).wait_stream(self._stream)
        images = share.images
        if self._pictures is not None:
            images = _mirrored(self._pictures.index_select(0, share.indices), share.mirror)
        assert images is not None, "what is not kept is loaded"
        return ImageBatch(to_float(images, self.device), condition=share.condition)

    def _send(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor on its way to the device; whoever uses it waits for the stream that brings it."""
        if self._stream is None:
            return tensor.to(self.device)
        with torch.cuda.stream(self._stream):
            sent = tensor.to(self.device, non_blocking=True)
        sent.record_stream(torch.cuda.current_stream(self.device))
        return sent

    def close(self) -> None:
        """Stop fetching."""
        self._pool.shutdown(cancel_futures=True)

    def _load(self, position: int) -> _Share:
        mine = slice(self.rank, None, self.ranks)
        draw = self.order.draw(position, self.total)[mine]
        indices, mirror = draw.indices, draw.mirror
        self.data.expect(lambda: self.order.draw(position + self.order.ahead, self.total).indices[mine])
        images = _mirrored(self.data.images(indices), mirror) if self._pictures is None else None
        label = self.data.labels(indices) if self.with_labels else None
        camera = self.data.cameras(indices) if self.with_cameras else None
        if camera is not None:
            camera = torch.where(mirror[:, None], mirrored(camera), camera)
        share = _Share(indices, mirror, images, Condition(label, camera))
        return share if self._stream is None else share.map(torch.Tensor.pin_memory)


@dataclass(frozen=True)
class _Share:
    """A rank's share of one batch: which pictures, which of them mirrored, and the pictures unless they are kept."""

    indices: torch.Tensor
    mirror: torch.Tensor
    images: torch.Tensor | None
    condition: Condition

    def map(self, function: TensorMap) -> _Share:
        images = None if self.images is None else function(self.images)
        return _Share(function(self.indices), function(self.mirror), images, self.condition.map(function))


def fits(data: Data, device: torch.device) -> bool:
    """Whether a GPU has room for all pictures beside the networks."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return len(data) * data.channels * Size.of(data.resolution).pixels < RESIDENT * free


def _kept(data: Data, device: torch.device) -> torch.Tensor:
    """All pictures on the device, uint8 [N, C, H, W]."""
    pictures = torch.empty(len(data), data.channels, *Size.of(data.resolution).hw, dtype=torch.uint8, device=device)
    for start in range(0, len(data), _CHUNK):
        indices = torch.arange(start, min(start + _CHUNK, len(data)))
        pictures[start : start + len(indices)] = data.images(indices).to(device)
    return pictures


def _mirrored(images: torch.Tensor, mirror: torch.Tensor) -> torch.Tensor:
    return torch.where(mirror[:, None, None, None], images.flip(3), images)


def pool_of(data: Data, synthesis: SynthesisNetwork, *, labels: bool, mirror: bool, seed: int) -> Condition:
    """What fakes' labels [M, L] and cameras [M, 25] are drawn from, on the CPU: those of the data.

    Cameras are those of the mirrored pictures too, where pictures are mirrored; where the data has none, they are drawn
    from the views that the network brings along.

    Args:
        data: the real pictures.
        synthesis: says whether cameras are needed, and draws them where the data has none.
        labels: whether the data's labels count.
        mirror: whether pictures are mirrored.
        seed: of cameras that are drawn.
    """
    everything = torch.arange(len(data))
    label = data.labels(everything) if labels else None
    if not synthesis.has_camera:
        return Condition(label)
    camera = data.cameras(everything)
    if camera is None:
        return Condition(label, synthesis.draw_views(len(data), rng_for(seed, "views")))
    if mirror:
        camera, label = torch.cat([camera, mirrored(camera)]), None if label is None else label.repeat(2, 1)
    return Condition(label, camera)
