"""StyleGAN2's discriminator: shapes, grouping, labels, messages, precision and second derivatives."""

import pytest
import torch

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.layers import minibatch_std
from stylegenes.records import Condition, ImageBatch

SPEC = {"name": "stylegan2", "resolution": 16, "channel_base": 128, "channel_max": 16}


def build(**changes):
    return DISCRIMINATORS.build({**SPEC, **changes})


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_every_architecture_gives_one_logit_and_trains_all_of_itself(architecture):
    D = build(architecture=architecture, label_dim=5, image_channels=1)
    batch = ImageBatch(torch.randn(4, 1, 16, 16), condition=Condition(label=torch.eye(5)[:4]))
    logits = D(batch)
    assert logits.shape == (4, 1)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in D.parameters())


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
def test_stages_hold_every_parameter_once_from_image_to_logits(architecture):
    D = build(architecture=architecture, label_dim=5)
    staged = [p for stage in D.stages() for p in stage.parameters()]
    assert len(staged) == len(set(staged)) == len(list(D.parameters()))
    first = {id(p) for p in D.stages()[0].parameters()}
    assert all(id(p) in first for p in [*D.from_rgb[0].parameters(), *D.blocks[0].parameters()])


def test_label_changes_the_logit():
    D, image = build(label_dim=3), torch.randn(2, 3, 16, 16)
    a, b = (D(ImageBatch(image, condition=Condition(label=torch.eye(3)[[i, i]]))) for i in (0, 1))
    assert not torch.allclose(a, b)


def test_minibatch_std_groups_are_strided():
    x = torch.randn(8, 6, 4, 4)
    appended = minibatch_std(x, group_size=4, num_channels=2)[:, 6:, 0, 0]
    for group in range(2):
        members = x[group::2]
        for channel in range(2):
            part = members[:, 3 * channel : 3 * channel + 3]
            expected = (part.var(dim=0, correction=0) + 1e-8).sqrt().mean()
            torch.testing.assert_close(appended[group::2, channel], expected.expand(4))


@pytest.mark.parametrize(("batch", "group"), [(2, 4), (4, None), (6, 3)])
def test_minibatch_std_takes_batches_smaller_than_the_group(batch, group):
    assert minibatch_std(torch.randn(batch, 4, 4, 4), group, 1).shape == (batch, 5, 4, 4)


def test_batch_that_does_not_split_is_refused():
    with pytest.raises(UserError, match="batch of 6 does not split into groups of 4"):
        build()(ImageBatch(torch.randn(6, 3, 16, 16)))


def test_r1_reaches_every_weight():
    D, image = build(), torch.randn(4, 3, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(D(ImageBatch(image)).sum(), image, create_graph=True)
    gradient.square().sum().backward()
    weights = [p for name, p in D.named_parameters() if name.endswith("weight")]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in weights)


def test_second_derivatives_agree_with_differences():
    D = build(resolution=8, channel_base=16, channel_max=2).double()
    image = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: D(ImageBatch(x)).sum(), image, eps=1e-7, atol=1e-4)


def test_bf16_autocast_gives_float32_logits_close_to_float32():
    D, batch = build(channel_base=512, channel_max=64), ImageBatch(torch.randn(8, 3, 16, 16))
    exact = D(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = D(batch)
    assert rough.dtype == torch.float32
    assert (rough - exact).abs().max() < 0.05


@pytest.mark.parametrize("shape", [(4, 3, 16, 8), (4, 1, 16, 16), (3, 16, 16)])
def test_wrong_pictures_are_refused(shape):
    with pytest.raises(UserError, match="this discriminator needs"):
        build()(ImageBatch(torch.randn(shape)))


def test_missing_and_misshapen_labels_are_refused():
    D, image = build(label_dim=3), torch.randn(2, 3, 16, 16)
    with pytest.raises(UserError, match="none was given"):
        D(ImageBatch(image))
    with pytest.raises(UserError, match="label has shape"):
        D(ImageBatch(image, condition=Condition(label=torch.zeros(2, 4))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 4}, "up to 8 pixels or more; the nearest that fit are 8"),
        ({"resolution": 100}, "nearest that fit are 104, 96, 112"),
        ({"architecture": "dense"}, "not one of orig, skip, resnet"),
        ({"mbstd_num_channels": 3}, "must divide 16"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        build(**changes)
