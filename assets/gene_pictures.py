"""The pictures of conditional sampling and editing that the pages show, from any model with a survey or its summary.

    python assets/gene_pictures.py avatars32 --wishes "Eyeglasses=1;Wearing_Hat=1;Smiling=1" --seed 3

where.png: a row drawn without a wish, then a row for each wish; how many fulfil it stands before the row.
edit.png: one picture and its edits towards each wish with 1, 2, 4 and 8 genes; the classifier's probability of the
attribute stands above each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from stylegenes.analysis.exhibits.strips import edited, wished
from stylegenes.analysis.wishes import parse_where
from stylegenes.model import open_model


def main() -> None:
    """Write both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--wishes", required=True, help="wishes with semicolons between")
    parser.add_argument("--edits", help="wishes of edit.png, if others")
    parser.add_argument("--temperature", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0, help="of the picture that is edited")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    model = open_model(args.model)
    wishes, edits = (
        [wish for part in text.split(";") for wish in parse_where(part, model.statistics.attributes)]
        for text in (args.wishes, args.edits or args.wishes)
    )
    wished(model.study, wishes, args.temperature).draw(args.out / "where.png", model.origin())
    edited(model.study, edits, args.seed).draw(args.out / "edit.png", model.origin())


if __name__ == "__main__":
    main()
