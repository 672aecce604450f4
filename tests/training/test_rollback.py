"""Roll-backs in a row: the learning rates fall each time, and the status line stays sensible."""

import json

import pytest
import tiny_run

from stylegenes.errors import UserError
from stylegenes.training import train
from stylegenes.training.report import duration
from stylegenes.training.step import Stepper


def test_rollbacks_in_a_row_compound(tmp_path, caplog, monkeypatch):
    """The state is written once, at the start; three losses are not finite, the fourth would be one too many."""
    rates, step = [], Stepper.step

    def fail(self, real, **kwargs):
        results = step(self, real, **kwargs)
        rates.append(self.players.optimizers["D"].param_groups[0]["lr"] / self.players.learning_rates["D"])
        if kwargs["step"] == 4:
            results[0].grad_norm.fill_(float("nan"))
        return results

    monkeypatch.setattr(Stepper, "step", fail)
    config = tiny_run.tiny_config("intervals.tick_seconds=0")
    with pytest.raises(UserError, match="4 times in a row"):
        train(config, tmp_path, data=tiny_run.TinyData(), machine=tiny_run.Machine("cpu"), quiet=True)
    assert rates[::5] == pytest.approx([1, 0.7, 0.49, 0.343])
    assert [word for word in ("x 0.70", "x 0.49", "x 0.34") if word not in caplog.text] == []
    ticks = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert len(ticks) == 16 and all(tick["rate"] > 0 and 0 <= tick["eta"] < 1e5 for tick in ticks)


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan"), 2e12])
def test_no_forecast_is_a_question_mark(seconds):
    assert duration(seconds) == "?"
    assert duration(3e6) == "34d 17h"
