"""A survey's statistics in one small file: what work on genes needs once the draws themselves are left behind.

A mean and a standard deviation for each half, gene, variant and attribute, in half precision and in standard deviations
of the attribute: 2.7 MB for 32 genes x 256 variants x 40 attributes. Rounding moves a mean by at most a two-thousandth
of its distance from the attribute's own. The plan goes along, so that a summary of other weights is refused just as a
survey of them is.
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
    """Means and deviations in units of each attribute: what is rare, or never missing, keeps as many digits."""
    drawn = statistics.count[..., None] > 0
    seen = statistics.count[..., None].clamp_min(1)
    center, spread = statistics.overall.float(), statistics.spread.float()
    unit = torch.where(spread > 0, spread, 1.0)
    exact = statistics.total / seen
    offset = torch.where(drawn, (exact - center) / unit, 0.0).to(precision)
    # The deviation is taken about the mean that will be read, so that rounding cannot make its square negative.
    mean = center.double() + offset.double() * unit
    square = (statistics.square / seen - 2 * mean * exact + mean**2).clamp_min(0)
    deviation = torch.where(drawn, square.sqrt() / unit, 0.0).to(precision)
    kept = {"count": statistics.count.to(torch.int32), "offset": offset, "deviation": deviation}
    kept |= {"center": center, "unit": unit, "low": statistics.low.float(), "high": statistics.high.float()}
    return {f"{prefix}{name}": tensor.contiguous() for name, tensor in kept.items()}


def _unpack(prefix: str, parts: dict[str, torch.Tensor], attributes: list[str]) -> VariantStatistics:
    found = {name.removeprefix(prefix): part.double() for name, part in parts.items() if name.startswith(prefix)}
    if "offset" in found:
        mean = found["center"] + found["offset"] * found["unit"]
        variance = (found["deviation"] * found["unit"]).square()
    else:  # files of older versions
        mean, variance = found["mean"], found["variance"]
    count = found["count"]
    seen = count[..., None]
    # Files of older versions have no ends; they are those of a probability.
    low = found.get("low", torch.zeros(len(attributes)).double())
    high = found.get("high", torch.ones(len(attributes)).double())
    return VariantStatistics(list(attributes), count, mean * seen, (variance + mean**2) * seen, low, high)
