"""Every Python block of the README and of docs/ runs, in a folder that has what the documents speak of.

The blocks of a document are run from top to bottom in one namespace, so that each document must import and open what it
uses. What would take minutes is made small: numbers from 1,000 on become 64.
"""

import pydoc
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stylegenes.cli import main
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.metrics.budget import read_budgets
from stylegenes.metrics.evaluating import metric_names
from stylegenes.metrics.evaluation import DISTRIBUTION_METRICS, LATENT_METRICS, MIXING
from stylegenes.snapshot import Card, save_snapshot
from stylegenes.synthesis import SYNTHESES

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = {
    path: re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
}
SPEC = {
    "latent": {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 4},
    "synthesis": {"name": "stylegan2", "resolution": 8, "w_dim": 16, "channel_base": 64, "channel_max": 8},
}


def small(block: str) -> str:
    block = re.sub(r"@\d+k", "@16", block)
    return re.sub(r"(?<![\w.])\d{1,3}(?:_\d{3})+(?![\w.])|(?<![\w.])\d{4,}(?![\w.])", "64", block)


def solid() -> Generator:
    """A 3D model with something to see."""
    torch.manual_seed(3)
    spec = {"name": "eg3d", **SYNTHESES.get("eg3d").example_spec(16, 8), "samples": 16, "importance": 16}
    latent = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 4, "camera": True}
    generator = Generator.from_spec({"latent": latent, "synthesis": spec})
    torch.nn.init.normal_(generator.latent.pose.out.weight, std=100)
    generator.synthesis.decoder.out.weight.data[0] *= 20
    generator.synthesis.decoder.out.bias.data[0] = 3.0
    return generator


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder as it is after the commands of the README: a run, photos with labels, the exported files."""
    folder = tmp_path_factory.mktemp("place")
    critic = DISCRIMINATORS.build({"name": "stylegan2", "resolution": 8, "channel_base": 64, "channel_max": 8})
    for images, name in ((0, "first"), (64, "last")):
        generator, card = Generator.from_spec(SPEC), Card("toy", images_seen=images)
        save_snapshot(folder / f"stylegenes-demo/run/snapshots/{name}", generator, card, discriminator=critic)
    save_snapshot(folder / "runs/scenes/snapshots/last", solid(), Card("scenes"))
    for kind in ("cat", "dog"):
        (folder / "photos" / kind).mkdir(parents=True)
        for number in range(4):
            pixels = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / kind / f"{number}.png")
    if any("model.onnx" in block for blocks in BLOCKS.values() for block in blocks):
        pytest.importorskip("onnx")
        both = ["--onnx", str(folder / "model.onnx"), "--pt2", str(folder / "model.pt2")]
        assert main.run(["export", "avatars32", *both]) == 0
    return folder


@pytest.mark.parametrize("document", [path for path, blocks in BLOCKS.items() if blocks], ids=lambda path: path.name)
def test_the_python_of_a_document_runs(document, place, monkeypatch):
    monkeypatch.setenv("STYLEGENES_CACHE", str(place / "cache"))
    monkeypatch.chdir(place)
    namespace = {}
    for number, block in enumerate(BLOCKS[document], 1):
        exec(compile(small(block), f"{document.name}, block {number}", "exec"), namespace)


def test_documents_have_python_and_its_numbers_are_made_small():
    assert sum(map(len, BLOCKS.values())) >= 6
    assert small("f(60_000, 5000, 0.5, 64, 'fd@2k', n=1_000_000, x1000)") == "f(64, 64, 0.5, 64, 'fd@16', n=64, x1000)"


def test_every_command_has_its_lines_of_python():
    text = (ROOT / "docs/python.md").read_text()
    programs = text[text.index("## Programs") :]
    for verb in main.VERBS:
        assert f"stylegenes {verb}" in text or f"`{verb}`" in programs, verb
    for block in BLOCKS[ROOT / "docs/python.md"]:
        lines = [line for line in block.splitlines() if line and not line.startswith(("from ", "import "))]
        assert len(lines) <= 3, block


DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_names_in_the_text_of_a_document_are_there(document):
    """Metrics are read by their own readers, and dotted names are looked up."""
    text = document.read_text()
    for name in re.findall(r"`(stylegenes(?:\.\w+)+)\b(?!\.\w)", text):
        assert pydoc.locate(name) is not None, name
    for given in re.findall(r"--metrics ([\w@,]+)", text):
        if "@" in given:
            assert read_budgets(given), given
        elif given != "none":
            names = metric_names(given)
            assert set(names) <= {*DISTRIBUTION_METRICS, MIXING, *LATENT_METRICS}, given
