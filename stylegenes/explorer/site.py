"""The explorer as a folder of files for any static host: the page, and all that it needs to draw without a server.

The generator is an ONNX file that takes a style vector for every layer, so that truncation, mixing and the way between
two pictures are sums that the browser does. Beside it lies what codes are expressed with: a genome's bank of variants,
or the mapping network as a second ONNX file. Numbers of the survey are fixed-point, a 32,767th apart.
"""

from __future__ import annotations

import copy
import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.explorer.about import describe
from stylegenes.explorer.desk import Desk
from stylegenes.explorer.page import PAGE
from stylegenes.files import atomic_folder, read_object, replaceable_folder
from stylegenes.generator import Generator
from stylegenes.interop.exporting import PlainGenerator
from stylegenes.interop.onnx import OPSET, check_onnx, export_onnx
from stylegenes.model import Model
from stylegenes.records import Condition

CONTENT = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
_FIXED = 32767
_SERVED = '<meta name="stylegenes" content="server">'
_MARK = "site.json"
_ROOMS = ("assets", "model", "runtime")
_ALONE = ("population", "tree", "genome", "compare")
_NEEDS_SERVER = "needs Python behind it; open it with: stylegenes explore {reference}"


@dataclass(frozen=True)
class Exported:
    """A static site that was written.

    Attributes:
        place: the folder.
        size: bytes of all files.
        difference: the largest difference of a picture from the model's that ONNX Runtime shows, relative; None where
            it is not installed.
    """

    place: Path
    size: int
    difference: float | None


def export_site(model: Model, place: str | Path) -> Exported:
    """Write the page with one model as a folder that any static host can serve, under any address.

    Args:
        model: flat; its label, where it is conditional, is built in.
        place: the folder; one that this has written before is replaced.

    Raises:
        UserError: for a folder that holds something else, a model that cannot be exported, or without `onnx`.
        OSError: when the folder cannot be written.
    """
    place, owned = Path(place), _own_files(Path(place))
    if not owned and place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UserError(f"{place} exists and is no site of stylegenes; give a folder that is new or empty")
    replaceable_folder(place, owned, "site")
    if not (PAGE / "index.html").is_file():
        raise UserError(f"{PAGE} has no page; build it with: npm ci && npm run build (in explorer/)")
    generator = copy.deepcopy(model.generator).to("cpu")
    with atomic_folder(place) as part:
        shutil.copytree(PAGE, part, dirs_exist_ok=True)
        _make_static(part / "index.html")
        (part / "model").mkdir()
        camera = model.camera({"yaw": 0.0}) if generator.synthesis.has_camera else None
        flat = PlainGenerator(generator, given="ws", camera=camera)
        difference = check_onnx(flat, export_onnx(flat, part / "model/generator.onnx", card=model.card))
        if generator.latent.num_genes:
            write_bank(generator, part / "model/bank.bin")
        else:
            export_expression(generator, model.condition, part / "model/latent.onnx")
        numbers = write_numbers(model, part / "model/numbers.bin") if is_surveyed(model) else None
        labels = list(model.origin(model.plain_drawing).labels)
        about = {"info": info_of(model), "latent": latent_of(model), "labels": labels, "numbers": numbers}
        files = [file.relative_to(part).as_posix() for file in part.rglob("*") if file.is_file()]
        (part / _MARK).write_text(json.dumps({**about, "files": sorted([*files, _MARK])}))
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return Exported(place, size, difference)


def _own_files(place: Path) -> set[str]:
    """What an earlier export wrote into a folder, as its site.json says; nothing where it holds no site."""
    try:
        mark = read_object(place / _MARK)
    except UserError:
        return set()
    if "info" not in mark or "latent" not in mark:
        return set()
    # Sites of older versions do not list their files.
    ours = {file.relative_to(place).as_posix() for room in _ROOMS for file in (place / room).rglob("*")}
    page = {file.relative_to(PAGE).as_posix() for file in PAGE.rglob("*")}
    return {str(name) for name in mark.get("files", ours | page | {_MARK})}


def _make_static(page: Path) -> None:
    """Tell the page that there is no server, and what it may load."""
    text = page.read_text()
    if _SERVED not in text:
        raise UserError(f"{page} is no page of this version; build it again: npm run build (in explorer/)")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{CONTENT}">'
    page.write_text(text.replace(_SERVED, f'{policy}\n    <meta name="stylegenes" content="static">'))


def is_surveyed(model: Model) -> bool:
    """Whether there are statistics of this model's genes."""
    return bool(model.generator.latent.num_genes) and model.study.is_surveyed


def write_bank(generator: Generator, path: Path) -> None:
    """The variants float32 [num_genes, num_variants, gene_dim]: a genotype's w is the chosen rows, side by side."""
    latent = generator.latent
    with torch.no_grad():
        genotypes = torch.arange(latent.num_variants)[:, None].expand(-1, latent.num_genes).contiguous()
        rows = latent(genotypes).view(latent.num_variants, latent.num_genes, -1)
    path.write_bytes(rows.transpose(0, 1).contiguous().numpy().astype("<f4").tobytes())


class _Expression(nn.Module):
    """Codes to w, with the condition of the model."""

    def __init__(self, generator: Generator, condition: Condition) -> None:
        super().__init__()
        self.latent, self.condition = generator.latent, condition

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """Codes [1, z_dim] to w [1, w_dim]."""
        return self.latent(code, self.condition)


def export_expression(generator: Generator, condition: Condition, path: Path) -> None:
    """The latent alone as ONNX: one `code` [1, z_dim] to its `w` [1, w_dim]."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = _Expression(generator, condition.map(lambda rows: rows.cpu())).eval()
        example = (generator.sample(1, torch.Generator().manual_seed(0)),)
        torch.onnx.export(
            module, example, str(path), input_names=["code"], output_names=["w"], opset_version=OPSET, dynamo=False
        )


def write_numbers(model: Model, path: Path) -> list[dict[str, object]]:
    """What the survey says of genes and variants as one file of numbers, and a table of what is where in it.

    Rows [G, V, A] and [G, A] of what `Model.effects` gives for each attribute; `order` is [A, G].
    """
    found = [model.effects(name) for name in model.statistics.attributes]
    shares = ("effect", "low", "high", "shrunk")
    arrays = {name: _fixed(torch.stack([getattr(one, name) for one in found], dim=-1)) for name in shares}
    for name in ("score", "explained", "q_value"):
        arrays[name] = torch.stack([getattr(one, name) for one in found], dim=-1).numpy().astype("<f4")
    arrays["count"] = found[0].count.numpy().astype("<u4")
    arrays["order"] = np.array([one.order for one in found], dtype="<u4")
    arrays["acting"] = np.array([one.acting for one in found], dtype="<u4")
    arrays["mean"] = np.array([one.mean for one in found], dtype="<f4")
    table, start = [], 0
    with path.open("wb") as file:
        # The widest numbers come first, so that each begins at a multiple of its own size.
        for name, array in sorted(arrays.items(), key=lambda item: -item[1].itemsize):
            table.append({"name": name, "type": array.dtype.str[1:], "start": start, "length": int(array.size)})
            start += file.write(array.tobytes())
    return table


def _fixed(values: torch.Tensor) -> np.ndarray:
    return (values.clamp(-1, 1) * _FIXED).round().numpy().astype("<i2")


def latent_of(model: Model) -> dict[str, object]:
    """What the page needs to express codes: the mean of w, the label, and how far codes may be mixed."""
    generator = model.generator
    with torch.no_grad():
        mean = generator.latent.mean(model.condition)[0].tolist()
        two = generator.sample(2, torch.Generator().manual_seed(0)).to(generator.device)
        ends = generator.latent(two[:1], model.condition), generator.latent(two[1:], model.condition)
        middle = generator.latent.blend(two[:1], two[1:], 0.5, model.condition)
    label = model.condition.label
    return {
        "mean": mean,
        "label": [] if label is None or not generator.synthesis.label_dim else label[0].tolist(),
        "z_dim": 0 if generator.latent.num_genes else int(two.shape[1]),
        "straight": bool(torch.allclose(middle, torch.lerp(*ends, 0.5), atol=1e-5)),
        "draws": model.statistics.num_draws if is_surveyed(model) else 0,
        "fixed": _FIXED,
    }


def info_of(model: Model) -> dict[str, object]:
    """What the server says at /api/v1/info, with the panels that a page without one can fill."""
    desk = Desk(model)
    info = describe(desk).model_dump()
    desk.close()
    reference, given = str(model.reference), {panel["name"]: panel for panel in info["panels"]}
    needs = {name: _NEEDS_SERVER.format(reference=reference) for name in given if name not in _ALONE}
    panels = [
        {"name": name, "available": not reason, "reason": reason}
        for name, reason in ({name: given[name]["reason"] for name in given} | needs).items()
    ]
    return info | {"device": "this browser", "panels": panels, "run": False}
