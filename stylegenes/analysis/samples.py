"""Codes with attribute labels: drawn from a generator and classified by a classifier, or read from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegenes.classified import classify_codes
from stylegenes.csv_tables import read_csv, write_csv
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception import AttributeClassifier
from stylegenes.progress import OnStep
from stylegenes.records import Condition, Noise, repeated
from stylegenes.survey import Survey, fingerprint, shard_seed
from stylegenes.words import did_you_mean


@dataclass(frozen=True)
class LabeledCodes:
    """Codes and what their pictures show.

    Attributes:
        codes: [N, ...], as the latent draws them.
        probabilities: [N, A] in [0, 1]; above a half counts as present.
        attributes: the A names of the columns.
    """

    codes: torch.Tensor
    probabilities: torch.Tensor
    attributes: list[str]

    def __len__(self) -> int:
        return self.codes.shape[0]

    def first(self, n: int) -> LabeledCodes:
        """The first `n` of them, or all."""
        return LabeledCodes(self.codes[:n], self.probabilities[:n], self.attributes)

    def only(self, attributes: Sequence[str]) -> LabeledCodes:
        """With these attributes alone.

        Raises:
            UserError: for an unknown name; lists the known ones.
        """
        columns = [attribute_index(self.attributes, name) for name in attributes]
        return LabeledCodes(self.codes, self.probabilities[:, columns], list(attributes))

    def column(self, attribute: str) -> torch.Tensor:
        """The probabilities [N] of one attribute.

        Raises:
            UserError: for an unknown name; lists the known ones.
        """
        return self.probabilities[:, attribute_index(self.attributes, attribute)]


def attribute_index(attributes: list[str], attribute: str) -> int:
    """The column of an attribute.

    Raises:
        UserError: for an unknown name; lists the known ones.
    """
    if attribute not in attributes:
        raise UserError(f"unknown attribute {attribute!r}{did_you_mean(attribute, attributes, 'attributes')}")
    return attributes.index(attribute)


@torch.no_grad()
def label_samples(
    generator: Generator,
    classifier: AttributeClassifier,
    n: int,
    *,
    random: torch.Generator,
    batch: int = 64,
    condition: Condition | None = None,
    progress: OnStep | None = None,
) -> LabeledCodes:
    """Draw `n` codes and classify their pictures; the pictures are never kept.

    Args:
        generator: the model, in evaluation mode.
        classifier: gives the probabilities.
        n: how many codes, at least one.
        random: source of the codes and of the noise inputs.
        batch: pictures made at once.
        condition: one row, used for every sample; needed by a model with labels.
        progress: called after every batch.

    Raises:
        UserError: for less than one sample.
    """
    if n < 1:
        raise UserError(f"at least one sample is needed; got {n}")
    codes, probabilities = [], []
    for start in range(0, n, batch):
        code = generator.sample(min(batch, n - start), random)
        told = repeated(condition, len(code))
        codes.append(code)
        probabilities.append(classify_codes(generator, classifier, code, told, noise=Noise("const")).probability)
        if progress is not None:
            progress(start + len(code), n)
    return LabeledCodes(torch.cat(codes), torch.cat(probabilities).float(), list(classifier.attributes))


@torch.no_grad()
def latent_spaces(
    generator: Generator, codes: torch.Tensor, *, batch: int = 1024, condition: Condition | None = None
) -> dict[str, torch.Tensor]:
    """The codes' coordinates, [N, C] each: `z` (the code's own numbers) and `w` (what the layers get).

    Where both are the same numbers, as for a genome or a plain Gaussian, only `w` is there.

    Args:
        generator: the codes' own.
        codes: [N, ...].
        batch: codes mapped at once.
        condition: label and camera of all codes, one row.
    """
    parts = codes.split(batch)
    z = torch.cat([generator.latent.features(part) for part in parts])
    w = torch.cat([generator.latent(part, repeated(condition, len(part))) for part in parts])
    same = z.shape == w.shape and torch.equal(z, w)
    return {"w": w} if same else {"z": z, "w": w}


def read_labels(path: Path, generator: Generator) -> LabeledCodes:
    """Read a table with a column `code` (the model's code strings) and one column of numbers in [0, 1] an attribute.

    Raises:
        UserError: for a missing file or column, an unreadable code or a value that is no number in [0, 1].
    """
    if not path.is_file():
        raise UserError(f"there is no table {str(path)!r}; expected a CSV with a column 'code' and one per attribute")
    rows = read_csv(path).rows
    if not rows or "code" not in rows[0] or len(rows[0]) < 2:
        raise UserError(f"{path} needs a header with 'code' and at least one attribute, and at least one row")
    attributes = [name for name in rows[0] if name != "code"]
    values = [[_number(path, i, name, row[name]) for name in attributes] for i, row in enumerate(rows, start=2)]
    codes = generator.latent.from_strings([row["code"] for row in rows])
    return LabeledCodes(codes, torch.tensor(values), attributes)


def _number(path: Path, line: int, name: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f"{path}, line {line}: {name} is {text!r}; expected a number from 0 (absent) to 1 (present)")
    return value


def write_labels(path: Path, generator: Generator, samples: LabeledCodes) -> None:
    """Write the table that `read_labels` reads, atomically."""
    named = zip(generator.latent.to_strings(samples.codes), samples.probabilities.tolist(), strict=True)
    rows = ([string, *(f"{value:.4f}" for value in row)] for string, row in named)
    write_csv(path, ["code", *samples.attributes], rows)


def survey_labels(survey: Survey, generator: Generator) -> LabeledCodes:
    """The codes and labels of a survey on disk; the codes are drawn again from its seeds, so any latent will do.

    Raises:
        UserError: when the survey was made with other weights or with labels, or no shard is finished.
    """
    if survey.plan.labels:
        raise UserError(
            f"the pictures of {survey.folder} have many labels, and a direction holds for one: give --classifier and "
            "--label instead of --survey"
        )
    if survey.plan.model != fingerprint(generator):
        raise UserError(
            f"the survey in {survey.folder} was made with another model; give its own model, or a new survey"
        )
    shards = [(shard_seed(survey.plan, index), survey.shard(index)) for index in survey.indices()]
    if not shards:
        raise UserError(f"{survey.folder} holds no finished shard yet; run the survey again to go on with it")
    codes = [generator.sample(len(draws), torch.Generator().manual_seed(seed)) for seed, draws in shards]
    probabilities = torch.cat([draws.probability for _, draws in shards]).float()
    return LabeledCodes(torch.cat(codes), probabilities, list(survey.plan.attributes))
