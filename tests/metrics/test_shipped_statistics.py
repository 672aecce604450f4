"""Moments that come with the package: exact to float32, taken for the very same pass alone, and floors with them."""

import dataclasses

import pytest
import torch
from metrics_toys import Blobs, MeanColors, toy_generator

from stylegenes.data import open_dataset
from stylegenes.errors import UserError
from stylegenes.metrics import shipped
from stylegenes.metrics.distribution import floors_of
from stylegenes.metrics.evaluation import Evaluator, Subject
from stylegenes.metrics.features import FeaturePass
from stylegenes.metrics.shipped import Shipped, find_shipped, ship
from stylegenes.metrics.sources import DataSource, choose
from stylegenes.perception import Lite0Features
from stylegenes.sealed import load_sealed
from stylegenes.shares import Share

FILES = sorted(shipped.STATISTICS.glob("*.safetensors"))
DATA = Blobs(120)


def make(folder, data=DATA):
    made = FeaturePass(choose(data, None), MeanColors())
    found = made.run()
    known = Shipped(found.all.moments, found.half, floors_of("fd", found))
    return made.key(), known, ship(made.key(), known, {"source": "toy"}, folder)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package that brings the moments of the toy's reals."""
    make(tmp_path)
    monkeypatch.setattr(shipped, "STATISTICS", tmp_path)
    return tmp_path


def record(extractor, **kwargs):
    (found,) = Evaluator(DATA, extractor, num=40, batch=16, **kwargs).evaluate(Subject("toy", toy_generator()), ["fd"])
    return found


def test_a_shipped_pass_is_not_made_and_gives_the_same_record(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "STATISTICS", tmp_path / "none")
    counted = MeanColors()
    made = record(counted)
    make(tmp_path / "some")
    monkeypatch.setattr(shipped, "STATISTICS", tmp_path / "some")
    extractor = MeanColors()
    read = record(extractor)
    assert (counted.seen, extractor.seen) == (120 + 40, 40)
    assert read.value == pytest.approx(made.value, rel=1e-6)
    assert read.floor.value == pytest.approx(made.floor.value, rel=1e-12) and read.floor.num == made.floor.num
    assert dataclasses.replace(read.provenance) == made.provenance


def test_moments_are_exact_to_float32(folder):
    key, known, _ = make(folder)
    back = find_shipped(key, folder)
    want, got = known.moments.gaussian(), back.moments.gaussian()
    assert back.moments.count == 120 and back.half == 60 and back.floors == known.floors
    torch.testing.assert_close(got.mean, want.mean, rtol=1e-14, atol=0)
    torch.testing.assert_close(got.covariance, want.covariance.float().double(), rtol=1e-12, atol=1e-15)


def test_other_pictures_judges_and_rows_are_made(folder):
    for data, extractor in ((Blobs(118), MeanColors()), (DATA, other_extractor())):
        assert FeaturePass(choose(data, None), extractor).run().halves is not None
    assert FeaturePass(choose(DATA, 100), MeanColors()).run().halves is not None
    assert FeaturePass(choose(DATA, None), MeanColors(), keep_rows=True).run().halves is not None
    assert FeaturePass(choose(DATA, None), MeanColors()).run().halves is None


def other_extractor():
    extractor = MeanColors()
    extractor.weights_hash = "other"
    return extractor


def test_a_helper_of_a_shipped_pass_has_nothing_to_do(folder, tmp_path):
    extractor = MeanColors()
    FeaturePass(choose(DATA, None), extractor, folder=tmp_path / "work", share=Share(1, 2)).make_part()
    assert extractor.seen == 0


def test_a_damaged_file_is_refused(folder):
    key, _, path = make(folder)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        find_shipped(key, folder)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_shipped_belongs_to_the_judge_of_today_and_is_small(path):
    about = load_sealed(path).about

    class Data:
        content_hash = about["data"]

    source = DataSource(Data(), torch.arange(int(about["count"])))
    assert FeaturePass(source, Lite0Features().eval()).key() == about["key"], "run benchmarks/reference.py"
    assert path.stem == about["key"][:16]
    assert sum(file.stat().st_size for file in FILES) < 4e6


@pytest.mark.slow
def test_the_shipped_faces_are_those_that_are_drawn():
    data = open_dataset("avatars", resolution=32)
    assert data.content_hash in {load_sealed(path).about["data"] for path in FILES}, "run benchmarks/reference.py"
