"""The contract of a latent distribution: sample a code, express it as a style vector w."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch

from stylegenes.cameras import NUMBERS
from stylegenes.errors import UserError
from stylegenes.layers import Layer
from stylegenes.records import Condition
from stylegenes.registry import Registry, Spec


class LatentDistribution(Layer, ABC):
    """Draws codes and turns them into w. Swapping one for another touches nothing else.

    Attributes:
        w_dim: length of w.
        label_dim: length of the label it needs, 0 for none.
        reads_camera: whether it needs the camera.
        num_genes: genes of a genotype where codes are discrete, 0 where they are continuous.
        num_variants: variants of each gene where codes are discrete, 0 where they are continuous.
        spec: the registry spec it was built from.
    """

    w_dim: int
    label_dim: int = 0
    reads_camera: bool = False
    num_genes: int = 0
    num_variants: int = 0
    spec: Spec

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw `n` codes, [n, ...], on this module's device; `generator` makes them reproducible."""

    @abstractmethod
    def forward(self, code: torch.Tensor, condition: Condition | None = None) -> torch.Tensor:
        """Express codes [N, ...] as w [N, w_dim]."""

    @abstractmethod
    def mean(self, condition: Condition | None = None) -> torch.Tensor:
        """The mean of w, [1, w_dim]: the center that truncation pulls towards and projection starts from."""

    @abstractmethod
    def interpolate(self, start: torch.Tensor, end: torch.Tensor, t: float | torch.Tensor) -> torch.Tensor:
        """A path between two batches of codes, for path length and strips: w [N, w_dim] or a code that `forward` takes.

        `t` in [0, 1], one number or [N, 1]. Each distribution takes the path natural to its codes; see its own
        docstring.
        """

    def path(
        self, start: torch.Tensor, end: torch.Tensor, t: float | torch.Tensor, condition: Condition | None = None
    ) -> torch.Tensor:
        """w [N, w_dim] at `t` on the path that `interpolate` takes, whether that goes through codes or through w.

        Args:
            start: codes [N, ...].
            end: codes [N, ...].
            t: in [0, 1], one number or [N, 1].
            condition: labels and cameras, N rows.
        """
        return self(self.interpolate(start, end, t), condition)

    def blend(
        self, start: torch.Tensor, end: torch.Tensor, t: float, condition: Condition | None = None
    ) -> torch.Tensor:
        """w [N, w_dim] at `t` in [0, 1] on the way between two batches of codes: here the line between their w.

        Args:
            start: codes [N, ...].
            end: codes [N, ...].
            t: in [0, 1].
            condition: labels and cameras, N rows.
        """
        return torch.lerp(self(start, condition), self(end, condition), t)

    def check_code(self, code: torch.Tensor) -> None:
        """Refuse codes that are none of this latent, before they are printed or drawn; here all are let through.

        Raises:
            UserError: for a wrong shape or type, or numbers out of range.
        """

    @abstractmethod
    def to_strings(self, code: torch.Tensor) -> list[str]:
        """One short printable string for each code; `from_strings` gives the very same codes on any device."""

    @abstractmethod
    def from_strings(self, strings: list[str]) -> torch.Tensor:
        """The codes that `to_strings` printed.

        Raises:
            UserError: for a string that is damaged or belongs to a latent of another shape.
        """

    def string_format(self) -> dict[str, Any]:
        """How `to_strings` writes a code, in JSON-ready words and numbers, for readers without this package."""
        return {}

    def features(self, code: torch.Tensor) -> torch.Tensor:
        """Codes as rows of real numbers [N, F], for classifiers and principal components: here the codes themselves."""
        return code

    def choices(self, features: torch.Tensor) -> torch.Tensor | None:
        """What was chosen to make `features` [N, F], integers [N, G]; None where a latent makes no choices."""
        return None

    def vital_signs(self) -> dict[str, float]:
        """What a status line of training tells about this latent; nothing by default."""
        return {}

    def track(self, w: torch.Tensor) -> None:
        """Observe w [N, w_dim] of a training batch, to keep running statistics. Does nothing by default."""

    @property
    def device(self) -> torch.device:
        """Where the codes are drawn."""
        return next((tensor.device for tensor in [*self.parameters(), *self.buffers()]), torch.device("cpu"))

    def check_label(self, condition: Condition | None, n: int) -> torch.Tensor | None:
        """The label [n, label_dim] that this distribution needs, or None if it needs none.

        Raises:
            UserError: when a needed label is missing or has another shape.
        """
        if self.label_dim == 0:
            return None
        label = None if condition is None else condition.label
        if label is None:
            raise UserError(f"this latent needs a label of length {self.label_dim}; none was given")
        if label.shape != (n, self.label_dim):
            raise UserError(f"label has shape {list(label.shape)}; this latent needs [{n}, {self.label_dim}]")
        return label

    def check_camera(self, condition: Condition | None, n: int) -> torch.Tensor:
        """The cameras [n, 25] that this distribution needs.

        Raises:
            UserError: when they are missing or have another shape.
        """
        camera = None if condition is None else condition.camera
        if camera is None or camera.shape != (n, NUMBERS):
            found = "none was given" if camera is None else f"they have shape {list(camera.shape)}"
            raise UserError(f"this latent needs cameras [{n}, {NUMBERS}]; {found}")
        return camera


LATENTS: Registry[LatentDistribution] = Registry("latent distribution")
