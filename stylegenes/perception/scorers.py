"""A user's own scorers behind the contract of an attribute classifier: a module, an exported file, a table."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from stylegenes.csv_tables import read_csv
from stylegenes.errors import UserError, shown
from stylegenes.files import file_hash
from stylegenes.perception.base import AttributeClassifier
from stylegenes.perception.resize import resize, to_rgb
from stylegenes.size import Resolution, Size

_LARGEST = 2**14


@dataclass(frozen=True)
class Scoring:
    """What a foreign scorer takes and gives.

    Attributes:
        attributes: the names of its output columns.
        resolution: of its input in pixels: a number for squares, else `384x256`.
        logits: whether its outputs are logits; else they are probabilities.
        low: the value it takes for black.
        high: the value it takes for white.
        channels: the color channels of its input, 1 or 3.

    Raises:
        UserError: for no attributes or two of one name, no pixels, or black that is not below white.
    """

    attributes: list[str]
    resolution: Resolution
    logits: bool = False
    low: float = -1.0
    high: float = 1.0
    channels: int = 3

    def __post_init__(self) -> None:
        if not self.attributes or len(set(self.attributes)) < len(self.attributes):
            raise UserError("a scorer needs attributes, each of another name")
        side = self.resolution if isinstance(self.resolution, int) else Size.of(self.resolution).longer
        if not 1 <= side <= _LARGEST or self.channels not in (1, 3) or not self.low < self.high:
            raise UserError(
                f"a scorer takes 1 to {_LARGEST:,} pixels, 1 or 3 channels, and low below high; got resolution "
                f"{self.resolution}, channels {self.channels}, low {self.low}, high {self.high}"
            )

    def prepare(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures [N, C, H, W] in [-1, 1] at the scorer's size, range and channels."""
        seen = images if images.shape[1] == self.channels == 1 else to_rgb(images)
        images = resize(seen, self.resolution).clamp(-1, 1)
        images = images.mean(dim=1, keepdim=True) if self.channels == 1 else images
        return (images + 1) * ((self.high - self.low) / 2) + self.low

    def finish(self, scores: torch.Tensor, n: int) -> torch.Tensor:
        """Checked probabilities [n, A].

        Raises:
            UserError: when the scores have another shape, or are no probabilities.
        """
        scores = scores.reshape(n, -1) if scores.ndim == 1 else scores
        if scores.shape != (n, len(self.attributes)):
            raise UserError(f"the scorer gave {list(scores.shape)} for {n} pictures, not [{n}, {len(self.attributes)}]")
        probability = scores.sigmoid() if self.logits else scores
        if not bool(((probability >= 0) & (probability <= 1)).all()):
            raise UserError("the scorer's outputs lie outside [0, 1]; if they are logits, say logits=True")
        return probability.float()


class ModuleScorer(AttributeClassifier):
    """Any torch module or callable from pictures to scores."""

    def __init__(
        self,
        score: Callable[[torch.Tensor], torch.Tensor],  # pictures [N, channels, resolution, resolution] to [N, A]
        scoring: Scoring,  # what it takes and gives
        *,
        name: str = "scorer",  # what records call it
        weights_hash: str = "unknown",  # identifies its weights in records
    ) -> None:
        super().__init__()
        self.score, self.scoring = score, scoring
        self.name, self.weights_hash = name, weights_hash
        self.attributes, self.resolution = list(scoring.attributes), scoring.resolution

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Probabilities [N, A] of pictures [N, C, H, W] in [-1, 1]."""
        return self.scoring.finish(self.score(self.scoring.prepare(images)), len(images))


def scorer_of(module: nn.Module, resolution: int | str, weights_hash: str) -> AttributeClassifier:
    """Any torch module as an attribute classifier: it gives probabilities [N, A] of pictures [N, 3, R, R] in [-1, 1].

    Args:
        module: an attribute classifier, which is returned as it is; or a module that names its outputs in a list
            `attributes`. For logits, other ranges or sizes wrap it yourself: `ModuleScorer(module, Scoring(...))`.
        resolution: R in pixels (or `384x256`), where the module has no `resolution` of its own.
        weights_hash: identifies its weights in records.

    Raises:
        UserError: for a module without `attributes`.
    """
    if isinstance(module, AttributeClassifier):
        return module
    attributes = getattr(module, "attributes", None)
    if not attributes:
        raise UserError(
            f"{type(module).__name__} does not say what its outputs are; set module.attributes = ['Smiling', ...], or "
            "wrap it: stylegenes.perception.ModuleScorer(module, Scoring(attributes=[...], resolution=64, logits=True))"
        )
    scoring = Scoring(list(attributes), getattr(module, "resolution", resolution))
    module.eval()
    return ModuleScorer(module, scoring, name=type(module).__name__, weights_hash=weights_hash)


def exported_scorer(path: Path, scoring: Scoring) -> ModuleScorer:
    """A TorchScript file (.pt, .ts) or an exported program (.pt2); the file runs in torch, no Python is unpickled.

    Raises:
        UserError: when torch cannot read it.
    """
    try:
        module = torch.export.load(path).module() if path.suffix == ".pt2" else torch.jit.load(path).eval()
    except Exception as error:
        raise UserError(f"{path} is neither TorchScript nor an exported program: {shown(error, 200)}") from error
    return ModuleScorer(_Told(path, module), scoring, name=path.stem, weights_hash=file_hash(path))


def onnx_scorer(path: Path, scoring: Scoring) -> ModuleScorer:
    """An ONNX file of one input and one output, run on the CPU.

    Raises:
        UserError: when onnxruntime is not installed or cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError("an ONNX scorer needs onnxruntime; run: pip install 'stylegenes[onnx]'") from error
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UserError(f"{path} is not an ONNX model that onnxruntime can run: {shown(error, 200)}") from error
    if len(session.get_inputs()) != 1:
        raise UserError(f"{path} has {len(session.get_inputs())} inputs; a scorer has one, the pictures")
    entry = session.get_inputs()[0].name

    def score(images: torch.Tensor) -> torch.Tensor:
        outputs = session.run(None, {entry: images.detach().cpu().numpy()})
        return torch.from_numpy(np.asarray(outputs[0])).to(images.device)

    return ModuleScorer(_Told(path, score), scoring, name=path.stem, weights_hash=file_hash(path))


class _Told(nn.Module):
    """What a file computes; where it fails, the error names the file."""

    def __init__(
        self,
        path: Path,  # the file
        score: Callable[[torch.Tensor], torch.Tensor],  # what it computes; a module moves along with this one
    ) -> None:
        super().__init__()
        self.path, self.score = path, score

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Scores of pictures [N, channels, resolution, resolution].

        Raises:
            UserError: whatever happened in the file.
        """
        try:
            scores = self.score(images)
        except Exception as error:
            # A foreign program may fail with anything; most often it was exported for another size.
            raise UserError(
                f"{self.path} cannot classify pictures of {list(images.shape)}; does {self.path.stem}.json say the "
                f"right resolution and channels, and was it exported for any number of pictures? ({shown(error, 200)})"
            ) from error
        if not isinstance(scores, torch.Tensor):
            raise UserError(f"{self.path} gives {type(scores).__name__}, not one tensor of scores")
        return scores


class TableScorer(AttributeClassifier):
    """Labels that people gave to sampled pictures: a picture is recognized by its 8-bit pixels, others are refused.

    Raises:
        UserError: for a table or a picture that cannot be read, pictures of different sizes, or labels that
            contradict each other.
    """

    def __init__(
        self,
        table: Path,  # CSV: a column `file` (relative to the table), then one column of 0, 1 or a probability each
    ) -> None:
        super().__init__()
        rows = _read_table(table)
        self.attributes = [column for column in rows[0] if column != "file"]
        self.name, self.weights_hash = table.stem, file_hash(table)
        self._labels: dict[bytes, list[float]] = {}
        self.resolution = 0
        for row in rows:
            pixels = _read_picture(table.parent / row["file"])
            found = Size(pixels.shape[2], pixels.shape[1])
            size = Size.of(self.resolution) if self.resolution else found
            if found != size:
                raise UserError(
                    f"{table}: {row['file']} is {found.width} x {found.height} pixels, and all must be "
                    f"{size.width} x {size.height}"
                )
            self.resolution = size.notation
            labels = [_number(row, column, table) for column in self.attributes]
            if self._labels.setdefault(_digest(pixels), labels) != labels:
                raise UserError(f"{table}: {row['file']} shows a picture that another row labels otherwise; mend one")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The labels [N, A] of pictures [N, C, H, W] in [-1, 1].

        Raises:
            UserError: when a picture is not in the table.
        """
        pixels = _seen(_levels(images.detach().cpu()))
        found = [self._labels.get(_digest(picture)) for picture in pixels]
        missing = found.count(None)
        if missing:
            raise UserError(
                f"{missing} of {len(found)} pictures are not among the {len(self._labels)} labeled ones of "
                f"{self.name!r}; train a classifier on the labels to score others"
            )
        return torch.tensor(found, device=images.device)


def _read_table(path: Path) -> list[dict[str, str]]:
    rows = read_csv(path).rows
    if not rows or "file" not in rows[0] or len(rows[0]) < 2:
        raise UserError(f"{path} needs a column 'file', a column for each attribute, and at least one row")
    return rows


def _number(row: dict[str, str], column: str, table: Path) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f"{table}: {column} of {row['file']} is {shown(row[column], 40)!r}, not a number from 0 to 1")
    return value


def _read_picture(path: Path) -> torch.Tensor:
    try:
        with Image.open(path) as image:
            mode = "RGBA" if image.has_transparency_data else "RGB"
            return _seen(torch.from_numpy(np.array(image.convert(mode))).permute(2, 0, 1)[None])[0]
    # Decoders raise nearly anything on damaged bytes.
    except Exception as error:
        raise UserError(f"cannot read picture {shown(path, 200)}: {shown(error, 200)}") from error


def _levels(images: torch.Tensor) -> torch.Tensor:
    """Pictures in [-1, 1] as uint8."""
    return ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def _seen(levels: torch.Tensor) -> torch.Tensor:
    """What is seen of pictures uint8 [N, C, H, W], uint8 [N, 3, H, W]."""
    return _levels(to_rgb(levels.double() / 127.5 - 1))


def _digest(pixels: torch.Tensor) -> bytes:
    return hashlib.blake2b(pixels.contiguous().numpy().tobytes(), digest_size=16).digest()
