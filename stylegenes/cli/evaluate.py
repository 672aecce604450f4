"""measure a snapshot or a folder of pictures against data

Examples:
  stylegenes evaluate runs/0001 --data avatars                                  Frechet distance and its floor
  stylegenes evaluate runs/0001 --data photos.zip --metrics fd,kid,pr,dc,ppl --num 50000
  stylegenes evaluate runs/0001 --data avatars --metrics fd,pr,outliers --extractor squeezenet
  stylegenes evaluate samples/ --data photos/ --resolution 256                  folder against folder
  stylegenes evaluate runs/0001 --data avatars --metrics separability,disentanglement --classifier my-classifier
  stylegenes evaluate --compare runs/0001/metric-fd_lite0.jsonl runs/0002/metric-fd_lite0.jsonl
  stylegenes evaluate runs/0001 --data avatars --num 50000 --devices 4          four processes, one device each
  torchrun --nproc-per-node 4 -m stylegenes evaluate runs/0001 --data avatars

The same command again goes on from where an interrupted one was, also with another number of processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from stylegenes.errors import UserError

if TYPE_CHECKING:
    import torch

    from stylegenes.data import Dataset
    from stylegenes.data.decode import Fit
    from stylegenes.data.protocols import LabeledImages
    from stylegenes.metrics import Subject
    from stylegenes.metrics.sources import OneLabel
    from stylegenes.shares import Share


RENAMED = {"--judge": "--extractor"}
"""Options by their old names, which work for one release more."""


@dataclass(frozen=True)
class FakeOptions:
    """How fakes are drawn."""

    label: str | None = None
    """of all fakes of a conditional model: a class number, or label names (default: the labels of random reals)"""
    psi: float = 1.0
    """truncation of the fakes"""
    seed: int = 0
    """of all draws"""


@dataclass(frozen=True)
class Args:
    """Measure a snapshot or a folder of pictures against data."""

    subject: Annotated[str | None, tyro.conf.Positional] = None
    """snapshot, run folder, name of a shipped model, or a folder or zip of pictures"""
    data: str | None = None
    """the real pictures: a folder, zip, LMDB, or avatars"""
    metrics: str = "fd"
    """with commas between: fd, kid, pr (precision, recall), dc (density, coverage), outliers (share of fakes that are
    like no real; reals have 0.01), mix (fd with 1 to 4 codes mixed), ppl, ppl_crop (path length), separability,
    disentanglement, disentanglement_linear, eq_t, eq_r (equivariance; stylegan3 only)"""
    num: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """fakes, pairs (ppl) or draws (default: 50,000 on a GPU, 2,000 elsewhere)"""
    extractor: str = "lite0"
    """frozen network that results are named after: lite0; once fetched squeezenet, or inception (then it is FID)"""
    classifier: Path | None = None
    """attribute classifier, for separability and disentanglement"""
    fakes: Annotated[FakeOptions, tyro.conf.arg(name="")] = field(default_factory=FakeOptions)
    """how fakes are drawn"""
    batch: int = 32
    """pictures at once"""
    resolution: int | str | None = None
    """pixels at which two sets of pictures are compared; a snapshot brings its own"""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes the fastest there is"""
    devices: int = 1
    """processes, one device each; torchrun and srun bring their own number"""
    out: Path | None = None
    """folder of metric-NAME.jsonl (default: the run's folder, or this one)"""
    compare: tuple[Path, ...] = ()
    """compare the last records of these files instead; refused unless they were obtained alike"""


def run(args: Args) -> None:
    """Measure, print and record.

    Raises:
        UserError: for what cannot be measured or compared.
    """
    if args.compare:
        _compare(args.compare)
        return
    if args.subject is None or args.data is None:
        raise UserError("say what to measure and against what: stylegenes evaluate SNAPSHOT --data DATA")
    from functools import partial

    from stylegenes.sharing import share_out

    share_out(partial(_evaluate, args, args.subject, args.data), device=args.device, devices=args.devices)


def _evaluate(args: Args, name: str, source: str, share: Share, device: str) -> None:
    """What each process does; the first one tells."""
    from dataclasses import replace

    from stylegenes.devices import pick_device

    subject = open_subject(name, args.resolution, pick_device(device))
    measure(replace(args, device=device), subject, _data(source, subject, args.resolution), share)


def measure(args: Args, subject: Subject, data: LabeledImages, share: Share | None = None) -> None:
    """Measure an opened subject against opened data, print and record.

    Args:
        args: what to measure and how.
        subject: on the device that `args` names.
        data: the reals.
        share: of several processes; None for one.

    Raises:
        UserError: for what cannot be measured.
    """
    from rich.table import Table

    from stylegenes.cli.console import Bars, console
    from stylegenes.devices import pick_device
    from stylegenes.metrics import append_record, load_classifier
    from stylegenes.metrics.evaluating import COLUMNS, evaluate, metric_names, row_of
    from stylegenes.shares import Share

    device, share = pick_device(args.device), share or Share()
    folder = args.out or _run_folder(subject.name)
    warning = ""
    table = Table(*COLUMNS, box=None)
    classifier = load_classifier(args.classifier, device) if args.classifier else None
    with Bars(show=share.first) as bars:
        records = evaluate(
            subject,
            data,
            metric_names(args.metrics),
            device=device,
            extractor=args.extractor,
            classifier=classifier,
            num=args.num,
            psi=args.fakes.psi,
            seed=args.fakes.seed,
            batch=args.batch,
            work=folder / ".evaluate",
            share=share,
            labels=_label(args.fakes.label, subject),
            on_progress=bars.update,
        )
        for record in records:
            table.add_row(*row_of(record))
            append_record(folder, record)
            warning = record.files.warning
    if share.first:
        if warning:
            console().print(f"the files differ, which a metric sees too (reals, fakes): {warning}", markup=False)
        console().print(table)
        console().print(f"records in {folder}/metric-*.jsonl", markup=False)


def open_subject(name: str, resolution: int | str | None, device: torch.device) -> Subject:
    """A snapshot where there is one, else a set of pictures.

    Raises:
        UserError: when there is neither.
    """
    from stylegenes.data import open_dataset
    from stylegenes.data.shards.remote import is_address
    from stylegenes.metrics import Subject
    from stylegenes.snapshot import find_snapshot, load_snapshot

    try:
        find_snapshot(name)
    except UserError:
        if not (is_address(name) or Path(name).exists()):
            raise
        if resolution is None:
            raise UserError(f"{name} holds no snapshot; to compare it as a set of pictures add --resolution") from None
        return Subject(name, pictures=open_dataset(name, resolution=resolution))
    return Subject(name, generator=load_snapshot(name, device).generator)


def _label(text: str | None, subject: Subject) -> OneLabel | None:
    """The one label of all fakes, where one is given."""
    from stylegenes.arguments import as_label
    from stylegenes.metrics.sources import OneLabel
    from stylegenes.snapshot import find_snapshot, read_card

    if text is None:
        return None
    generator = subject.need_generator("--label")
    row = as_label(text, generator.label_dim, read_card(find_snapshot(subject.name)))
    return None if row is None else OneLabel(row, text)


def _data(source: str, subject: Subject, resolution: int | str | None) -> Dataset:
    from stylegenes.data import open_dataset
    from stylegenes.size import Size

    own, channels = resolution, subject.pictures.channels if subject.pictures is not None else None
    if subject.generator is not None:
        own, channels = subject.generator.synthesis.resolution, subject.generator.synthesis.image_channels
    assert own is not None
    if resolution is not None and Size.of(resolution) != Size.of(own):
        raise UserError(f"{subject.name} makes pictures of {own} pixels; leave out --resolution {resolution}")
    return open_dataset(source, resolution=own, channels=channels, fit=_fit(subject))


def _fit(subject: Subject) -> Fit:
    """How the model's own pictures became square: what it is compared to is treated alike."""
    from stylegenes.snapshot import find_snapshot, read_card

    about = read_card(find_snapshot(subject.name)).data if subject.generator is not None else None
    return about.fit if about is not None else "crop"


def _run_folder(name: str) -> Path:
    """The run that a snapshot lies in; the current folder where there is none."""
    path = Path(name)
    if path.parent.name == "snapshots":
        return path.parent.parent
    return path if (path / "snapshots").is_dir() else Path()


def _compare(paths: tuple[Path, ...]) -> None:
    from stylegenes.cli.console import say
    from stylegenes.metrics import compare, read_records
    from stylegenes.metrics.evaluating import row_of

    if len(paths) < 2:
        raise UserError("--compare needs at least two files of records")
    records = compare([read_records(path)[-1] for path in paths])
    for record in records:
        say("  ".join([f"{record.subject:<40}", *row_of(record)]).rstrip())
    if len({record.files.fake for record in records}) > 1:
        formats = "; ".join(f"{record.subject}: {record.files.fake or 'drawn by a model'}" for record in records)
        say(f"the files differ, which a metric sees too: {formats}")
