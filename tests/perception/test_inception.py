import pytest
import torch
from inception_weights import picture, random_weights

from stylegenes.cli.fetch import fetchables, store
from stylegenes.errors import UserError
from stylegenes.files import file_hash
from stylegenes.perception import EXTRACTORS, InceptionFeatures
from stylegenes.perception.resize import resize_tf1

# Features 0, 256, 512, ... of the first picture and the means of both, from torch-fidelity 0.4.0 (its
# inception-v3-compat extractor) with these random weights on these pictures.
RECORDED = {
    64: ([0.0, 0.112021, 0.002444, 0.013909, 0.437222, 0.02726, 0.0917, 0.030827], [0.14715374, 0.14435859]),
    400: ([0.0, 0.099705, 0.002263, 0.011705, 0.444128, 0.027688, 0.093442, 0.029442], [0.14898227, 0.14556273]),
}


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "w.pth"
    torch.save(random_weights(), path)
    return path


@pytest.fixture(scope="module")
def judge(weights_file):
    return InceptionFeatures(weights=str(weights_file)).eval()


@pytest.mark.parametrize("size", RECORDED, ids=str)
def test_it_equals_the_reference_implementation(judge, size):
    """Architecture, padding, pools, resize and range: any difference would show in the third digit or before."""
    found = judge(picture(size).float() / 127.5 - 1)
    values, means = RECORDED[size]
    torch.testing.assert_close(found[0, ::256], torch.tensor(values), atol=2e-6, rtol=1e-4)
    torch.testing.assert_close(found.mean(dim=1), torch.tensor(means), atol=1e-6, rtol=1e-5)


def test_gradients_reach_the_input(judge):
    x = torch.zeros(1, 3, 32, 32, requires_grad=True)
    judge(x).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0


def test_the_resize_is_tensorflows_first():
    """Output i reads input i * in / out: doubling puts originals at even places and means between them."""
    x = torch.tensor([0.0, 4.0, 8.0, 2.0])[None, None, None].expand(1, 1, 4, 4)
    assert resize_tf1(x, 8)[0, 0, 0].tolist() == [0, 2, 4, 6, 8, 5, 2, 2]
    assert torch.equal(resize_tf1(x, 4), x)


def test_only_the_published_weights_may_be_called_fid(judge):
    assert judge.metric_name("fd") == "fd_inception"
    judge.weights_hash, kept = "6726825d" + 56 * "0", judge.weights_hash
    assert (judge.metric_name("fd"), judge.metric_name("kid")) == ("fid", "kid")
    judge.weights_hash = kept


def test_without_weights_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="how to get them says: stylegenes fetch inception"):
        EXTRACTORS.build({"name": "inception"})


def test_a_fetched_file_is_found(monkeypatch, tmp_path, weights_file):
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path))
    store(fetchables()["inception"], str(weights_file), file_hash(weights_file))
    assert EXTRACTORS.build({"name": "inception"}).weights_hash == file_hash(weights_file)


def test_a_file_of_another_hash_is_refused_and_leaves_nothing(monkeypatch, tmp_path, weights_file):
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match=r"expected 6726825d.*--sha256"):
        store(fetchables()["inception"], str(weights_file), None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", ["missing", "shape", "no tensors", "not a file"])
def test_what_does_not_fit_is_refused(monkeypatch, tmp_path, change):
    monkeypatch.setenv("STYLEGENES_WEIGHTS", str(tmp_path / "weights"))
    weights: dict = {"a": 1} if change == "no tensors" else random_weights()
    if change == "missing":
        del weights["Mixed_7c.branch1x1.conv.weight"]
    if change == "shape":
        weights["Mixed_7c.branch1x1.conv.weight"] = torch.zeros(3)
    torch.save(weights, tmp_path / "w.pth")
    source = "nowhere.pth" if change == "not a file" else str(tmp_path / "w.pth")
    expected = {
        "missing": "missing: Mixed_7c.branch1x1.conv.weight",
        "shape": r"Mixed_7c.branch1x1.conv.weight \[3\] is not \[320, 2048, 1, 1\]",
        "no tensors": "not a table of tensors",
        "not a file": "cannot read nowhere.pth",
    }
    with pytest.raises(UserError, match=expected[change]):
        store(fetchables()["inception"], source, file_hash(tmp_path / "w.pth"))
