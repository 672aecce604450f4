import pytest

from stylegenes.cli import reproduce
from stylegenes.errors import UserError
from stylegenes.reproduction.claims import verdicts
from stylegenes.reproduction.results import Results
from stylegenes.reproduction.scale import TINY
from stylegenes.reproduction.tables import all_tables


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_tiny_reproduction_fills_every_table(tmp_path):
    reproduce.run(reproduce.Args(out=tmp_path, scale="tiny"))
    results = Results(tmp_path, TINY)
    assert all(table.is_measured for table in all_tables(results))
    assert all(verdict.holds != "not measured" for verdict in verdicts(results))
    assert (tmp_path / "report.html").read_text().count("<section") == len(all_tables(results))


def test_a_rehearsal_trains_nothing(tmp_path, capsys):
    reproduce.run(reproduce.Args(out=tmp_path / "new", scale="paper", dry_run=True))
    assert not (tmp_path / "new").exists()
    said = capsys.readouterr().out
    assert "--recipe ffhq256-mapping" in said and "every command parses" in said


@pytest.mark.parametrize(
    ("only", "count"), [("survey", 2), (" prune ", 3), ("prune-o", 9), ("prune,fd-main-genome-s1", 5)]
)
def test_a_whole_name_is_that_step_and_a_beginning_all_that_begin_so(capsys, only, count):
    reproduce.run(reproduce.Args(scale="claims", only=only, dry_run=True))
    assert f"claims: {count} steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"scale": "huge"}, "scales: tiny, small, claims, claims-gpu, paper"),
        ({"only": "table9"}, "no step begins with 'table9'; steps: train-main"),
        ({"max_minutes": 0.0}, "must be positive"),
        ({"scale": "paper"}, "needs ffhq, church, .*celeba-second-judge in .*link to"),
        ({"jobs": 0}, "at least 1"),
    ],
)
def test_wrong_input_is_said(tmp_path, args, message):
    with pytest.raises(UserError, match=message):
        reproduce.run(reproduce.Args(out=tmp_path, **args))
