import multiprocessing
import os
import shutil
import signal
import threading
import time

import numpy as np
import pytest
import torch
from crew import together
from metrics_toys import Blobs, MeanColors, toy_generator

from stylegenes.errors import UserError
from stylegenes.metrics import features
from stylegenes.metrics.features import FeaturePass, half_of
from stylegenes.metrics.sources import DataSource, GeneratorSource, choose, crossovers, mixed_ws, to_float, to_grid
from stylegenes.shares import Share


def fakes(**kwargs) -> GeneratorSource:
    return GeneratorSource(toy_generator(), **({"num": 203, "batch": 16} | kwargs))


def same(a, b, rel: float = 0.0) -> None:
    torch.testing.assert_close(a.all.moments.outer, b.all.moments.outer, rtol=rel, atol=rel)
    for one, other in zip(a.halves, b.halves):
        assert len(one) == len(other)
        torch.testing.assert_close(one.moments.total, other.moments.total, rtol=rel, atol=rel)
    if a.rows is not None:
        np.testing.assert_array_equal(a.rows.array, b.rows.array)


def test_halves_are_equal_disjoint_and_do_not_depend_on_the_blocks():
    which = half_of(0, 1000)
    assert which.sum() == 500
    assert 200 < which[::2].sum() < 300
    assert torch.equal(torch.cat([half_of(0, 77), half_of(77, 1000)]), which)


def test_rows_and_moments_agree():
    found = FeaturePass(fakes(), MeanColors(), keep_rows=True).run()
    array = torch.from_numpy(found.rows.array).double()
    torch.testing.assert_close(found.all.moments.outer, array.T @ array)
    assert len(found.all) == 203 and {len(h) for h in found.halves} == {101, 102}
    assert len(found.halves[0].rows) == len(found.halves[0])


def test_on_disk_as_in_memory_and_read_again_without_judging(tmp_path):
    extractor = MeanColors()
    memory = FeaturePass(fakes(), extractor, keep_rows=True).run()
    same(memory, FeaturePass(fakes(), extractor, keep_rows=True, folder=tmp_path).run())
    seen = extractor.seen
    same(memory, FeaturePass(fakes(), extractor, keep_rows=True, folder=tmp_path).run())
    assert extractor.seen == seen


@pytest.mark.parametrize("other", [{"seed": 1}, {"psi": 0.5}, {"num": 204}, {"batch": 15}, {"latents": 2}])
def test_whatever_changes_the_pictures_changes_the_key(other):
    extractor = MeanColors()
    assert FeaturePass(fakes(), extractor).key() == FeaturePass(fakes(), extractor).key()
    assert FeaturePass(fakes(), extractor).key() != FeaturePass(fakes(**other), extractor).key()


def test_other_weights_change_the_key():
    one, other = MeanColors(), MeanColors()
    other.weights_hash = "others"
    assert FeaturePass(fakes(), one).key() != FeaturePass(fakes(), other).key()


@pytest.mark.parametrize("keep_rows", [False, True])
@pytest.mark.parametrize("count", [2, 3, 20])
def test_several_processes_give_the_result_of_one(tmp_path, count, keep_rows):
    def work(share: Share):
        part = FeaturePass(fakes(), MeanColors(), keep_rows=keep_rows, folder=tmp_path, share=share)
        return part.run() if share.first else part.make_part()

    alone, extractor = FeaturePass(fakes(), MeanColors(), keep_rows=keep_rows).run(), MeanColors()
    same(together(count, work)[0], alone, rel=1e-12)
    read = FeaturePass(fakes(), extractor, keep_rows=keep_rows, folder=tmp_path).run()
    assert extractor.seen == 0  # what several processes made, one reads
    same(read, alone, rel=1e-12)
    assert sorted(path.suffix for path in tmp_path.glob("*/*")) == [".npy"] * keep_rows + [".safetensors"]


class _Dying(MeanColors):
    """Dies at its fifth block."""

    def forward(self, images):
        if self.seen >= 64:
            raise KeyboardInterrupt
        return super().forward(images)


@pytest.mark.parametrize("keep_rows", [False, True])
@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 4), (3, 2)])
def test_another_number_of_processes_goes_on_from_all_that_was_saved(tmp_path, before, after, keep_rows):
    def work(share: Share, kind=_Dying):
        extractor = kind()
        part = FeaturePass(fakes(), extractor, keep_rows=keep_rows, folder=tmp_path, share=share)
        found = part.run() if share.first else part.make_part()
        return found, extractor.seen

    with pytest.raises((KeyboardInterrupt, threading.BrokenBarrierError)):
        together(before, work)
    parts = together(after, lambda share: work(share, MeanColors))
    assert sum(seen for _, seen in parts) == 203 - min(64 * before, 203)
    same(parts[0][0], FeaturePass(fakes(), MeanColors(), keep_rows=keep_rows).run(), rel=1e-12)


def test_a_state_that_the_bank_already_holds_counts_once(tmp_path):
    one = FeaturePass(fakes(), MeanColors(), folder=tmp_path)
    whole = one.run()
    (state,) = tmp_path.rglob("moments-0.safetensors")
    shutil.copy(state, state.with_name("moments-1.safetensors"))
    same(whole, one.run())


def test_the_first_hosts_cache_gets_what_several_made(tmp_path):
    def work(share: Share):
        folders = {"folder": tmp_path / "work", "cache": tmp_path / "cache" if share.first else tmp_path / "other"}
        part = FeaturePass(fakes(), MeanColors(), keep_rows=True, share=share, **folders)
        return part.run() if share.first else part.make_part()

    found, extractor = together(2, work)[0], MeanColors()
    shutil.rmtree(tmp_path / "work")
    same(FeaturePass(fakes(), extractor, keep_rows=True, folder=tmp_path / "cache").run(), found)
    assert extractor.seen == 0 and not (tmp_path / "other").exists()


class _Slow(MeanColors):
    def forward(self, images):
        time.sleep(0.05)
        return super().forward(images)


def _slow_pass(folder) -> None:
    features.SAVE_SECONDS = 0.0
    FeaturePass(fakes(), _Slow(), keep_rows=True, folder=folder).run()


def test_after_a_kill_it_goes_on_from_what_is_saved(tmp_path):
    worker = multiprocessing.get_context("spawn").Process(target=_slow_pass, args=(tmp_path,))
    worker.start()
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*/rows-0.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    extractor = MeanColors()
    resumed = FeaturePass(fakes(), extractor, keep_rows=True, folder=tmp_path).run()
    assert 0 < extractor.seen < 203
    same(resumed, FeaturePass(fakes(), MeanColors(), keep_rows=True).run())


def test_a_damaged_state_is_made_again(tmp_path):
    FeaturePass(fakes(), MeanColors(), folder=tmp_path).run()
    next(tmp_path.glob("*/moments-0.safetensors")).write_bytes(b"xx")
    same(FeaturePass(fakes(), MeanColors(), folder=tmp_path).run(), FeaturePass(fakes(), MeanColors()).run())


def test_damaged_rows_are_made_again(tmp_path):
    whole = FeaturePass(fakes(), MeanColors(), keep_rows=True).run()
    FeaturePass(fakes(), MeanColors(), keep_rows=True, folder=tmp_path).run()
    (rows,) = tmp_path.rglob("*.npy")
    rows.write_bytes(rows.read_bytes()[:-4])
    same(whole, FeaturePass(fakes(), MeanColors(), keep_rows=True, folder=tmp_path).run())


def test_processes_without_a_folder_are_refused():
    with pytest.raises(UserError, match="need a folder"):
        FeaturePass(fakes(), MeanColors(), share=Share(1, 2)).make_part()


def test_reals_are_chosen_without_replacement_and_the_same_each_time():
    data = Blobs(n=50)
    chosen = choose(data, 20, seed=4)
    assert len(set(chosen.indices.tolist())) == 20
    assert torch.equal(chosen.indices, choose(data, 20, seed=4).indices)
    assert choose(data, 500).seed is None and len(choose(data, None)) == 50


def test_fakes_lie_on_the_8_bit_grid_like_reals():
    real = DataSource(Blobs(n=4), torch.arange(4)).block(0, 4)
    torch.testing.assert_close(to_grid(real), real, atol=1e-6, rtol=0)
    fake = fakes().block(0, 8)
    torch.testing.assert_close(to_float(((fake + 1) * 127.5).round().byte()), fake, atol=1e-6, rtol=0)


def test_crossovers_are_distinct_ascending_and_inside():
    points = crossovers(200, 3, 6, torch.Generator().manual_seed(0))
    assert points.min() == 1 and points.max() == 5
    assert (points[:, 1:] > points[:, :-1]).all()


@pytest.mark.parametrize("latents", [1, 2, 3, 4])
def test_mixing_uses_that_many_codes(latents):
    generator = toy_generator(num_ws=6)
    ws = mixed_ws(generator, 50, latents, 1.0, None, torch.Generator().manual_seed(0))
    assert all(len(picture.unique(dim=0)) == latents for picture in ws)


def test_mixing_more_codes_than_layers_is_refused():
    with pytest.raises(UserError, match="cannot mix 3 codes in a model of 2 layers"):
        fakes(latents=3).block(0, 2)
