"""What the API takes and answers: typed models behind its OpenAPI document. Those of the tools: tool_schemas."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from stylegenes.explorer.nodes import LONGEST_NAME, MOST_NODES

MOST_CODES, MOST_CHILDREN = 64, 64
"""In one request."""
LONGEST_CODE = 200_000
"""Letters: all style vectors of the largest networks, and some steps."""
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_CODE)]
LookText = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Text = Annotated[str, StringConstraints(max_length=4_000)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=MOST_CODES)]
Genes = Annotated[list[Annotated[int, Field(ge=0, le=1_000_000)]], Field(max_length=100_000)]
Count = Annotated[int, Field(ge=1, le=MOST_CHILDREN)]
Share = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, le=2**53 - MOST_CHILDREN - 1)]
Temperature = Annotated[float, Field(gt=0, le=100)]
_LONGEST_ARGUMENTS, _DEEPEST_ARGUMENTS = 100_000, 32
Number = Annotated[int, Field(ge=0, le=2**53)]


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """What JSON can hold: no NaN, no half of a letter, and not too long."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("holds what JSON cannot") from error
    if _depth(value) > _DEEPEST_ARGUMENTS:
        raise ValueError(f"holds lists and objects in one another, deeper than {_DEEPEST_ARGUMENTS}")
    if len(text) > _LONGEST_ARGUMENTS:
        raise ValueError(f"is longer than {_LONGEST_ARGUMENTS:,} letters")
    return value


def _depth(value: Any) -> int:
    """How deep lists and objects lie in one another."""
    level, depth = [value], 0
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return depth


def _nameable(name: str) -> str:
    """A name that stands in an address as one part of it."""
    if re.search(r"[/\\\x00-\x1f\x7f]", name) or not name.strip(". "):
        raise ValueError("has letters other than slashes and control characters, and not dots alone")
    return name


Arguments = Annotated[dict[str, Any], AfterValidator(_storable)]
SessionName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME), AfterValidator(_nameable)
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Question(BaseModel):
    """A request; what it does not know is refused, and a number is no text."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong, in a sentence for people."""

    detail: str


class Panel(BaseModel):
    """A part of the page, and why it is absent where it is."""

    name: str
    available: bool
    reason: str = ""


class Limits(BaseModel):
    """The largest that is taken."""

    upload_bytes: int
    upload_pixels: int
    codes: int
    children: int


class ModelInfo(BaseModel):
    """The model; see `Info`."""

    name: str
    reference: str
    hash: str
    weights: str
    kind: Literal["genome", "continuous"]
    height: int
    width: int
    channels: int
    num_ws: int
    w_dim: int
    num_genes: int
    num_variants: int
    bands: dict[str, str]
    noise: bool
    three_d: bool
    label_names: list[str]
    label_dim: int
    label: str
    attributes: list[str]
    string_format: dict[str, Any]
    dead_variants: list[list[int]]
    gene_usage: list[float]
    card: str


class Info(BaseModel):
    """The explorer, its model and what it can serve."""

    version: str
    device: str
    model: ModelInfo | None
    run: bool
    panels: list[Panel]
    limits: Limits


class Status(BaseModel):
    """How busy the worker is."""

    waiting: int
    drawn: int
    dropped: int
    latency_ms: float


class Child(BaseModel):
    """A code and where it comes from."""

    code: str
    operation: str
    parents: list[str] = []
    arguments: Arguments = {}


class DiversityAnswer(BaseModel):
    """How different the members of a population are."""

    genes: float | None
    pictures: float
    judge: str
    pairs: int


class Children(BaseModel):
    """A new population."""

    children: list[Child]
    seed: int
    notes: list[str] = []
    diversity: DiversityAnswer | None = None


class DiceQuestion(Question):
    """New pictures, as seeds or by wish."""

    count: Count = 12
    seed: Seed | None = None
    where: Text = ""
    temperature: Temperature = 0.5
    look: LookText = "plain"
    diversity: bool = False


class MutateQuestion(Question):
    """Children of one picture."""

    code: Code
    count: Count = 12
    rate: Share = 0.1
    locked: Genes = []
    seed: Seed | None = None
    look: LookText = "plain"
    diversity: bool = False


class BreedQuestion(Question):
    """Children of two pictures."""

    parents: Annotated[list[Code], Field(min_length=2, max_length=2)]
    count: Count = 12
    cross: Literal["uniform", "block", "gene"] = "uniform"
    genes: Genes = []
    share: Share = 0.5
    rate: Share = 0.02
    locked: Genes = []
    seed: Seed | None = None
    look: LookText = "plain"
    diversity: bool = False


class CodesQuestion(Question):
    """Pictures to look at together."""

    codes: Codes
    look: LookText = "plain"


class NameQuestion(Question):
    """A name for a session."""

    name: SessionName


class NewSessionNode(Question):
    """A node to add; a negative parent -1, -2, ... is the first, second, ... node of the same request."""

    code: Code
    look: LookText = "plain"
    parents: Annotated[list[Annotated[int, Field(ge=-1000, le=2**53)]], Field(max_length=1000)] = []
    operation: Word
    arguments: Arguments = {}


class NodesQuestion(Question):
    """Nodes to add, and the index of the one to go to."""

    nodes: Annotated[list[NewSessionNode], Field(min_length=1, max_length=1000)]
    select: Annotated[int, Field(ge=0, lt=1000)] | None = None


class SelectQuestion(Question):
    """The node to go to."""

    node: Number


class FavoriteQuestion(Question):
    """Whether a node is a favorite."""

    favorite: bool


class SessionNode(BaseModel):
    """A picture that was made, and how."""

    id: Number
    code: Code
    look: LookText
    parents: Annotated[list[Number], Field(max_length=1000)]
    operation: Word
    arguments: Arguments
    created: Annotated[str, StringConstraints(max_length=40)]
    favorite: bool


class PointerAnswer(BaseModel):
    """Where a session stands."""

    current: int | None
    undo: bool
    redo: bool


class Session(PointerAnswer):
    """A session with all its nodes."""

    name: str
    model: str
    nodes: list[SessionNode]


class AddedNodes(PointerAnswer):
    """The nodes that were added."""

    nodes: list[SessionNode]


class ListedSession(BaseModel):
    """A session in the list of all."""

    name: str
    model: str
    nodes: int
    changed: str


class SessionStep(BaseModel):
    """A step of the history: from the previous one to a node."""

    id: Number
    node: Number
    previous: Number | None


class ExportedSession(BaseModel):
    """A whole session as a file."""

    format: Literal["stylegenes-session"]
    version: Literal[1]
    name: SessionName
    model: Annotated[str, StringConstraints(max_length=100)]
    nodes: Annotated[list[SessionNode], Field(max_length=MOST_NODES)]
    steps: Annotated[list[SessionStep], Field(max_length=1_000_000)]
    step: Number | None
