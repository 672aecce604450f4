"""Passes of rows: the same result alone, in company, and after a kill."""

import multiprocessing
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from crew import together
from metrics_toys import Blobs, MeanColors, toy_generator
from test_path_length import SquaredDistance

from stylegenes.errors import UserError
from stylegenes.metrics import Evaluator, Subject
from stylegenes.metrics.path_length import PathSettings, path_pass
from stylegenes.metrics.row_pass import RowPass
from stylegenes.perception import ModuleScorer, Scoring
from stylegenes.shares import Share

METRICS = ["ppl", "separability", "disentanglement"]


def plan(**kwargs) -> RowPass:
    steps = path_pass(toy_generator("mapping"), SquaredDistance(), PathSettings("z"), num=50, batch=8)
    return replace(steps, **kwargs)


def counted(blocks: list, delay: float = 0.0):
    def make(start: int, stop: int) -> torch.Tensor:
        time.sleep(delay)
        blocks.append(start)
        return torch.arange(start, stop)[:, None] * torch.tensor([[1.0, 2.0]])

    return make


def counting(blocks: list, **kwargs) -> RowPass:
    delay = kwargs.pop("delay", 0.0)
    return RowPass("rows", {"toy": 1}, num=50, dim=2, batch=8, make=counted(blocks, delay), **kwargs)


def test_on_disk_as_in_memory_and_read_again_without_work(tmp_path):
    made: list[int] = []
    memory, disk = counting(made).run(), counting(made, folder=tmp_path).run()
    assert torch.equal(memory, disk) and len(made) == 14
    assert torch.equal(counting(made, folder=tmp_path).run(), disk) and len(made) == 14


@pytest.mark.parametrize("other", [{"num": 51}, {"batch": 9}, {"name": "other"}, {"identity": {"toy": 2}}], ids=str)
def test_whatever_changes_the_rows_changes_the_key(other):
    assert replace(counting([]), **other).key() != counting([]).key() == counting([]).key()


def _slow(folder) -> None:
    counting([], folder=folder, delay=0.2).run()


def test_after_a_kill_it_goes_on_from_what_is_there(tmp_path):
    worker = multiprocessing.get_context("spawn").Process(target=_slow, args=(tmp_path,))
    worker.start()
    path, deadline = counting([], folder=tmp_path).place / "rows.npy", time.monotonic() + 60
    while time.monotonic() < deadline and not (path.is_file() and np.isfinite(np.load(path)).any()):
        time.sleep(0.02)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    made: list[int] = []
    assert torch.equal(counting(made, folder=tmp_path).run(), counting([]).run())
    assert 0 < len(made) < 7


def test_a_block_half_written_is_made_again(tmp_path):
    whole, made = counting([], folder=tmp_path), []
    expected = whole.run()
    array = np.load(whole.place / "rows.npy", mmap_mode="r+")
    array[21, 1] = np.nan
    array.flush()
    assert torch.equal(counting(made, folder=tmp_path).run(), expected) and made == [16]


@pytest.mark.parametrize("content", [b"", b"not an array"])
def test_a_damaged_file_of_rows_is_made_again(tmp_path, content):
    made: list[int] = []
    whole = counting(made, folder=tmp_path).run().clone()
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(content)
    assert torch.equal(counting(made, folder=tmp_path).run(), whole) and len(made) == 14


def test_what_is_not_finite_is_refused():
    with pytest.raises(UserError, match=r"draws 0 to 8 gave numbers that are not finite.*diverged"):
        plan(make=lambda start, stop: torch.full((stop - start, 1), torch.nan)).run()


def test_processes_without_a_folder_are_refused():
    with pytest.raises(UserError, match="need a folder"):
        plan(share=Share(1, 2)).make_part()


@pytest.mark.parametrize("count", [2, 3])
def test_processes_divide_what_is_missing(tmp_path, count):
    expected, made = counting([]).run(), []
    whole = counting([], folder=tmp_path)
    whole.run()
    array = np.load(whole.place / "rows.npy", mmap_mode="r+")
    array[8:40] = np.nan
    array.flush()

    def work(share: Share):
        part = counting(made, folder=tmp_path, share=share)
        return part.run() if share.first else part.make_part()

    assert torch.equal(together(count, work)[0], expected) and sorted(made) == [8, 16, 24, 32]


def _score(images):
    return images[:, :2].mean(dim=(2, 3)) * 0.5 + 0.5


def evaluated(work, share: Share, weights) -> dict[str, float | None]:
    generator = toy_generator("mapping")
    generator.load_state_dict(weights)
    scorer = ModuleScorer(_score, Scoring(["Red", "Green"], 8), weights_hash="s")
    judges = {"distance": SquaredDistance(), "classifier": scorer}
    made = Evaluator(Blobs(n=40), MeanColors(), num=300, batch=16, work=work, share=share, **judges)
    return {record.metric: record.value for record in made.evaluate(Subject("toy", generator), METRICS)}


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_give_the_very_numbers_of_one(tmp_path, count):
    torch.manual_seed(0)
    # Drawn once: processes have a generator of random numbers each, the threads that play them here have one together.
    weights = toy_generator("mapping").state_dict()
    found = together(count, lambda share: evaluated(tmp_path / "work", share, weights))
    assert found[1:] == [{}] * (count - 1) and len(found[0]) == 8
    assert found[0] == evaluated(None, Share(), weights)
    assert not (tmp_path / "work").exists()
