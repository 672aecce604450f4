"""`stylegenes data cameras`: what cameras are like, in words and as a picture, and their conversion."""

from __future__ import annotations

from pathlib import Path

import torch

from stylegenes.cameras import Cameras, why_no_cameras
from stylegenes.cli.console import say
from stylegenes.data.poses import Posed, centered, oddities, read_poses, summary
from stylegenes.errors import UserError
from stylegenes.files import atomic_path

_MOST = 400


def look_at_cameras(path: Path, picture: Path | None, out: Path | None, center: bool) -> None:
    """Say what the cameras at `path` are, draw them, and write them as dataset.json.

    Args:
        path: a file of cameras, or what holds one.
        picture: file for the drawing; None draws nothing.
        out: file to write; None writes nothing.
        center: whether they are moved to lie around the origin first.

    Raises:
        UserError: when there are none, those that would be written are none, or the drawing is no .png.
    """
    if picture is not None and picture.suffix.lower() != ".png":
        raise UserError(f"--picture {picture} must end in .png")
    posed = _open(path)
    if center:
        posed = centered(posed)
    if why_no_cameras(posed.cameras) is None:
        say(summary(posed.cameras))
    found = oddities(posed.cameras)
    for sentence in (*posed.notes, *found):
        say(f"  note: {sentence}")
    if not found:
        say("they are as EG3D wants them: OpenCV's axes, y up, around the origin, intrinsics in units of the width")
    if picture is not None:
        reason = why_no_cameras(posed.cameras)
        if reason is not None:
            raise UserError(f"{picture} is not drawn, since these are no cameras: {reason}")
        _draw(posed, picture)
        say(f"the cameras from above and from the side are in {picture}")
    if out is not None:
        reason = why_no_cameras(posed.cameras)
        if reason is not None:
            raise UserError(f"{out} is not written, since these are no cameras: {reason}")
        posed.save(out)
        say(f"{len(posed.names)} cameras in {out}; put it beside the pictures as dataset.json")


def _open(path: Path) -> Posed:
    from stylegenes.data.opening import is_drawn, open_source

    if not is_drawn(str(path)):
        return read_poses(path.expanduser())
    from stylegenes.data.decode import View

    source = open_source(str(path), View(32))
    if not source.label_names or source.label_names[-1] != "camera_24":
        raise UserError(f"{path} has no cameras; scenes has")
    return Posed(source.names, torch.from_numpy(source.labels()[:, -25:]), str(path))


def _draw(posed: Posed, path: Path) -> None:
    """The cameras as arrows, from above (x and z) and from the side (z and y), with a box of side one."""
    from matplotlib.figure import Figure

    cameras = Cameras.of(posed.cameras[:: max(len(posed.cameras) // _MOST, 1)])
    figure = Figure(figsize=(10, 5), layout="constrained")
    for axes, (a, b), names in zip(figure.subplots(1, 2), ((0, 2), (2, 1)), ("xz", "zy"), strict=True):
        position, direction = cameras.position, cameras.direction * cameras.position.norm(dim=1).mean() * 0.15
        axes.quiver(
            *(position[:, i].numpy() for i in (a, b)),
            *(direction[:, i].numpy() for i in (a, b)),
            angles="xy", scale_units="xy", scale=1, width=0.004, color="tab:blue",
        )  # fmt: skip
        axes.plot([-0.5, 0.5, 0.5, -0.5, -0.5], [-0.5, -0.5, 0.5, 0.5, -0.5], color="tab:orange")
        reach = 1.2 * position.abs().max().item()
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel=names[0], ylabel=names[1], aspect="equal")
        axes.set_title("from above (front is up)" if names == "xz" else "from the side (front is right)")
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=100)
