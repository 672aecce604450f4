"""The classifiers in the package: found by name, small, credited, and right about faces that they never saw."""

import pytest
import torch

from stylegenes.data import open_dataset
from stylegenes.errors import UserError
from stylegenes.files import read_json
from stylegenes.metrics import load_classifier, shipped_classifiers
from stylegenes.snapshot import MODELS, shipped_models

NAMES = ["avatars32-judge", "avatars32-second-judge"]


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Faces of another seed than the one that the judges were trained on."""
    return open_dataset("avatars:n=300,seed=77", resolution=32, cache_dir=tmp_path_factory.mktemp("cache"))


def test_classifiers_are_listed_apart_from_generators():
    assert shipped_classifiers() == NAMES and not set(NAMES) & set(shipped_models())


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_judge_is_right_about_new_faces(name, faces):
    classifier = load_classifier(name)
    assert classifier.name == name and classifier.attributes == faces.label_names
    with torch.no_grad():
        said = classifier(faces.images(range(300)).float() / 127.5 - 1) > 0.5
    right = (said == (faces.labels(range(300)) > 0.5)).float().mean()
    tested = read_json(MODELS / name / "report.json")["mean_accuracy"]
    assert float(right) == pytest.approx(tested, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_judge_is_small_and_credits_the_artist(name):
    assert all(file.stat().st_size < 2**20 for file in (MODELS / name).iterdir())
    assert "Avataaars by Pablo Stanley" in (MODELS / name / "card.md").read_text()


def test_the_two_judges_differ():
    assert len({load_classifier(name).weights_hash for name in NAMES}) == 2


def test_a_name_that_is_no_classifier_lists_the_shipped_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=", ".join(NAMES)):
        load_classifier("avatars32")


def test_a_folder_of_the_user_goes_before_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAMES[0]).mkdir()
    with pytest.raises(UserError, match="holds no classifier"):
        load_classifier(NAMES[0])
