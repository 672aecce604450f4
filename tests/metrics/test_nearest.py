"""Which reals a model's pictures are most like, against all pairs reckoned one by one, and copies among them."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

import stylegenes
from stylegenes.errors import UserError
from stylegenes.metrics.neighbors import k_nearest
from stylegenes.metrics.rows import Rows


@pytest.mark.parametrize(("reals", "k", "chunk"), [(2, 1, 8), (7, 7, 3), (40, 3, 8), (40, 5, 40), (40, 1, 1)])
def test_the_nearest_are_those_of_all_pairs(reals, k, chunk, rng):
    centers = torch.randn(reals, 6, generator=rng, dtype=torch.float64) + 1000
    queries = torch.cat([torch.randn(4, 6, generator=rng, dtype=torch.float64) + 1000, centers[-1:]])
    distances, places = k_nearest(queries, Rows.of(centers), k, chunk)
    every = torch.stack([(centers - one).norm(dim=1) for one in queries])
    assert distances.tolist() == every.sort(dim=1).values[:, :k].tolist()
    assert torch.equal(places, every.argsort(dim=1)[:, :k])
    assert distances[-1, 0] == 0 and places[-1, 0] == reals - 1


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """Pictures of a model's first seeds among faces that it has not drawn."""
    folder = tmp_path_factory.mktemp("data")
    model = stylegenes.open("avatars32", device="cpu")
    own = model.sample(seeds="0-2").pictures
    others = stylegenes.open("avatars32-mapping", device="cpu").sample(30).pictures
    for index, picture in enumerate([*others[:10], *own, *others[10:]]):
        Image.fromarray(np.asarray(picture)).save(folder / f"{index:03}.png")
    return model, folder


def test_a_copy_is_found_and_named(copied, tmp_path):
    model, folder = copied
    found = model.nearest(seeds="1,7", k=3, data=str(folder))
    assert found.indices[0, 0] == 11 and found.distances[0, 0] < 1e-3 and found.nearer[0] == 0
    assert found.suspects == ["seed 1"] and found.nearer[1] > 0
    assert bool((found.distances.diff(dim=1) >= 0).all())
    shown = np.asarray(found.sheet.pictures[1])
    assert np.array_equal(shown, np.asarray(Image.open(folder / "011.png"))) and len(found.sheet) == 2 * (1 + 3)
    place = found.save(tmp_path / "nearest.png")
    assert model.choose(codes=str(place)).strings == list(found.sheet.codes)
    with place.with_suffix(".csv").open() as file:
        row = next(csv.DictReader(file))
    assert (row["picture"], row["real 1"], row["reals nearer to another"]) == ("seed 1", "11", "0")
    truncated = model.nearest(codes=model.sample(1, psi=0.3), k=1, data=str(folder))
    assert list(truncated.sheet.notes) == ["drawn as the file says: psi 0.3"]
    assert "seed 1: real 11 at " in repr(found) and "; 0.0% of the reals have another nearer" in repr(found)


def test_twins_among_the_reals_have_each_other(tmp_path):
    """A picture that occurs three times is nearest to its copies, and not farther from others than itself."""
    rows = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [3.0, 4.0]])
    from stylegenes.metrics.nearest import _nearest_others

    assert _nearest_others(Rows.of(rows), np.arange(4)).tolist() == [0, 0, 0, 5]


@pytest.mark.parametrize("k", ["5", 2.5, None])
def test_what_is_no_number_is_refused_before_the_work(copied, k):
    model, folder = copied
    with pytest.raises(UserError, match="k is a whole number"):
        model.nearest(seeds=[0], k=k, data=str(folder))


@pytest.mark.parametrize("k", [0, 34, -1])
def test_more_than_there_are_is_refused(copied, k):
    model, folder = copied
    with pytest.raises(UserError, match=rf"has 33 pictures; the nearest can be 1 to 33, not {k}"):
        model.nearest(seeds=[0], k=k, data=str(folder))
