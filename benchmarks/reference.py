"""Make the statistics of the embedded faces in the package anew, after the faces or the extractor have changed.

python benchmarks/reference.py          takes minutes: 10,000 faces of 32 pixels are drawn and described
"""

from pathlib import Path

from stylegenes.data import open_dataset
from stylegenes.metrics import shipped
from stylegenes.metrics.distribution import floors_of
from stylegenes.metrics.features import FeaturePass
from stylegenes.metrics.sources import choose
from stylegenes.perception import Lite0Features

RESOLUTION = 32


def main() -> None:
    """Describe the faces and write their moments into the package."""
    shipped.STATISTICS = Path("none")  # what is shipped now must not be taken for the result
    data = open_dataset("avatars", resolution=RESOLUTION)
    made = FeaturePass(choose(data, None), Lite0Features().eval().requires_grad_(False))
    found = made.run()
    about = {"source": data.source, "data": data.content_hash, "judge": made.extractor.name}
    folder = Path(shipped.__file__).parent.parent / "models" / "statistics"
    known = shipped.Shipped(found.all.moments, found.half, floors_of("fd", found))
    print(shipped.ship(made.key(), known, about, folder))


if __name__ == "__main__":
    main()
