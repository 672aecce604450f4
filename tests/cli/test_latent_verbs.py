"""directions, move, pca, noise, interpolate and invert, on tiny untrained models and toy judges."""

import csv

import numpy as np
import pytest
import torch
from latent_toys import PooledDistance, SignClassifier
from PIL import Image

from stylegenes import loaded, perception
from stylegenes.analysis import gene_study
from stylegenes.cli import main
from stylegenes.cli.console import show_table
from stylegenes.generator import Generator
from stylegenes.inversion.projection import Projector
from stylegenes.snapshot import Card, load_snapshot, save_snapshot

SYNTHESIS = {"name": "stylegan2", "resolution": 16, "w_dim": 16, "channel_base": 128, "channel_max": 16}
LATENTS = {
    "genome": {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 6},
    "mapping": {"name": "mapping", "w_dim": 16, "depth": 1, "lr_multiplier": 1.0},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(1)
    for name, latent in LATENTS.items():
        generator = Generator.from_spec({"latent": latent, "synthesis": SYNTHESIS})
        save_snapshot(folder / name, generator, Card(name))
    return folder


@pytest.fixture(scope="module")
def classifier(models):
    """Signs of products with patterns orthogonal to both models' mean pictures, so that no attribute is rare."""
    generators = [load_snapshot(models / name).generator for name in LATENTS]
    random = torch.Generator().manual_seed(2)
    means = [g(g.sample(64, random)).image.flatten(1).mean(dim=0) for g in generators]
    basis = torch.linalg.qr(torch.stack(means, dim=1)).Q
    patterns = torch.randn(3, 3 * 16 * 16, generator=random) / 50
    return SignClassifier(patterns - patterns @ basis @ basis.T)


@pytest.fixture
def toy_judges(monkeypatch, classifier):
    for module in (gene_study, perception):
        monkeypatch.setattr(module, "reported_distance", lambda device: PooledDistance())
    monkeypatch.setattr(loaded, "load_classifier", lambda path, device: classifier)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        Image.fromarray(random.integers(0, 255, (20, 30, 3), np.uint8)).save(folder / f"{name}.png")
    return folder


def rows(path):
    return list(csv.DictReader(path.open()))


@pytest.mark.parametrize("latent", LATENTS)
def test_directions_and_move(models, toy_judges, tmp_path, capsys, latent):
    out = tmp_path / "d"
    base = ["directions", str(models / latent), "--out", str(out)]
    assert main.run([*base, "--classifier", "x", "--samples", "100"]) == 0
    table = rows(out / "table-l2.csv")
    assert [row["attribute"] for row in table] == ["sign_0", "sign_1", "sign_2"]
    assert ("auc z" in table[0]) == (latent == "mapping")
    assert max(float(row["auc w"]) for row in table) > 0.6
    strips = np.asarray(Image.open(out / "strips.png"))
    gap, step = 2, 128 + 14 + 2
    middles = [strips[y : y + 128, gap + 3 * 130 :][:, :128] for y in range(gap, len(strips) - 128, step)]
    assert len(middles) > 1 and all((middle == middles[0]).all() for middle in middles)
    effects = rows(out / "effects.csv")
    assert all(float(row["toy_pooled"]) > 0 for row in effects)
    again = ["directions", str(models / latent), "--out", str(tmp_path / "e"), "--labels", str(out / "samples.csv")]
    assert main.run([*again, "--penalty", "l2", "--attributes", "sign_0"]) == 0
    assert len(rows(tmp_path / "e" / "fits.csv")) == (2 if latent == "mapping" else 1)
    for file in sorted(out.glob("*-l2.safetensors")):
        strip = tmp_path / f"{file.stem}.png"
        options = ["--hold", "sign_1", "--layers", "0-1", "--classifier", "x", "--out", str(strip)]
        assert main.run(["move", str(models / latent), str(file), "sign_0", *options]) == 0
        assert Image.open(strip).width > 7 * 16 and len(rows(strip.with_suffix(".csv"))) == 2
    assert main.run(["move", str(models / latent), str(out / "w-l2"), "sign_0,sign_2", "--out", str(strip)]) == 0
    capsys.readouterr()
    other = next(name for name in LATENTS if name != latent)
    assert main.run(["move", str(models / other), str(out / "w-l2"), "sign_0", "--out", str(strip)]) == 0
    assert "other weights" in capsys.readouterr().out


@pytest.mark.parametrize("space", ["w", "z"])
def test_components_and_a_move_along_one(models, tmp_path, space):
    out = tmp_path / "p"
    base = ["pca", str(models / "mapping"), "--samples", "200", "--space", space, "--components", "2"]
    assert main.run([*base, "--layers", "0-2", "--out", str(out)]) == 0
    assert float(rows(out / "variance.csv")[-1]["explained"]) == pytest.approx(1, abs=1e-4)
    assert {path.name for path in out.glob("*.png")} == {"variance.png", "extremes.png", "strips.png"}
    moved = ["move", str(models / "mapping"), str(out / "components"), "pc2", "--out", str(tmp_path / "m.png")]
    assert main.run(moved) == 0 and (tmp_path / "m.png").exists()


def test_noise_and_ways(models, tmp_path, capsys):
    assert main.run(["noise", str(models / "genome"), "--seeds", "0-1", "--draws", "5", "--out", str(tmp_path)]) == 0
    assert len(rows(tmp_path / "noise.csv")) == 8 and (tmp_path / "noise-1.png").exists()
    way = ["interpolate", str(models / "mapping"), "--seeds", "1,2", "--steps", "3"]
    for name in ("w.png", "w.gif", "w.mp4"):
        assert main.run([*way, "--out", str(tmp_path / name)]) == 0 and (tmp_path / name).exists()
    assert capsys.readouterr().out.count("(code and w)") == 3
    genome = ["interpolate", str(models / "genome"), "--steps", "2", "--out", str(tmp_path / "g.png")]
    assert main.run(genome) == 0 and "drawn once" in capsys.readouterr().out


@pytest.mark.parametrize(
    "latent, space", [("genome", "w+"), ("genome", "codebook"), ("mapping", "pti"), ("genome", "genome")]
)
def test_inversion_of_a_folder(models, toy_judges, photos, tmp_path, capsys, latent, space):
    (photos / "bad.png").write_bytes(b"no picture")
    out = tmp_path / "i"
    base = ["invert", str(models / latent), str(photos), "--space", space, "--out", str(out), "--batch", "2"]
    options = ["--steps", "10", "--tuning-steps", "4", "--calibrate", "3"]
    assert main.run([*base, *options]) == 0
    said = capsys.readouterr().out
    assert "left out" in said and "bad.png" in said
    results = rows(out / "results.csv")
    assert len(results) == 3 and all(row["distribution"] in ("own", "near", "outside") for row in results)
    assert (out / "comparison.png").exists() and (out / "progress.png").exists()
    if space in ("genome", "codebook"):
        assert [row["distance"] for row in rows(out / "quantization.csv")] == ["l1", "l2", "cosine"]
        strings = [row["genotype"] for row in results]
        assert load_snapshot(models / latent).generator.latent.from_strings(strings).shape == (3, 4)
    if space in ("codebook", "pti"):
        tuned = load_snapshot(out / "tuned")
        assert tuned.card.parent == latent and tuned.card.name == f"{latent}-{space}"
    first = (out / "results.csv").read_text()
    assert main.run([*base, *options]) == 0
    assert (out / "results.csv").read_text() == first


@pytest.mark.parametrize(
    "argv, message",
    [
        (["directions", "{genome}"], "labels are needed"),
        (["directions", "{genome}", "--labels", "none.csv"], "there is no table"),
        (["directions", "{genome}", "--labels", "a", "--survey", "b"], "give one of them"),
        (["move", "{genome}", "nowhere", "Smiling"], "there is no nowhere"),
        (["pca", "{genome}", "--layers", "0-99"], "numbers from 0 to"),
        (["pca", "{genome}", "--samples", "16"], "components of 16 numbers need more"),
        (["noise", "{genome}", "--draws", "1"], "at least two draws"),
        (["interpolate", "{genome}", "--seeds", "1"], "at least two codes"),
        (["interpolate", "{genome}", "--out", "a.txt"], "can end in"),
        (["invert", "{genome}", "nobody.png"], "no file or folder"),
        (["invert", "{mapping}", "x.png", "--space", "codebook"], "needs a genome"),
        (["invert", "{genome}", "x.png", "--space", "pti", "--optimize-noise"], "goes with --space w or w"),
        (["invert", "{genome}", "x.png", "--steps", "0"], "must be positive"),
        (["invert", "{genome}", "x.png", "--calibrate", "2"], "3 own samples or more"),
    ],
)
def test_mistakes_are_said_in_one_line(models, toy_judges, capsys, argv, message):
    filled = [part.format(**{name: models / name for name in LATENTS}) for part in argv]
    assert main.run(filled) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_an_interrupted_inversion_goes_on_and_ends_as_an_uninterrupted_one(
    models, toy_judges, photos, tmp_path, capsys, monkeypatch
):
    advance = Projector.advance

    def interrupted(projector):
        if projector.step == 6:
            raise KeyboardInterrupt
        return advance(projector)

    base = ["invert", str(models / "genome"), str(photos), "--steps", "12", "--calibrate", "0"]
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main.run([*base, "--out", str(whole)]) == 0
    monkeypatch.setattr(Projector, "advance", interrupted)
    assert main.run([*base, "--out", str(halves)]) == 130
    monkeypatch.setattr(Projector, "advance", advance)
    capsys.readouterr()
    assert main.run([*base, "--out", str(halves)]) == 0 and "going on at step 6 of 12" in capsys.readouterr().out
    assert (halves / "results.csv").read_text() == (whole / "results.csv").read_text()
    assert main.run([*base[:-4], "--steps", "13", "--out", str(halves)]) == 1
    assert "write elsewhere, or remove it" in capsys.readouterr().err


def test_names_in_tables_are_whole_on_a_narrow_terminal(capsys):
    names = [f"auc {space} of a long heading" for space in "zwxyv"]
    show_table([{"attribute": "Receding_Hairline", **dict.fromkeys(names, 0.5)}], "a title")
    assert "Receding_Hairline" in capsys.readouterr().out
