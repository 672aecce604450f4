"""check, draw and pack images to train on

examples:
  stylegenes data check photos --sheet photos.png     what is wrong with which file
  stylegenes data avatars --out faces.zip --n 2000    the embedded faces as PNGs with their attributes
  stylegenes data scenes --out scenes.zip --n 2000    the embedded scenes with cameras, attributes and depth
  stylegenes data pack photos --out packed --resolution 256    decode once, train anywhere
  stylegenes data pack photos --shards --out shards --resolution 256    the same in files of 64 MB, to be streamed
  stylegenes data cameras colmap/sparse --center --out photos/dataset.json --picture cameras.png
  stylegenes data cache                               where the cache lies and how large it is
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from stylegenes.cli.console import say, track
from stylegenes.errors import UserError, shown
from stylegenes.words import counted, sized

if TYPE_CHECKING:
    import numpy as np

    from stylegenes.data.check import Report

_SHOWN = 20


@dataclass(frozen=True)
class Check:
    """List each file that cannot be used with its reason, and count sizes, modes, duplicates and labels.

    Ends with status 1 when a file is bad.
    """

    path: tyro.conf.Positional[str]
    """Folder, .zip, LMDB, packed folder, folder or address of shards."""
    resolution: int | str = 64
    """Size to train at in pixels, 64 or 384x256: images below it are counted, and the sheet shows this size."""
    fit: Literal["crop", "letterbox"] = "crop"
    """How other shapes come to this one."""
    channels: int = 3
    """1 gray, 2 gray and alpha, 3 RGB, 4 RGBA, more for arrays and pages of a TIFF."""
    labels: str | None = None
    """Label file, or `none`; looked for when not given."""
    sheet: Path | None = None
    """Write a contact sheet (PNG) here."""
    json: bool = False
    """Print everything as JSON."""
    workers: int | None = None
    """Processes; one a processor when not given."""

    def run(self) -> None:
        """Check and print."""
        from stylegenes.data.check import check_source
        from stylegenes.data.decode import View
        from stylegenes.data.files import FileSource
        from stylegenes.data.opening import is_drawn
        from stylegenes.data.parallel import default_workers
        from stylegenes.data.stores import open_store
        from stylegenes.progress import log_progress

        if is_drawn(self.path):
            raise UserError("avatars are drawn, not read; write them with `stylegenes data avatars` and check those")
        view = View(self.resolution, self.fit, channels=self.channels)
        if self._is_whole():
            return
        source = FileSource(open_store(Path(self.path).expanduser()), view, labels=self.labels)
        show = log_progress if self.json else track
        checked = check_source(source, workers=self.workers or default_workers(), track=show)
        if self.sheet and len(checked.pictures):
            _save_sheet(self.sheet, checked.pictures)
        if self.json:
            say(json.dumps(checked.report.as_json(), indent=2, ensure_ascii=False))
        else:
            _print_report(checked.report, self)
        if checked.report.good == 0 and checked.report.bad:
            raise UserError(f"none of the {len(checked.report.bad)} files of {shown(self.path, 200)} can be used")
        if checked.report.good == 0:
            raise UserError(f"{self.path} holds no image that can be used; give a folder, .zip or LMDB of images")
        if not checked.report.is_clean:
            raise SystemExit(1)

    def _is_whole(self) -> bool:
        """Check what `data pack` made against its hashes; False for anything else."""
        import numpy as np

        from stylegenes.data.check import MOST_ON_SHEET
        from stylegenes.data.opening import open_packed

        dataset = open_packed(self.path, verify=False)
        if dataset is None:
            return False
        for name, is_so in (("resolution", str(dataset.resolution)), ("channels", dataset.channels), ("labels", None)):
            if (given := getattr(self, name)) != getattr(Check, name) and str(given) != str(is_so):
                raise UserError(f"{self.path} is packed already, and --{name} is for pictures to pack; leave it out")
        damages = list(dataset.damages(track))
        for damage in damages[:_SHOWN]:
            say(str(damage))
        _print_more(len(damages))
        if damages:
            raise SystemExit(1)
        if self.sheet:
            spread = np.linspace(0, len(dataset) - 1, min(len(dataset), MOST_ON_SHEET)).astype(int)
            _save_sheet(self.sheet, np.asarray(dataset.images(spread.tolist())).transpose(0, 2, 3, 1))
        size = f"{counted(len(dataset), 'image')} of {dataset.resolution} px"
        whole = {"source": self.path, "good": len(dataset), "bad": [], "resolution": dataset.resolution,
                 "channels": dataset.channels, "labels": list(dataset.label_names)}  # fmt: skip
        told = f"{self.path} is whole: {size}, {counted(dataset.label_dim, 'label')}"
        say(json.dumps(whole, indent=2, ensure_ascii=False) if self.json else told)
        return True


@dataclass(frozen=True)
class Avatars:
    """Draw the embedded avatars: PNGs and attributes.csv, in a folder or a zip."""

    out: Path
    """New folder, or a name that ends in .zip."""
    n: int = 1000
    """How many; a smaller set is a prefix of a larger one."""
    resolution: int | str = 64
    """Height and width in pixels."""
    seed: int = 0
    """Which stream of avatars."""
    style: str = "avataaars"
    """avataaars, open-peeps, pixel-art or voxel-art."""
    independent: bool = False
    """Draw all factors independently, without correlations."""
    workers: int | None = None
    """Processes; one a processor when not given."""

    def run(self) -> None:
        """Draw and say where."""
        from stylegenes.data.avatars.source import AvatarOptions, AvatarSource
        from stylegenes.data.decode import View
        from stylegenes.data.export import export_avatars
        from stylegenes.data.parallel import default_workers

        options = AvatarOptions(self.n, self.seed, self.style, self.independent)
        source = AvatarSource(options, View(self.resolution))
        export_avatars(source, self.out, workers=self.workers or default_workers(), track=track)
        say(f"{counted(self.n, 'avatar')} with {len(source.label_names)} attributes in {self.out}")
        say(f"artwork: {source.license}")


@dataclass(frozen=True)
class Scenes:
    """Draw the embedded scenes: PNGs, their cameras (dataset.json), attributes.csv and depth, in a folder or a zip."""

    out: Path
    """New folder, or a name that ends in .zip."""
    n: int = 1000
    """How many; a smaller set is a prefix of a larger one."""
    resolution: int = 64
    """Height and width in pixels."""
    seed: int = 0
    """Which stream of scenes."""
    yaw: int = 180
    """Cameras stand up to so many degrees to either side of the front; 180 is all around."""
    depth: bool = True
    """Write the depth of each as depth/NUMBER.npy: float32, world units, infinite where nothing is."""
    workers: int | None = None
    """Processes; one a processor when not given."""

    def run(self) -> None:
        """Draw and say where."""
        from stylegenes.data.decode import View
        from stylegenes.data.export import export_scenes
        from stylegenes.data.parallel import default_workers
        from stylegenes.data.scenes.source import SceneOptions, SceneSource

        source = SceneSource(SceneOptions(self.n, self.seed, self.yaw), View(self.resolution))
        workers = self.workers or default_workers()
        export_scenes(source, self.out, depth=self.depth, workers=workers, track=track)
        attributes = len(source.label_names) - 25
        say(f"{counted(self.n, 'scene')} with cameras and {attributes} attributes in {self.out} ({source.license})")


@dataclass(frozen=True)
class Pack:
    """Decode a source once into a packed folder that opens at once, also on another machine."""

    source: tyro.conf.Positional[str]
    """Folder, .zip, LMDB, or avatars:n=...,seed=..."""
    out: Path
    """New folder."""
    resolution: int | str
    """Size in pixels: one number for squares, else width x height, 384x256."""
    fit: Literal["crop", "letterbox"] = "crop"
    """How other shapes come to this one."""
    filter: Literal["lanczos", "bicubic", "bilinear", "box"] = "lanczos"
    """Resize filter, with antialiasing."""
    channels: int = 3
    """1 gray, 2 gray and alpha, 3 RGB, 4 RGBA, more for arrays and pages of a TIFF."""
    labels: str | None = None
    """Label file, or `none`; looked for when not given."""
    shards: bool = False
    """Write files of --shard-size for data that need not fit on the disk it is trained at."""
    shard_size: str = "64MB"
    """Of each shard."""
    workers: int | None = None
    """Processes; one a processor when not given."""

    def run(self) -> None:
        """Pack and describe."""
        from stylegenes.cli.given import refuse
        from stylegenes.data.decode import View
        from stylegenes.data.export import refuse_existing
        from stylegenes.data.opening import open_packed, open_source, report_oddities
        from stylegenes.data.pack import pack
        from stylegenes.data.parallel import default_workers
        from stylegenes.data.shards.writing import pack_shards, packing_folder, size_in_bytes
        from stylegenes.files import atomic_folder

        if self.out.suffix.lower() in (".zip", ".tar"):
            raise UserError(f"--out {self.out}: what is written is a folder; give it a name without {self.out.suffix}")
        if not self.shards:
            refuse(self, ("shard_size",), "is how large each shard is; add --shards")
        size, workers = size_in_bytes(self.shard_size), self.workers or default_workers()
        refuse_existing(self.out)
        view = View(self.resolution, self.fit, self.filter, self.channels)
        source = open_source(self.source, view, labels=self.labels)
        if misfit := view.size.misfit():
            say(f"note: {misfit} (--resolution)")
        if self.shards:
            with packing_folder(self.out) as part:
                pack_shards(source, part, shard_bytes=size, workers=workers, track=track)
        else:
            with atomic_folder(self.out) as part:
                pack(source, part, workers=workers, track=track)
        dataset = open_packed(self.out)
        assert dataset is not None, "it was packed just now"
        report_oddities(dataset)
        found = f"{counted(len(dataset), 'image')}, {counted(dataset.label_dim, 'label')}"
        say(f"{found}, {sized(dataset.nbytes)} in {self.out}")


@dataclass(frozen=True)
class Cache:
    """Say where packed data sets are kept and how large they are."""

    clear: bool = False
    """Delete them all; they are built again when they are needed."""

    def run(self) -> None:
        """List, or clear."""
        from stylegenes.caches import cache_folder, cache_root
        from stylegenes.data.cache import bytes_in, clear_cache, list_cache

        root = cache_root()
        if self.clear:
            say(f"freed {sized(clear_cache(root))} in {root}")
            return
        datasets, shards = list_cache(root), bytes_in(cache_folder("shards", root))
        for dataset in datasets:
            say(
                f"{sized(dataset.nbytes):>10}  {len(dataset):>8} images  {dataset.resolution!s:>4} px  {dataset.source}"
            )
        if shards:
            say(f"{sized(shards):>10}  shards of distant data sets")
        say(f"{sized(sum(dataset.nbytes for dataset in datasets) + shards):>10}  in {root}")


@dataclass(frozen=True)
class CamerasOf:
    """Say which convention cameras are in and what is usually wrong with them, draw them, convert them."""

    path: tyro.conf.Positional[Path]
    """dataset.json, NeRF's transforms.json, COLMAP's images.txt, a folder that holds one of them, or `scenes`."""
    picture: Path | None = None
    """Draw the cameras around the origin here (PNG)."""
    out: Path | None = None
    """Write them as dataset.json here, to be put beside the pictures."""
    center: bool = False
    """Move, turn and scale them to stand around the origin at a distance of 2.7."""

    def run(self) -> None:
        """Say, draw and write."""
        from stylegenes.cli.data_cameras import look_at_cameras

        look_at_cameras(self.path, self.picture, self.out, self.center)


Args = (
    Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Avatars, tyro.conf.subcommand("avatars")]
    | Annotated[Scenes, tyro.conf.subcommand("scenes")]
    | Annotated[Pack, tyro.conf.subcommand("pack")]
    | Annotated[CamerasOf, tyro.conf.subcommand("cameras")]
    | Annotated[Cache, tyro.conf.subcommand("cache")]
)


def run(args: Check | Avatars | Scenes | Pack | CamerasOf | Cache) -> None:
    """Run the chosen subcommand."""
    args.run()


def _save_sheet(path: Path, pictures: np.ndarray) -> None:
    from stylegenes.pictures import grid, save_picture

    save_picture(path, grid(list(pictures)))
    say(f"contact sheet: {path}")


def _print_report(report: Report, args: Check) -> None:
    from stylegenes.size import Size

    say(f"{report.source} ({report.kind}): {report.good} good, {len(report.bad)} bad, {report.ignored} system files")
    for warning in report.warnings:
        say(f"  warning: {warning}")
    for item in report.bad[:_SHOWN]:
        say(f"  {shown(item.name)}: {item.reason} -> {item.fix}")
    _print_more(len(report.bad))
    say(f"sizes: {_counted(report.sizes)}; {report.not_square} not {Size.of(args.resolution).shape} -> {args.fit}")
    if report.shape:
        say(f"  {report.shape} (--resolution)")
    if report.upscaled:
        say(
            f"  {report.upscaled} are smaller than {args.resolution} px and get enlarged; consider a lower --resolution"
        )
    if misfit := Size.of(args.resolution).misfit():
        say(f"  {misfit} (--resolution)")
    if report.animated:
        say(f"  {report.animated} have several frames or pages; the first is taken")
    say(f"modes: {_counted(report.modes)}")
    for title, groups in (("duplicates", report.duplicates), ("near duplicates", report.near_duplicates)):
        say(f"{title}: {counted(len(groups), 'group')}")
        for group in groups[:_SHOWN]:
            say(f"  {', '.join(map(shown, group[:6]))}{f' and {len(group) - 6} more' if len(group) > 6 else ''}")
        _print_more(len(groups))
    say(f"labels: {report.label_origin}{f', {len(report.labels)} columns' if report.labels else ''}")
    for name, total in list(report.labels.items())[: 3 * _SHOWN]:
        say(f"  {shown(name)}: {total:g}")


def _print_more(count: int) -> None:
    if count > _SHOWN:
        say(f"  and {count - _SHOWN} more; --json lists all")


def _counted(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:6])
    return f"{shown} and {len(counts) - 6} more" if len(counts) > 6 else shown or "none"
