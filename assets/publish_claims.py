"""Take the numbers and pictures of a reproduction into the repository, without models, so that verdicts can be checked.

    stylegenes reproduce --scale claims --out runs/claims --report
    python assets/publish_claims.py runs/claims

Afterwards `stylegenes reproduce --scale claims --out assets/claims --report` tells the same from what was taken.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from stylegenes.snapshot import find_snapshot

HERE = Path(__file__).resolve().parent
READ = ("done/*.json", "measures/*/metric-*.jsonl", "directions/table-l1.csv", "why/*.csv")
"""What the report reads beside the main genomes, and experiments that explain a verdict."""


def main() -> None:
    """Copy over what was taken before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the reproduction, with a report")
    source = parser.parse_args().folder
    if not (source / "done").is_dir() or source.resolve() == HERE / "claims":
        parser.error(f"{source} is not the folder of another reproduction; nothing was changed")
    shutil.rmtree(HERE / "claims", ignore_errors=True)
    taken = {path: path.relative_to(source) for pattern in READ for path in source.glob(pattern)}
    for model in source.glob("models/main-genome-s*"):
        snapshot = find_snapshot(model)
        files = [snapshot / "config.json", snapshot / "card.json", *snapshot.glob("genes/exhibits/*.csv")]
        taken |= {path: model.relative_to(source) / path.relative_to(snapshot) for path in files}
    for path, name in taken.items():
        place = HERE / "claims" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    for picture in source.glob("claims/claim-*.png"):
        shutil.copyfile(picture, HERE / picture.name)


if __name__ == "__main__":
    main()
