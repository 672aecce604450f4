"""A model or a classifier as others find it on the hub, and a card with the metadata that the hub reads."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import torch

from stylegenes.analysis.gene_study import GeneStudy
from stylegenes.analysis.summary import FILE
from stylegenes.choice import Choice
from stylegenes.drawing import DrawSettings, codes_of_seeds
from stylegenes.files import read_object, write_json
from stylegenes.hub import CLASSIFIER
from stylegenes.metrics import load_classifier
from stylegenes.model import Model
from stylegenes.records import Condition
from stylegenes.sheets import origin_of
from stylegenes.snapshot import Card, describe, load_snapshot, save_snapshot
from stylegenes.words import command, counted

SAMPLES, README = "samples.png", "README.md"
OTHERS = (README, SAMPLES)
"""What is there besides the files of a snapshot."""
LICENSES = (
    ("apache-2.0", "mit", "cc0-1.0", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "gpl-3.0", "lgpl-3.0")
    + ("agpl-3.0", "mpl-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0")
    + ("cc-by-nc-nd-4.0", "cc-by-3.0", "openrail", "creativeml-openrail-m")
)
"""Licenses by the names that the hub has for them."""


def write_tree(folder: Path, model: Model, repo: str, *, seeds: list[int], license: str | None, half: bool) -> None:
    """Write into an empty folder what a repository of the hub holds; needs no network.

    Args:
        folder: where.
        model: what is published.
        repo: `owner/name`, which the card tells people to load.
        seeds: of the sample pictures.
        license: the terms of the weights, where they are other than its card says.
        half: store float16, half the size.

    Raises:
        UserError: when `half` would overflow a weight.
    """
    card = published_card(model.card if license is None else replace(model.card, license=license))
    discriminator = model.snapshot.discriminator
    made = save_snapshot(folder / "made", model.generator, card, discriminator=discriminator, half=half)
    for file in made.iterdir():
        file.rename(folder / file.name)
    made.rmdir()
    # Half precision changes the weights; the pictures are those that others will draw.
    written = Model(folder, load_snapshot(folder))
    if model.has_label:
        written = Model(folder, written.snapshot, model.condition.label)
    sample_pictures(written, seeds).samples().save(folder / SAMPLES)
    surveyed = model.generator.latent.num_genes and not model.has_label and model.study.is_surveyed
    if surveyed and written.weights == model.weights:
        write_genes(folder / "genes", model.study, model.remembered)
    (folder / README).write_text(hub_card(card, written, repo), encoding="utf-8")


def published_card(card: Card) -> Card:
    """The card without folders of this machine: of a path only its last name is anybody's business."""
    data = None if card.data is None else replace(card.data, source=_last_name(card.data.source))
    return replace(card, data=data, parent=None if card.parent is None else _last_name(card.parent))


def _last_name(place: str) -> str:
    """Of a path that begins at a root or a home, its last part; anything else as it is."""
    rooted = place.startswith("~") or PurePosixPath(place).is_absolute() or PureWindowsPath(place).drive
    return PureWindowsPath(place).name or "unnamed" if rooted else place


def write_classifier_tree(folder: Path, classifier: Path, repo: str, *, license: str | None) -> None:
    """Write into an empty folder what a repository with an attribute classifier holds; needs no network.

    Args:
        folder: where.
        classifier: a folder of `metrics.save_classifier`, or one that comes with the package.
        repo: `owner/name`, which the card tells people to give.
        license: the terms of the weights; None says that nobody told.

    Raises:
        UserError: for a folder that is damaged.
    """
    loaded = load_classifier(classifier)
    for name in CLASSIFIER.all:
        if (classifier / name).is_file():
            shutil.copyfile(classifier / name, folder / name)
    config = read_object(classifier / "config.json")
    about = config.get("data")
    if isinstance(about, dict):
        config["data"] = {**about, "source": _last_name(str(about.get("source", "")))}
        write_json(folder / "config.json", config)
    head = {
        **_license(license or ""),
        "library_name": "stylegenes",
        "pipeline_tag": "image-classification",
        "tags": ["stylegenes", "attribute-classifier"],
    }
    rows = [f"| {_cell(name)} | {_cell(loaded.tested.get(name))} |" for name in loaded.attributes]
    line = command("survey", "MODEL", "--classifier", f"hf://{repo}")
    (folder / README).write_text(
        f"{_front_matter(head)}\n# {_line(repo)}\n\n"
        f"{counted(len(rows), 'attribute')} of pictures of {loaded.resolution} px, for `{line}` and wherever else\n"
        "stylegenes takes a classifier. The files are safetensors and JSON; nothing in them is executed.\n\n"
        "| attribute | AUC on pictures it never saw |\n|---|---|\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


def _cell(value: str | float | None) -> str:
    """What a table shows of a name or a number."""
    return _line(value).replace("|", "\\|") if isinstance(value, str) else "-" if value is None else f"{value:.4f}"


def _front_matter(values: dict[str, Any]) -> str:
    """Metadata as YAML between two lines of dashes; every JSON value is a YAML value."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---", ""])


def sample_pictures(model: Model, seeds: list[int]) -> Choice:
    """Codes of seeds; those of a conditional model without a label get one class after the other."""
    if not model.generator.label_dim or model.has_label:
        return model.choose(seeds=seeds)
    classes = torch.eye(model.generator.label_dim, device=model.device)
    drawing = DrawSettings(condition=Condition(label=classes[torch.tensor(seeds) % len(classes)]))
    origin = origin_of(model.card.name, model.weights, drawing, model.label_names)
    codes, names = codes_of_seeds(model.generator, seeds), [f"seed {seed}" for seed in seeds]
    return Choice(model.generator, codes, names, drawing, origin)


def write_genes(folder: Path, study: GeneStudy, classifier: str | None) -> None:
    """The survey's summary, and the name of its classifier where that comes with the package."""
    study.summary().save(folder / FILE)
    if classifier in study.known_classifiers:
        write_json(folder / "classifier.json", {"path": classifier})


def hub_card(card: Card, model: Model, repo: str) -> str:
    """The README of a repository: metadata as YAML between two lines of dashes, then Markdown for people."""
    genes = model.generator.latent.num_genes
    ways = [f'model.sample(16).save("{SAMPLES}")']
    ways += ['model.breed("3,8").save("family.png")'] if genes and not model.generator.label_dim else []
    table = describe(card, model.generator).partition("\n")[2].strip()
    return (
        f"{_front_matter(metadata(card, model))}\n# {_line(card.name)}\n\n![Pictures of seeds 0 and on]({SAMPLES})\n\n"
        "```python\n"
        f'# pip install "stylegenes[hub]"\nimport stylegenes\n\nmodel = stylegenes.open("hf://{repo}")\n'
        + "\n".join(ways)
        + "\n```\n\n"
        f"In a shell: `{command('sample', f'hf://{repo}')}`. The picture above carries its code strings, and\n"
        f"`--codes {SAMPLES}` draws it again. The files are safetensors and JSON; nothing in them is executed.\n\n"
        f"{table}\n"
    )


def metadata(card: Card, model: Model) -> dict[str, Any]:
    """What the hub reads of a model: license, library, task, tags and results."""
    latent, synthesis = model.generator.latent.spec["name"], model.generator.synthesis.spec["name"]
    head: dict[str, Any] = _license(card.license)
    head |= {
        "library_name": "stylegenes",
        "pipeline_tag": "unconditional-image-generation",
        "tags": ["stylegenes", "gan", "image-generation", _line(latent), _line(synthesis)],
    }
    if card.metrics and card.data is not None:
        data = {"type": "image-folder", "name": _line(card.data.source)}
        measured = [{"type": _line(name), "name": _line(name), "value": value} for name, value in card.metrics.items()]
        task = {"type": "unconditional-image-generation", "name": "Image generation"}
        results = [{"task": task, "dataset": data, "metrics": measured}]
        head["model-index"] = [{"name": _line(card.name), "results": results}]
    return head


def _license(text: str) -> dict[str, str]:
    """The hub's word for a license, and our own where it has none."""
    first = re.split(r"[\s(;,]", text.strip().lower() or "unspecified")[0]
    if first in LICENSES:
        return {"license": first}
    if first in ("unspecified", "unknown"):
        return {"license": "unknown"}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")[:60] or "own"}


def _line(text: str) -> str:
    """Text without what YAML or a heading cannot hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
