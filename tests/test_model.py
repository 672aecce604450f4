"""`stylegenes.open`: one object that does what the commands do, with labels, any classifier, and nothing done twice."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import stylegenes
from stylegenes import UserError
from stylegenes.analysis.surveying import SurveySettings
from stylegenes.data.opening import open_dataset
from stylegenes.drawing import DrawSettings, codes_of_seeds, draw
from stylegenes.generator import Generator
from stylegenes.inversion.inversion import InversionSettings
from stylegenes.perception import AttributeClassifier
from stylegenes.pictures import save_picture
from stylegenes.records import Condition
from stylegenes.sheets import read_sheet
from stylegenes.snapshot import Card, DataCard, save_snapshot
from stylegenes.walks import WalkSettings

SIZE = 16
GENOME = {"name": "genome", "w_dim": 16, "num_genes": 4, "num_variants": 6}
STYLEGAN2 = {"name": "stylegan2", "resolution": SIZE, "w_dim": 16, "channel_base": 128, "channel_max": 16}
LABELS = ["Hat", "Smiling", "Young"]


class Measure(nn.Module):
    """A user's own network: brightness and redness as probabilities. Only `attributes` says what they are."""

    attributes = ("Bright", "Reddish")

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(6.0))

    def forward(self, x):
        red = x[:, 0].mean(dim=(1, 2)) - x[:, 2].mean(dim=(1, 2))
        return torch.sigmoid(self.gain * torch.stack([x.mean(dim=(1, 2, 3)), red], dim=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("models")
    specs = {
        "plain": (GENOME, STYLEGAN2),
        "labels": (GENOME, {"name": "r3gan", **_example("r3gan"), "label_dim": 3}),
        "mapping": ({"name": "mapping", "w_dim": 16, "depth": 1, "label_dim": 3}, STYLEGAN2),
    }
    for name, (latent, synthesis) in specs.items():
        torch.manual_seed(1)
        generator = Generator.from_spec({"latent": latent, "synthesis": synthesis})
        names = [] if name == "plain" else LABELS
        save_snapshot(place / name, generator, Card(name, data=DataCard("none", label_names=names)))
    return place


def _example(name):
    from stylegenes.synthesis import SYNTHESES

    return SYNTHESES.get(name).example_spec(SIZE, 16)


SURVEY = SurveySettings(num=512, shard=256, batch=128)


@pytest.fixture(scope="module")
def surveyed(folder):
    model = stylegenes.open(folder / "plain", classifier=Measure(), device="cpu")
    assert model.survey(SURVEY).new == 512
    return model


@pytest.mark.parametrize("label", ["Smiling", 1, [0.0, 1.0, 0.0], torch.tensor([0.0, 1.0, 0.0])])
@pytest.mark.parametrize("name", ["labels", "mapping"])
def test_a_conditional_model_draws_its_label(folder, name, label):
    model = stylegenes.open(folder / name, label=label, device="cpu")
    sheet = model.sample(seeds="0-2")
    drawing = DrawSettings(condition=Condition(torch.eye(3)[1:2]))
    plain = list(draw(model.generator, codes_of_seeds(model.generator, range(3)), drawing))
    assert np.array_equal(np.stack(sheet.pictures), np.stack(plain)) and sheet.origin.labels == ["Smiling"]


def test_labels_that_lack_or_do_not_fit_are_refused(folder):
    with pytest.raises(UserError, match="give --label, its labels: Hat"):
        stylegenes.open(folder / "labels").sample()
    for wrong in ("Cat", 3, [1.0], [float("nan"), 0, 0]):
        with pytest.raises(UserError):
            stylegenes.open(folder / "labels", label=wrong)
    with pytest.raises(UserError, match="unconditional"):
        stylegenes.open(folder / "plain", label="Hat")


def test_a_file_is_drawn_again_as_it_was(folder, tmp_path):
    first = stylegenes.open(folder / "labels", label="Young", device="cpu").sample(3, psi="0.5:1", noise="none")
    first.save(tmp_path / "a.gif")
    model = stylegenes.open(folder / "labels", device="cpu")
    choice = model.choose(codes=str(tmp_path / "a.gif"))
    assert np.array_equal(np.stack(choice.samples().pictures), np.stack(first.pictures))
    assert choice.notes == ["drawn as the file says: psi 0.5:1, noise none, label Young"]
    assert model.sample(codes=first, psi=1).origin.psi == "1"
    own = stylegenes.open(folder / "labels", label="Hat", device="cpu").sample(codes=first)
    assert own.origin.labels == ["Hat"] and not np.array_equal(np.stack(own.pictures), np.stack(first.pictures))
    other = stylegenes.open(folder / "plain", device="cpu").choose(codes=first)
    assert "drawn with labels; plain makes other pictures" in other.notes[0]


def test_a_sheet_has_what_there_is_to_say_and_foreign_codes_are_warned_of(folder, surveyed, caplog):
    foreign = stylegenes.open(folder / "labels", label="Hat", device="cpu").sample(2, psi=0.5)
    sheet = surveyed.sample(codes=foreign)
    assert "plain makes other pictures of them" in caplog.text
    assert len(sheet.notes) == 2 and "psi 0.5" in sheet.notes[1] and all(note in repr(sheet) for note in sheet.notes)
    wished = surveyed.sample(2, where="Bright=1")
    assert "of 2 fulfil it" in wished.notes[0] and not surveyed.sample(1).notes
    assert [one.shape for one in sheet] == [sheet[0].shape] * 2 and sheet[-1] is sheet.pictures[1]
    assert surveyed.mix(codes=foreign).notes == surveyed.interpolate(2, codes=foreign).notes == sheet.notes


def test_two_answers_to_one_question_are_refused(surveyed, tmp_path):
    (code,) = surveyed.choose(seeds=3).strings
    asks = [
        lambda: surveyed.sample(seeds=[3], codes=[code]),
        lambda: surveyed.sample(codes=[code], where="Bright=1"),
        lambda: surveyed.mix(seeds=[3], codes=[code]),
        lambda: surveyed.edit("Bright=1", seed=0, code=code),
        lambda: surveyed.noise([3], codes=[code]),
        lambda: surveyed.orbit([3], codes=[code]),
        lambda: surveyed.mesh(3, code=code),
    ]
    for ask in asks:
        with pytest.raises(UserError, match=r"(seeds?|where) and codes? each say which picture"):
            ask()
    assert surveyed.edit("Bright=1", genes=1).before == surveyed.sample(1).codes[0]


def test_the_genes_of_a_surveyed_model(surveyed, tmp_path):
    importance = surveyed.importance()
    assert len(importance.top("bright", 2)) == 2 and "<table>" in importance._repr_html_()
    made = surveyed.edit("Bright=1", seed=3, genes=2)
    assert made.before == surveyed.sample(seeds=3).codes[0] and "Bright:" in repr(made)
    assert read_sheet(made.save(tmp_path / "edit.png")).codes == [made.before, made.after]
    assert "data:image/png;base64," in made._repr_html_()
    family = surveyed.breed([made.before, made.after], count=3, mutation=0)
    assert len(family.children) == 3 and read_sheet(family.save(tmp_path / "kids.png")).codes[2:] == family.children
    chosen = surveyed.breed(generations=2, fitness="Bright=1", count=4, seed=1)
    assert chosen.lineage.num_generations == 2 and len(chosen.children) == 4
    wished = surveyed.sample(4, where="Bright=1", temperature=0.3)
    assert wished.origin.more["Where"] == "Bright=1"
    assert surveyed.survey(SURVEY).new == 0


def test_a_summary_counts_until_there_are_as_many_draws_here(folder, tmp_path, caplog):
    shutil.copytree(folder / "plain", tmp_path / "m", ignore=shutil.ignore_patterns("genes"))
    began = stylegenes.open(tmp_path / "m", classifier=Measure(), device="cpu")
    summed = began.survey(SURVEY).study.statistics
    second, first = (tmp_path / "m" / "genes" / "survey" / f"shard-00000{i}.safetensors" for i in (1, 0))
    second.unlink()
    model = stylegenes.open(tmp_path / "m", classifier=Measure(), device="cpu")
    assert model.statistics.num_draws == 512 and torch.allclose(model.statistics.mean, summed.mean, atol=1e-3)
    assert "of 512 draws, until the survey" in caplog.text and "which has 256" in caplog.text
    assert model.study.draws_by(model.classifier) is None, "no table of half a survey beside statistics of all of it"
    first.unlink()
    began = stylegenes.open(tmp_path / "m", classifier=Measure(), device="cpu")
    assert began.statistics.num_draws == 512 and began.edit("Bright=1", seed=3).genes
    assert began.survey(SURVEY).new == 512 and torch.equal(began.statistics.mean, summed.mean), "its own draws again"


class Elsewhere(Measure):
    """Another judge of the same two things."""


REFUSED = {
    "penalty 'l3' is unknown": lambda m, code: m.directions(40, penalties=["l3"]),
    "no penalty was given": lambda m, code: m.directions(40, penalties=[]),
    "way 'bogus' is unknown": lambda m, code: m.interpolate(2, ways=("bogus",)),
    "no way was given": lambda m, code: m.interpolate(2, ways=()),
    "way 'b' is unknown": lambda m, code: WalkSettings(way="b"),
    "ease 'cubic' is unknown": lambda m, code: WalkSettings(ease="cubic"),
    "space 'x' is unknown": lambda m, code: m.components(40, "x"),
    "a count is at least 1": lambda m, code: m.mutants(code, -1),
    "a count is at least 1; got 0": lambda m, code: m.children([code, code], 0),
    "99 leading layers; this model has": lambda m, code: m.sample(1, psi="0.7:99"),
    "is not a number like 0.7": lambda m, code: m.sample(1, psi=[1]),
    "no codes were given": lambda m, code: m.images([]),
    "no codes were given; give": lambda m, code: m.judged([]),
    "runs is at least 1": lambda m, code: m.pruning([1], runs=0),
    "--count is a whole number": lambda m, code: m.breed(count=2.5),
    "did you mean 'uniform'": lambda m, code: m.breed(cross="unifrm"),
    "1,000,000,000 pictures are too many": lambda m, code: m.sample(10**9),
    "wishes are text": lambda m, code: m.sample(where=1.5),
    "metrics are text": lambda m, code: m.evaluate(metrics=None),
    "samples is a whole number": lambda m, code: m.directions(2.5),
    "None is not a snapshot": lambda m, code: stylegenes.open(None),
    "'' is not a snapshot": lambda m, code: stylegenes.load(""),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_makes_no_sense_is_refused_in_words(surveyed, words):
    with pytest.raises(UserError, match=re.escape(words)):
        REFUSED[words](surveyed, surveyed.choose(1).strings[0])


def test_what_is_meant_is_taken_in_any_form_of_python(surveyed, tmp_path):
    text = surveyed.sample(2, where="Bright=1", psi="0.7")
    for wish in (True, 1.0, np.bool_(True), np.float32(1), torch.tensor(1)):
        assert surveyed.sample(2, where={"Bright": wish}, psi=np.float64(0.7)).text == text.text
    assert surveyed.sample(2, where=["Bright=1"], psi=torch.tensor(0.7).double()).codes == text.codes
    edited = surveyed.edit({"Bright": 1}, seed=3, genes=2, hold=["Reddish", 1])
    assert edited.after == surveyed.edit("Bright=1", seed=3, genes=2, hold="Reddish,1").after
    film = WalkSettings(seconds=1, fps=4)
    assert surveyed.walk([3, 8], film).texts == surveyed.walk("3,8", film).texts
    assert surveyed.walk(torch.tensor([3, 8]), film).texts == surveyed.walk(["3", "8"], film).texts
    assert len(surveyed.interpolate(2, 2, ways="w")) == 3
    found = surveyed.directions(np.int64(40), penalties="l2", measure=False)
    assert found.fits.penalties == ("l2",) and "by l2" in repr(found)
    assert isinstance(surveyed.judge(Elsewhere()), AttributeClassifier)
    found.save(tmp_path / "found")
    with pytest.raises(UserError, match="a strength is a number"):
        surveyed.move(tmp_path / "found" / "w-l2", "Bright", strength=float("nan"))
    moved = [surveyed.move(tmp_path / "found" / "w-l2", "Reddish", layers=one).sheet for one in ("0,1", [0, 1])]
    assert np.array_equal(moved[0].array(), moved[1].array())
    data = open_dataset("avatars:n=4", resolution=SIZE)
    assert surveyed.real(data) is data
    assert repr(surveyed) == "plain: stylegan2 of 16 px by genome, on cpu"


def test_fitness_may_be_any_function_of_genotypes(surveyed):
    def few(genotype):
        return -genotype.sum(dim=1)

    bred = surveyed.breed(generations=3, fitness=few, count=8, seed=1)
    first, last = bred.lineage.generation(0), bred.lineage.generation(3)
    assert last[0].fitness >= first[0].fitness and bred.exhibit.words.title == "Bred for few"


def test_what_is_not_taken_of_a_file_is_said_and_a_film_takes_it(folder, surveyed, tmp_path, caplog):
    sheet = surveyed.sample(3, psi=0.3)
    sheet.save(tmp_path / "a.png")
    surveyed.edit("Bright=1", code=str(tmp_path / "a.png"), genes=1)
    assert "psi 0.3 and noise const are not taken" in caplog.text and "the first of 3 codes is taken" in caplog.text
    caplog.clear()
    surveyed.breed(surveyed.sample(2, psi=0.3), count=1)
    assert "are not taken" in caplog.text and "the first of" not in caplog.text
    film = surveyed.walk(str(tmp_path / "a.png"), WalkSettings(seconds=1, fps=4))
    assert film.origin.psi == "0.3" and film.notes == ["drawn as the file says: psi 0.3"]
    assert surveyed.walk(sheet, WalkSettings(seconds=1, fps=4)).texts == film.texts
    caplog.clear()
    stylegenes.open(folder / "labels", label="Hat", device="cpu").breed(surveyed.sample(2), count=1)
    assert "labels makes other pictures" in caplog.text


def test_a_film_has_one_label_and_the_view_of_its_pictures(folder):
    sides = {name: stylegenes.open(folder / "labels", label=name, device="cpu") for name in ("Hat", "Smiling")}
    model, short = stylegenes.open(folder / "labels", device="cpu"), WalkSettings(seconds=1, fps=4)
    pictures = [side.sample(1) for side in sides.values()]
    codes = [picture.codes[0] for picture in pictures]
    mixed = replace(pictures[0], codes=codes, origin=replace(pictures[0].origin, labels=["Hat", "Smiling"]))
    with pytest.raises(UserError, match="a film has one label"):
        model.walk(mixed, short)
    alike = replace(mixed, origin=replace(mixed.origin, labels=["Smiling", "Smiling"]))
    assert model.walk(alike, short).origin.labels == ["Smiling"]
    solid = stylegenes.open("scenes32", device="cpu")
    assert solid.walk(solid.sample(2, view={"yaw": 20}), short).origin.more == {"Yaw": "20"}


def test_begun_draws_of_another_judge_are_not_overruled(folder, tmp_path):
    """A summary stands for fewer draws of its own kind, not for those of another classifier."""
    shutil.copytree(folder / "plain", tmp_path / "m", ignore=shutil.ignore_patterns("genes"))
    stylegenes.open(tmp_path / "m", classifier=Measure(), device="cpu").survey(SURVEY)
    shutil.rmtree(tmp_path / "m" / "genes" / "survey")
    other = Measure()
    other.gain = torch.nn.Parameter(torch.tensor(2.0))
    begun = stylegenes.open(tmp_path / "m", classifier=other, device="cpu")
    begun.survey(SurveySettings(num=256, shard=256, batch=128))
    assert stylegenes.open(tmp_path / "m", classifier=other, device="cpu").statistics.num_draws == 256


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint16, np.uint64])
def test_genotypes_of_any_whole_numbers_are_codes(surveyed, dtype):
    genotypes = np.array([[0, 1, 2, 5], [3, 3, 3, 3]])
    assert surveyed.choose(codes=genotypes.astype(dtype)).strings == surveyed.choose(codes=genotypes).strings
    with pytest.raises(UserError, match="variants of this genome are 0 to 5; got 7 to 9"):
        surveyed.sample(codes=np.full((1, 4), 7, dtype) + np.array([0, 2, 0, 0], dtype))
    strings = np.array(surveyed.choose(codes=genotypes).strings)
    assert surveyed.choose(codes=strings).strings == list(strings)


@pytest.mark.parametrize("label", [np.int64(1), torch.tensor(1), ["Smiling"]])
def test_labels_of_any_library(folder, label):
    model = stylegenes.open(folder / "labels", label=label, device="cpu")
    assert model.sample(1).origin.labels == ["Smiling"]
    for wrong, words in ((["a", "b"], "no label 'a'"), ([np.nan, 0, 0], "finite numbers"), (object(), "a label is")):
        with pytest.raises(UserError, match=words):
            stylegenes.open(folder / "labels", label=wrong, device="cpu")


def test_a_survey_under_a_label_is_that_labels_own(folder):
    everything = stylegenes.open(folder / "labels", classifier=Measure(), device="cpu")
    everything.survey(SURVEY, labels="uniform")
    hats = stylegenes.open(folder / "labels", label="Hat", classifier=Measure(), device="cpu")
    before = hats.statistics.overall
    assert torch.equal(before, everything.statistics.overall), "without a survey of its own, that of all labels counts"
    hats.survey(SURVEY)
    assert (folder / "labels" / "genes" / "label-Hat" / "survey" / "plan.json").is_file()
    drawing = DrawSettings(condition=Condition(torch.eye(3)[:1]))
    pictures = torch.from_numpy(np.stack(list(draw(hats.generator, hats.generator.sample(64), drawing)))).float()
    seen = Measure()(pictures.permute(0, 3, 1, 2) / 127.5 - 1).mean(dim=0)
    assert torch.allclose(hats.statistics.overall.float(), seen, atol=0.03)
    assert not torch.allclose(hats.statistics.overall, before, atol=1e-3)
    edited = hats.edit("Bright=1", seed=1)
    assert edited.origin.labels == ["Hat"] and hats.breed("1,2").origin.labels == ["Hat"]
    assert hats.sample(2, where="Bright=1").origin.labels == ["Hat"]
    with pytest.raises(UserError, match="give one label, or a source of many"):
        hats.survey(SURVEY, labels="uniform")


@pytest.mark.parametrize("space", ["w", "genome", "codebook"])
@pytest.mark.parametrize("name", ["plain", "labels"])
def test_photos_go_in_and_come_out_as_one_record(folder, tmp_path, name, space):
    label = "Hat" if name == "labels" else None
    model = stylegenes.open(folder / name, label=label, device="cpu")
    for i in range(2):
        save_picture(tmp_path / f"{i}.png", model.sample(seeds=[i]).pictures[0])
    found = model.invert(tmp_path, InversionSettings(space, steps=5, tuning_steps=2, calibrate=0))
    assert found.ws.shape[0] == 2 and "Inversion of 2 photos" in repr(found) and found._repr_png_()
    found.save(tmp_path / "out")
    carried = read_sheet(tmp_path / "out" / "comparison.png")
    assert len(carried.codes) == (0 if space == "w" else 2)
    if space == "genome":
        again = np.stack(model.draw(carried.codes).pictures)
        best = min(("l1", "l2", "cosine"), key=lambda row: not np.array_equal(np.stack(found.rows[row]), again))
        assert np.array_equal(np.stack(found.rows[best]), again)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png", "out"], "no state without a folder"


def test_ways_mixing_saving_and_a_module_that_does_not_say_what_it_judges(folder, tmp_path):
    model = stylegenes.open(folder / "plain", classifier=nn.Flatten(), device="cpu")
    assert len(model.interpolate(3, 2)) == 4 and len(model.interpolate(3, 2, ways=("code", "w"), moving=True)) == 6
    assert len(model.mix(seeds="0-3")) == 3 * 9
    again = stylegenes.open(model.save(tmp_path / "saved"), device="cpu")
    assert again.weights == model.weights and again.sample(1).codes == model.sample(1).codes
    with pytest.raises(UserError, match="does not say what its outputs are"):
        _ = model.classifier
    with pytest.raises(UserError, match="no attribute classifier is known"):
        _ = again.classifier


@pytest.mark.parametrize("seeds", [np.array([3, 8]), torch.tensor([3, 8]), (np.int64(3), 8), [torch.tensor(3), 8]])
def test_seeds_may_be_whole_numbers_of_any_library(surveyed, seeds):
    wanted = surveyed.choose(seeds="3,8").strings
    assert surveyed.choose(seeds=seeds).strings == wanted
    assert surveyed.choose(seeds=seeds[0]).strings == wanted[:1]
    assert surveyed.breed(seeds, count=1, seed=np.int64(2)).children == surveyed.breed("3,8", count=1, seed=2).children
    edited = surveyed.edit("Bright=1", seed=seeds[0], genes=1)
    assert edited.before == wanted[0]


@pytest.mark.parametrize("seeds", [[], np.array([], int), [1.5], 1.5, [None], ["x"], [2**70], [[1, 2]]])
def test_what_are_no_seeds_is_refused(surveyed, seeds):
    with pytest.raises(UserError, match="seed"):
        surveyed.sample(seeds=seeds)


@pytest.mark.parametrize("count", [0, -1, 1.5, "3"])
def test_what_is_no_count_is_refused(surveyed, count):
    with pytest.raises(UserError, match=r"seed|count"):
        surveyed.sample(count)


@pytest.mark.parametrize(
    "codes",
    [
        [],
        (),
        5,
        [5],
        torch.zeros(0, 4, dtype=torch.int64),
        torch.zeros(4, dtype=torch.int64),
        torch.zeros(1, 5, dtype=torch.int64),
        torch.zeros(1, 4),
        torch.full((1, 4), 6),
        torch.zeros(1, 4, dtype=torch.bool),
        np.zeros((1, 4), complex),
        np.full((1, 4), -1),
    ],
)
def test_what_are_no_codes_of_the_model_is_refused(surveyed, codes):
    for ask in (surveyed.draw, lambda given: surveyed.edit("Bright=1", code=given)):
        with pytest.raises(UserError, match=r"code|genotype|variants"):
            ask(codes)


def test_genotypes_of_numpy_are_codes_and_sheets_can_be_compared(surveyed):
    genotypes = np.array([[0, 1, 2, 5], [3, 3, 3, 3]])
    sheet = surveyed.draw(genotypes)
    assert sheet.codes == surveyed.draw(torch.tensor(genotypes)).codes
    assert sheet in [sheet]
    assert sheet != surveyed.draw(genotypes)


@pytest.mark.parametrize("view", [{"foo": 3}, {"yaw": "3"}, {"yaw": None}, (30, 10), 30])
def test_what_is_no_view_is_refused(surveyed, view):
    with pytest.raises(UserError, match="view"):
        surveyed.sample(1, view=view)
