import json

from stylegenes.training.history import METRICS_FILE, plot_history, read_history


def test_the_later_line_of_a_kimg_counts_and_the_figure_is_written(tmp_path):
    lines = [{"kimg": 1, "fd": 5.0}, {"kimg": 2, "fd": 4.0}, {"kimg": 1, "fd": 3.0, "kid": 0.1}]
    (tmp_path / METRICS_FILE).write_text("\n".join(map(json.dumps, lines)))
    assert read_history(tmp_path) == [lines[2], lines[1]]
    assert plot_history(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_a_run_without_evaluations_has_an_empty_history(tmp_path):
    assert read_history(tmp_path) == []
