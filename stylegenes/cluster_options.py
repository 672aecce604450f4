"""What a cluster is asked for: sbatch's options and submitit's, by either's names, from words or a YAML file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from stylegenes.errors import UserError
from stylegenes.words import did_you_mean

Cluster = Literal["slurm", "local"]

_MINUTES = 240
_MOST_REQUEUES = 100_000
"""A long training passes through many time limits; each time it has gone on from its last state."""
_NUMBERS = ("array_parallelism", "cpus_per_task", "cpus_per_gpu", "gpus_per_node", "signal_delay_s")
_WORDS = ("account", "comment", "constraint", "exclude", "exclusive", "gres", "mail_type", "mail_user", "mem",
          "mem_per_cpu", "mem_per_gpu", "nodelist", "partition", "qos", "setup", "time")  # fmt: skip
_PASSED_ON = ("clusters", "licenses", "nice", "reservation")
"""Options of sbatch that submitit does not know by name."""
KEYS = tuple(sorted((*_NUMBERS, *_WORDS, *_PASSED_ON)))
_SAME = {"timeout_min": "time", "mem_gb": "mem", "gpus": "gpus_per_node", "cpus": "cpus_per_task",
         "parallel": "array_parallelism", "mem_per_gpu_gb": "mem_per_gpu"}  # fmt: skip
_OURS = {
    "job_name": "jobs are named after the command",
    "nodes": "a job is one task on one node; several nodes train with scripts/train.sbatch",
    "ntasks_per_node": "a job is one task, which starts a process for each of its GPUs",
    "tasks_per_node": "a job is one task, which starts a process for each of its GPUs",
    "array": "the arrays are made from what is to do; array_parallelism bounds the jobs at once",
    "dependency": "jobs wait for what they read without being told",
    "signal": "signal_delay_s says how many seconds before the limit a job is asked to save",
    "output": "logs lie in the folder's jobs/ and logs/",
    "error": "logs lie in the folder's jobs/ and logs/",
}


@dataclass(frozen=True)
class ClusterOptions:
    """Where jobs run and what each is given.

    Attributes:
        cluster: `slurm`, or `local` for processes of this machine.
        given: options of sbatch by the names of `KEYS`.
    """

    cluster: Cluster
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def devices(self) -> int:
        """Processes of a training in a job: one for each GPU."""
        return max(int(self.given.get("gpus_per_node", 1)), 1)

    def executor(self, folder: Path) -> Any:
        """submitit's executor.

        Args:
            folder: for its files; `%j` in it stands for a job's number.

        Raises:
            UserError: without submitit or a cluster, or for options that it refuses.
        """
        try:
            import submitit
        except ImportError as error:
            raise UserError("--submit needs submitit: pip install 'stylegenes[cluster]'") from error
        try:
            executor = submitit.AutoExecutor(folder, cluster=self.cluster, slurm_max_num_timeout=_MOST_REQUEUES)
        except RuntimeError as error:
            raise UserError(
                f"{error} --submit slurm is for a node from which sbatch works; try --submit local"
            ) from error
        try:
            executor.update_parameters(**self._parameters())
        except (ValueError, TypeError) as error:
            raise UserError(f"--slurm: {error}") from error
        return executor

    def _parameters(self) -> dict[str, Any]:
        """As submitit's executor for any cluster takes them."""
        plain = {key: value for key, value in self.given.items() if key not in _PASSED_ON}
        shared = {"timeout_min": plain.pop("time", _MINUTES), "name": "stylegenes", "tasks_per_node": 1}
        for key in ("gpus_per_node", "cpus_per_task"):
            if key in plain:
                shared[key] = plain.pop(key)
        if self.cluster == "local":
            return shared
        passed_on = {key.replace("_", "-"): self.given[key] for key in _PASSED_ON if key in self.given}
        slurm = {f"slurm_{key}": value for key, value in {"signal_delay_s": 120, **plain}.items()}
        return {**shared, **slurm, "slurm_additional_parameters": passed_on}

    def submit(self, executor: Any, work: Sequence[Any], more: Mapping[str, Any]) -> list[Any]:
        """Hand over callables as one array, or one job; returns submitit's handles.

        Args:
            executor: of `executor`.
            work: what each job calls.
            more: options of this array alone.

        Raises:
            UserError: when the cluster refuses it.
        """
        from submitit.core.utils import FailedJobError

        try:
            executor.update_parameters(**{"slurm_dependency": None, **more} if self.cluster == "slurm" else {})
            with executor.batch():
                handles = [executor.submit(one) for one in work]
            return [_known(handle) for handle in handles]
        except FailedJobError as error:
            raise UserError(f"sbatch refused the jobs: {str(error).strip()}; see --slurm") from error


def _known(handle: Any) -> Any:
    """A handle that has its number."""
    assert handle.job_id
    return handle


def read_options(cluster: Cluster, words: Sequence[str]) -> ClusterOptions:
    """Options from `KEY=VALUE` words and YAML files; later ones win.

    Args:
        cluster: where jobs run.
        words: of `--slurm`.

    Raises:
        UserError: for an unknown option, a value that it does not take, or a file that cannot be read.
    """
    given: dict[str, Any] = {}
    for word in words:
        if word.endswith((".yaml", ".yml")):
            pairs = _read_yaml(Path(word))
        elif "=" in word:
            name, _, value = word.partition("=")
            pairs = {name: value}
        else:
            raise UserError(
                f"--slurm {word!r} is neither KEY=VALUE, as in partition=gpu, nor a .yaml file of such pairs"
            )
        for name, value in pairs.items():
            key = _key(str(name))
            given[key] = _value(key, value)
    return ClusterOptions(cluster, given)


def _key(name: str) -> str:
    key = name.strip().lstrip("-").lower().replace("-", "_").removeprefix("slurm_")
    key = _SAME.get(key, key)
    if key in _OURS:
        raise UserError(f"--slurm {name}: {_OURS[key]}")
    if key not in KEYS:
        raise UserError(f"--slurm has no option {name!r}{did_you_mean(key, KEYS, 'options')}")
    return key


def _value(key: str, value: Any) -> Any:
    text = str(value).strip()
    if not text or value is None:
        raise UserError(f"--slurm {key} has no value")
    if key == "time":
        return _minutes(text)
    if key in _NUMBERS:
        if not text.isdecimal() or (int(text) == 0 and key != "gpus_per_node"):
            raise UserError(f"--slurm {key}={text} must be a whole number, at least 1")
        return int(text)
    if key == "mem" and re.fullmatch(r"\d+(\.\d+)?", text):
        return f"{text}GB"
    if key == "setup":
        return value if isinstance(value, list) else [text]
    return True if key == "exclusive" and text.lower() in ("true", "yes") else text


def _minutes(text: str) -> int:
    """sbatch's forms of a time: minutes, minutes:seconds, h:m:s, days-h, days-h:m, days-h:m:s."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if found is None:
        raise UserError(f"--slurm time={text} is no time; write minutes, h:mm:ss or days-hh:mm:ss")
    days, *rest = found.groups()
    first, second, third = (int(number or 0) for number in rest)
    if days is not None:
        seconds = (int(days) * 24 + first) * 3600 + second * 60 + third
    elif rest[2] is not None:
        seconds = first * 3600 + second * 60 + third
    else:
        seconds = first * 60 + second
    if seconds < 60:
        raise UserError(f"--slurm time={text} is shorter than a minute")
    return -(-seconds // 60)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise UserError("a YAML file of options needs PyYAML: pip install 'stylegenes[cluster]'") from error
    try:
        # Every value as it is written: YAML takes 4:00:00 for a number in base 60.
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"--slurm {path} cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(found, dict):
        raise UserError(f"--slurm {path} holds no options; it should have lines like partition: gpu")
    return found
