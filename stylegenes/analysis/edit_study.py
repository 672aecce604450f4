"""What edits by genes change, wanted and not: every attribute in turn, on many pictures (StyleGenes, A.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylegenes.analysis.editing import Editor
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.wishes import Wish
from stylegenes.errors import UserError
from stylegenes.progress import OnStep, silent_step


@dataclass(frozen=True)
class EditStudy:
    """Edits of all attributes, a row of each array an attribute that was edited.

    Every picture is edited against its present state: an attribute that it shows is taken away, another one added.

    Attributes:
        attributes: A names.
        achieved: [A], mean change of the probability in the wanted direction.
        changed: [A, A], mean absolute change of every attribute (columns) when one (row) is edited.
        flipped: [A], share of the pictures in which the classifier changed its mind about the edited attribute.
        foremost: [A], share of the pictures in which it changed and no other attribute changed more.
        num: pictures.
    """

    attributes: list[str]
    achieved: torch.Tensor
    changed: torch.Tensor
    flipped: torch.Tensor
    foremost: torch.Tensor
    num: int

    @property
    def wanted(self) -> torch.Tensor:
        """Mean absolute change of the attribute that was edited, [A]."""
        return self.changed.diagonal()

    @property
    def side_effect(self) -> torch.Tensor:
        """Mean absolute change over all other attributes, [A]."""
        return (self.changed.sum(dim=1) - self.wanted) / max(len(self.attributes) - 1, 1)

    def strongest_other(self, row: int) -> tuple[str, float]:
        """The attribute that changes most besides the edited one, and by how much; of a single one, "" and 0."""
        if len(self.attributes) < 2:
            return "", 0.0
        others = self.changed[row].clone()
        others[row] = -1
        return self.attributes[int(others.argmax())], float(others.max())


def study_edits(
    labeler: CodeLabeler,
    genotypes: torch.Tensor,
    make: Editor,
    *,
    on_progress: OnStep = silent_step,
) -> EditStudy:
    """Edit every attribute of every genotype [N, G].

    Args:
        labeler: model and classifier.
        genotypes: the pictures to edit.
        make: edits one of them.
        on_progress: called after every attribute.

    Raises:
        UserError: without genotypes.
    """
    if len(genotypes) < 1:
        raise UserError("a study of edits needs at least one picture")
    attributes, before = list(labeler.classifier.attributes), labeler.probabilities(genotypes)
    rows = []
    for a, name in enumerate(attributes):
        wishes = [Wish(name, a, present=bool(p[a] < 0.5)) for p in before]
        edited = torch.stack([make(g, [w]).after for g, w in zip(genotypes, wishes, strict=True)])
        rows.append(labeler.probabilities(edited) - before)
        on_progress(a + 1, len(attributes))
    return _sum_up(attributes, torch.stack(rows), before)


def _sum_up(attributes: list[str], change: torch.Tensor, before: torch.Tensor) -> EditStudy:
    """From the changes [A, N, A] of every attribute by every edit, and the probabilities before [N, A]."""
    own = change.diagonal(dim1=0, dim2=2).T  # [A, N]
    start = before.T
    size = change.abs()
    return EditStudy(
        attributes=attributes,
        achieved=torch.where(start < 0.5, own, -own).mean(dim=1),
        changed=size.mean(dim=1),
        flipped=((start < 0.5) != (start + own < 0.5)).double().mean(dim=1),
        foremost=((own.abs() >= size.amax(dim=2)) & (own != 0)).double().mean(dim=1),
        num=before.shape[0],
    )
