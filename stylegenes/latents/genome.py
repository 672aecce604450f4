"""The genome: a discrete, learned latent distribution (StyleGenes, section 3.2).

A code is a *genotype*: one variant index for every gene, drawn uniformly and independently. Each gene owns a bank of
learned variants; w is the concatenation of the chosen ones (Eq. 3). The number of distinct codes is
num_variants ** num_genes (Eq. 5), while the parameters number num_variants * w_dim whatever the number of genes.
"""

from __future__ import annotations

import binascii
from typing import Any, cast

import torch
from torch import nn

from stylegenes.cameras import NUMBERS
from stylegenes.errors import UserError
from stylegenes.latents.base import LATENTS, LatentDistribution
from stylegenes.latents.strings import decode, encode
from stylegenes.layers import Layer, Linear, normalize_second_moment
from stylegenes.ops.exporting import is_exporting
from stylegenes.ops.transfer import upload
from stylegenes.records import Condition
from stylegenes.shape import Count


class PoseOffset(Layer):
    """What a camera adds to w: two layers, the last of which starts at zero.

    EG3D tells the mapping network the camera, since in pictures of people and animals the pose goes with what is seen
    (Chan et al. 2022, section 4.4); a genome has no network to tell.
    """

    def __init__(self, w_dim: int) -> None:
        super().__init__()
        self.embed = Linear(NUMBERS, w_dim)
        self.hidden = Linear(w_dim, w_dim, act="lrelu", lr_multiplier=0.01)
        self.out = Linear(w_dim, w_dim, lr_multiplier=0.01)
        nn.init.zeros_(self.out.weight)

    def forward(self, camera: torch.Tensor) -> torch.Tensor:
        """Cameras [N, 25] to [N, w_dim]."""
        return self.out(self.hidden(normalize_second_moment(self.embed(camera))))


@LATENTS.register("genome")
class Genome(LatentDistribution):
    """A bank of variants for every gene; a genotype int64 [N, num_genes] selects one of each.

    Truncation pulls towards the mean code, which is exact: the mean variant of each gene. Interpolation is linear
    between codes.

    Raises:
        UserError: when w_dim is not a multiple of num_genes, or a count is below one.
    """

    def __init__(
        self,
        w_dim: Count = 512,  # length of w
        num_genes: Count = 64,  # positions in a genotype
        *,
        num_variants: Count = 256,  # variants in the bank of each gene
        camera: bool = False,  # whether the camera, where one is given, adds to w
    ) -> None:
        super().__init__()
        if min(w_dim, num_genes, num_variants) < 1:
            raise UserError(f"a genome needs positive sizes; got {w_dim=}, {num_genes=}, {num_variants=}")
        if w_dim % num_genes:
            near = sorted((g for g in range(1, w_dim + 1) if w_dim % g == 0), key=lambda g: abs(g - num_genes))[:2]
            raise UserError(
                f"w_dim={w_dim} does not split into {num_genes} genes of equal length; "
                f"nearest numbers of genes that do: {', '.join(map(str, sorted(near)))}"
            )
        self.w_dim = w_dim
        self.reads_camera = camera
        self.pose = PoseOffset(w_dim) if camera else None
        self.num_genes = num_genes
        self.num_variants = num_variants
        self.gene_dim = w_dim // num_genes
        self.variants = nn.Parameter(torch.randn(num_genes, num_variants, self.gene_dim))
        self.offsets: torch.Tensor
        self.register_buffer("offsets", torch.arange(num_genes) * num_variants, persistent=False)

    def sample(self, n: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Draw `n` genotypes, int64 [n, num_genes], uniformly and independently."""
        where = self.device if generator is None else generator.device
        genotype = torch.randint(self.num_variants, (n, self.num_genes), generator=generator, device=where)
        return upload(genotype, self.device)

    def forward(self, code: torch.Tensor, condition: Condition | None = None) -> torch.Tensor:
        """Concatenate the chosen variants: genotype [N, num_genes] to w [N, w_dim] (Eq. 3)."""
        # Another gene's variant would come of a number beyond one's own. Training draws its codes itself, and on a GPU
        # the look at them would wait for everything before.
        trusted = self.training or code.device.type != "cpu" or is_exporting()
        self._check_shape(code) if trusted else self.check_code(code)
        # One index_select on the flat table has by far the cheapest backward of the ways to look up.
        rows = (code + self.offsets).flatten()
        table = self.variants.view(self.num_genes * self.num_variants, self.gene_dim)
        return self._posed(table.index_select(0, rows).view(code.shape[0], self.w_dim), condition)

    def check_code(self, code: torch.Tensor) -> None:
        """Refuse genotypes of another shape, or with variants that the genome does not have."""
        self._check_shape(code)
        # Small types wrap when they are compared, and some cannot be.
        code = code.long()
        if len(code) and not 0 <= code.min() <= code.max() < self.num_variants:
            found = f"{int(code.min())} to {int(code.max())}"
            raise UserError(f"variants of this genome are 0 to {self.num_variants - 1}; got {found}")

    def _check_shape(self, code: torch.Tensor) -> None:
        whole = not (code.is_floating_point() or code.is_complex() or code.dtype == torch.bool)
        if code.ndim != 2 or code.shape[1] != self.num_genes or not whole:
            raise UserError(
                f"a genotype is an integer tensor [N, {self.num_genes}]; got {code.dtype} {list(code.shape)}"
            )

    def _posed(self, w: torch.Tensor, condition: Condition | None) -> torch.Tensor:
        """w [N or 1, w_dim] with what the condition's cameras [N, 25] add, where it has some and they are read."""
        if self.pose is None or condition is None or condition.camera is None:
            return w
        return w + self.pose(condition.camera.to(w))

    def mean(self, condition: Condition | None = None) -> torch.Tensor:
        """The exact mean of w over all genotypes, [1, w_dim]; [N, w_dim] where the condition's cameras add to it."""
        return self._posed(self.variants.mean(dim=1).reshape(1, self.w_dim), condition)

    def interpolate(self, start: torch.Tensor, end: torch.Tensor, t: float | torch.Tensor) -> torch.Tensor:
        """The point at `t` on the line between two genotypes' codes, w [N, w_dim]."""
        return torch.lerp(self(start), self(end), t)

    def path(
        self, start: torch.Tensor, end: torch.Tensor, t: float | torch.Tensor, condition: Condition | None = None
    ) -> torch.Tensor:
        """The same as `interpolate`: between two genotypes there are no others, only their codes' line.

        Args:
            start: genotypes [N, G].
            end: genotypes [N, G].
            t: in [0, 1], one number or [N, 1].
            condition: cameras, N rows, where the genome reads them.
        """
        return self._posed(self.interpolate(start, end, t), condition)

    def features(self, code: torch.Tensor) -> torch.Tensor:
        """The chosen variants side by side, [N, w_dim]: a genotype's numbers have no order of their own."""
        return self(code)

    @torch.no_grad()
    def choices(self, features: torch.Tensor) -> torch.Tensor:
        """The genotype [N, num_genes] whose variants these are; of two equal variants the first."""
        parts = features.to(self.variants).unflatten(1, (self.num_genes, self.gene_dim)).transpose(0, 1)
        exact = "donot_use_mm_for_euclid_dist"
        blocks = [torch.cdist(part, self.variants, compute_mode=exact).argmin(2).T for part in parts.split(1024, 1)]
        return torch.cat(blocks)

    @torch.no_grad()
    def vital_signs(self) -> dict[str, float]:
        """Gene usage and dead variants.

        Returns:
            `gene_usage`: the effective share of genes, exp(entropy of the genes' shares in the variance of w) /
            num_genes, in (0, 1]. `dead_variants`: how many variants lie within a thousandth of their gene's spread of
            another one, so that choosing between the two changes nothing.
        """
        share = self.gene_shares()
        usage = (-(share * share.log()).sum()).exp() / self.num_genes
        return {"gene_usage": usage.item(), "dead_variants": float(self.dead_variants().sum())}

    @torch.no_grad()
    def gene_shares(self) -> torch.Tensor:
        """Each gene's share in the variance of w, [num_genes]."""
        share = self.variants.detach().float().var(dim=1, correction=0).sum(dim=1) + 1e-30
        return share / share.sum()

    @torch.no_grad()
    def dead_variants(self) -> torch.Tensor:
        """Which variants have a near twin in their gene's bank, bool [num_genes, num_variants]."""
        return torch.stack([self._twins(bank) for bank in self.variants.detach().float()])

    def _twins(self, bank: torch.Tensor) -> torch.Tensor:
        """Rows of a bank [num_variants, gene_dim] that have a near twin, bool [num_variants]."""
        distance = torch.cdist(bank, bank, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(float("inf"))
        return distance.amin(dim=1) <= 1e-3 * bank.var(dim=0, correction=0).sum().sqrt()

    def to_strings(self, code: torch.Tensor) -> list[str]:
        """Print genotypes: the indices packed into the fewest whole bits, a check sum, base64 (URL-safe).

        Raises:
            UserError: for a variant that the genome does not have.
        """
        self.check_code(code)
        return [self._pack(row) for row in code.tolist()]

    def from_strings(self, strings: list[str]) -> torch.Tensor:
        """Read genotypes printed by a genome of the same number of genes and variants, int64 [N, num_genes]."""
        rows = [self._unpack(string) for string in strings]
        return torch.tensor(rows, dtype=torch.int64, device=self.device).reshape(-1, self.num_genes)

    def string_format(self) -> dict[str, Any]:
        """Base64 of one whole number, whose bits are the genes' variants, and of a check sum."""
        return {
            "encoding": "base64, URL-safe, without padding",
            "bytes": self._num_bytes,
            "count": self.num_genes,
            "bits": self._bits,
            "order": "one number, high byte first; the last gene in the lowest bits, zeros above the first",
            "check": {
                "bytes": 2,
                "order": "high byte first, after the number",
                "sum": "CRC-16 with polynomial 0x1021, from 0, unreflected (XMODEM)",
                "of": f"{self.num_genes}x{self.num_variants}",
                "then": "the bytes of the number",
            },
        }

    @property
    def _bits(self) -> int:
        return max(1, (self.num_variants - 1).bit_length())

    @property
    def _num_bytes(self) -> int:
        return (self.num_genes * self._bits + 7) // 8

    def _check_sum(self, packed: bytes) -> bytes:
        """Two bytes that also depend on the shape of the genome, so that another model's string is refused."""
        shape = f"{self.num_genes}x{self.num_variants}".encode()
        return binascii.crc_hqx(shape + packed, 0).to_bytes(2, "big")

    def _pack(self, genotype: list[int]) -> str:
        number = 0
        for variant in genotype:
            number = number << self._bits | variant
        packed = number.to_bytes(self._num_bytes, "big")
        return encode(packed + self._check_sum(packed))

    def _unpack(self, string: str) -> list[int]:
        data = decode(string, self._num_bytes + 2)
        packed, check = data[:-2], data[-2:]
        if check != self._check_sum(packed):
            raise UserError(
                f"genotype string {string.strip()!r} has a wrong letter or belongs to another model; this genome has "
                f"{self.num_genes} genes x {self.num_variants} variants"
            )
        number, mask = int.from_bytes(packed, "big"), (1 << self._bits) - 1
        genotype = [number >> self._bits * i & mask for i in reversed(range(self.num_genes))]
        if max(genotype) >= self.num_variants:
            raise UserError(
                f"genotype string {string.strip()!r} holds variant {max(genotype)}; variants of this genome are 0 to "
                f"{self.num_variants - 1}"
            )
        return genotype


def genome_of(latent: LatentDistribution, purpose: str) -> Genome:
    """The latent as a genome, for work that reads or changes single genes.

    Args:
        latent: any latent distribution.
        purpose: what the genome is needed for, as the subject of the error message ("pruning").

    Raises:
        UserError: when the latent is continuous; names it.
    """
    if latent.num_genes == 0:
        raise UserError(
            f"{purpose} needs a genome; this model's latent is a {type(latent).__name__}, whose codes are continuous. "
            "Use a model trained with the latent 'genome'"
        )
    return cast(Genome, latent)
