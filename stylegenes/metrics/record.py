"""Records of metrics: a number, its error bar and floor, and everything it depends on; one JSON line each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy
import scipy
import torch

from stylegenes.errors import UserError
from stylegenes.files import append_json_line, read_json_lines
from stylegenes.shape import as_record
from stylegenes.version import __version__


def library_versions() -> dict[str, str]:
    """Versions of the libraries that the numbers are made with."""
    return {
        "stylegenes": __version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }


@dataclass(frozen=True)
class Provenance:
    """How a number was obtained. Two numbers are compared only where all of this is equal.

    Attributes:
        judge: name of the frozen network, "" where none was used.
        judge_weights: sha256 of its weights.
        preprocessing: what is done to a picture before it, with the resize filter.
        data: content hash of the real pictures, "" where none were used.
        num_real: how many reals.
        num_fake: how many fakes.
        psi: truncation of the fakes; None where they are files.
        latents: codes mixed in each fake.
        seed: seed of all draws.
        batch: pictures drawn at once (the draws depend on it).
        settings: the metric's own settings.
        versions: library versions.
    """

    judge: str = ""
    judge_weights: str = ""
    preprocessing: str = ""
    data: str = ""
    num_real: int = 0
    num_fake: int = 0
    psi: float | None = 1.0
    latents: int = 1
    seed: int = 0
    batch: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=library_versions)


@dataclass(frozen=True)
class Floor:
    """The same metric between two disjoint random halves of the reals: what a perfect generator might score.

    Attributes:
        value: the metric.
        num: pictures in the smaller half. A floor at fewer pictures than the metric's own lies higher.
    """

    value: float
    num: int


@dataclass(frozen=True)
class Files:
    """The files that pictures were read from, which a metric sees: compression and resizing leave their marks.

    Attributes:
        real: formats of the reals, such as `JPEG of quality 75 (200)`; "" where they are not known.
        fake: formats of the fakes; "" where a generator drew them.
        warning: how the two sides differ, or "".
    """

    real: str = ""
    fake: str = ""
    warning: str = ""


@dataclass(frozen=True)
class MetricRecord:
    """One number.

    Attributes:
        metric: its name, which names the network too (fd_lite0).
        value: the number; None where it could not be obtained.
        subject: what was measured: a path.
        subject_hash: fingerprint of its weights, or content hash of its pictures.
        provenance: how it was obtained.
        spread: standard deviation over repetitions, as `provenance.settings` says; None where there are none.
        floor: real against real; None where the metric has no such thing.
        failure: why there is no number, or "".
        details: numbers that explain it.
        files: what the pictures were read from.
        seconds: how long it took, shared passes not counted.
        created: UTC time in ISO 8601.
    """

    metric: str
    value: float | None
    subject: str
    subject_hash: str
    provenance: Provenance
    spread: float | None = None
    floor: Floor | None = None
    failure: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    seconds: float = 0.0
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def append_record(folder: Path, record: MetricRecord) -> Path:
    """Add a line to `metric-NAME.jsonl` in `folder`. Returns the file."""
    path = folder / f"metric-{record.metric}.jsonl"
    append_json_line(path, asdict(record))
    return path


def read_records(path: Path) -> list[MetricRecord]:
    """The records in a `metric-NAME.jsonl`.

    Raises:
        UserError: when it cannot be read, or holds something else; names the line. A line that is cut short is passed
            over with a warning.
    """
    records = []
    for number, value in enumerate(read_json_lines(path), 1):
        try:
            records.append(as_record(MetricRecord, value, "it"))
        except UserError as error:
            raise UserError(f"line {number} of {path} is no metric record: {error}") from error
    if not records:
        raise UserError(f"{path} holds no metric record")
    return records


def differences(a: MetricRecord, b: MetricRecord) -> list[str]:
    """Which fields forbid a comparison, each with both values; empty where the two may be compared."""
    found = [f"metric: {a.metric!r} and {b.metric!r}"] if a.metric != b.metric else []
    for item in fields(Provenance):
        mine, other = getattr(a.provenance, item.name), getattr(b.provenance, item.name)
        if mine != other:
            found.append(f"{item.name}: {mine!r} and {other!r}")
    return found


def compare(records: list[MetricRecord]) -> list[MetricRecord]:
    """The records from the lowest value to the highest.

    Raises:
        UserError: when any two were obtained in different ways, or one has no value; names the fields.
    """
    for other in records[1:]:
        found = differences(records[0], other)
        if found:
            raise UserError(
                f"{records[0].subject} and {other.subject} were not measured alike and cannot be compared; "
                f"they differ in {'; '.join(found)}"
            )
    failed = [record.subject for record in records if record.value is None]
    if failed:
        raise UserError(f"no value was obtained for {', '.join(failed)}")
    return sorted(records, key=lambda record: record.value if record.value is not None else 0.0)
