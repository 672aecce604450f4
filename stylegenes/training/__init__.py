"""Training: from a configuration to a run folder.

    from stylegenes.recipes import recipe
    from stylegenes.training import apply_overrides, train

    config = apply_overrides(recipe("tiny32"), ["data.source=avatars:n=4000", "kimg=100"])
    result = train(config, "runs/demo", max_seconds=180)
    result.finished, result.images, result.snapshot

`train` continues what the run folder holds: the same call again goes on bit-exactly where the last one stopped (on the
CPU), whether it ended by `max_seconds`, Ctrl-C, SIGTERM or a kill. `read_config(folder)` gives the configuration of a
run, to continue it by the folder alone.

A run folder holds `config.json` (resolved), `state.safetensors` (what resumes), `snapshots/last`, `snapshots/best` and
`snapshots/kimg-NNNNNN` (what to use), `samples/NNNNNN.png` (one grid of fixed codes every so many thousand images, and
`samples/reals.png`), `stats.jsonl`, `log.txt` and `tensorboard/`.
"""

from stylegenes.training.config import RunConfig
from stylegenes.training.launch import train
from stylegenes.training.loop import RunResult
from stylegenes.training.machine import Machine
from stylegenes.training.overrides import apply_overrides
from stylegenes.training.resolve import read_config

__all__ = ["Machine", "RunConfig", "RunResult", "apply_overrides", "read_config", "train"]
