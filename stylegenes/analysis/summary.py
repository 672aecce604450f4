"""A survey's statistics in one small file: what work on genes needs once the draws themselves are left behind.

A mean and a variance for each half, gene, variant and attribute, in half precision: 2.7 MB for 32 genes x 256 variants
x 40 attributes. Rounding moves a mean by at most 0.0003; its sampling noise is some hundred times that. The plan goes
along, so that a summary of other weights is refused just as a survey of them is.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegenes.analysis.statistics import VariantStatistics, tally
from stylegenes.errors import UserError
from stylegenes.files import parse_json
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.shape import as_record
from stylegenes.survey import Survey, SurveyPlan

FILE = "summary.safetensors"


@dataclass(frozen=True)
class Summary:
    """What is kept of a survey.

    Attributes:
        plan: of the survey; names the weights that it holds for.
        statistics: of the classifier's attributes.
        realness: of the one column "realness", or None where it was not recorded.
    """

    plan: SurveyPlan
    statistics: VariantStatistics
    realness: VariantStatistics | None

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, atomically."""
        parts = _pack("", self.statistics, torch.float16)
        if self.realness is not None:
            parts |= _pack("realness_", self.realness, torch.float32)
        metadata = {"plan": json.dumps(dataclasses.asdict(self.plan))}
        save_sealed(path, parts, metadata)

    @classmethod
    def load(cls, path: str | Path) -> Summary:
        """Read what `save` wrote.

        Raises:
            UserError: when the file is damaged.
        """
        found = load_sealed(path, is_old=lambda about: set(about) == {"plan"})
        parts = found.tensors
        try:
            plan = as_record(SurveyPlan, parse_json(found.about["plan"], str(path)), str(path))
            realness = _unpack("realness_", parts, ["realness"]) if "realness_count" in parts else None
            return cls(plan, _unpack("", parts, plan.attributes), realness)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise UserError(f"{path} is damaged ({error}); remove it and run stylegenes survey") from error


def summarize(survey: Survey, statistics: VariantStatistics | None = None) -> Summary:
    """The summary of a survey of a genome; `statistics` are its own where they are known already.

    Raises:
        UserError: when the survey is of a continuous latent.
    """
    realness = tally(survey, "discriminator") if survey.plan.discriminator else None
    return Summary(survey.plan, statistics or tally(survey), realness)


def _pack(prefix: str, statistics: VariantStatistics, precision: torch.dtype) -> dict[str, torch.Tensor]:
    seen = statistics.count[..., None].clamp_min(1)
    # The variance is taken about the mean that will be read, so that rounding cannot make it negative.
    mean = (statistics.total / seen).to(precision)
    variance = (statistics.square / seen - 2 * mean.double() * statistics.total / seen + mean.double() ** 2).clamp_min(
        0
    )
    kept = {"count": statistics.count.to(torch.int32), "mean": mean, "variance": variance.to(precision)}
    kept |= {"low": statistics.low.float(), "high": statistics.high.float()}
    return {f"{prefix}{name}": tensor.contiguous() for name, tensor in kept.items()}


def _unpack(prefix: str, parts: dict[str, torch.Tensor], attributes: list[str]) -> VariantStatistics:
    count, mean, variance = (parts[f"{prefix}{name}"].double() for name in ("count", "mean", "variance"))
    seen = count[..., None]
    # Files of older versions have no ends; they are those of a probability.
    ends = {"low": torch.zeros(len(attributes)), "high": torch.ones(len(attributes))}
    low, high = (parts.get(f"{prefix}{name}", end).double() for name, end in ends.items())
    return VariantStatistics(list(attributes), count, mean * seen, (variance + mean**2) * seen, low, high)
