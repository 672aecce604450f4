"""EG3D's dual discriminator against recorded numbers of the official implementation."""

import re

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.discriminators.dual import DualDiscriminator
from stylegenes.errors import UserError
from stylegenes.interop.eg3d import discriminator_from_official
from stylegenes.ops.bilinear import check_resizing, resize_as
from stylegenes.ops.fir import setup_filter
from stylegenes.records import Condition, ImageBatch

FOLDERS = fixtures("eg3d_dual_discriminator")


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def dtype(request):
    return request.param


@pytest.mark.parametrize("folder", FOLDERS)
def test_logits_and_gradients(folder, dtype):
    fixture = Fixture(folder)
    D = discriminator_from_official(fixture.kwargs(), fixture.state(dtype=dtype)).eval()
    image, raw = (fixture.input(name, dtype).requires_grad_() for name in ("image", "image_raw"))
    camera = fixture.input("c", dtype) if fixture.has("c") and fixture.kwargs()["c_dim"] else None
    logits = D(ImageBatch(image, raw=raw, condition=Condition(camera=camera)))
    fixture.check("logits", logits)
    for name, gradient in zip(("grad_image", "grad_image_raw"), torch.autograd.grad(logits.sum(), (image, raw))):
        fixture.check(name, gradient)


WAYS = {"antialiased": "antialiased", "classic": "classic", "none": "none", "mix": 0.4}
"""How the recorded resizings were made; the fixture says the share of the mixture in words."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_way_of_resizing(folder, dtype):
    fixture, f = Fixture(folder), setup_filter((1, 3, 3, 1))
    sources = {"resized": fixture.input("image_raw", dtype)[:1], "shrunk": fixture.input("big", dtype)}
    found = fixture.names(r"(resized|shrunk)_(antialiased|classic|none|mix)")
    assert len(found) >= 6
    for name, match in found.items():
        array = fixture.config["arrays"][name]
        share = re.search(r"(0\.\d+)\)$", array["doc"])
        way = float(share[1]) if match[2] == "mix" and share else WAYS[match[2]]
        fixture.check(name, resize_as(sources[match[1]], array["shape"][-1], way, f))


@pytest.mark.parametrize("way", [True, 0, 1.0, -0.5, "bicubic", None, float("nan")])
def test_other_ways_are_refused(way):
    with pytest.raises(UserError, match="antialiased, classic, none or a number above 0 and below 1"):
        check_resizing(way)


@pytest.mark.parametrize("way", ["antialiased", "classic", "none", 0.25])
@pytest.mark.parametrize("resolution", [7, 16, 32])
def test_what_is_even_stays_so(way, resolution):
    """At any size; and the classic way is the exception at borders, beyond which it sees black."""
    f = setup_filter((1, 3, 3, 1))
    found = resize_as(torch.full((1, 1, 16, 16), 0.5), resolution, way, f)
    assert found.shape == (1, 1, resolution, resolution)
    inner = found[..., 2:-2, 2:-2]
    assert torch.allclose(inner, torch.full_like(inner, 0.5), atol=1e-5)


@pytest.mark.parametrize("way", ["antialiased", "classic", "none", 0.25])
def test_real_pictures_are_resized_as_told(way):
    D = DualDiscriminator(16, rendering_resolution=8, channel_base=64, channel_max=8, resizing=way)
    image = torch.randn(2, 3, 16, 16)
    raw = D.prepare(ImageBatch(image)).raw
    assert torch.equal(raw, resize_as(image, 8, way, setup_filter((1, 3, 3, 1))))
