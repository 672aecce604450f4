import pytest
import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.perception import DISTANCES, LPIPS

CONVOLUTIONS = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
WIDTHS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lpips")
    vgg, channels, rng = {"classifier.0.weight": torch.zeros(2)}, 3, torch.Generator().manual_seed(0)
    for number, width in zip(CONVOLUTIONS, WIDTHS):
        vgg[f"features.{number}.weight"] = torch.randn(width, channels, 3, 3, generator=rng) * (2 / channels / 9) ** 0.5
        vgg[f"features.{number}.bias"] = torch.randn(width, generator=rng) * 0.1
        channels = width
    heads = {
        f"lin{i}.model.1.weight": torch.rand(1, c, 1, 1, generator=rng) for i, c in enumerate((64, 128, 256, 512, 512))
    }
    torch.save(vgg, folder / "vgg.pth")
    torch.save(heads, folder / "heads.pth")
    return folder, vgg, heads


def reference(vgg, heads, a, b):
    """The published definition, layer by layer."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    pair, total, tap = [(x - shift.view(1, 3, 1, 1)) / scale.view(1, 3, 1, 1) for x in (a, b)], 0.0, 0
    for i, number in enumerate(CONVOLUTIONS):
        weights = vgg[f"features.{number}.weight"], vgg[f"features.{number}.bias"]
        pair = [nn.functional.conv2d(x, *weights, padding=1).clamp(min=0) for x in pair]
        if i in (1, 3, 6, 9, 12):
            x, y = (p / p.norm(dim=1, keepdim=True) for p in pair)
            total = total + (heads[f"lin{tap}.model.1.weight"] * (x - y) ** 2).sum(1).mean((1, 2))
            pair, tap = [nn.functional.max_pool2d(p, 2) for p in pair], tap + 1
    return total


def test_it_is_the_published_formula(files):
    folder, vgg, heads = files
    judge = LPIPS(vgg=str(folder / "vgg.pth"), heads=str(folder / "heads.pth"))
    a, b = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(judge(a, b), reference(vgg, heads, a, b), rtol=1e-4, atol=1e-5)
    assert judge.metric_name("ppl_w_end") == "ppl_w_end"
    assert len(judge.weights_hash) == 64


def test_without_weights_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="stylegenes fetch vgg16"):
        DISTANCES.build({"name": "lpips"})


def test_other_heads_are_refused(files, tmp_path):
    folder, _, heads = files
    torch.save({**heads, "lin0.model.1.weight": torch.zeros(1, 24, 1, 1)}, tmp_path / "h.pth")
    with pytest.raises(UserError, match=r"lin0.model.1.weight \[1, 24, 1, 1\] is not \[1, 64, 1, 1\]"):
        LPIPS(vgg=str(folder / "vgg.pth"), heads=str(tmp_path / "h.pth"))
