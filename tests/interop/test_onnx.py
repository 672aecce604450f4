"""Exports of every family give the model's pictures, at any batch, and tell what they are."""

import binascii
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from stylegenes.cli.main import run
from stylegenes.drawing import DrawSettings, draw
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.pictures import to_uint8
from stylegenes.records import Condition
from stylegenes.snapshot import Card, save_snapshot
from stylegenes.synthesis import SYNTHESES

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from stylegenes.interop.exporting import BATCHES, PlainGenerator  # noqa: E402
from stylegenes.interop.onnx import check_onnx, export_onnx  # noqa: E402

DOCS = Path(__file__).resolve().parents[2] / "docs" / "snapshots.md"
GENOME = {"name": "genome", "w_dim": 12, "num_genes": 3, "num_variants": 5}
MAPPING = {"name": "mapping", "w_dim": 12, "z_dim": 5, "depth": 2, "label_dim": 4}
FAMILIES = {name: SYNTHESES.get(name).example_spec(16, 12) for name in SYNTHESES.names()}
FAMILIES["stylegan3"] |= {"conv_kernel": 1, "radial_filters": True}


def generator_of(name: str, latent: dict, **changes) -> Generator:
    torch.manual_seed(0)
    spec = {"latent": latent, "synthesis": {"name": name, **FAMILIES[name], **changes}}
    return Generator.from_spec(spec).eval().requires_grad_(False)


def session_of(path: Path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("given", ["code", "w", "ws"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_gives_the_same_pictures_at_any_batch(name, given, tmp_path):
    assert BATCHES == (1, 3, 16)
    G = generator_of(name, MAPPING if given == "code" else GENOME)
    if given == "w" and name != "eg3d":
        G = generator_of(name, GENOME, **SYNTHESES.get(name).example_spec("48x32", 12), image_channels=2)
    path = export_onnx(PlainGenerator(G, psi=0.6, given=given), tmp_path / "model.onnx")
    assert check_onnx(PlainGenerator(G, psi=0.6, given=given), path) < 1e-4
    with pytest.raises(UserError, match="does not reproduce"):
        check_onnx(PlainGenerator(G, psi=-1.0, given=given, clamp=False), path)
    (image,) = session_of(path).get_outputs()
    assert image.shape == ["batch", G.synthesis.image_channels, *G.synthesis.size.hw]


@pytest.mark.parametrize("given", ["code", "w"])
def test_a_network_that_reads_the_label_itself(given, tmp_path):
    G = generator_of("fastgan", GENOME, label_dim=3)
    path = export_onnx(PlainGenerator(G, given=given), tmp_path / "model.onnx")
    assert check_onnx(PlainGenerator(G, given=given), path) < 1e-4
    assert [slot.shape for slot in session_of(path).get_inputs()] == [
        ["batch", 3 if given == "code" else 12],
        ["batch", 3],
    ]


def test_pictures_are_within_bounds_unless_they_are_wanted_raw(tmp_path):
    G = generator_of("stylegan2", GENOME)
    codes = {"code": G.sample(16).numpy()}
    path = export_onnx(PlainGenerator(G), tmp_path / "model.onnx")
    assert np.abs(session_of(path).run(None, codes)[0]).max() == 1
    raw = export_onnx(PlainGenerator(G, clamp=False), tmp_path / "raw.onnx")
    assert check_onnx(PlainGenerator(G, clamp=False), raw) < 1e-4
    assert np.abs(session_of(raw).run(None, codes)[0]).max() > 1.1


@pytest.mark.parametrize("variant", [5, 6, -1, -5, 1 << 40, -(1 << 62)])
@pytest.mark.parametrize("gene", [0, 1, 2])
def test_a_variant_that_no_gene_has_is_refused(variant, gene, genome_file):
    code = np.zeros((2, 3), np.int64)
    code[1, gene] = variant
    with pytest.raises(Exception, match="out of data bounds"):
        session_of(genome_file).run(None, {"code": code})


@pytest.fixture(scope="module")
def genome_file(tmp_path_factory) -> Path:
    card = Card(name="nobody's", license="CC0-1.0", recipe="none")
    return export_onnx(
        PlainGenerator(generator_of("r3gan", GENOME)), tmp_path_factory.mktemp("onnx") / "model.onnx", card=card
    )


def test_the_file_says_what_it_is(genome_file):
    about = session_of(genome_file).get_modelmeta().custom_metadata_map
    expected = {"name": "nobody's", "license": "CC0-1.0", "latent": "genome", "genes": "3", "variants": "5"}
    expected |= {"w_dim": "12", "resolution": "16", "channels": "3", "range": "[-1, 1]", "psi": "1.0"}
    assert about == about | expected
    assert json.loads(about["axes"]) == {"code": ["batch", "genes"], "image": ["batch", "channels", "height", "width"]}


def test_the_example_in_the_docs_draws_and_reads_code_strings(genome_file, monkeypatch):
    """By the metadata alone, and so does the check sum."""
    example = re.search(r"```python\n(import base64.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
    assert example
    monkeypatch.chdir(genome_file.parent)
    names: dict = {}
    exec(example[1], names)
    assert Path("face.png").exists()
    G = generator_of("r3gan", GENOME)
    codes = G.sample(20)
    for code, string in zip(codes.tolist(), G.latent.to_strings(codes), strict=True):
        assert names["read"](string).tolist() == code
        data = names["base64"].urlsafe_b64decode(string + "=" * (-len(string) % 4))
        size, check = names["form"]["bytes"], names["form"]["check"]
        found = int.from_bytes(data[size : size + check["bytes"]], "big")
        assert found == binascii.crc_hqx(check["of"].encode() + data[:size], 0)


def test_codes_of_numbers_are_read_by_the_metadata(tmp_path):
    G = generator_of("r3gan", MAPPING)
    path = export_onnx(PlainGenerator(G), tmp_path / "model.onnx")
    form = json.loads(session_of(path).get_modelmeta().custom_metadata_map["code_string"])
    assert form["numbers"] == "float32, low byte first"
    code = G.sample(1)
    (string,) = G.latent.to_strings(code)
    data = binascii.a2b_base64(string.translate(str.maketrans("-_", "+/")) + "=" * (-len(string) % 4))
    assert np.frombuffer(data, "<f4", form["count"]).tolist() == code[0].tolist()


def test_through_the_command(tmp_path, capsys):
    save_snapshot(tmp_path / "model", generator_of("progan", GENOME), Card(name="small", license="MIT"))
    line = ["export", str(tmp_path / "model"), "--onnx", str(tmp_path / "x.onnx"), "--given", "w", "--raw"]
    assert run(line) == 0
    said = capsys.readouterr().out
    assert "w [batch, w_dim] in" in said and "of no bounds" in said and "batches of 1, 3 and 16" in said
    about = session_of(tmp_path / "x.onnx").get_modelmeta().custom_metadata_map
    assert about["license"] == "MIT" and about["range"].startswith("unbounded")


def test_what_cannot_be_exported_is_refused(tmp_path):
    G = generator_of("progan", GENOME)
    with pytest.raises(UserError, match="takes one of code, w, ws"):
        export_onnx(PlainGenerator(G, given="z"), tmp_path / "x.onnx")
    with pytest.raises(UserError, match="no camera sees"):
        export_onnx(PlainGenerator(G, camera=torch.eye(25)[:1]), tmp_path / "x.onnx")
    with pytest.raises(UserError, match="official=false"):
        export_onnx(PlainGenerator(generator_of("eg3d", GENOME, official=True)), tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


THREE = {"label_dim": 0, "camera": True}


@pytest.mark.parametrize(
    "changes",
    [
        {"near": 2.0, "far": 3.4, "disparity": True, "white": True},
        {"importance": 0, "most_points": 300, "third_plane": "zx"},
        {"rendering_resolution": 16, "super_input": 4, "box": 1.6},
        {"image_channels": 1, "plane_resolution": 16, "super_noise": False},
    ],
)
def test_a_model_in_space_is_exported_with_its_camera(changes, tmp_path):
    """Rays that miss the box, parts of rays, and features that shrink are exported as well."""
    G = generator_of("eg3d", {**MAPPING, **THREE}, **changes)
    path = export_onnx(PlainGenerator(G, psi=0.7), tmp_path / "model.onnx")
    assert check_onnx(PlainGenerator(G, psi=0.7), path) < 1e-4
    session = session_of(path)
    assert [(slot.name, slot.shape) for slot in session.get_inputs()] == [
        ("code", ["batch", 5]),
        ("camera", ["batch", 25]),
    ]
    code = G.sample(1)
    sides = [G.synthesis.camera_at(yaw, 10.0, 40.0) for yaw in (0.0, 90.0)]
    found = [torch.from_numpy(session.run(None, {"code": code.numpy(), "camera": side.numpy()})[0]) for side in sides]
    for side, picture in zip(sides, found, strict=True):
        (expected,) = draw(G, code, DrawSettings(psi=0.7, condition=Condition(camera=side)))
        assert np.abs(to_uint8(picture)[0].astype(int) - expected.astype(int)).max() <= 1
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_a_camera_can_be_built_in(tmp_path, capsys):
    save_snapshot(tmp_path / "model", generator_of("eg3d", GENOME), Card(name="solid"))
    assert run(["export", str(tmp_path / "model"), "--onnx", str(tmp_path / "x.onnx"), "--yaw", "30"]) == 0
    assert "x.onnx: code [batch, genes] in, image" in capsys.readouterr().out
    session = session_of(tmp_path / "x.onnx")
    built = json.loads(session.get_modelmeta().custom_metadata_map["camera"])
    G = generator_of("eg3d", GENOME)
    assert torch.allclose(torch.tensor([built]), G.synthesis.camera_at(30.0, 0.0), atol=1e-5)
    assert run(["export", str(tmp_path / "model"), "--onnx", str(tmp_path / "y.onnx")]) == 0
    assert "code [batch, genes] and camera [batch, numbers] in" in capsys.readouterr().out
    assert session_of(tmp_path / "y.onnx").get_modelmeta().custom_metadata_map["camera"] == "given"
    assert run(["export", str(tmp_path / "model"), "--onnx", str(tmp_path / "z.onnx"), "--fov", "0"]) == 1
