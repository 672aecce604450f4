import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from stylegenes.errors import UserError
from stylegenes.metrics.classifier_files import load_classifier
from stylegenes.perception import ModuleScorer, Scoring, TableScorer


class Brightness(nn.Module):
    """Probability: the mean of a picture in [0, 1]."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(1, 2, 3)).unsqueeze(1)


SCORING = {"attributes": ["Bright"], "resolution": 8, "low": 0.0, "high": 1.0}


def pictures() -> torch.Tensor:
    return torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 3, 16, 16)


def test_any_callable_scores():
    scorer = ModuleScorer(Brightness(), Scoring(**SCORING))
    torch.testing.assert_close(scorer(pictures())[:, 0], torch.linspace(0, 1, 5), atol=1e-5, rtol=0)


def test_logits_become_probabilities():
    scorer = ModuleScorer(lambda x: x.mean(dim=(1, 2, 3))[:, None], Scoring(["a"], 8, logits=True))
    torch.testing.assert_close(scorer(pictures())[:, 0], torch.linspace(-1, 1, 5).sigmoid())


def test_outputs_that_are_no_probabilities_are_refused():
    scorer = ModuleScorer(lambda x: x.mean(dim=(1, 2, 3))[:, None], Scoring(["a"], 8))
    with pytest.raises(UserError, match="logits=True"):
        scorer(pictures())


def test_a_wrong_number_of_columns_is_refused():
    with pytest.raises(UserError, match=r"\[5, 1\] for 5 pictures, not \[5, 2\]"):
        ModuleScorer(Brightness(), Scoring(["a", "b"], 8, low=0.0))(pictures())


def export(kind: str, path) -> None:
    example = torch.zeros(2, 3, 8, 8)
    if kind == ".pt":
        torch.jit.trace(Brightness(), example).save(path)
    elif kind == ".pt2":
        batch = torch.export.Dim("batch")
        torch.export.save(torch.export.export(Brightness(), (example,), dynamic_shapes=[{0: batch}]), path)
    else:
        _write_onnx(path)


def _write_onnx(path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shapes = [
        helper.make_tensor_value_info("x", kind, ["n", 3, 8, 8]),
        helper.make_tensor_value_info("y", kind, ["n", 1]),
    ]
    axes = helper.make_tensor("axes", onnx.TensorProto.INT64, [2], [2, 3])
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["m"], keepdims=0),
        helper.make_node("ReduceMean", ["m", "one"], ["y"], keepdims=1),
    ]
    one = helper.make_tensor("one", onnx.TensorProto.INT64, [1], [1])
    graph = helper.make_graph(nodes, "g", shapes[:1], shapes[1:], [axes, one])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


@pytest.mark.parametrize("kind", [".pt", ".pt2", ".onnx"])
@pytest.mark.filterwarnings("ignore")
def test_exported_files_load_beside_their_description(tmp_path, kind):
    path = tmp_path / f"scorer{kind}"
    export(kind, path)
    path.with_suffix(".json").write_text(json.dumps(SCORING))
    scorer = load_classifier(path)
    assert scorer.attributes == ["Bright"] and len(scorer.weights_hash) == 64
    torch.testing.assert_close(scorer(pictures())[:, 0], torch.linspace(0, 1, 5), atol=1e-5, rtol=0)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"hello")
    (tmp_path / "a.json").write_text(json.dumps(SCORING))
    with pytest.raises(UserError, match="neither TorchScript nor"):
        load_classifier(tmp_path / "a.pt")


def test_a_missing_or_wrong_description_is_named(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"hello")
    with pytest.raises(UserError, match=r"a\.json"):
        load_classifier(tmp_path / "a.pt")
    (tmp_path / "a.json").write_text('{"attribute": []}')
    with pytest.raises(UserError, match="'attributes' and 'resolution'"):
        load_classifier(tmp_path / "a.pt")


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    (tmp_path / "labels.csv").write_text("file,Smiling,Hat\n0.png,1,0\n1.png,0,0.5\n2.png,0,1\n")
    return tmp_path / "labels.csv", torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_a_table_gives_the_labels_of_its_pictures(table):
    path, images = table
    scorer = TableScorer(path)
    assert scorer.attributes == ["Smiling", "Hat"]
    # Pictures before rounding to 8 bits are recognized too.
    assert scorer(images[[2, 0, 1]] + 0.001).tolist() == [[0, 1], [1, 0], [0, 0.5]]


def test_a_picture_outside_the_table_is_refused(table):
    path, images = table
    with pytest.raises(UserError, match="1 of 3 pictures are not among the 3 labeled"):
        TableScorer(path)(torch.cat([images[:2], -images[2:]]))


@pytest.mark.parametrize(
    ("text", "message"),
    [("name,Hat\na,1\n", "column 'file'"), ("file,Hat\n0.png,maybe\n", "'maybe', not a number"), ("", "column 'file'")],
)
def test_a_wrong_table_is_explained(table, text, message):
    path, _ = table
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        TableScorer(path)


def table_of(folder, text, sizes=((8, 8), (8, 8))):
    for number, size in enumerate(sizes, 1):
        Image.new("RGB", size, (number, 0, 0)).save(folder / f"{number}.png")
    (folder / "t.csv").write_bytes(text.encode())
    return folder / "t.csv"


@pytest.mark.parametrize("start, end", [("\ufeff", "\n"), ("", "\r"), ("\ufeff", "\r\n")])
def test_tables_of_spreadsheets_are_read(tmp_path, start, end):
    scorer = TableScorer(table_of(tmp_path, start + end.join(["file,Hat", "1.png,1", "2.png,0", ""])))
    assert scorer.attributes == ["Hat"] and scorer.resolution == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,Hat\n1.png,1\n1.png,0\n", "another row labels otherwise"),
        ("file,Hat,Hat\n1.png,1,0\n", "two columns of one name"),
        ("file,Hat\n1.png,1,0\n", "more cells than columns"),
        ("file,Hat\n1.png," + "9" * 200_000 + "\n", "cannot read"),
        ('file,Hat\n1.png,"1\n', "cannot read"),
        ("file,Hat\n1.png,nan\n", "not a number from 0 to 1"),
        ("file,Hat\nt.csv,1\n", "cannot read picture"),
        ("file,Hat\n1.png,1\n3.png,1\n", "3.png is 9 x 8 pixels"),
    ],
)
def test_a_table_that_is_ambiguous_or_damaged_is_refused(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        TableScorer(table_of(tmp_path, text, ((8, 8), (8, 8), (9, 8))))


@pytest.mark.parametrize(
    "change",
    [
        {"attributes": []},
        {"attributes": ["a", "a"]},
        {"resolution": 0},
        {"resolution": 10**9},
        {"channels": 0},
        {"channels": 4},
        {"low": 1.0},
        {"low": 2.0, "high": 1.0},
    ],
)
def test_a_description_that_no_scorer_can_have_is_refused(tmp_path, change):
    (tmp_path / "a.onnx").write_bytes(b"x")
    (tmp_path / "a.json").write_text(json.dumps(SCORING | change))
    with pytest.raises(UserError, match=r"a\.json does not describe a scorer"):
        load_classifier(tmp_path / "a.onnx")


class _Fixed(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.reshape(-1, 192) @ torch.ones(192, 1) / 192


class _Several(nn.Module):
    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return images, images


@pytest.mark.parametrize(
    ("module", "message"), [(_Fixed(), "cannot classify pictures of"), (_Several(), "gives tuple")]
)
def test_a_file_that_fails_on_pictures_is_named(tmp_path, module, message):
    torch.jit.script(module).save(tmp_path / "a.pt")
    (tmp_path / "a.json").write_text(json.dumps(SCORING | {"resolution": 7}))
    with pytest.raises(UserError, match=message):
        load_classifier(tmp_path / "a.pt")(pictures())


def test_weights_of_a_file_move_with_the_scorer(tmp_path):
    torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(192, 1), nn.Sigmoid())).save(tmp_path / "a.pt")
    (tmp_path / "a.json").write_text(json.dumps(SCORING))
    scorer = load_classifier(tmp_path / "a.pt").to(torch.float64)
    assert {parameter.dtype for parameter in scorer.parameters()} == {torch.float64}
