import pytest
import torch
from metrics_toys import Blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from stylegenes.errors import UserError
from stylegenes.metrics.calibration import auc, expected_calibration_error, platt
from stylegenes.metrics.classifier_files import load_classifier, save_classifier
from stylegenes.metrics.classifier_training import paper_settings, quick_settings, split, train_classifier
from stylegenes.metrics.papers_network import OnePerAttribute
from stylegenes.metrics.sources import to_float
from stylegenes.perception.classifiers import CalibratedClassifier


@pytest.fixture(scope="module")
def trained():
    return train_classifier(Blobs(), quick_settings(images=6000))


def test_auc_equals_sklearn_with_ties():
    scores, labels = torch.randint(0, 9, (500,)).float(), (torch.rand(500) < 0.3).float()
    assert auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), rel=1e-12)


def test_auc_of_one_class_is_undefined():
    assert auc(torch.rand(5), torch.ones(5)) is None


def test_platt_recovers_what_distorted_the_logits():
    true = torch.randn(50_000, 2) * 3
    labels = (torch.rand(50_000, 2) < true.sigmoid()).float()
    fitted = platt((true - torch.tensor([0.5, -1.0])) * torch.tensor([4.0, 0.5]), labels)
    torch.testing.assert_close(fitted.scale, torch.tensor([0.25, 2.0]).double(), rtol=0.05, atol=0)
    torch.testing.assert_close(fitted.shift, torch.tensor([0.5, -1.0]).double(), rtol=0, atol=0.06)


def test_platt_is_logistic_regression():
    logits, labels = torch.randn(300, 1), (torch.rand(300, 1) < 0.6).float()
    fitted = platt(logits, labels, ridge=0.0)
    reference = LogisticRegression(C=1e10, tol=1e-12, max_iter=1000).fit(logits.double(), labels[:, 0])
    assert fitted.scale.item() == pytest.approx(reference.coef_.item(), abs=1e-6)
    assert fitted.shift.item() == pytest.approx(reference.intercept_.item(), abs=1e-6)


@pytest.mark.parametrize("labels", [torch.zeros(50, 1), torch.cat([torch.zeros(25, 1), torch.ones(25, 1)])])
def test_platt_stays_finite_where_a_class_is_missing_or_separated(labels):
    fitted = platt(torch.linspace(-30, 30, 50)[:, None], labels)
    assert fitted.scale.isfinite().all() and fitted.shift.isfinite().all()


def test_calibration_error_of_known_distributions():
    p = torch.full((1000,), 0.7)
    labels = torch.arange(1000) < 700
    assert expected_calibration_error(p, labels.float()) == pytest.approx(0, abs=1e-6)
    assert expected_calibration_error(p, torch.zeros(1000)) == pytest.approx(0.7, abs=1e-6)


def test_it_learns_and_is_calibrated(trained):
    assert trained.report.mean_auc > 0.98
    assert trained.report.mean_calibration_error < 0.12
    assert [a.name for a in trained.report.attributes] == ["Bright", "Red_Left"]


def test_the_same_seed_trains_the_same_classifier(trained):
    again = train_classifier(Blobs(), quick_settings(images=6000)).classifier
    for key, value in trained.classifier.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_splits_are_disjoint_and_complete():
    parts = split(103, 0.1, seed=3)
    everything = torch.cat([parts.train, parts.calibration, parts.test])
    assert sorted(everything.tolist()) == list(range(103))


def test_some_attributes_only():
    trained = train_classifier(Blobs(), quick_settings(images=640), attributes=["Red_Left"])
    assert trained.classifier.attributes == ["Red_Left"]
    assert trained.classifier(torch.zeros(2, 3, 8, 8)).shape == (2, 1)


def test_the_papers_network_is_one_discriminator_each_without_minibatch_statistics():
    network = OnePerAttribute(2, 8, channel_base=128, channel_max=16).eval()
    images = to_float(Blobs(n=6).x)
    together, alone = network(images), torch.cat([network(images[i : i + 1]) for i in range(6)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_the_papers_settings_train():
    settings = paper_settings(images=1600, channel_base=128, channel_max=16)
    assert settings.batch == 8 and settings.lr == 1e-3 and paper_settings().images == 150_000
    assert train_classifier(Blobs(), settings).report.mean_auc > 0.8


def test_saved_and_loaded_it_answers_the_same(trained, tmp_path):
    settings = quick_settings(images=6000)
    path = save_classifier(tmp_path / "judge", trained, settings, Blobs())
    loaded = load_classifier(path)
    images = to_float(Blobs(n=20, seed=9).x)
    assert torch.equal(loaded(images), trained.classifier(images))
    assert loaded.attributes == ["Bright", "Red_Left"] and len(loaded.weights_hash) == 64


def test_pictures_of_other_sizes_are_resized(trained):
    assert trained.classifier(torch.zeros(3, 3, 32, 32)).shape == (3, 2)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_gray_pictures_are_gray_and_opaque_to_any_classifier(channels):
    judge = CalibratedClassifier({"name": "multihead"}, ["a"], resolution=8, image_channels=channels)
    seen, gray = [], torch.rand(2, 1, 8, 8) * 2 - 1
    judge.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    judge(gray)
    alpha = [torch.ones_like(gray)] * (channels in (2, 4))
    assert torch.equal(seen[0], torch.cat([gray] * (channels - len(alpha)) + alpha, dim=1))


def test_damaged_weights_are_refused(trained, tmp_path):
    path = save_classifier(tmp_path / "judge", trained, quick_settings(), Blobs())
    (path / "classifier.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="damaged"):
        load_classifier(path)


@pytest.mark.parametrize(
    ("data", "attributes", "message"),
    [
        (Blobs(label_names=[]), None, "no labels"),
        (Blobs(n=5), None, "at least 20"),
        (Blobs(), ["Hat"], "no attribute Hat.*Bright, Red_Left"),
    ],
)
def test_what_cannot_be_trained_is_explained(data, attributes, message):
    with pytest.raises(UserError, match=message):
        train_classifier(data, quick_settings(images=64), attributes=attributes)


def test_a_missing_classifier_is_explained(tmp_path):
    with pytest.raises(UserError, match="stylegenes classifier"):
        load_classifier(tmp_path / "none")
