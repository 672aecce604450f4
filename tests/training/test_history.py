import json

import pytest
from matplotlib.figure import Figure

from stylegenes.training.history import METRICS_FILE, add_to_history, plot_history, read_history


def test_the_later_line_of_a_kimg_counts_and_the_figure_is_written(tmp_path):
    lines = [{"kimg": 1, "fd": 5.0}, {"kimg": 2, "fd": 4.0}, {"kimg": 1, "fd": 3.0, "kid": 0.1}]
    (tmp_path / METRICS_FILE).write_text("\n".join(map(json.dumps, lines)))
    assert read_history(tmp_path) == [lines[2], lines[1]]
    assert plot_history(tmp_path).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("lowest", [-0.002, 0.001])
def test_the_figure_shows_all_points_and_zero(tmp_path, monkeypatch, lowest):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, part, **_: (figures.append(figure), part.write_bytes(b"")))
    add_to_history(tmp_path, 1000, {"kid": 0.01})
    add_to_history(tmp_path, 2000, {"kid": lowest})
    low, high = figures[-1].axes[0].get_ylim()
    assert low <= min(0, lowest) and high > 0.01 and (low == 0) == (lowest > 0)


def test_a_run_without_evaluations_has_an_empty_history(tmp_path):
    assert read_history(tmp_path) == []
