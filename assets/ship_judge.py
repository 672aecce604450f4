"""Make a trained attribute classifier part of the package: half precision, and a card with what it is worth.

    python assets/ship_judge.py judge avatars32-judge

The card's figures are those of the classifier's own test; how far half precision moves its probabilities is measured
here, on the first faces of its data.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from stylegenes.data import open_dataset
from stylegenes.files import atomic_folder, file_hash, read_json, write_json
from stylegenes.metrics import load_classifier
from stylegenes.metrics.classifier_files import WEIGHTS
from stylegenes.snapshot import MODELS

LARGEST = 10 * 2**20
"""Bytes that a file of the package may have."""
_FACES = 2000


def halve(source: Path, out: Path) -> Path:
    """Write the classifier at `source` into the folder `out` with float16 weights; it loads as float32."""
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(source / WEIGHTS).items()
    }
    assert all(tensor.isfinite().all() for tensor in state.values()), "a weight is beyond float16's range"
    with atomic_folder(out) as folder:
        (folder / WEIGHTS).write_bytes(save(state))
        write_json(folder / "config.json", {**read_json(source / "config.json"), "sha256": file_hash(folder / WEIGHTS)})
        write_json(folder / "report.json", read_json(source / "report.json"))
    assert (out / WEIGHTS).stat().st_size < LARGEST, "too large for the package"
    return out


@torch.no_grad()
def largest_change(source: Path, out: Path) -> float:
    """Largest difference between the probabilities of two classifiers on the first faces of their data."""
    config = read_json(out / "config.json")
    data = open_dataset(config["data"]["source"], resolution=config["resolution"])
    pictures = data.images(range(min(_FACES, len(data)))).float() / 127.5 - 1
    before, after = (load_classifier(path)(pictures) for path in (source, out))
    return float((before - after).abs().max())


def describe(name: str, config: dict[str, Any], report: dict[str, Any], license: str, change: float) -> str:
    """The card: where it comes from, and for each attribute what its test said."""
    settings, data = config["settings"], config["data"]
    rows = {
        "what it is": f"{len(config['attributes'])} attributes, {config['resolution']} px, {config['network']['name']}",
        "data": f"{data['source']} (hash {data['hash']})",
        "training": f"{settings['images']:,} pictures shown, seed {settings['seed']}; {report['num_train']:,} "
        f"to train, {report['num_calibration']:,} to calibrate, {report['num_test']:,} to test",
        "license": f"Apache-2.0 (weights); the faces it learned from are drawn with {license}",
        "mean AUC": f"{report['mean_auc']:.4f}",
        "mean accuracy": f"{report['mean_accuracy']:.4f}",
        "mean calibration error": f"{report['mean_calibration_error']:.4f}",
        "half precision": f"moves no probability by more than {change:.4f} on {_FACES:,} faces",
    }
    facts = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    table = "\n".join(
        f"| {a['name']} | {a['frequency']:.3f} | {a['auc']:.4f} | {a['accuracy']:.4f} | {a['majority']:.4f} | "
        f"{a['calibration_error']:.4f} |"
        for a in report["attributes"]
    )
    head = "| attribute | frequency | AUC | accuracy | majority | calibration error |\n|---|---|---|---|---|---|"
    return f"# {name}\n\n| | |\n|---|---|\n{facts}\n\nTest on pictures that it never saw:\n\n{head}\n{table}\n"


def main() -> None:
    """Write the folder and its card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classifier", type=Path, help="a folder of stylegenes classifier")
    parser.add_argument("name")
    args = parser.parse_args()
    out = halve(args.classifier, MODELS / args.name)
    config, report = read_json(out / "config.json"), read_json(out / "report.json")
    license = open_dataset(config["data"]["source"], resolution=config["resolution"]).description.license
    card = describe(args.name, config, report, license.split(" (http")[0], largest_change(args.classifier, out))
    (out / "card.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
