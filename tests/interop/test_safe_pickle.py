"""Pickles in the layout of the official releases are read; malicious and damaged ones are refused by name."""

import io
import os
import pickle

import numpy as np
import pytest
import torch
from official_pickles import EasyDict, tree

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.interop.contents import find_network
from stylegenes.interop.safe_pickle import read_weights
from stylegenes.interop.stylegan2 import generator_from_official, generator_names
from stylegenes.records import Noise

KWARGS = {"z_dim": 8, "c_dim": 0, "w_dim": 8, "img_resolution": 8, "img_channels": 3}
SIZES = {"channel_base": 64, "channel_max": 8, "mapping_kwargs": {"num_layers": 2}}


def small_generator():
    return Generator.from_spec(
        {
            "latent": {"name": "mapping", "w_dim": 8, "depth": 2},
            "synthesis": {
                "name": "stylegan2",
                "resolution": 8,
                "w_dim": 8,
                "channel_base": 64,
                "channel_max": 8,
                "conv_clamp": 256,
            },
        }
    ).eval()


@pytest.mark.parametrize("protocol", [2, 4])
def test_network_pickle_gives_the_same_pictures(official_names, tmp_path, protocol):
    ours = small_generator()
    state = {official: ours.state_dict()[key] for key, official in generator_names(ours).items()}
    init = {"_init_args": (), "_init_kwargs": EasyDict({**KWARGS, **SIZES}), "scale": np.float64(2.0)}
    content = {"G": None, "G_ema": tree(state, init), "training_set_kwargs": EasyDict(path="x")}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(content, protocol=protocol))
    found = find_network(read_weights(tmp_path / "net.pkl"), "G_ema")
    theirs = generator_from_official(found.kwargs(), found.state_dict())
    z = ours.sample(2)
    assert torch.equal(ours(z, noise=Noise("const")).image, theirs(z, noise=Noise("const")).image)


class Evil:
    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize(
    ("evil", "named"),
    [
        (Evil(os.system, "touch executed"), "system"),
        (Evil(eval, "open('executed', 'w')"), "builtins.eval"),
        (Evil(getattr, [], "append"), "builtins.getattr"),
        (Evil(torch.load, "executed"), "load"),
    ],
)
def test_malicious_pickle_is_refused_by_name(evil, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G_ema": evil}))
    with pytest.raises(UserError, match=named):
        read_weights(tmp_path / "net.pkl")
    assert not (tmp_path / "executed").exists()


def test_code_hidden_in_a_storage_is_refused(official_names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hidden = io.BytesIO()
    torch.save(Evil(os.system, "touch executed"), hidden)
    load = Evil(torch.storage._load_from_bytes, hidden.getvalue())
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G_ema": load}))
    with pytest.raises(UserError):
        read_weights(tmp_path / "net.pkl")
    torch.save({"g_ema": Evil(os.system, "touch executed")}, tmp_path / "net.pt")
    with pytest.raises(UserError, match="not executed"):
        read_weights(tmp_path / "net.pt")
    assert not (tmp_path / "executed").exists()


def test_tensor_beyond_its_storage_is_refused(tmp_path):
    storage = torch.zeros(4).storage()
    beyond = Evil(torch._utils._rebuild_tensor_v2, storage, 0, (1000,), (1,), False, {})
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(beyond))
    with pytest.raises(UserError, match="storage"):
        read_weights(tmp_path / "net.pkl")


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps({"a": 1})[:-3]])
def test_damaged_pickle_is_a_clear_error(content, tmp_path):
    (tmp_path / "net.pkl").write_bytes(content)
    with pytest.raises(UserError, match="not a readable file of weights"):
        read_weights(tmp_path / "net.pkl")


def test_missing_network_lists_those_there(tmp_path):
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UserError, match="no network 'G_ema'; it has: none"):
        find_network(read_weights(tmp_path / "net.pkl"), "G_ema")


def test_plain_checkpoint_is_read(tmp_path):
    torch.save({"g_ema": {"conv.weight": torch.ones(2)}}, tmp_path / "net.pt")
    assert torch.equal(read_weights(tmp_path / "net.pt")["g_ema"]["conv.weight"], torch.ones(2))
