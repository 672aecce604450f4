"""Files of tensors: whatever else they hold is not executed, and torch's advice to do so is not passed on."""

import os

import pytest
import torch

from stylegenes.errors import UserError
from stylegenes.perception.weights import load_tensors


class Evil:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_more_than_tensors_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Evil()}, "net.pt")
    with pytest.raises(UserError, match="nothing in it was executed") as refused:
        load_tensors(tmp_path / "net.pt")
    assert "weights_only" not in str(refused.value)
    assert not (tmp_path / "executed").exists()
    torch.save([torch.ones(1)], "list.pt")
    with pytest.raises(UserError, match="holds list"):
        load_tensors(tmp_path / "list.pt")


def test_tensors_are_read(tmp_path):
    torch.save({"a": torch.arange(3)}, tmp_path / "net.pt")
    assert load_tensors(tmp_path / "net.pt")["a"].tolist() == [0, 1, 2]
