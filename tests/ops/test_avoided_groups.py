"""What GPUs compute in place of filters of single channels, tried on the CPU: the same numbers, to rounding."""

from collections import Counter
from itertools import product

import pytest
import torch
from test_every_network import SIZE, discriminator_spec, synthesis_spec

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.ops import convolution, fir
from stylegenes.ops.convolution import conv2d_resample
from stylegenes.ops.fir import setup_filter, upfirdn2d
from stylegenes.records import ImageBatch
from stylegenes.synthesis import SYNTHESES

FILTERS = ([1, 3, 3, 1], [1, 2, 1], [1, 2], [[1, 2, 3.0], [0, 1, 4.0]], [1, 2, 3, 4, 5, 4, 3, 2])


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """How often each of what GPUs take was taken. Filters of one axis go the way of GPUs on the CPU as well."""
    taken = Counter()
    for module, name in ((convolution, "_joined"), (fir, "_of_one_channel")):
        original = getattr(module, name)

        def counted(*args, name=name, original=original, **given):
            taken[name] += 1
            return original(*args, **given)

        monkeypatch.setattr(module, name, counted)
    monkeypatch.setattr(fir, "is_exporting", lambda: True)
    return taken


def both(monkeypatch, work):
    """What `work` gives with and without groups."""
    found = []
    for avoided in (False, True):
        monkeypatch.setattr(fir, "avoids_groups", lambda x, avoided=avoided: avoided)
        found.append(work())
    return found


def derivatives(y: torch.Tensor, *inputs: torch.Tensor) -> list[torch.Tensor]:
    """A result, its gradients and the gradients of their size."""
    first = torch.autograd.grad(y.square().sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs, allow_unused=True)
    return [y, *first, *(s for s in second if s is not None)]


def assert_same(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.shape == b.shape
        assert (a - b).norm() <= 1e-12 * a.norm()


@pytest.mark.parametrize("taps", FILTERS, ids=str)
@pytest.mark.parametrize(("up", "down"), [(2, 1), (3, 1), (1, 2), (1, 3), (2, 2), (1, 1)])
def test_convolutions_that_resample(monkeypatch, calls, up, down, taps):
    torch.manual_seed(0)
    x = torch.randn(2, 5, 9, 7, dtype=torch.float64, requires_grad=True)
    bias, f = torch.randn(4, dtype=torch.float64), setup_filter(taps).double()
    for k, padding, *flips in product((1, 3), (0, 1, (0, 1), (1, 0, 2, 1)), (True, False), (True, False)):
        w = torch.randn(4, 5, k, k, dtype=torch.float64, requires_grad=True)

        def work(w=w, padding=padding, flips=flips):
            options = {"padding": padding, "flip_weight": flips[0], "flip_filter": flips[1]}
            return derivatives(conv2d_resample(x, w, f, bias=bias, up=up, down=down, **options), x, w)

        assert_same(*both(monkeypatch, work))
    joins = (up == 1) != (down == 1) and f.ndim == 2
    assert (calls["_joined"] > 0) == joins and (calls["_of_one_channel"] > 0 or joins or up == down == 1)


@pytest.mark.parametrize("taps", FILTERS, ids=str)
@pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 2), (3, 2), (1, 1)])
def test_filters(monkeypatch, calls, up, down, taps):
    x = torch.randn(2, 3, 9, 7, dtype=torch.float64, requires_grad=True)
    f = setup_filter(taps, separable=False).double()
    for padding in (2, (3, 2, 1, 4), (4, -1, 3, 2)):

        def work(padding=padding):
            return derivatives(upfirdn2d(x, f, up=up, down=down, padding=padding, gain=2.0), x)

        assert_same(*both(monkeypatch, work))
    assert calls["_of_one_channel"] > 0


@pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 2), (1, 1)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("n", [0, 2])
def test_layouts_half_precision_and_no_pictures(monkeypatch, up, down, layout, n):
    """What comes out has the layout that went in, is as near to float32 as before, and may be overwritten."""
    x = torch.randn(n, 4, 8, 8).contiguous(memory_format=layout).requires_grad_()
    w, f = torch.randn(6, 4, 3, 3), setup_filter([1, 3, 3, 1])

    def work():
        y = upfirdn2d(x, f, up=up, down=down, padding=2)
        assert y.is_contiguous(memory_format=layout) or n == 0
        torch.nn.functional.leaky_relu_(y)
        with torch.autocast("cpu", torch.bfloat16):
            half = conv2d_resample(x.bfloat16(), w.bfloat16(), f, up=up, down=down, padding=1)
        return y, half.float()

    (one, one_half), (other, other_half) = both(monkeypatch, work)
    assert one.shape == other.shape and one_half.shape == other_half.shape
    torch.testing.assert_close(one, other)
    spread = one_half.detach().std().item() if n else 1.0
    torch.testing.assert_close(one_half, other_half, rtol=0.05, atol=0.05 * spread)


def test_stylegan3_overwrites_what_was_filtered(monkeypatch):
    synthesis = SYNTHESES.build({**synthesis_spec("stylegan3"), "oversampling": 1}).eval()
    ws = torch.randn(1, synthesis.num_ws, synthesis.w_dim, requires_grad=True)
    one, other = both(monkeypatch, lambda: synthesis(ws).image)
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", SYNTHESES.names())
def test_generators(monkeypatch, name):
    torch.manual_seed(0)
    synthesis = SYNTHESES.build(synthesis_spec(name)).double().eval()
    ws = torch.randn(2, synthesis.num_ws, synthesis.w_dim, dtype=torch.float64, requires_grad=True)
    assert_same(*both(monkeypatch, lambda: derivatives(synthesis(ws).image, ws)))


@pytest.mark.parametrize("name", DISCRIMINATORS.names())
def test_discriminators(monkeypatch, name):
    torch.manual_seed(0)
    D = DISCRIMINATORS.build(discriminator_spec(name)).double().eval()
    image = torch.randn(4, 3, SIZE, SIZE, dtype=torch.float64, requires_grad=True)
    assert_same(*both(monkeypatch, lambda: derivatives(D(D.prepare(ImageBatch(image))), image)))
