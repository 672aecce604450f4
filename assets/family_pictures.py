"""Samples of several models in one picture, a row for each.

    python assets/family_pictures.py runs/family-progan32 runs/family-stylegan1-32 --out assets/families.png

Seeds are 0, 1, 2 ... for every model, none left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stylegenes import load
from stylegenes.drawing import DrawSettings, codes_of_seeds, draw
from stylegenes.pictures import grid

MARGIN = 150
"""Pixels left of the rows, for the name of the synthesis network."""


def row(model: str, count: int, scale: int) -> np.ndarray:
    """`count` samples of a model side by side."""
    generator = load(model)
    return grid(
        list(draw(generator, codes_of_seeds(generator, range(count)), DrawSettings())), columns=count, scale=scale
    )


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="snapshots or run folders of one resolution")
    parser.add_argument("--names", help="what stands before the rows, with commas between; default: the folders' names")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--scale", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "families.png")
    args = parser.parse_args()
    names = args.names.split(",") if args.names else [Path(model).name for model in args.models]
    rows = [row(model, args.count, args.scale) for model in args.models]
    height = rows[0].shape[0]
    paper = Image.new("RGB", (MARGIN + rows[0].shape[1], height * len(rows)), "white")
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(14)
    for i, (name, pictures) in enumerate(zip(names, rows, strict=True)):
        pen.text((MARGIN - 8, (i + 0.5) * height), name, fill=(40, 40, 40), font=font, anchor="rm")
        paper.paste(Image.fromarray(pictures), (MARGIN, i * height))
    paper.save(args.out, optimize=True)


if __name__ == "__main__":
    main()
