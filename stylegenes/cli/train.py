"""train a generator on images, or continue a run

Examples:
  stylegenes train photos --out runs/0001                      a folder is enough; the recipe is chosen and told why
  stylegenes train avatars --recipe tiny32 --out runs/faces    the embedded faces
  stylegenes train runs/0001                                   continue where it stopped, however it stopped
  stylegenes train runs/0001 --kimg 400                        and go on for longer
  stylegenes train photos --recipe ffhq256 --devices 4 --out runs/big
  stylegenes train photos --out runs/mine --set model.latent.num_genes=64 --set batch.micro=8
  stylegenes train photos --recipe tiny32 --out runs/x --dry-run
  stylegenes train photos --recipe ffhq256 --devices 4 --nodes 16 --set batch.total=256 --dry-run --price 2.5
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from stylegenes.errors import UserError
from stylegenes.words import command

if TYPE_CHECKING:
    from stylegenes.cli.run_evaluation import RunEvaluation
    from stylegenes.training import Machine, RunConfig
    from stylegenes.training.plan import Assumptions


@dataclass(frozen=True)
class PlanArgs:
    """What a training will take."""

    dry_run: bool = False
    """print the resolved plan, with speed and memory measured by a few real steps, and train nothing"""
    images_per_second: float | None = None
    """of one device with its share of the batch, for --dry-run; nothing is measured then"""
    link: str | None = None
    """for --dry-run: Gbit/s and microseconds a hop of the slowest link between processes, as 100,20"""
    price: float = 0.0
    """for --dry-run: price of a device and hour"""


@dataclass(frozen=True)
class Args:
    """Train a generator on images, or continue a run."""

    source: tyro.conf.Positional[str]
    """images (a folder, zip, LMDB, or the word avatars), or a run folder to continue"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """run folder to make; required with images"""
    recipe: str | None = None
    """settings to start from: tiny32, small64, projected32, ffhq256 ...; an unknown name lists them all"""
    set: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """override one setting, KEY=VALUE; may be repeated; config.json in a run folder shows every key"""
    kimg: float | None = None
    """length of the run in thousand real images"""
    devices: int = 1
    """processes on each node, one device each"""
    nodes: int = 1
    """nodes; start several with torchrun or srun"""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """kind of device; auto takes the fastest there is"""
    init_from: str | None = None
    """snapshot, run folder or hf://owner/name whose networks to start from (transfer learning)"""
    freeze_d: int = 0
    """stages of the discriminator, from the image on, that stay as they are"""
    max_minutes: float | None = None
    """end this sitting after so long; the same command continues"""
    metrics: str | None = None
    """METRIC@FAKES every intervals.evaluate_kimg, which picks the best snapshot; more fakes at the end; or none. A
    new run takes fd@2k, one that goes on what it had"""
    plan: Annotated[PlanArgs, tyro.conf.arg(name="")] = field(default_factory=PlanArgs)
    """what it will take"""


def run(args: Args) -> None:
    """Train, or print the plan.

    Raises:
        UserError: for arguments that contradict each other, and whatever training refuses.
    """
    from stylegenes.cli.console import say
    from stylegenes.cli.run_evaluation import evaluate_finished, run_evaluation
    from stylegenes.training import Machine, train
    from stylegenes.training.machine import first_process, launched_outside

    if not args.plan.dry_run and args.plan != PlanArgs():
        raise UserError("--images-per-second, --link and --price go with --dry-run; leave them out to train")
    machine = Machine(args.accelerator, args.devices, args.nodes)
    folder = _run_folder(args)
    config = _config(args, machine)
    evaluate = run_evaluation(config.metrics, config)
    if args.plan.dry_run:
        _print_plan(config, machine, evaluate, _assumptions(args.plan))
        return
    seconds = None if args.max_minutes is None else 60 * args.max_minutes
    accept = evaluate.accept if evaluate is not None else None
    try:
        result = train(config, folder, machine=machine, evaluate=evaluate, accept=accept, max_seconds=seconds)
    except KeyboardInterrupt:
        if not launched_outside():
            raise
        # A launcher starts again what ends with an error, and this was asked to end.
        return
    kimg = result.images / 1000
    if not first_process():
        return
    if result.finished:
        say(f"finished {kimg:g} kimg in {result.seconds / 3600:.2f} h: {result.snapshot}")
        if evaluate is not None:
            evaluate_finished(evaluate, result, machine)
    else:
        say(f"saved {folder} at {kimg:g} kimg -- continue with: {command('train', folder)}")


def _is_run(source: str) -> bool:
    from stylegenes.training.resolve import holds_run

    return holds_run(Path(source))


def _run_folder(args: Args) -> Path:
    from stylegenes.hub import is_address
    from stylegenes.snapshot import shipped_models

    if _is_run(args.source):
        if args.out is not None:
            raise UserError(f"{args.source} is a run and is continued in place; leave out --out {args.out}")
        return Path(args.source)
    if is_address(args.source) or (args.source in shipped_models() and not Path(args.source).exists()):
        start = command("train", "DATA", "--init-from", args.source, "--out", "runs/0001")
        raise UserError(f"{args.source} is a model, and what is trained on is pictures; to start from it: {start}")
    if args.out is not None:
        _check_place(args.out, args.source)
    elif not args.plan.dry_run:
        need_source(args.source)
        raise UserError(
            "where should the run go? Add --out, for example: "
            f"{command('train', Path(args.source), '--out', 'runs/0001')}"
        )
    return args.out or Path("runs")


def need_source(name: str) -> None:
    """Refuse what is neither pictures nor a run.

    Raises:
        UserError: names what is missing, and what was perhaps meant.
    """
    from stylegenes.data.opening import is_drawn
    from stylegenes.data.shards.remote import is_address
    from stylegenes.words import nearest_place

    source = Path(name).expanduser()
    if is_drawn(name) or is_address(name) or source.exists():
        return
    meant = nearest_place(source)
    hint = ";" if meant is None else f"; did you mean {meant!r}?"
    raise UserError(f"there is no {name}{hint} give pictures (a folder, .zip, LMDB or `avatars`) or a run to continue")


def _check_place(out: Path, source: str) -> None:
    """Refuse a folder that holds other things as the place of a new run, or one among the pictures that it learns.

    Raises:
        UserError: names what is there.
    """
    from stylegenes.data.decode import SUFFIXES
    from stylegenes.data.opening import is_drawn

    if _is_run(str(out)):
        return
    pictures = Path(source)
    if not is_drawn(source) and pictures.is_dir() and out.resolve().is_relative_to(pictures.resolve()):
        raise UserError(f"--out {out} lies among the pictures of {source}, where its own would be learned as well")
    if out.is_dir():
        picture = next((file for file in sorted(out.iterdir()) if file.suffix.lower() in SUFFIXES), None)
        if picture is not None:
            raise UserError(f"--out {out} holds pictures ({picture.name}); a run needs a folder of its own")
        for name in ("samples", "snapshots"):
            if any(out.glob(f"{name}/*")):
                raise UserError(f"--out {out} holds {name}/, and is no run; a run needs a folder of its own")


def _config(args: Args, machine: Machine) -> RunConfig:
    """The recipe, or the run's own configuration, with the overrides of the command line."""
    from stylegenes.training import apply_overrides, read_config

    overrides = list(args.set)
    if args.kimg is not None:
        overrides.append(f"kimg={args.kimg}")
    if args.metrics is not None:
        overrides.append(f"metrics={args.metrics}")
    if _is_run(args.source):
        if args.recipe or args.init_from or args.freeze_d:
            raise UserError("a run is continued as it was begun: leave out --recipe, --init-from and --freeze-d")
        return apply_overrides(read_config(Path(args.source)), overrides)
    first = [f"data.source={args.source}"]
    first += [f"init_from={args.init_from}"] if args.init_from else []
    first += [f"freeze_d={args.freeze_d}"] if args.freeze_d else []
    return apply_overrides(_recipe(args, machine), first + overrides)


def _recipe(args: Args, machine: Machine) -> RunConfig:
    from stylegenes.cli.console import say
    from stylegenes.recipes import choose_recipe, recipe
    from stylegenes.size import Size

    if args.recipe is not None:
        return recipe(args.recipe)
    wanted = [text.partition("=")[2] for text in args.set if text.startswith("data.resolution=")]
    choice = choose_recipe(machine.device_type, Size.of(wanted[-1]).longer if wanted else None)
    say(f"recipe {choice.name}: {choice.why} (choose with --recipe)")
    return recipe(choice.name)


def _assumptions(plan: PlanArgs) -> Assumptions:
    """What the plan takes for granted.

    Raises:
        UserError: for numbers that are none.
    """
    from stylegenes.training.plan import Assumptions
    from stylegenes.training.scaling import Link

    link = None
    if plan.link is not None:
        try:
            gbit, microseconds = map(float, plan.link.split(","))
        except ValueError as error:
            raise UserError(
                f"--link {plan.link!r} is not Gbit/s and microseconds a hop with a comma between, such as 100,20"
            ) from error
        link = Link(gbit, microseconds)
    return Assumptions(plan.images_per_second, link, plan.price)


def _print_plan(config: RunConfig, machine: Machine, evaluate: RunEvaluation | None, assumed: Assumptions) -> None:
    import json

    from stylegenes.cli.console import say
    from stylegenes.training.foreword import check_variety, foreword
    from stylegenes.training.plan import measure
    from stylegenes.training.resolve import check_shape, complete_config

    check_shape(config)
    data = config.data.open()
    check_variety(data)
    if evaluate is not None:
        evaluate.accept(data)
    complete = complete_config(config, data)
    say(json.dumps(complete.to_dict(), indent=2))
    say(f"\ndata         {data.source}: {len(data):,} images of {data.resolution} px")
    for line in foreword(complete, data, begun=False):
        say(f"             {line}")
    for line in measure(complete, data, machine, assumed).lines():
        say(line)
