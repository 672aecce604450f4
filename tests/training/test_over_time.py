"""The same codes over the course of a run."""

import numpy as np
import pytest
from PIL import Image
from tiny_run import TinyData, tiny_config

from stylegenes.pictures import read_text
from stylegenes.sheets import read_sheet
from stylegenes.training import Machine, train
from stylegenes.training.images import over_time, sample_grids


def trained(folder, *overrides):
    config = tiny_config("intervals.image_kimg=0.008", "intervals.keep_images=0", *overrides)
    train(config, folder, data=TinyData(), machine=Machine("cpu"), quiet=True)
    return folder


def test_each_row_is_the_beginning_of_a_grid(tmp_path):
    run = trained(tmp_path)
    grids = sorted((run / "samples").glob("[0-9]*.png"))
    sheet = over_time(run, codes=3, times=len(grids))
    assert len(sheet) == 3 * len(grids) and sheet.columns == 3
    assert sheet.codes == read_sheet(grids[-1]).codes[:3]
    assert sheet.captions[0].endswith("kimg") and sheet.captions[1:3] == ["", ""]
    for row, path in enumerate(grids):
        whole = np.asarray(Image.open(path))
        for column in range(3):
            assert np.array_equal(sheet.pictures[3 * row + column], whole[:8, 8 * column : 8 * column + 8])


def test_grids_that_are_drawn_often_are_kept_apart(tmp_path):
    run = trained(tmp_path)
    grids = sample_grids(run)
    assert list(grids) == pytest.approx([0.008 * i for i in range(11)]) and len(set(grids.values())) == 11
    assert [int(read_text(path)["Images"]) for path in grids.values()] == list(range(0, 88, 8))
    assert list(grids.values()) == sorted(grids.values()), "by name as by number"


def test_a_long_run_shows_its_first_and_last_grid(tmp_path):
    run = trained(tmp_path)
    first = next(iter(sorted((run / "samples").glob("[0-9]*.png"))))
    for number in range(1, 30):
        (run / "samples" / f"{number:06d}.png").write_bytes(first.read_bytes())
    for times in (1, 2, 5, 8):
        sheet = over_time(run, codes=99, times=times)
        assert len(sheet) == times * sheet.columns


def test_nothing_to_show_yet(tmp_path):
    assert over_time(tmp_path) is None
    (tmp_path / "samples").mkdir()
    Image.new("RGB", (16, 16)).save(tmp_path / "samples" / "000000.png")
    assert over_time(tmp_path) is None
