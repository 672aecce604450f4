"""Surveys of models that take labels: drawn, recorded, and the same again."""

import pytest
import torch
from test_survey import equal
from tiny_run import TinyData
from toy_genome import ATTRIBUTES, LinearClassifier, effects, toy_generator

from stylegenes.analysis.samples import survey_labels
from stylegenes.cli.main import run
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.perception.base import AttributeClassifier
from stylegenes.records import Condition, Noise
from stylegenes.snapshot import Card, DataCard, save_snapshot
from stylegenes.survey import Survey, Surveyor, conduct

NETWORK = {"name": "stylegan2", "resolution": 8, "channel_base": 64, "channel_max": 8}
TABLE = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])


class Brightness(AttributeClassifier):
    def __init__(self):
        super().__init__()
        self.name, self.weights_hash, self.attributes, self.resolution = "toy", "toy", ["Bright"], 8

    def forward(self, images):
        return images.mean(dim=(1, 2, 3))[:, None].sigmoid()


def networks():
    torch.manual_seed(0)
    latent = {"name": "mapping", "w_dim": 16, "z_dim": 16, "depth": 1, "label_dim": 3}
    generator = Generator.from_spec({"latent": latent, "synthesis": {**NETWORK, "w_dim": 16}})
    judge = DISCRIMINATORS.build({**NETWORK, "label_dim": 3})
    return generator.eval().requires_grad_(False), judge.eval().requires_grad_(False)


def surveyor(labels=TABLE, **kwargs):
    generator, judge = networks()
    return Surveyor(generator, Brightness(), judge, labels=labels, **kwargs)


def test_labels_are_drawn_by_their_frequency_and_recorded(tmp_path):
    made = surveyor()
    draws = conduct(made, tmp_path, made.plan(shard_size=512), num_draws=1024).load()
    assert draws.label.shape == (1024, 3) and torch.equal(draws.label.sum(dim=1), torch.ones(1024))
    assert draws.label.mean(dim=0).tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.06)


def test_the_record_and_the_seed_give_the_judgment_again(tmp_path):
    made = surveyor()
    plan = made.plan(seed=4, shard_size=64)
    draws = conduct(made, tmp_path, plan, num_draws=64).shard(0)
    again = surveyor(batch_size=16).draw(plan, 0)
    assert torch.equal(draws.label, again.label) and torch.allclose(draws.probability, again.probability, atol=1e-3)
    # Batches of the same size, since the discriminator compares the pictures of a batch.
    made = surveyor(batch_size=64)
    realness = made.draw(plan, 0).realness
    code = made.generator.sample(64, torch.Generator().manual_seed(4 * 1_000_003))
    pictures = made.generator(code, Condition(label=draws.label), noise=Noise("const"))
    assert torch.allclose(made.classifier(pictures.image).half(), draws.probability, atol=1e-3)
    assert made.discriminator is not None
    assert torch.allclose(made.discriminator(pictures), realness, atol=1e-4)
    unlike = made.generator(code, Condition(label=draws.label.roll(1, dims=1)), noise=Noise("const"))
    assert not torch.allclose(made.classifier(unlike.image).half(), draws.probability, atol=1e-3)


def test_a_survey_with_other_labels_is_another_survey(tmp_path):
    conduct(surveyor(), tmp_path, surveyor().plan(shard_size=16), num_draws=16)
    other = surveyor(labels=torch.eye(3))
    with pytest.raises(UserError, match="labels:"):
        conduct(other, tmp_path, other.plan(shard_size=16), num_draws=16)
    with pytest.raises(UserError, match="--label instead"):
        survey_labels(Survey(tmp_path), other.generator)


@pytest.mark.parametrize("labels", [None, torch.eye(4), torch.zeros(0, 3)])
def test_labels_that_do_not_fit_are_refused(labels):
    with pytest.raises(UserError, match="takes labels of length 3"):
        surveyor(labels=labels).plan()


def test_a_model_without_labels_draws_as_before(tmp_path):
    made = Surveyor(toy_generator(), LinearClassifier(effects()))
    survey = conduct(made, tmp_path, made.plan(shard_size=16), num_draws=16)
    assert survey.load().label.shape == (16, 0) and survey.plan.labels == ""
    assert equal(survey.shard(0), made.draw(made.plan(shard_size=16), 0)) and survey.plan.attributes == ATTRIBUTES


def test_the_command_takes_the_labels_of_the_data(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("stylegenes.metrics.reference.open_dataset", lambda *args, **kwargs: TinyData())
    generator, judge = networks()
    card = Card("labeled", data=DataCard("photos", resolution=8, label_names=["a", "b", "c"]))
    save_snapshot(tmp_path / "model", generator, card, discriminator=judge)
    words = ["survey", str(tmp_path / "model"), "--classifier", "avatars32-judge", "-n", "64", "--shard", "64"]
    assert run(words) == 0
    draws = Survey(tmp_path / "model" / "genes" / "survey").load()
    assert draws.label.shape == (64, 3) and "64 classified pictures" in capsys.readouterr().out
    assert run([*words, "--labels", "uniform"]) == 1
    assert "labels:" in capsys.readouterr().err
    assert run(["survey", "avatars32", "--labels", "uniform"]) == 1
    assert "takes no labels" in capsys.readouterr().err
