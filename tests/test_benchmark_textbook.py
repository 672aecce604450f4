"""The benchmark's textbook side computes what our networks compute, and the benchmark runs."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
stylegan2 = pytest.importorskip("benchmarks.stylegan2")


def test_both_sides_agree_and_iterate():
    nets = stylegan2.build(stylegan2.Args(batch=4, resolution=16, channel_base=128, channel_max=16))
    assert stylegan2.check_agreement(nets) < 1e-3
    for side in (stylegan2.ours, stylegan2.plain):
        stylegan2.iteration(nets, *side(nets))


def test_counted_operations_are_those_of_the_convolution():
    work, flops = stylegan2.measure.convolution_ceiling(torch.device("cpu"), torch.float32)
    assert stylegan2.measure.count_flops(work) == flops
