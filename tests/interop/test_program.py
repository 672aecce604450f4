"""Programs of torch.export: every family, read again by a process that knows torch alone, at any batch."""

import inspect
import json
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest
import torch

import stylegenes
from stylegenes.cli.main import run
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.exporting import BATCHES, PlainGenerator
from stylegenes.interop.onnx import check_onnx, export_onnx
from stylegenes.interop.program import check_program, export_program
from stylegenes.recipes import RECIPES, recipe
from stylegenes.snapshot import Card, save_snapshot
from stylegenes.synthesis import SYNTHESES

GENOME = {"name": "genome", "w_dim": 12, "num_genes": 3, "num_variants": 5}
MAPPING = {"name": "mapping", "w_dim": 12, "z_dim": 5, "depth": 2}
LABELED = {**MAPPING, "label_dim": 4}
READER = """
import sys, torch
for name in sys.argv[1:]:
    program = torch.export.load(name).module()
    for inputs, expected in torch.load(name.replace(".pt2", ".expected"), weights_only=True):
        image = program(*inputs)
        difference = ((image - expected).abs().max() / expected.abs().max()).item()
        assert image.shape == expected.shape and difference < 1e-4, (name, len(image), difference)
assert not any(module.startswith("stylegenes") for module in sys.modules)
"""


def generator_of(name: str, latent: dict, resolution: int = 8, **changes) -> Generator:
    torch.manual_seed(0)
    synthesis = {"name": name, **SYNTHESES.get(name).example_spec(resolution, 12), **changes}
    return Generator.from_spec({"latent": latent, "synthesis": synthesis}).eval().requires_grad_(False)


def write(folder: Path, name: str, G: Generator, **how) -> Path:
    """The program, and beside it what the model itself makes."""
    flat = PlainGenerator(G, **how)
    path = export_program(flat, folder / f"{name}.pt2")
    inputs = [flat.example(n) for n in BATCHES]
    torch.save([(list(one), flat(*one)) for one in inputs], path.with_suffix(".expected"))
    return path


def read_elsewhere(paths: list[Path]) -> None:
    done = subprocess.run([sys.executable, "-I", "-c", READER, *map(str, paths)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def changes_of(name: str) -> dict:
    """Labels that the network reads itself, where it can; and what only one family has."""
    reads = "label_dim" in inspect.signature(SYNTHESES.get(name)).parameters
    turned = {"conv_kernel": 1, "radial_filters": True, "resolution": 16, "num_layers": 3}
    return {"stylegan3": turned}.get(name, {}) | ({"label_dim": 4} if reads else {})


@pytest.mark.slow
def test_every_family_in_a_process_without_stylegenes(tmp_path):
    """By turns with a genome and with a mapping network that reads labels; those in space take cameras as well."""
    assert BATCHES == (1, 3, 16)
    turns = {name: (GENOME, LABELED)[i % 2] for i, name in enumerate(SYNTHESES.names())}
    read_elsewhere(
        [write(tmp_path, name, generator_of(name, turns[name], **changes_of(name)), psi=0.6) for name in turns]
    )


def test_style_vectors_labels_and_cameras_go_in(tmp_path):
    solid = generator_of("eg3d", {**GENOME, "camera": True}, importance=0)
    read_elsewhere(
        [
            write(tmp_path, "w", generator_of("r3gan", GENOME), given="w", clamp=False),
            write(tmp_path, "ws", generator_of("progan", MAPPING), given="ws", psi=0.5),
            write(tmp_path, "label", generator_of("fastgan", GENOME, label_dim=3), given="w"),
            write(tmp_path, "side", solid, camera=solid.synthesis.camera_at(30.0, 0.0)),
        ]
    )


@cache
def small_recipes() -> dict[str, dict]:
    """What every recipe makes its pictures with, in small; of recipes that then agree, the first."""
    found = {}
    for name in RECIPES:
        model = recipe(name).model
        size = {} if model.synthesis["name"] != "eg3d" else {"super_input": 8}
        example = SYNTHESES.get(model.synthesis["name"]).example_spec(16, 12)
        sizes = {key: model.latent[key] for key in ("depth", "camera") if key in model.latent}
        latent = {"genome": GENOME, "mapping": {**MAPPING, "z_dim": 12}, "gaussian": {"name": "gaussian", "w_dim": 12}}
        spec = {
            "latent": {**latent[model.latent["name"]], **sizes},
            "synthesis": {**model.synthesis, **example, **size},
        }
        found.setdefault(json.dumps(spec, sort_keys=True), (name, spec))
    return dict(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_what_every_recipe_trains_can_be_exported_both_ways(tmp_path, name):
    """Three to twelve seconds of a core each, less for a recipe that makes pictures as an earlier one does."""
    pytest.importorskip("onnxruntime")
    if name not in small_recipes():
        assert len(small_recipes()) > 20
        return
    torch.manual_seed(0)
    G = Generator.from_spec(small_recipes()[name]).eval().requires_grad_(False)
    files = []
    for given in ("code", "w"):
        files.append(write(tmp_path, f"{name}-{given}", G, given=given, psi=0.7))
        path = export_onnx(PlainGenerator(G, given=given, psi=0.7), tmp_path / f"{name}-{given}.onnx")
        assert check_onnx(PlainGenerator(G, given=given, psi=0.7), path) < 1e-4
    read_elsewhere(files)


def test_a_difference_is_told(tmp_path):
    G = generator_of("r3gan", GENOME)
    path = export_program(PlainGenerator(G, psi=0.6), tmp_path / "model.pt2")
    assert check_program(PlainGenerator(G, psi=0.6), path) < 1e-4
    with pytest.raises(UserError, match="does not reproduce"):
        check_program(PlainGenerator(G, psi=-1.0), path)


def test_a_network_stays_as_far_grown_as_it_is(tmp_path):
    G = generator_of("progan", GENOME)
    G.synthesis.grow(2.4)
    assert check_program(PlainGenerator(G), export_program(PlainGenerator(G), tmp_path / "half.pt2")) < 1e-4
    G.synthesis.grow(3.0)
    assert check_program(PlainGenerator(G), export_program(PlainGenerator(G), tmp_path / "full.pt2")) < 1e-4


def test_the_file_says_what_it_is_and_nothing_of_this_machine(tmp_path):
    G = generator_of("r3gan", GENOME)
    path = export_program(PlainGenerator(G), tmp_path / "model.pt2", card=Card(name="nobody's", license="CC0-1.0"))
    extra = {"stylegenes.json": ""}
    program = torch.export.load(path, extra_files=extra).module()
    about = json.loads(extra["stylegenes.json"])
    expected = {"format": "stylegenes-program 1", "name": "nobody's", "license": "CC0-1.0", "genes": 3, "variants": 5}
    assert about == about | expected
    assert about["axes"] == {"code": ["batch", "genes"], "image": ["batch", "channels", "height", "width"]}
    with zipfile.ZipFile(path) as file:
        told = b"".join(file.read(name) for name in file.namelist())
    assert str(Path(stylegenes.__file__).parent).encode() not in told
    for variant in (5, -1, 1 << 40):
        with pytest.raises(IndexError):
            program(torch.tensor([[0, 0, 0], [0, 0, variant]]))


def test_through_the_command_and_in_python(tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    save_snapshot(tmp_path / "model", generator_of("r3gan", GENOME), Card(name="small"))
    both = ["--onnx", str(tmp_path / "x.onnx"), "--pt2", str(tmp_path / "x.pt2")]
    assert run(["export", str(tmp_path / "model"), *both, "--given", "w", "--raw"]) == 0
    said = capsys.readouterr().out
    assert said.count("w [batch, w_dim] in") == 2 and "compared in torch at batches of 1, 3 and 16" in said
    model = stylegenes.open(tmp_path / "model", device="cpu")
    for name in ("y.pt2", "y.onnx"):
        assert model.export(tmp_path / name, given="ws", psi=0.5) < 1e-4
    with pytest.raises(UserError, match=r"must end in \.onnx"):
        model.export(tmp_path / "y.pth")
    assert not (tmp_path / "y.pth").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ([], "say what to write"),
        (["--onnx", "x.pt2"], "x.pt2 must end in .onnx (ONNX)"),
        (["--pt2", "x"], "x must end in .pt2 (a program of torch.export)"),
        (["--pt2", "x.pt2", "--yaw", "30"], "eg3d has a camera"),
        (["--pt2", "x.pt2", "--psi", "nan"], "psi"),
    ],
)
def test_wrong_lines(line, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["export", "avatars32", *line]) == 1
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


class Undecided(torch.nn.Module):
    """A network that looks at its values, which no program can."""

    def __init__(self, within: torch.nn.Module) -> None:
        super().__init__()
        self.within = within

    def forward(self, ws, *args, **kwargs):
        return self.within(ws if ws.sum() > 0 else -ws, *args, **kwargs)

    def __getattr__(self, name):
        return super().__getattr__(name) if name in ("within", "_modules") else getattr(self.within, name)


def test_what_cannot_be_exported_is_refused_by_name(tmp_path, capfd):
    with pytest.raises(UserError, match="this eg3d draws anew"):
        export_program(PlainGenerator(generator_of("eg3d", GENOME, official=True)), tmp_path / "x.pt2")
    G = generator_of("r3gan", GENOME)
    G.synthesis = Undecided(G.synthesis)
    with pytest.raises(UserError, match=r"r3gan cannot be recorded by torch\.export"):
        export_program(PlainGenerator(G), tmp_path / "x.pt2")
    assert not list(tmp_path.iterdir())
    assert "Traceback" not in "".join(capfd.readouterr())
