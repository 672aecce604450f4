"""Pickles in the layout of the official releases, written without their code.

Modules are wrapped, as the persistence of StyleGAN2-ADA and StyleGAN3 does, or plain, as ProjectedGAN and R3GAN leave
them. ProjectedGAN's discriminator holds a trunk of classes from other packages.
"""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import pytest
import torch
from torch import nn


def _reconstruct_persistent_obj(meta):
    raise AssertionError("the writer's function must never run")


class EasyDict(dict):
    pass


class Wrapped:
    """Pickles as the official code does: a call of the persistence module with a dictionary."""

    def __init__(self, class_name, state):
        self.class_name, self.state = class_name, state

    def __reduce__(self):
        source = "raise SystemExit('source code was executed')"
        meta = {"type": "class", "version": 6, "module_src": source, "class_name": self.class_name, "state": self.state}
        return _reconstruct_persistent_obj, (EasyDict(meta),)


class Plain:
    """Pickles as any object does: its class by name, and its attributes."""

    def __init__(self, class_name, state):
        assert class_name == "Module"
        self.__dict__.update(state)

    def __setstate__(self, state):
        raise AssertionError("the class must never be found again")


class Part(nn.Module):
    """A module of somebody else's class."""

    def __init__(self, **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    def __setstate__(self, state):
        raise AssertionError("the class must never be found again")


class PretrainedCfg:
    def __init__(self) -> None:
        self.url, self.input_size = "https://example.org/x.pth", (3, 224, 224)


FOREIGN = {
    "timm.models.layers.conv2d_same": "Conv2dSame",
    "timm.models.efficientnet_blocks": "DepthwiseSeparableConv InvertedResidual",
    "timm.layers.norm_act": "BatchNormAct2d",
    "pg_modules.discriminator": "ProjectedDiscriminator MultiScaleD SingleDisc",
    "pg_modules.projector": "F_RandomProj",
    "pg_modules.blocks": "FeatureFusionBlock",
}
"""Classes that official pickles of ProjectedGAN name, by module."""


def projected_discriminator(classes: dict[str, type]) -> nn.Module:
    """A discriminator laid out as ProjectedGAN pickles it: trunk of another package, random mixing, small heads."""
    convolution = classes["Conv2dSame"](kernel=nn.Parameter(torch.zeros(2, 3, 3, 3)), stride=(2, 2), padding="same")
    block = classes["InvertedResidual"](
        conv_pw=nn.Conv2d(2, 2, 1),
        bn1=classes["BatchNormAct2d"](act=nn.SiLU(), drop=nn.Identity()),
        se=nn.Identity(),
        act_layer=nn.ReLU6,
        norm_layer=functools.partial(nn.BatchNorm2d, eps=1e-3),
        default_cfg=PretrainedCfg(),
    )
    trunk = nn.Module()
    trunk.layer0 = nn.Sequential(convolution, nn.BatchNorm2d(2), nn.ReLU6(), nn.Sequential(block))
    trunk.CHANNELS, trunk.RESOLUTIONS = [2], torch.Size([8])
    add = torch.ao.nn.quantized.FloatFunctional()
    fusion = classes["FeatureFusionBlock"](out_conv=nn.Conv2d(2, 2, 1), skip_add=add)
    scratch = nn.Module()
    scratch.layer0_ccm, scratch.layer0_csm = nn.Conv2d(2, 2, 1), fusion
    head = classes["SingleDisc"](main=nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(2, 1, 4, bias=False))))
    return classes["ProjectedDiscriminator"](
        feature_network=classes["F_RandomProj"](pretrained=trunk, scratch=scratch, dtype=torch.float16),
        discriminator=classes["MultiScaleD"](mini_discs=nn.ModuleDict({"0": head})),
    ).eval()


@pytest.fixture
def foreign_classes(official_names, monkeypatch) -> dict[str, type]:
    """Classes under the names that ProjectedGAN's pickles hold, so that pickles name them."""
    made: dict[str, type] = {}
    for path, names in {**FOREIGN, "timm.models._pretrained": ""}.items():
        parents = path.split(".")
        for depth in range(1, len(parents) + 1):
            name = ".".join(parents[:depth])
            if name not in sys.modules:
                monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        for name in names.split():
            made[name] = type(name, (Part,), {"__module__": path})
            monkeypatch.setattr(sys.modules[path], name, made[name], raising=False)
    monkeypatch.setattr(PretrainedCfg, "__module__", "timm.models._pretrained")
    monkeypatch.setattr(sys.modules["timm.models._pretrained"], "PretrainedCfg", PretrainedCfg, raising=False)
    return made


@pytest.fixture
def official_names(monkeypatch):
    """Modules under the official names, so that pickles name them."""
    for module, members in {
        "torch_utils": {},
        "torch_utils.persistence": {"_reconstruct_persistent_obj": _reconstruct_persistent_obj},
        "dnnlib": {},
        "dnnlib.util": {"EasyDict": EasyDict},
        "R3GAN": {},
        "R3GAN.Networks": {"Plain": Plain},
    }.items():
        made = types.ModuleType(module)
        for name, member in members.items():
            setattr(made, name, member)
            monkeypatch.setattr(member, "__module__", module)
        monkeypatch.setitem(sys.modules, module, made)


def tree(state: dict[str, torch.Tensor], own: dict[str, Any] | None = None, kind: type = Wrapped) -> Any:
    """A state dict as nested modules of one kind, the outermost with further attributes of its own."""
    attributes = {"_parameters": {}, "_buffers": {}, "_modules": {}, "training": False, **(own or {})}
    nested: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in state.items():
        head, _, rest = key.partition(".")
        if rest:
            nested.setdefault(head, {})[rest] = tensor
        elif tensor.is_floating_point():
            attributes["_parameters"][head] = nn.Parameter(tensor)
        else:
            attributes["_buffers"][head] = tensor
    attributes["_modules"] = {name: tree(part, kind=kind) for name, part in nested.items()}
    return kind("Module", attributes)
