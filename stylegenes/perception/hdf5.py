"""Weights published as HDF5 by Keras, brought once into our own format; and the input that such networks expect."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from stylegenes.errors import UserError
from stylegenes.perception.resize import to_bytes_range, to_rgb
from stylegenes.perception.weights import weights_folder
from stylegenes.words import command

_MEAN_BGR = (103.939, 116.779, 123.68)
_SOURCE = "source_sha256"


def read_hdf5(path: Path) -> dict[str, torch.Tensor]:
    """Every array of an HDF5 file under its full name, convolutions [H, W, in, out] turned to [out, in, H, W].

    Raises:
        UserError: when h5py is not installed, or the file is not HDF5.
    """
    try:
        import h5py
    except ImportError as error:
        raise UserError(
            "these weights are an HDF5 file, which h5py reads; run: pip install 'stylegenes[judges]'"
        ) from (error)
    tensors: dict[str, torch.Tensor] = {}

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            array = torch.from_numpy(item[()])
            tensors[name] = array.permute(3, 2, 0, 1).contiguous() if array.ndim == 4 else array

    try:
        with h5py.File(path) as file:
            file.visititems(take)
    except OSError as error:
        raise UserError(f"{path} is not an HDF5 file: {error}") from error
    return tensors


def write_converted(path: Path, tensors: dict[str, torch.Tensor], source_hash: str) -> None:
    """Write safetensors that remember the sha256 of the file that they were read from."""
    save_file(tensors, path, metadata={_SOURCE: source_hash})


def read_converted(name: str, source_hash: str, fetch: str) -> dict[str, torch.Tensor]:
    """What `stylegenes fetch` converted.

    Args:
        name: its file in the folder of weights.
        source_hash: sha256 of the file that it must have been read from.
        fetch: the name that the command knows it by.

    Raises:
        UserError: when it is not there, damaged, or made from another file; says how to fetch it.
    """
    path = weights_folder() / name
    if not path.is_file():
        raise UserError(f"no weights at {path}; run: {command('fetch', fetch)}")
    try:
        with safe_open(path, "pt") as file:
            found = (file.metadata() or {}).get(_SOURCE)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}); run: {command('fetch', fetch)}") from error
    if found != source_hash:
        raise UserError(
            f"{path} was made from a file of sha256 {found}, not {source_hash}; run: {command('fetch', fetch)}"
        )
    return tensors


def caffe_input(images: torch.Tensor) -> torch.Tensor:
    """Pictures [N, 1 or 3, H, W] in [-1, 1] as blue, green, red on the scale of bytes, less the mean of ImageNet."""
    mean = torch.tensor(_MEAN_BGR, device=images.device, dtype=images.dtype)[:, None, None]
    return to_bytes_range(to_rgb(images)).flip(1) - mean
