"""The documentation as a site: it builds without a dead link, holds every page, and what it tells is so."""

import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from stylegenes.cli.main import VERBS
from stylegenes.cli.usage import parse
from stylegenes.errors import UserError
from stylegenes.recipes import RECIPES, recipe
from stylegenes.training import apply_overrides

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TOLD = [DOCS / "coming-from.md", DOCS / "troubleshooting.md", DOCS / "recipes.md", ROOT / "CONTRIBUTING.md"]
PUBLIC = ("open", "load", "Model", "Sheet", "walk", "Card", "RunConfig", "LatentDistribution", "open_dataset")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for package in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(package)
    place = tmp_path_factory.mktemp("site")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(place)]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_it_builds_with_strict_links_and_has_every_page(site):
    for path in DOCS.rglob("*.md"):
        page = path.relative_to(DOCS).with_suffix("")
        assert (
            site / ("index.html" if str(page) == "index" else f"{page}/index.html")
        ).exists() or page.name == "index"
    for path in DOCS.rglob("*.ipynb"):
        assert (site / path.relative_to(DOCS).with_suffix("") / "index.html").exists()
        assert (site / path.relative_to(DOCS)).exists(), "the notebook itself can be taken along"
    for page in ("benchmarks", "contributing", "changelog", "tutorials"):
        assert (site / page / "index.html").exists()


def test_the_reference_has_the_docstrings(site):
    text = (site / "api" / "index.html").read_text()
    for name in PUBLIC:
        assert re.search(rf'id="stylegenes\.[\w.]*\b{name}"', text), name
    assert "Raises" in text and "damaged" in text


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        found = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', page.read_text())
        assert not [one for one in found if "canonical" not in one], page


def test_a_notebooks_page_shows_its_cells(site):
    notebook = json.loads((DOCS / "tutorials" / "first-model.ipynb").read_text())
    text = re.sub(r"<[^>]+>", "", (site / "tutorials" / "first-model" / "index.html").read_text())
    for cell in notebook["cells"]:
        first = "".join(cell["source"]).strip().splitlines()[0].lstrip("# ")
        assert first[:25].replace("'", "&#39;") in text or first[:25] in text, first
    assert "Run it on Colab" in text


def told_settings():
    """KEY=VALUE of every --set that a page tells, in tables and sentences."""
    for path in TOLD:
        for setting in re.findall(r"--set ([\w.]+=[\w.+-]+)", path.read_text()):
            yield path.name, setting


@pytest.mark.parametrize(("where", "setting"), sorted(set(told_settings())))
def test_every_setting_that_is_told_is_accepted(where, setting):
    start = {"augment.p.target": ["augment.pipe=ada", "augment.p.name=adaptive"]}.get(setting.partition("=")[0], [])
    start += {"data.labels": ["model.latent.name=mapping"]}.get(setting.partition("=")[0], [])
    if setting == "augment.p.value=1":
        start += ["augment.pipe=diffaugment"]
    apply_overrides(recipe("tiny32"), [*start, setting])


def told_commands():
    for path in TOLD:
        for command in re.findall(r"`(stylegenes [a-z][^`]*)`", path.read_text()):
            yield path.name, command


@pytest.mark.parametrize(("where", "command"), sorted(set(told_commands())))
def test_every_command_that_is_told_is_accepted(where, command):
    words = shlex.split(command)[1:]
    assert words[0] in VERBS, f"{where} tells {command!r}"
    if len(words) > 1:
        module = importlib.import_module(f"stylegenes.cli.{words[0]}")
        assert parse(module.Args, f"stylegenes {words[0]}", None, words[1:])


def test_every_option_and_recipe_that_is_told_exists():
    """`--recipe NAME`, `--devices N` and the like in the right column of a table."""
    from stylegenes.cli.train import Args

    rows = [line for path in TOLD[:1] for line in path.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    for row in rows:
        here = row.split("|")[2]
        for name in re.findall(r"--recipe ([\w-]+)", here):
            recipe(name)
        if "stylegenes" not in here:
            options = [word.lstrip("-").replace("-", "_") for word in re.findall(r"(--[a-z-]+)", here)]
            assert all(option in Args.__dataclass_fields__ for option in options), row


def test_a_setting_that_does_not_exist_would_be_seen():
    with pytest.raises(UserError):
        apply_overrides(recipe("tiny32"), ["optimizer.G.speed=1"])


def test_the_table_of_recipes_has_all_of_them_as_they_are():
    rows = [line.strip("| ").split(" | ") for line in (DOCS / "recipes.md").read_text().splitlines()]
    told = {row[0]: row for row in rows if row[0] in RECIPES}
    assert told.keys() == RECIPES.keys()
    for name, row in told.items():
        config = recipe(name)
        latent, synthesis, discriminator = row[1].split(", ")
        assert (latent, synthesis) == (config.model.latent["name"], config.model.synthesis["name"])
        assert discriminator == f"{config.model.discriminator['name']} discriminator"
        assert row[2].replace("x", " ").split()[0] == str(config.data.resolution)
        assert row[3] == f"{config.kimg:,.0f} kimg"
