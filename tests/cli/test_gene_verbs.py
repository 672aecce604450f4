"""The verbs about genes, end to end on a small untrained model and a scorer that measures pixels."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from torch import nn

from stylegenes.analysis.breeding import Lineage
from stylegenes.analysis.statistics import tally
from stylegenes.cli.main import run
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.generator import Generator
from stylegenes.latents import genome_of
from stylegenes.snapshot import Card, DataCard, load_snapshot, save_snapshot
from stylegenes.survey import Survey

NAMES = ["Bright", "Reddish", "Top_Heavy"]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SYNTHESIS = {"name": "stylegan2", "resolution": 16, "w_dim": 16, "channel_base": 128, "channel_max": 16}


class Measure(nn.Module):
    """Soft answers about brightness, color and where the light is."""

    def __init__(self, sign: float):
        super().__init__()
        self.sign = sign

    def forward(self, x):
        bright = x.mean(dim=(1, 2, 3))
        red = x[:, 0].mean(dim=(1, 2)) - x[:, 2].mean(dim=(1, 2))
        top = x[:, :, :8].mean(dim=(1, 2, 3)) - x[:, :, 8:].mean(dim=(1, 2, 3))
        return torch.sigmoid(self.sign * torch.stack([bright, red, top], dim=1))


def save_scorer(path, sign):
    torch.jit.trace(Measure(sign), torch.zeros(2, 3, 16, 16)).save(str(path))
    path.with_suffix(".json").write_text(json.dumps({"attributes": NAMES, "resolution": 16}))
    return str(path)


def save_model(path, latent):
    generator = Generator.from_spec({"latent": latent, "synthesis": SYNTHESIS})
    judge = {"name": "stylegan2", "resolution": 16, "image_channels": 3, "channel_base": 128, "channel_max": 16}
    card = Card("small", data=DataCard("avatars:n=40", resolution=16))
    return save_snapshot(path, generator, card, discriminator=DISCRIMINATORS.build(judge))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A snapshot with a survey of 768 pictures."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("genes")
    path = save_model(folder / "model", {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 6})
    scorer = save_scorer(folder / "scorer.pt", 6.0)
    assert run(["survey", str(path), "--classifier", scorer, "-n", "700", "--shard", "256", "--batch", "128"]) == 0
    return path


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_survey_goes_on_and_says_what_it_resolves(model, capsys):
    assert run(["survey", str(model), "-n", "700", "--shard", "256"]) == 0
    said = capsys.readouterr().out
    assert "768 classified pictures" in said and "at" not in said.split("768 classified")[1].split("\n")[0]
    assert "resolves" in said and "noise share" in said


@pytest.fixture
def unsurveyed(model, tmp_path):
    """The model before its survey, and its scorer."""
    copy = shutil.copytree(model, tmp_path / "copy", ignore=shutil.ignore_patterns("genes"))
    return str(copy), save_scorer(tmp_path / "scorer.pt", 6.0)


def test_too_few_pictures_are_told_in_words(unsurveyed, capsys):
    path, scorer = unsurveyed
    assert run(["survey", path, "--classifier", scorer, "-n", "12", "--shard", "12"]) == 0
    assert "too few draws" in capsys.readouterr().out
    assert run(["stats", path, "--genes", "1"]) == 0
    said = capsys.readouterr().out.replace("\n", " ")
    assert "0 of 24 variants matter for some attribute" in said
    assert "too few draws to say which variants matter for Bright, Reddish, Top_Heavy: each was seen 2 times" in said
    rows = table(Path(path) / "genes" / "exhibits" / "genes-map.csv")
    assert "No gene is shown to act" in (Path(path) / "genes" / "exhibits" / "variants.json").read_text()
    assert {row["variants"] for row in rows} == {row["resolves_all"] for row in rows} == {"too few draws to say"}


def test_a_survey_stops_at_a_precision_and_says_whether_it_was_reached(unsurveyed, capsys):
    path, scorer = unsurveyed
    ask = ["survey", path, "--classifier", scorer, "--shard", "128", "--batch", "128"]
    assert run([*ask, "-n", "256", "--precision", "0.05"]) == 0
    assert "256 classified" in (said := capsys.readouterr().out) and "Not every variant is known to" in said
    assert run([*ask, "-n", "50000", "--precision", "0.05"]) == 0
    said = capsys.readouterr().out
    assert "Every variant is known to a standard error of 0.05" in said and "50,000" not in said
    statistics = tally(Survey(Path(path) / "genes" / "survey"))
    assert statistics.careful_error.max() <= 0.05 and 256 < statistics.num_draws < 2500


def test_stats_write_figures_and_tables(model):
    assert run(["stats", str(model), "--genes", "2"]) == 0
    exhibits = model / "genes" / "exhibits"
    for name in ("genes-polar", "genes-map", "variants", "gene-strips", "gene-orders"):
        assert (exhibits / f"{name}.png").stat().st_size > 5000
        assert table(exhibits / f"{name}.csv")
    rows = table(exhibits / "gene-orders.csv")
    assert float(rows[0]["p_at_7"]) > float(rows[0]["p_at_0"])
    assert {row["attribute"] for row in table(exhibits / "genes-map.csv")} == set(NAMES)


def test_wishes_are_fulfilled_and_repeat(model, tmp_path, capsys):
    out = tmp_path / "w.png"
    command = ["sample", str(model), "--where", "bright=1", "-n", "8", "--temperature", "0.5", "--out", str(out)]
    assert run(command) == 0
    codes = json.loads(out.with_suffix(".json").read_text())["codes"]
    assert run(command) == 0
    assert json.loads(out.with_suffix(".json").read_text())["codes"] == codes and len(codes) == 8
    assert "fulfil it" in capsys.readouterr().out
    genotype = load_snapshot(model).generator.latent.from_strings([row["code"] for row in codes])
    pictures = load_snapshot(model).generator(genotype).image
    plain = load_snapshot(model).generator(load_snapshot(model).generator.sample(256)).image
    assert Measure(6.0)(pictures)[:, 0].mean() > Measure(6.0)(plain)[:, 0].mean()


def test_an_edit_reports_change_and_side_effects(model, tmp_path, capsys):
    out, gained = tmp_path / "edit.png", []
    for seed in "123":
        command = ["edit", str(model), "--seed", seed, "--set", "Bright=1", "--hold", "0", "--out", str(out)]
        assert run(command) == 0
        row = table(tmp_path / "edit.csv")[0]
        assert row["attribute"] == "Bright" and float(row["requested_change"]) > 0
        gained.append(float(row["achieved_change"]))
    # Genes of an untrained network interact, so that a single picture may go against what its variants promise.
    assert sum(gained) > 0
    said = capsys.readouterr().out
    assert "side effects" in said and "perceptual distance" in said
    assert run(["edit", str(model), "--set", "Bright=1", "--traverse", "2", "--out", str(out)]) == 0
    assert len(table(tmp_path / "edit.csv")) == 10


def test_children_and_generations_leave_a_lineage(model, tmp_path):
    out = tmp_path / "kids.png"
    assert run(["breed", str(model), "--parents", "1,2", "--genes", "0-1", "--mutation", "0", "--out", str(out)]) == 0
    people = Lineage.load(tmp_path / "kids.lineage.json").individuals
    genome = genome_of(load_snapshot(model).generator.latent, "this test")
    mother, father, *kids = genome.from_strings([person.genotype for person in people])
    crosses = [torch.cat([b[:2], a[2:]]).tolist() for a, b in ((mother, father), (father, mother))]
    assert len(kids) == 12 and all(kid.tolist() in crosses for kid in kids)
    command = ["breed", str(model), "--generations", "3", "--fitness", "Bright=1", "-n", "8", "--out", str(out)]
    assert run(command) == 0
    lineage = Lineage.load(tmp_path / "kids.lineage.json")
    assert lineage.generation(3)[0].fitness >= lineage.generation(0)[0].fitness


def test_a_pruned_model_is_a_snapshot_that_names_its_parent(model, tmp_path):
    assert run(["prune", str(model), "--num", "2", "--out", str(tmp_path / "pruned")]) == 0
    child = load_snapshot(tmp_path / "pruned")
    assert child.card.parent == str(model) and "2 least real of 6" in child.card.notes
    bank = genome_of(child.generator.latent, "this test").variants
    assert all(len(gene.unique(dim=0)) == 4 for gene in bank)


def test_pruning_by_outliers_takes_the_variants_far_from_all_reals(model, tmp_path, capsys):
    words = ["--by", "outliers", "--data", "avatars:n=60"]
    assert run(["prune", str(model), "--num", "3", "--out", str(tmp_path / "pruned"), *words]) == 0
    child = load_snapshot(tmp_path / "pruned")
    assert "3 farthest from reals of 6" in child.card.notes
    assert run(["prune", str(model), "--curve", "0,3", "--runs", "1", "-n", "40", *words]) == 0
    assert (model / "genes" / "exhibits" / "pruning-outliers.csv").is_file()
    with pytest.raises(SystemExit):
        run(["prune", str(model), "--num", "3", "--out", str(tmp_path / "other"), "--by", "beauty"])
    assert "beauty" in capsys.readouterr().err


def test_pruning_by_chance_is_a_control_that_looks_at_nothing(model, tmp_path):
    assert run(["prune", str(model), "--num", "2", "--out", str(tmp_path / "pruned"), "--by", "chance"]) == 0
    child, parent = (load_snapshot(place).generator for place in (tmp_path / "pruned", model))
    kept, whole = (genome_of(one.latent, "this test").variants for one in (child, parent))
    changed = (kept != whole).any(dim=2)
    assert changed.sum(dim=1).tolist() == [2] * len(whole) and len(changed.unique(dim=0)) > 1
    assert all((row == bank).all(dim=1).any() for new, bank in zip(kept, whole) for row in new)
    assert run(["prune", str(model), "--curve", "0,3", "--runs", "1", "-n", "40", "--by", "chance"]) == 0
    assert (model / "genes" / "exhibits" / "pruning-chance.csv").is_file()


def test_pruning_replaces_nothing_but_a_snapshot(model, tmp_path, capsys):
    kept = tmp_path / "folder" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    for place in (kept, kept.parent, model):
        assert run(["prune", str(model), "--num", "2", "--out", str(place)]) != 0
        assert "give another" in capsys.readouterr().err
    assert kept.read_text() == "mine" and (model / "genes" / "survey" / "plan.json").is_file()


def test_the_report_is_one_file(model, tmp_path):
    out = tmp_path / "report.html"
    assert run(["report", str(model), "--out", str(out)]) == 0
    page = out.read_text()
    for title in ("Which genes affect which attribute?", "What the top genes do", "A family", "Between two genotypes"):
        assert title in page
    assert page.count("data:image/png;base64,") >= 9 and "http" not in page and 'src="data' in page


_WATCH = """
<script>
addEventListener("load", () => {
  const pictures = [...document.images].map((i) => i.complete && i.naturalWidth > 0 && i.alt.length > 20);
  const fetched = performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length;
  const wide = document.documentElement.scrollWidth - innerWidth;
  document.body.innerHTML = `seen ${pictures.length} broken ${pictures.filter((ok) => !ok).length} ` +
    `fetched ${fetched} wide ${Math.max(wide, 0)} end`;
});
</script>
"""
"""Reports on the page once it is loaded: pictures, broken ones, outside requests, pixels beyond the window."""


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
@pytest.mark.parametrize("width", [1280, 500])
def test_a_browser_shows_the_report_whole_and_fetches_nothing(model, tmp_path, width):
    page = tmp_path / "report.html"
    assert run(["report", str(model), "--out", str(page)]) == 0
    pictures = page.read_text().count("<img")
    page.write_text(page.read_text().replace("</body>", f"{_WATCH}</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900", "--dump-dom"]
    assert BROWSER is not None
    shown = subprocess.run([BROWSER, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    assert f"seen {pictures} broken 0 fetched 0 wide 0 end" in shown.stdout.split("<body>")[-1]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sample", "--where", "Brigt=1"], "did you mean 'Bright'"),
        (["edit", "--set", "Bright=1", "--hold", "9"], "no gene 9"),
        (["edit", "--set", "Bright=1", "--hold", "3,Brihgt"], "did you mean 'Bright'"),
        (["edit", "--set", "all", "--study", "2", "--hold", "Bright"], "can hold genes only"),
        (["edit", "--set", "Bright=1", "--method", "magic"], "methods: checked, statistics"),
        (["edit", "--set", "Bright=1", "--out", "x.jpg"], "must end in .png"),
        (["breed", "--generations", "3"], "needs both"),
        (["breed", "--parents", "1,2,3"], "two parents"),
        (["breed", "--parents", "1,2", "-n", "0"], "at least one child"),
        (["stats", "--genes", "0"], "must be positive"),
        (["stats", "--fdr", "2"], "between 0 and 1"),
        (["prune"], "--num 16 --out"),
        (["prune", "--num", "4", "--out", "x"], "0 to 3 can be replaced"),
        (["survey", "--part", "2/2"], "not a part"),
        (["survey", "--precision", "-1"], "positive standard error"),
        (["survey", "--shard", "0"], "must be positive"),
        (["survey", "--shard", "256", "--batch", "0"], "must be positive"),
        (["directions", "--samples", "0"], "labels are needed"),
        (["survey", "--shard", "256", "--seed", "8"], "holds another survey"),
    ],
)
def test_mistakes_are_explained(model, command, words, capsys):
    assert run([command[0], str(model), *command[1:]]) != 0
    assert words in capsys.readouterr().err


def test_a_damaged_or_empty_survey_is_named_and_made_again(model, tmp_path, capsys):
    copy = shutil.copytree(model, tmp_path / "copy")
    shard = copy / "genes" / "survey" / "shard-000001.safetensors"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:1000])
    (copy / "genes" / "survey" / "statistics-classifier.safetensors").write_bytes(b"{}")
    assert run(["stats", str(copy)]) != 0
    assert "shard-000001.safetensors is damaged" in capsys.readouterr().err
    shard.unlink()
    assert run(["survey", str(copy), "-n", "700", "--shard", "256", "--batch", "128"]) == 0
    assert "256 of them new" in capsys.readouterr().out and shard.read_bytes() == whole
    for path in shard.parent.glob("shard-*"):
        path.unlink()
    assert run(["stats", str(copy)]) == 0, "the summary of the finished survey stands for its draws"
    for path in copy.rglob("summary.safetensors"):
        path.unlink()
    assert run(["stats", str(copy)]) != 0
    assert "holds no finished shard yet" in capsys.readouterr().err


def test_work_without_a_survey_says_how_to_make_one(tmp_path, capsys):
    path = save_model(tmp_path / "new", {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 6})
    for command in (["stats"], ["report"], ["edit", "--set", "Bright=1"], ["sample", "--where", "Bright=1"]):
        assert run([command[0], str(path), *command[1:]]) != 0
        assert f"stylegenes survey {path} --classifier PATH" in capsys.readouterr().err


def test_a_mapping_network_is_refused_by_name(tmp_path, capsys):
    path = save_model(tmp_path / "mapping", {"name": "mapping", "w_dim": 16, "depth": 1})
    for command in (["breed"], ["edit", "--set", "Bright=1"], ["stats"], ["sample", "--where", "Bright=1"]):
        assert run([command[0], str(path), *command[1:]]) != 0
        assert "this model's latent is a Mapping" in capsys.readouterr().err


def test_evolution_follows_a_run(model, tmp_path, capsys):
    generator = load_snapshot(model).generator
    for images in (0, 2000):
        save_snapshot(tmp_path / "run" / "snapshots" / f"{images}", generator, Card("run", images_seen=images))
        genome_of(generator.latent, "this test").variants.data.mul_(2)
    assert run(["evolution", str(tmp_path / "run"), "--out", str(tmp_path / "e.png")]) == 0
    rows = table(tmp_path / "e.csv")
    assert [row["kimg"] for row in rows] == ["0", "2"]
    assert float(rows[1]["spread"]) == pytest.approx(2 * float(rows[0]["spread"]), rel=1e-3)
    assert run(["evolution", str(tmp_path / "run"), "--gene", "4"]) != 0
    assert "no gene 4" in capsys.readouterr().err


def test_correlations_use_the_survey_and_the_reals(model, capsys):
    assert run(["correlate", str(model), "-n", "40"]) == 0
    assert "mean absolute difference from the reals" in capsys.readouterr().out
    rows = table(model / "genes" / "exhibits" / "correlation.csv")
    assert len(rows) == 3 and set(rows[0]) == {"a", "b", "real", "small"}


def test_the_trade_off_needs_a_second_judge(model, tmp_path, capsys):
    own = json.loads((model / "genes" / "classifier.json").read_text())["path"]
    command = ["tradeoff", str(model), "--wishes", "Bright=1;Bright=0", "--temperatures", "1,0.3", "-n", "16"]
    assert run([*command, "--second", own]) != 0
    assert "accuracy must be measured by one that had no part in it" in capsys.readouterr().err
    second = save_scorer(tmp_path / "second.pt", 3.0)
    assert run([*command, "--second", second]) == 0
    rows = table(model / "genes" / "exhibits" / "tradeoff.csv")
    assert len(rows) == 4 * 6 and {"Bright=1", "Bright=0", "average"} <= set(rows[0])
