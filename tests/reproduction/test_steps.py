import importlib

import pytest
import tyro

from stylegenes.cli import main
from stylegenes.cli.reproduce import Args, run
from stylegenes.errors import UserError
from stylegenes.recipes import recipe
from stylegenes.reproduction.scale import SCALES, scale_called
from stylegenes.reproduction.steps import base_name, depth_name, mixing_name, steps
from stylegenes.training import apply_overrides


@pytest.fixture(params=SCALES)
def scale(request):
    return SCALES[request.param]


def test_every_command_parses_and_every_recipe_takes_its_settings(scale):
    for step in steps(scale):
        args = tyro.cli(importlib.import_module(f"stylegenes.cli.{step.argv[0]}").Args, args=step.argv[1:])
        if step.trains is not None:
            config = apply_overrides(recipe(args.recipe), args.set)
            assert config.model.latent["name"] in ("genome", "mapping", "gaussian")
            assert step.trains == (str(args.out), args.kimg)


def test_a_step_comes_after_what_it_reads(scale):
    seen: set[str] = set()
    for step in steps(scale):
        assert set(step.needs) <= seen, step.name
        assert step.name not in seen
        seen.add(step.name)


def test_no_two_trainings_are_the_same(scale):
    def what(step):
        words = list(step.argv)
        del words[words.index("--out") : words.index("--out") + 2]
        return tuple(words)

    trainings = [what(step) for step in steps(scale) if step.trains is not None]
    assert len(trainings) == len(set(trainings))


def test_the_usual_depth_and_mixing_are_the_base_model():
    small = scale_called("small")
    assert depth_name(small, "style-based", 2) == mixing_name(small, 0.9) == base_name(small)
    assert depth_name(small, "traditional", 2) != base_name(small) != depth_name(small, "style-based", 8)


def test_an_unknown_scale_is_refused_by_name():
    with pytest.raises(UserError, match="'big'; scales: tiny, small, claims, claims-gpu, paper"):
        scale_called("big")


def test_the_command_names_every_scale(capsys):
    with pytest.raises(SystemExit):
        main.run(["reproduce", "--help"])
    words = " ".join(capsys.readouterr().out.replace("│", "").split())
    *others, last = SCALES
    assert f"{', '.join(others)} or {last} (default: small)" in words


@pytest.mark.parametrize("only", ["", "train-main,", " ,fd-main", "nothing"])
def test_names_of_no_step_are_refused(tmp_path, only):
    """An empty name would begin every step's."""
    with pytest.raises(UserError, match=r"empty name|no step begins"):
        run(Args(out=tmp_path / "run", scale="tiny", only=only))
    assert not any(tmp_path.iterdir())


def test_a_report_of_nothing_makes_no_folder(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        run(Args(out=tmp_path / "mistyped", scale="tiny", report=True))
    assert not any(tmp_path.iterdir())
