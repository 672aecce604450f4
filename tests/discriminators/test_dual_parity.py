"""EG3D's dual discriminator against recorded numbers of the official implementation."""

import pytest
import torch
from parity import Fixture, fixtures

from stylegenes.interop.eg3d import discriminator_from_official
from stylegenes.ops.bilinear import resize
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


@pytest.mark.parametrize("folder", FOLDERS)
def test_antialiased_resizing(folder, dtype):
    fixture = Fixture(folder)
    arrays = fixture.config["arrays"]
    raw = fixture.input("image_raw", dtype)[:1]
    fixture.check("resized_antialiased", resize(raw, arrays["resized_antialiased"]["shape"][-1]))
    fixture.check("shrunk_antialiased", resize(fixture.input("big", dtype), arrays["shrunk_antialiased"]["shape"][-1]))
