"""How fast our StyleGAN2 is against this machine's limit and against a textbook implementation, in one run.

python -m benchmarks.stylegan2                       CPU
python -m benchmarks.stylegan2 --device cuda         float32 and bfloat16, eager and compiled
"""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
import tyro
from rich.console import Console
from rich.table import Table

from benchmarks import measure, textbook
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.records import ImageBatch, Noise


@dataclass(frozen=True)
class Args:
    """Time training iteration, generator and genome."""

    device: Literal["cpu", "cuda"] = "cpu"
    """where to run"""
    threads: int = 0
    """threads on the CPU; 0 leaves torch's choice"""
    rounds: int = 5
    """rounds; every figure is a median over them"""
    batch: int = 8
    """pictures a step"""
    resolution: int = 64
    """height and width of the pictures"""
    channel_base: int = 8192
    """channels at resolution r are channel_base // r ..."""
    channel_max: int = 256
    """... but at most these"""
    out: Path = Path("benchmarks/results/stylegan2.json")
    """where the figures go"""


@dataclass
class Networks:
    """What is timed, and one batch of reals for it."""

    G: Generator
    D: Any
    real: torch.Tensor

    @property
    def batch(self) -> int:
        return self.real.shape[0]


def build(args: Args) -> Networks:
    """A mapping generator and a discriminator at the settings of `args`, with random weights."""
    torch.manual_seed(0)
    size = {"resolution": args.resolution, "channel_base": args.channel_base, "channel_max": args.channel_max}
    G = Generator.from_spec({"latent": {"name": "mapping"}, "synthesis": {"name": "stylegan2", **size}})
    D = DISCRIMINATORS.build({"name": "stylegan2", **size})
    real = torch.randn(args.batch, 3, args.resolution, args.resolution, device=args.device)
    return Networks(G.to(args.device), D.to(args.device), real)


def iteration(nets: Networks, synthesize: Callable[..., Any], judge: Callable[..., Any]) -> None:
    """The main steps of generator and discriminator: non-saturating loss, forward and backward, no optimizer."""
    nets.D.requires_grad_(False)
    F.softplus(-judge(synthesize(styles(nets)))).mean().backward()
    nets.D.requires_grad_(True)
    with torch.no_grad():
        fake = synthesize(styles(nets))
    (F.softplus(judge(fake)).mean() + F.softplus(-judge(nets.real)).mean()).backward()
    for module in (nets.G, nets.D):
        module.zero_grad(set_to_none=True)


def styles(nets: Networks) -> torch.Tensor:
    """ws of new codes."""
    return nets.G.express(nets.G.sample(nets.batch))


def ours(nets: Networks) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Our networks as functions of tensors."""
    return lambda ws: nets.G.synthesis(ws).image, lambda image: nets.D(ImageBatch(image))


def plain(nets: Networks) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The textbook's functions on the same weights."""
    return (
        lambda ws: textbook.generator_forward(nets.G.synthesis, ws),
        lambda image: textbook.discriminator_forward(nets.D, image),
    )


def check_agreement(nets: Networks) -> float:
    """Largest difference of pictures and logits between the two sides: they must compute the same thing."""
    with torch.no_grad():
        ws = styles(nets)
        image = nets.G.synthesis(ws, noise=Noise("none")).image
        pictures = (textbook.generator_forward(nets.G.synthesis, ws, noise=False) - image).abs().max()
        logits = (textbook.discriminator_forward(nets.D, image) - nets.D(ImageBatch(image))).abs().max()
    return max(pictures.item(), logits.item())


def forward(nets: Networks, synthesize: Callable[..., Any]) -> None:
    """The generator alone, without a graph."""
    with torch.no_grad():
        synthesize(styles(nets))


def memory_of(args: Args, side: str) -> None:
    """Two iterations in a process of their own."""
    nets = build(args)
    for _ in range(2):
        iteration(nets, *(ours if side == "ours" else plain)(nets))


def networks_on_cpu(args: Args) -> dict[str, Any]:
    """Our step and forward against the convolution ceiling and the textbook."""
    nets, cpu = build(args), torch.device("cpu")
    difference = check_agreement(nets)
    ceiling, ceiling_flops = measure.convolution_ceiling(cpu, torch.float32)
    tasks = {
        "ceiling": ceiling,
        "iteration": lambda: iteration(nets, *ours(nets)),
        "forward": lambda: forward(nets, ours(nets)[0]),
        "textbook iteration": lambda: iteration(nets, *plain(nets)),
        "textbook forward": lambda: forward(nets, plain(nets)[0]),
    }
    flops = {name: measure.count_flops(tasks[name]) for name in ("iteration", "forward")}
    seconds = measure.rounds(tasks, args.rounds, cpu)
    result: dict[str, Any] = {"largest difference from the textbook": difference}
    result["ceiling, GFLOP/s"] = ceiling_flops / statistics.median(seconds["ceiling"]) / 1e9
    for name in ("iteration", "forward"):
        result[f"{name}: GFLOP an image"] = flops[name] / args.batch / 1e9
        result[f"{name}: images/s"] = args.batch / statistics.median(seconds[name])
        speed = measure.ratio(seconds["ceiling"], seconds[name]) * flops[name] / ceiling_flops
        result[f"{name}: fraction of the ceiling"] = speed
        result[f"{name}: times the textbook"] = measure.ratio(seconds[f"textbook {name}"], seconds[name])
    for side in ("ours", "textbook"):
        result[f"peak memory of an iteration, {side}, MB"] = measure.peak_memory(memory_of, args, side)
    return result


def networks_on_cuda(args: Args) -> dict[str, Any]:
    """Our step and forward in both precisions, eager and compiled, against a large matrix product."""
    cuda, result = torch.device("cuda"), {}
    for dtype in (torch.float32, torch.bfloat16):
        product, product_flops = measure.product_ceiling(cuda, dtype, 8192)
        for compiled in (False, True):
            nets = build(args)
            synthesize, judge = ours(nets)
            flops = measure.count_flops(lambda: iteration(nets, *ours(nets)))  # noqa: B023
            if compiled:
                synthesize, judge = torch.compile(synthesize), torch.compile(judge)
            autocast = torch.autocast("cuda", dtype=dtype) if dtype == torch.bfloat16 else nullcontext()
            torch.cuda.reset_peak_memory_stats()
            with autocast:
                tasks = {
                    "product": product,
                    "iteration": lambda: iteration(nets, synthesize, judge),  # noqa: B023
                    "forward": lambda: forward(nets, synthesize),  # noqa: B023
                }
                seconds = measure.rounds(tasks, args.rounds, cuda)
            name = f"{str(dtype).removeprefix('torch.')}, {'compiled' if compiled else 'eager'}"
            achieved = flops / statistics.median(seconds["iteration"]) / 1e12
            result[f"{name}: iteration, images/s"] = args.batch / statistics.median(seconds["iteration"])
            result[f"{name}: forward, images/s"] = args.batch / statistics.median(seconds["forward"])
            result[f"{name}: iteration, TFLOP/s"] = achieved
            result[f"{name}: product, TFLOP/s"] = product_flops / statistics.median(seconds["product"]) / 1e12
            result[f"{name}: peak memory, MB"] = torch.cuda.max_memory_allocated() / 2**20
    return result


def genome(args: Args, count: int = 512) -> dict[str, Any]:
    """Sampling and lookup of `count` genotypes against a loop over samples and genes, and against a forward."""
    device = torch.device(args.device)
    synthesis = build(args).G.synthesis
    latent = {"name": "genome", "num_genes": 64, "num_variants": 256}
    G = Generator.from_spec({"latent": latent, "synthesis": synthesis.spec}).to(device)
    bank = next(G.latent.parameters())

    def loop() -> torch.Tensor:
        table = bank.reshape(64, 256, -1)
        rows = []
        for _ in range(count):
            genotype = torch.randint(256, (64,), device=device)
            rows.append(torch.cat([table[gene, genotype[gene]] for gene in range(64)]))
        return torch.stack(rows)

    with torch.no_grad():
        tasks = {
            "vectorized": lambda: G.latent(G.sample(count)),
            "loop": loop,
            "small": lambda: G.latent(G.sample(args.batch)),
            "forward": lambda: G.synthesis(G.express(G.sample(args.batch))),
        }
        seconds = measure.rounds(tasks, args.rounds, device)
    return {
        f"genome: times a Python loop, batch {count}": measure.ratio(seconds["loop"], seconds["vectorized"]),
        f"genome: percent of a forward, batch {args.batch}": 100 * measure.ratio(seconds["small"], seconds["forward"]),
    }


def main(args: Args) -> None:
    """Measure, print a table, write the JSON."""
    if args.threads:
        torch.set_num_threads(args.threads)
    gpu = args.device == "cuda"
    figures = {**(networks_on_cuda if gpu else networks_on_cpu)(args), **genome(args)}
    machine = torch.cuda.get_device_name() if gpu else f"{platform.machine()}, {torch.get_num_threads()} threads"
    table = Table("", machine, title="StyleGAN2: generator main + discriminator main")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}")
    Console().print(table)
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(args).items()}
    versions = {"machine": machine, "torch": torch.__version__}
    measure.write(args.out, {**versions, "settings": settings, "figures": figures})
    Console().print(f"written to {args.out}")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
