"""Generators out as ONNX: code (and label) in, picture out, with stored noise. Any latent, any synthesis network."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from stylegenes.errors import UserError
from stylegenes.files import atomic_path
from stylegenes.generator import Generator
from stylegenes.records import Condition, Noise

OPSET = 18
TOLERANCE = 1e-4
"""Largest difference of a pixel in [-1, 1] that an export may show, relative to the picture's largest value."""


class _Flat(nn.Module):
    """A generator as a plain function of tensors."""

    def __init__(self, generator: Generator, psi: float) -> None:
        super().__init__()
        self.generator, self.psi = generator, psi

    def forward(self, code: torch.Tensor, label: torch.Tensor | None = None) -> torch.Tensor:
        return self.generator(code, Condition(label=label), psi=self.psi, noise=Noise("const")).image


def export_onnx(generator: Generator, path: str | Path, *, psi: float = 1.0) -> Path:
    """Write `generator` as ONNX: inputs `code` and, for a conditional model, `label`; output `image`; free batch size.

    Args:
        generator: on the CPU, in eval mode.
        path: the file to write, all or nothing.
        psi: truncation that is built in.

    Raises:
        UserError: without the package `onnx`.
        OSError: when the file cannot be written.
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise UserError("export needs the package 'onnx': pip install 'stylegenes[onnx]'") from error
    inputs = _example(generator, 2)
    names = ["code", "label"][: len(inputs)]
    with atomic_path(path) as part, torch.no_grad(), warnings.catch_warnings():
        # The tracer warns of every size that becomes a constant; the check against ONNX Runtime is what counts.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Flat(generator, psi).eval(),
            inputs,
            str(part),
            input_names=names,
            output_names=["image"],
            dynamic_axes={name: {0: "N"} for name in [*names, "image"]},
            opset_version=OPSET,
            dynamo=False,
        )
    return Path(path)


def check_onnx(generator: Generator, path: str | Path, *, psi: float = 1.0) -> float | None:
    """The largest difference between `generator` and the file in ONNX Runtime, relative to the largest pixel value.

    None when ONNX Runtime is not installed. Three codes are drawn, which is another batch size than the exporter saw.

    Raises:
        UserError: when they differ by more than `TOLERANCE`.
    """
    try:
        import onnxruntime
    except ImportError:
        return None
    inputs = _example(generator, 3)
    with torch.no_grad():
        expected = _Flat(generator, psi)(*inputs)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {slot.name: tensor.numpy() for slot, tensor in zip(session.get_inputs(), inputs, strict=True)}
    (image,) = session.run(["image"], feed)
    difference = ((torch.from_numpy(image) - expected).abs().max() / expected.abs().max()).item()
    if not difference <= TOLERANCE:
        raise UserError(
            f"{path} does not reproduce the model: pictures differ by {difference:.3g} (allowed {TOLERANCE})"
        )
    return difference


def _example(generator: Generator, n: int) -> tuple[torch.Tensor, ...]:
    code, label_dim = generator.sample(n, torch.Generator().manual_seed(n)), generator.label_dim
    return (code, torch.eye(label_dim)[torch.arange(n) % label_dim]) if label_dim else (code,)
