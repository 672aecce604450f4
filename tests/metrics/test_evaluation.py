import dataclasses
import json

import pytest
import torch
from metrics_toys import Blobs, MeanColors, toy_generator
from test_path_length import SquaredDistance

from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.metrics import Evaluator, Subject, append_record, budget, compare, read_records
from stylegenes.metrics.frechet import frechet_distance
from stylegenes.metrics.sources import GeneratorSource, block_seed
from stylegenes.perception import EXTRACTORS, FeatureExtractor, ModuleScorer, Scoring
from stylegenes.synthesis import SYNTHESES

DATA = Blobs(n=120)
SCORER = ModuleScorer(lambda x: x[:, :2].mean(dim=(2, 3)) * 0.5 + 0.5, Scoring(["Red", "Green"], 8), weights_hash="s")


def evaluator(**kwargs) -> Evaluator:
    defaults = {"num": 90, "batch": 16, "distance": SquaredDistance(), "classifier": SCORER}
    return Evaluator(DATA, MeanColors(), **(defaults | kwargs))


@pytest.fixture(scope="module")
def records():
    metrics = ["fd", "kid", "pr", "dc", "outliers", "mix", "ppl", "ppl_crop", "separability", "disentanglement"]
    metrics += ["disentanglement_linear"]
    subject = Subject("toy", toy_generator(num_ws=4))
    return {r.metric: r for r in evaluator(num=400).evaluate(subject, metrics)}


def test_every_metric_is_named_after_its_judge(records):
    assert set(records) == {
        *(f"{name}_toy" for name in ("fd", "kid", "precision", "recall", "density", "coverage", "outliers")),
        *(f"fd_toy_mix{n}" for n in (2, 3, 4)),
        *(f"ppl_{space}_{sampling}_toy" for space in "zw" for sampling in ("full", "end")),
        *(f"ppl_{space}_{sampling}_crop_toy" for space in "zw" for sampling in ("full", "end")),
        *(f"{name}_{space}" for name in ("separability", "disentanglement") for space in "zw"),
        *(f"disentanglement_linear_{space}" for space in "zw"),
    }


def test_records_say_how_they_were_obtained(records):
    provenance = records["fd_toy"].provenance
    assert (provenance.data, provenance.num_real, provenance.num_fake) == ("blobs-hash", 120, 400)
    assert provenance.judge_weights == "toy-hash" and "8-bit" in provenance.preprocessing
    assert records["fd_toy"].floor.num == 60
    assert records["kid_toy"].spread > 0
    assert records["fd_toy_mix3"].provenance.latents == 3


def test_one_pass_of_fakes_serves_all():
    extractor = MeanColors()
    list(
        dataclasses.replace(evaluator(), extractor=extractor).evaluate(
            Subject("toy", toy_generator()), ["fd", "kid", "pr", "dc", "outliers"]
        )
    )
    assert extractor.seen == 120 + 90


def test_outliers_come_with_their_floor_and_limit(records):
    record = records["outliers_toy"]
    assert record.provenance.settings == {"quantile": 0.99} and record.details["limit"] > 0
    assert 0 <= record.floor.value < 0.1 and record.floor.num == 60


def test_a_set_against_itself_is_at_distance_zero():
    found = {r.metric: r.value for r in evaluator(num=120).evaluate(Subject("same", pictures=DATA), ["fd", "pr"])}
    assert found["fd_toy"] == pytest.approx(0, abs=1e-9) and found["precision_toy"] == 1


def test_equivariance_is_a_record_without_a_judge():
    spec = {"name": "stylegan3", "resolution": 32, "w_dim": 4, "channel_base": 256, "channel_max": 8, "num_layers": 8}
    generator = Generator(toy_generator().latent, SYNTHESES.build(spec)).eval()
    generator.synthesis.output_scale = 1.0
    (record,) = evaluator(num=4, batch=2).evaluate(Subject("alias-free", generator), ["eq_t"])
    assert record.metric == "eq_t" and record.value > 20 and record.details == {"transforms": 2}
    assert record.provenance.judge == "" and record.provenance.settings == {"max_shift": 0.125, "unit": "dB"}


def test_the_floor_is_the_distance_of_the_halves():
    record = next(evaluator().evaluate(Subject("toy", toy_generator()), ["fd"]))
    real = evaluator().real_features(rows=False)
    halves = [half.moments.gaussian() for half in real.halves]
    assert record.floor.value == pytest.approx(frechet_distance(*halves))


def test_reals_are_cached_on_disk_and_the_work_folder_goes(tmp_path):
    folders = {"cache": tmp_path / "cache", "work": tmp_path / "work"}
    (first,) = evaluator(**folders).evaluate(Subject("toy", toy_generator()), ["fd"])
    extractor = MeanColors()
    (again,) = Evaluator(DATA, extractor, num=90, batch=16, **folders).evaluate(Subject("toy", toy_generator()), ["fd"])
    assert first.value == again.value and extractor.seen == 90
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("metrics", [["kid", "fd"], ["separability", "disentanglement"]], ids=" and ".join)
def test_two_evaluations_at_the_same_time_leave_each_other_alone(tmp_path, metrics):
    """The second begins and ends while the first is in the middle of the fakes that both are made of."""
    subject, work, second = Subject("toy", toy_generator()), tmp_path / "work", []

    def meanwhile(what, *_):
        if what in ("fakes", "labeled draws") and not second:
            second.extend(evaluator(work=work).evaluate(subject, metrics[1:]))

    first = list(evaluator(work=work, on_progress=meanwhile).evaluate(subject, metrics[:1]))
    alone = evaluator().evaluate(subject, metrics)
    assert {r.metric: r.value for r in [*first, *second]} == {r.metric: r.value for r in alone}
    assert not work.exists()


@pytest.mark.parametrize("beside", [False, True])
def test_an_evaluation_that_was_stopped_goes_on_from_its_fakes(tmp_path, beside):
    """Wherever another one was that ran beside it and has ended since."""
    subject, made = Subject("toy", toy_generator()), {"work": tmp_path / "work", "cache": tmp_path / "cache"}

    def stop(what, done, total):
        if what == "fakes" and done > 40:
            raise KeyboardInterrupt

    other = evaluator(**made).evaluate(subject, ["fd", "kid"])
    if beside:
        next(other)
    with pytest.raises(KeyboardInterrupt):
        list(evaluator(**made, on_progress=stop).evaluate(subject, ["fd"]))
    assert len(list(other)) == (1 if beside else 2)
    extractor = MeanColors()
    (record,) = dataclasses.replace(evaluator(**made), extractor=extractor).evaluate(subject, ["fd"])
    assert extractor.seen == 90 - 48 and record.value == next(evaluator().evaluate(subject, ["fd"])).value


def test_noise_of_fakes_is_no_copy_of_their_codes():
    generator, seen = toy_generator(), []

    def look(network, args, kwargs):
        seen.append(torch.randn(16, 4, generator=kwargs["noise"].generator))

    generator.synthesis.register_forward_pre_hook(look, with_kwargs=True)
    pictures = [GeneratorSource(generator, 32, batch=16).block(16, 32) for _ in range(2)]
    assert torch.equal(*pictures) and torch.equal(*seen)
    assert not torch.isin(seen[0], generator.sample(16, torch.Generator().manual_seed(block_seed(0, 16)))).any()


def test_a_metric_never_changes_the_model_or_the_random_state():
    generator = toy_generator("mapping")
    before = {k: v.clone() for k, v in generator.state_dict().items()}
    state = torch.get_rng_state()
    list(evaluator().evaluate(Subject("toy", generator), ["fd", "ppl", "disentanglement"]))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in generator.state_dict().items())


@pytest.mark.parametrize(
    ("subject", "metrics", "kwargs", "message"),
    [
        (Subject("toy", toy_generator()), ["fdd"], {}, "no metric 'fdd'; did you mean 'fd'"),
        (Subject("set", pictures=DATA), ["ppl"], {}, "ppl needs a generator; set is a set of pictures"),
        (Subject("toy", toy_generator()), ["separability"], {"classifier": None}, "stylegenes classifier"),
        (Subject("toy", toy_generator()), ["ppl"], {"distance": None}, "needs a perceptual distance"),
        (Subject("toy", toy_generator()), ["eq_t"], {}, "moves the input .*'squares' has none"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_runs(subject, metrics, kwargs, message):
    with pytest.raises(UserError, match=message):
        next(evaluator(**kwargs).evaluate(subject, ["fd", *metrics]))


def test_psi_is_what_every_metric_of_a_generator_is_measured_at():
    """At zero all pictures are the mean one, and no path leads anywhere."""
    subject, metrics = Subject("toy", toy_generator()), ["ppl", "ppl_crop"]
    records = list(evaluator(psi=0.0).evaluate(subject, metrics))
    assert len(records) == 8 and all(record.value == 0 == record.provenance.psi for record in records)


def test_records_survive_the_file(records, tmp_path):
    for record in (records["fd_toy"], dataclasses.replace(records["fd_toy"], value=1.0)):
        path = append_record(tmp_path, record)
    assert path.name == "metric-fd_toy.jsonl" and len(path.read_text().splitlines()) == 2
    assert read_records(path)[0] == records["fd_toy"]


def test_a_broken_file_of_records_names_the_line(tmp_path):
    path = tmp_path / "metric-x.jsonl"
    path.write_text(json.dumps({"metric": "x"}) + "\n")
    with pytest.raises(UserError, match="line 1"):
        read_records(path)


def test_records_of_one_provenance_are_ordered(records):
    other = dataclasses.replace(records["fd_toy"], value=0.0, subject="better")
    assert [r.subject for r in compare([records["fd_toy"], other])] == ["better", "toy"]


@pytest.mark.parametrize("field", ["data", "num_fake", "judge_weights", "psi", "seed", "preprocessing", "versions"])
def test_records_of_other_provenance_are_refused_by_field(records, field):
    changed = dataclasses.replace(records["fd_toy"].provenance, **{field: "other"})
    with pytest.raises(UserError, match=rf"differ in {field}: .*'other'"):
        compare([records["fd_toy"], dataclasses.replace(records["fd_toy"], provenance=changed)])


def test_other_metrics_are_refused(records):
    with pytest.raises(UserError, match="metric: 'fd_toy' and 'kid_toy'"):
        compare([records["fd_toy"], records["kid_toy"]])


@EXTRACTORS.register("toy")
class RegisteredColors(MeanColors, FeatureExtractor):
    pass


def test_a_budget_is_a_function_of_a_generator():
    evaluate = budget("fd_toy@60, kid_toy@1k", DATA, batch=16)
    generator = toy_generator().train()
    state = torch.get_rng_state()
    found = evaluate(generator)
    assert set(found) == {"fd_toy", "kid_toy"} and found == evaluate(generator)
    assert generator.training and torch.equal(state, torch.get_rng_state())
    direct = next(evaluator(num=60).evaluate(Subject("toy", toy_generator()), ["fd"]))
    assert found["fd_toy"] == pytest.approx(direct.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("fd", "METRIC@NUM"), ("ppl@2k", "METRIC@NUM"), ("fd_lite@2k", "did you mean 'lite0'"), ("fd@1", "at least two")],
)
def test_a_wrong_budget_is_refused_when_it_is_read(text, message):
    with pytest.raises(UserError, match=message):
        budget(text, DATA)
