import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from crew import together
from toy_genome import ATTRIBUTES, NUM_GENES, LinearClassifier, MeanPixel, ShowW, effects, toy_generator

from stylegenes import shares
from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.draws import pack
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.latents import Gaussian, Genome, genome_of
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.shares import Share
from stylegenes.survey import Survey, Surveyor, SurveyPlan, conduct, shard_seed


def surveyor(**kwargs):
    return Surveyor(toy_generator(), LinearClassifier(effects()), MeanPixel(), **kwargs)


def equal(a, b):
    return all(torch.equal(getattr(a, k), getattr(b, k)) for k in ("genotype", "probability", "realness"))


def test_draws_are_what_the_networks_say(tmp_path):
    networks = surveyor()
    survey = conduct(networks, tmp_path, networks.plan(shard_size=64), num_draws=200)
    assert len(survey) == 256
    draws = survey.load()
    assert draws.genotype.dtype == torch.uint8 and draws.genotype.shape == (256, NUM_GENES)
    pictures = networks.generator(draws.genotype.long())
    assert torch.equal(networks.classifier(pictures.image).half(), draws.probability)
    assert torch.allclose(pictures.image.sum(dim=(1, 2, 3)), draws.realness[:, 0])


def test_wide_genomes_are_stored_in_sixteen_bits(tmp_path):
    generator = Generator(Genome(9, 9, num_variants=300), ShowW(9))
    networks = Surveyor(generator, LinearClassifier(effects()))
    draws = conduct(networks, tmp_path, networks.plan(shard_size=512), num_draws=512).load()
    assert draws.genotype.dtype == torch.uint16 and int(draws.genotype.long().max()) > 255
    assert draws.realness.shape == (512, 0)


def test_a_shard_is_a_function_of_seed_and_number(tmp_path):
    networks = surveyor()
    plan = networks.plan(seed=3, shard_size=32)
    parts = [conduct(networks, tmp_path / "parts", plan, num_draws=160, part=i, num_parts=2) for i in (1, 0)]
    whole = conduct(surveyor(batch_size=7), tmp_path / "whole", plan, num_draws=160)
    assert parts[0].indices() == whole.indices() == [0, 1, 2, 3, 4]
    assert equal(parts[0].load(), whole.load())
    assert not equal(whole.shard(0), whole.shard(1))
    assert not equal(whole.shard(1), networks.draw(networks.plan(seed=4, shard_size=32), 1))


def test_a_longer_survey_begins_with_a_shorter_one_and_keeps_its_shards(tmp_path):
    networks = surveyor()
    plan = networks.plan(shard_size=16)
    conduct(networks, tmp_path, plan, num_draws=32)
    written = (tmp_path / "shard-000001.safetensors").stat().st_mtime_ns
    seen = []
    conduct(networks, tmp_path, plan, num_draws=64, on_shard=lambda index, draws: bool(seen.append(index)))
    assert seen == [0, 1, 2, 3]
    assert (tmp_path / "shard-000001.safetensors").stat().st_mtime_ns == written


def test_the_caller_may_stop_early(tmp_path):
    networks = surveyor()
    survey = conduct(
        networks, tmp_path, networks.plan(shard_size=16), num_draws=640, on_shard=lambda index, draws: index == 2
    )
    assert survey.indices() == [0, 1, 2]


def test_another_plan_is_refused_by_name(tmp_path):
    networks = surveyor()
    conduct(networks, tmp_path, networks.plan(shard_size=16), num_draws=16)
    with pytest.raises(UserError, match=r"seed: 0 there, 5 now"):
        conduct(networks, tmp_path, networks.plan(shard_size=16, seed=5), num_draws=16)
    changed = surveyor()
    genome_of(changed.generator.latent, "this test").variants.data.add_(1)
    with pytest.raises(UserError, match="model:"):
        conduct(changed, tmp_path, changed.plan(shard_size=16), num_draws=16)


@pytest.mark.parametrize(
    ("kwargs", "words"), [({"num_draws": 0}, "at least one"), ({"num_draws": 9, "part": 2}, "part 2")]
)
def test_impossible_requests_are_refused(tmp_path, kwargs, words):
    networks = surveyor()
    with pytest.raises(UserError, match=words):
        conduct(networks, tmp_path, networks.plan(), **kwargs)


@pytest.mark.parametrize(("batch", "shard"), [(10, 16), (8, 14), (32, 6)])
def test_sizes_that_the_discriminator_cannot_judge_are_refused_by_name(tmp_path, batch, shard):
    networks = surveyor(batch_size=batch)
    networks.discriminator.group_size = 4
    with pytest.raises(UserError, match=f"groups of 4.* shards of {shard} in batches of {batch}.*--shard, --batch"):
        conduct(networks, tmp_path / "survey", networks.plan(shard_size=shard), num_draws=16)
    assert not (tmp_path / "survey").exists()


@pytest.mark.parametrize("spec", [{"name": "stylegan2"}, {"name": "progan"}, {"name": "dual"}], ids=str)
def test_discriminators_say_which_pictures_they_compare(spec):
    small = {**spec, **DISCRIMINATORS.get(spec["name"]).example_spec(16)}
    assert DISCRIMINATORS.build(small).group_size == 4
    assert DISCRIMINATORS.build({**small, "mbstd_group_size": None}).group_size is None
    assert DISCRIMINATORS.build({**small, "mbstd_num_channels": 0}).group_size == 1


def test_an_empty_folder_is_no_survey(tmp_path):
    with pytest.raises(UserError, match="holds no survey"):
        Survey(tmp_path)


def test_noise_is_no_copy_of_the_codes_and_the_same_whenever_a_shard_is_made():
    generator, seen = Generator(Gaussian(NUM_GENES), ShowW(NUM_GENES)), []

    def look(network, args, kwargs):
        seen.append(torch.randn(16, NUM_GENES, generator=kwargs["noise"].generator))

    generator.synthesis.register_forward_pre_hook(look, with_kwargs=True)
    networks = Surveyor(generator, LinearClassifier(effects()))
    codes = [networks.draw(networks.plan(shard_size=16, noise="random"), 3).genotype for _ in range(2)]
    assert torch.equal(*seen) and torch.equal(*codes)
    again = generator.sample(16, torch.Generator().manual_seed(shard_seed(networks.plan(), 3)))
    assert not torch.isin(seen[0], again).any()


def test_a_continuous_latent_can_be_surveyed_but_is_no_genome(tmp_path):
    generator = Generator(Gaussian(9), ShowW(9))
    networks = Surveyor(generator, LinearClassifier(effects()))
    draws = conduct(networks, tmp_path, networks.plan(shard_size=16), num_draws=16).load()
    assert draws.genotype.shape == (16, 0) and draws.probability.shape == (16, len(ATTRIBUTES))
    with pytest.raises(UserError, match="pruning needs a genome; this model's latent is a Gaussian"):
        genome_of(generator.latent, "pruning")


_SLOW_SURVEY = """
import sys, time
sys.path.insert(0, {tests!r})
from test_survey import surveyor
from stylegenes.sealed import load_sealed, save_sealed
from stylegenes.survey import conduct
networks = surveyor()
conduct(networks, sys.argv[1], networks.plan(shard_size=64), num_draws=64 * 400,
        on_shard=lambda index, draws: time.sleep(0.005))
"""


def test_a_killed_survey_goes_on_where_it_was(tmp_path):
    script = _SLOW_SURVEY.format(tests=str(Path(__file__).parent))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    while len(list(tmp_path.glob("shard-*"))) < 5 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = Survey(tmp_path).indices()
    assert 5 <= len(left) < 400
    networks = surveyor()
    plan = networks.plan(shard_size=64)
    survey = conduct(networks, tmp_path, plan, num_draws=64 * (len(left) + 2))
    assert all(equal(survey.shard(i), networks.draw(plan, i)) for i in survey.indices())


def test_copies_and_strangers_beside_the_shards_do_not_count(tmp_path):
    networks = surveyor()
    survey = conduct(networks, tmp_path, networks.plan(shard_size=16), num_draws=32)
    content = (tmp_path / "shard-000000.safetensors").read_bytes()
    for name in ("shard-000000 - Copy", "shard-000000 (1)", "shard-x", "shard-", "shard-1", "shard-000001-old"):
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    assert survey.indices() == [0, 1] and len(survey.load()) == 32


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("genotype", torch.zeros(16, NUM_GENES + 1, dtype=torch.uint8)),
        ("genotype", torch.full((16, NUM_GENES), 255, dtype=torch.uint8)),
        ("probability", torch.zeros(16, len(ATTRIBUTES) - 1, dtype=torch.float16)),
        ("probability", torch.full((16, len(ATTRIBUTES)), torch.nan, dtype=torch.float16)),
        ("realness", torch.zeros(15, 1)),
        ("probability", torch.zeros(8, len(ATTRIBUTES), dtype=torch.float16)),
    ],
)
def test_a_shard_of_another_shape_than_the_plans_is_refused(tmp_path, column, value):
    networks = surveyor()
    survey = conduct(networks, tmp_path, networks.plan(shard_size=16), num_draws=16)
    path = tmp_path / "shard-000000.safetensors"
    save_sealed(path, {**load_sealed(path).tensors, column: value})
    with pytest.raises(UserError, match=r"shard-000000\.safetensors is damaged"):
        survey.load()


def test_a_classifier_without_numbers_ends_the_survey(tmp_path):
    broken = Surveyor(toy_generator(), LinearClassifier(effects() * torch.nan), MeanPixel())
    with pytest.raises(UserError, match="probabilities that are no numbers"):
        conduct(broken, tmp_path, broken.plan(shard_size=16), num_draws=16)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_several_processes_make_the_survey_of_one(tmp_path, count):
    networks = surveyor()
    plan, told = networks.plan(shard_size=16), Steps()

    def work(share: Share):
        return conduct(networks, tmp_path / "many", plan, num_draws=160, share=share, on_step=told.append_step(share))

    together(count, work)
    whole = conduct(networks, tmp_path / "one", plan, num_draws=160)
    assert files_of(tmp_path / "many") == files_of(whole.folder)
    assert told.by_rank[0][-1] == (10, 10)


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 3)])
def test_what_is_missing_is_divided_among_another_number(tmp_path, before, after):
    networks, made = surveyor(), []
    plan = networks.plan(shard_size=16)
    together(before, lambda share: conduct(networks, tmp_path, plan, num_draws=160, share=share))
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("shard*")}
    for index in (0, 2, 4, 6, 8):
        (tmp_path / f"shard-{index:06d}.safetensors").unlink()

    def work(share: Share):
        conduct(networks, tmp_path, plan, num_draws=160, share=share, on_step=lambda done, all: made.append(share.rank))

    together(after, work)
    assert sorted(made) == sorted(i % after for i in range(5))
    assert all((tmp_path / name).stat().st_mtime_ns == written[name] for name in written if int(name[6:12]) % 2)
    assert files_of(tmp_path) == files_of(conduct(networks, tmp_path / "one", plan, num_draws=160).folder)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("last", [0, 3, 6])
def test_an_early_end_is_the_same_for_several_processes(tmp_path, count, last):
    networks = surveyor()
    plan = networks.plan(shard_size=16)

    def enough(index, draws):
        return index == last

    together(count, lambda share: conduct(networks, tmp_path / "a", plan, num_draws=160, share=share, on_shard=enough))
    conduct(networks, tmp_path / "b", plan, num_draws=160, on_shard=enough)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_processes_of_other_folders_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(shares, "_PATIENCE_SECONDS", 0.1)
    networks = surveyor()
    plan = networks.plan(shard_size=16)

    def work(share: Share):
        conduct(networks, tmp_path / str(share.rank // 2), plan, num_draws=160, share=share)

    with pytest.raises(UserError, match=r"process 2 on .* does not see what process 0 writes to"):
        together(3, work)
    assert not list(tmp_path.rglob(".met*"))


class Steps:
    """What each process was told of its progress."""

    def __init__(self) -> None:
        self.by_rank: dict[int, list[tuple[int, int]]] = {}

    def append_step(self, share: Share):
        steps = self.by_rank.setdefault(share.rank, [])
        return lambda done, total: steps.append((done, total))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.*")}


@pytest.mark.parametrize("variants", [2, 256, 257, 65_536, 65_537, 1_000_000])
def test_genotypes_of_any_number_of_variants_are_packed_without_loss(variants):
    code = torch.tensor([[0, variants // 2, variants - 1]])
    packed = pack(code, SurveyPlan("", "", "", [], 3, variants))
    assert torch.equal(packed.long(), code)
