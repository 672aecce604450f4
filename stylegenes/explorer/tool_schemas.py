"""What the explorer's API takes and answers about genes, attributes, directions, comparing, photos and runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from stylegenes.explorer.schemas import (
    MOST_CODES,
    Child,
    Code,
    Codes,
    Genes,
    LookText,
    Number,
    Question,
    Share,
    Text,
    Word,
)


class GenotypeQuestion(Question):
    """A genotype as a string, or as a variant for each gene."""

    code: Code | None = None
    variants: Genes | None = None


class Genotype(BaseModel):
    """A genotype both ways."""

    code: str
    variants: list[int]


class SwapQuestion(Question):
    """One variant to exchange."""

    code: Code
    gene: Number
    variant: Number


class Variants(BaseModel):
    """The code with every variant of a gene; the index is the variant."""

    codes: list[str]


class GeneRow(BaseModel):
    """What one gene does to an attribute; lists are by variant."""

    gene: int
    score: float
    explained: float
    q_value: float
    reliability: float
    usage: float
    dead: list[int]
    effect: list[float]
    low: list[float]
    high: list[float]
    count: list[int]
    shrunk: list[float]


class GeneTable(BaseModel):
    """What all genes do to an attribute."""

    attribute: str
    mean: float
    draws: int
    order: list[int]
    acting: int
    genes: list[GeneRow]


class JudgeAnswer(BaseModel):
    """The classifier's probabilities, a row for each code."""

    attributes: list[str]
    probabilities: list[list[float]]


class EditQuestion(Question):
    """Attributes to change by genes."""

    code: Code
    wishes: Text
    hold: Text = ""
    genes: Annotated[int, Field(ge=1, le=64)] = 4
    rank: Share = 1.0
    method: Literal["checked", "statistics"] = "checked"
    look: LookText = "plain"


class AttributeChange(BaseModel):
    """What an edit did to an attribute."""

    name: str
    before: float
    after: float
    requested: float
    achieved: float
    wanted: bool
    held: bool


class Edited(BaseModel):
    """An edited picture, and what changed."""

    child: Child
    genes: list[int]
    attributes: list[AttributeChange]
    side_effect: float
    distance: float
    judge: str


class DirectionRow(BaseModel):
    """The direction of an attribute, and how well it is told apart along it."""

    name: str
    auc: float | None
    balanced_accuracy: float | None
    positives: int


class ComponentRow(BaseModel):
    """A principal component and its share of the variance."""

    name: str
    explained: float


class DirectionsAnswer(BaseModel):
    """The directions of the model."""

    state: Literal["none", "fitting", "ready", "failed", "unavailable"]
    reason: str = ""
    done: int = 0
    total: int = 0
    what: str = ""
    attributes: list[DirectionRow] = []
    components: list[ComponentRow] = []


class MoveStep(Question):
    """A step along a direction, in standard deviations."""

    name: Word
    strength: Annotated[float, Field(ge=-20, le=20)]
    layers: Word = "all"


class MoveQuestion(Question):
    """Steps along directions."""

    code: Code
    moves: Annotated[list[MoveStep], Field(min_length=1, max_length=64)]
    hold: Annotated[list[Word], Field(max_length=64)] = Field(default_factory=list)
    look: LookText = "plain"


class MixQuestion(Question):
    """Rows and columns to mix."""

    rows: Annotated[list[Code], Field(min_length=1, max_length=16)]
    columns: Annotated[list[Code], Field(min_length=1, max_length=16)]
    band: Word = "middle"


class MixAnswer(BaseModel):
    """A code for each row and column."""

    cells: list[list[str]]


class BetweenQuestion(Question):
    """Two codes, and how many steps there are between them."""

    start: Code
    end: Code
    steps: Annotated[int, Field(ge=1, le=120)] = 8


class FilesQuestion(Question):
    """A file to download."""

    kind: Literal["sheet", "mix", "way"]
    codes: Codes
    look: LookText = "plain"
    format: Literal["png", "webp", "gif"] = "png"
    columns: Annotated[int, Field(ge=1, le=MOST_CODES)] | None = None
    captions: (
        Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=MOST_CODES)] | None
    ) = None
    band: Word = "all"
    steps: Annotated[int, Field(ge=1, le=120)] = 24
    moving: bool = False


class Lines(BaseModel):
    """How Python and the command line draw the same."""

    python: str
    cli: str


class InversionBegun(BaseModel):
    """A photo that is on its way, and what the model was given of it."""

    id: str
    steps: int
    space: str
    target: str


class Inverted(BaseModel):
    """What came of a photo."""

    code: str
    projection: str
    verdict: Literal["own", "near", "outside"] | None
    sentence: str
    distance: float
    judge: str


class InversionState(BaseModel):
    """How far a photo is."""

    id: str
    state: Literal["waiting", "running", "done", "cancelled", "failed"]
    done: int
    total: int
    result: Inverted | None
    detail: str


class MetricCurve(BaseModel):
    """A metric over thousand images."""

    name: str
    kimg: list[float]
    value: list[float]
    best: float


class GridAt(BaseModel):
    """The sample grid of a moment."""

    kimg: float
    address: str


class RunAnswer(BaseModel):
    """A training run."""

    name: str
    live: bool
    kimg: float
    total_kimg: float | None
    eta_seconds: float | None
    rate: float | None
    health: str
    kimg_axis: list[float]
    losses: dict[str, list[float | None]]
    signals: dict[str, list[float | None]]
    metrics: list[MetricCurve]
    grids: list[GridAt]
    events: list[str]
