"""Whether an exporter is watching."""

from __future__ import annotations

import torch


def is_exporting() -> bool:
    """Whether an exporter records the operations, into ONNX or as a program of `torch.export`.

    It records as many parts of a batch as it is shown, and no writing into parts of a result.
    """
    return torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting()
