"""The work of `stylegenes directions` and `stylegenes move`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from stylegenes.analysis.directions import Directions, Fit, FitResult, FitSettings, Penalty, fit_directions
from stylegenes.analysis.latent_files import Steps, load_steps, paper_table, save_directions
from stylegenes.analysis.latent_plots import plot_fits, plot_sparsity, write_figure
from stylegenes.analysis.moves import MoveEffect, combine, measure_move, move
from stylegenes.analysis.samples import (
    LabeledCodes,
    attribute_index,
    label_samples,
    latent_spaces,
    read_labels,
    survey_labels,
    write_labels,
)
from stylegenes.analysis.sparsity import sparsity_study
from stylegenes.cli.console import progress, say, show_table
from stylegenes.cli.opened import Opened, evenly, open_classifier, open_model, open_perceptual, write_strip
from stylegenes.errors import UserError
from stylegenes.files import write_table
from stylegenes.notation import parse_layers
from stylegenes.perception import AttributeClassifier
from stylegenes.perception.trust import warn_of_doubts
from stylegenes.survey import Survey, fingerprint

if TYPE_CHECKING:
    from stylegenes.cli import directions as directions_verb
    from stylegenes.cli import move as move_verb

_SHOWN = 6
"""Attributes that get a strip and a line in the sparsity figure: those told apart best."""
_COLUMNS = 7
"""Pictures in a row of a strip."""
_STEPS = 2.0
"""Length of the moves whose effects are tabled, in standard deviations along the direction."""


def run(args: directions_verb.Args) -> None:
    """Everything that `stylegenes directions` does."""
    if sum(given is not None for given in (args.survey, args.labels)) > 1:
        raise UserError("--survey and --labels each say where labels come from; give one of them")
    if args.classifier is None and args.survey is None and args.labels is None:
        raise UserError("labels are needed: give --classifier, --survey or --labels")
    opened = open_model(args.snapshot, args.label, args.device)
    classifier = open_classifier(args.classifier, opened.device)
    if classifier is not None and args.survey is None and args.labels is None:
        warn_of_doubts(classifier, _names(args.attributes, list(classifier.attributes)))
    samples = _chosen(_samples(args, opened, classifier), args.attributes)
    write_labels(args.out / "samples.csv", opened.generator, samples)
    results = _fit(args, opened, samples)
    best = [fit.attribute for fit in _best(results)]
    if classifier is None:
        say("no --classifier: what moving along the directions changes was not measured")
        return
    _write_effects(args.out, opened, classifier, results, samples)
    if best:
        _write_sparsity(args, opened, classifier, samples, best)


def _samples(args: directions_verb.Args, opened: Opened, classifier: AttributeClassifier | None) -> LabeledCodes:
    if args.labels is not None:
        return read_labels(args.labels, opened.generator)
    if args.survey is not None:
        whole = survey_labels(Survey(args.survey), opened.generator)
        return LabeledCodes(whole.codes[: args.samples], whole.probabilities[: args.samples], whole.attributes)
    assert classifier is not None
    with progress("judging samples") as report:
        random = opened.random(args.seed)
        return label_samples(
            opened.generator, classifier, args.samples, random=random, condition=opened.condition, progress=report
        )


def _names(attributes: str | None, known: list[str]) -> list[str]:
    """The wanted attributes; a name that is not known is refused before thousands of pictures are judged."""
    names = [name.strip() for name in attributes.split(",")] if attributes is not None else known
    return [known[attribute_index(known, name)] for name in names]


def _chosen(samples: LabeledCodes, attributes: str | None) -> LabeledCodes:
    if attributes is None:
        return samples
    names = _names(attributes, samples.attributes)
    columns = [attribute_index(samples.attributes, name) for name in names]
    return LabeledCodes(samples.codes, samples.probabilities[:, columns], names)


def _fit(args: directions_verb.Args, opened: Opened, samples: LabeledCodes) -> dict[tuple[str, Penalty], FitResult]:
    penalties: list[Penalty] = ["l1", "l2"] if args.penalty == "both" else [args.penalty]
    spaces = latent_spaces(opened.generator, samples.codes, condition=opened.condition)
    model, results = fingerprint(opened.generator), {}
    for penalty in penalties:
        for space, coordinates in spaces.items():
            settings = FitSettings(penalty, args.c, seed=args.seed)
            with progress(f"fitting {space} by {penalty}") as report:
                found = fit_directions(
                    space, coordinates, samples.probabilities, samples.attributes, settings, progress=report
                )
            save_directions(args.out / f"{space}-{penalty}", found.directions, found.fits, model)
            results[space, penalty] = found
        fits = [fit for (_, one), found in results.items() if one == penalty for fit in found.fits]
        table = paper_table(fits)
        write_table(args.out / f"table-{penalty}.csv", table)
        write_figure(args.out / f"auc-{penalty}.png", plot_fits(fits))
        show_table(table, f"{penalty.upper()}, C = {args.c:g}, 10 folds, {len(samples)} samples")
    write_table(args.out / "fits.csv", [asdict(fit) for found in results.values() for fit in found.fits])
    say(f"tables, figures and directions in {args.out}")
    return results


def _best(results: dict[tuple[str, Penalty], FitResult]) -> list[Fit]:
    """The attributes told apart best in w, those with a direction."""
    found = next(result for (space, _), result in results.items() if space == "w")
    usable = [fit for fit in found.fits if fit.scored and fit.nonzero]
    return sorted(usable, key=lambda fit: -fit.auc)[:_SHOWN]


def _write_effects(
    out: Path,
    opened: Opened,
    classifier: AttributeClassifier,
    results: dict[tuple[str, Penalty], FitResult],
    samples: LabeledCodes,
) -> None:
    """What a move along each direction in w changes, and strips of the best ones."""
    found = next(result for (space, _), result in results.items() if space == "w")
    perceptual, ws = open_perceptual(opened.device), opened.ws(samples.codes[:64])
    usable = [fit.attribute for fit in found.fits if fit.nonzero]
    rows = []
    with progress("measuring side effects") as report:
        for done, name in enumerate(usable, start=1):
            moved = move(ws, found.directions.vector(name), _STEPS)
            effect = measure_move(
                opened.generator, classifier, ws, moved, perceptual=perceptual, condition=opened.condition
            )
            rows.append({"moved": name, **effect_row(effect, name)})
            report(done, len(usable))
    if rows:
        write_table(out / "effects.csv", rows)
        brief = [{key: row[key] for key in list(row)[:5]} for row in rows]
        show_table(brief, f"moves of {_STEPS:g} standard deviations in W, {len(ws)} pictures")
        _write_strips(out, opened, found.directions, [fit.attribute for fit in _best(results)])


def effect_row(effect: MoveEffect, name: str) -> dict[str, Any]:
    """One move as a row: the wanted change, the side effects, the distance, and every attribute's change."""
    column = attribute_index(effect.attributes, name) if name in effect.attributes else -1
    changes = dict(zip(effect.attributes, effect.change.tolist(), strict=True))
    return {
        "change": changes.get(name, float("nan")),
        "flipped": float(effect.flipped[column]) if column >= 0 else float("nan"),
        "side effect": effect.side_effect([name]),
        effect.distance_name or "distance": effect.distance,
        **{f"change of {other}": value for other, value in changes.items()},
    }


def _write_strips(out: Path, opened: Opened, directions: Directions, names: list[str]) -> None:
    """A row an attribute, from the mean of w: no luck of a draw, and all rows have the same middle."""
    ws = opened.generator.broadcast(opened.generator.latent.mean(opened.condition)[:1])
    strengths = [3 * position for position in evenly(_COLUMNS)]
    moved = [move(ws, directions.vector(name), strength) for name in names for strength in strengths]
    captions = [f"{name} {strength:+g}" for name in names for strength in strengths]
    resolution = opened.generator.synthesis.resolution
    write_strip(out / "strips.png", opened.pictures(torch.cat(moved)), len(strengths), captions, resolution)


def _write_sparsity(
    args: directions_verb.Args,
    opened: Opened,
    classifier: AttributeClassifier,
    samples: LabeledCodes,
    attributes: list[str],
) -> None:
    with progress("counting coordinates") as report:
        rows = sparsity_study(
            opened.generator,
            classifier,
            samples,
            attributes,
            random=opened.random(args.seed + 1),
            condition=opened.condition,
            progress=report,
        )
    table = [asdict(row) for row in rows]
    write_table(args.out / "sparsity.csv", table)
    write_figure(args.out / "sparsity.png", plot_sparsity(rows))
    show_table(table, "how few coordinates carry an attribute (L1, W)")


def run_move(args: move_verb.Args) -> None:
    """Everything that `stylegenes move` does."""
    opened = open_model(args.snapshot, args.label, args.device)
    steps = load_steps(args.directions)
    if steps.model != fingerprint(opened.generator):
        say("note: these directions were found with other weights than this model's; expect less of them")
    codes, layers = opened.codes(args.seeds, args.codes), parse_layers(args.layers, opened.generator)
    hold = [name.strip() for name in args.hold.split(",")] if args.hold else []
    vectors = [steps.vector(name, hold) for name in args.name.split(",")]
    if len(vectors) > 2:
        raise UserError("give one direction, or two with a comma between to combine their edits")
    positions = evenly(_COLUMNS)
    rows = [_moved(opened, steps, codes, vectors, args.strength, position, layers) for position in positions]
    pictures = opened.pictures(torch.stack(rows, dim=1).flatten(0, 1))
    captions = [_caption(args.name.split(","), args.strength, position) for position in positions] * len(codes)
    write_strip(args.out, pictures, _COLUMNS, captions, opened.generator.synthesis.resolution)
    say(f"{len(codes)} {'code' if len(codes) == 1 else 'codes'} moved along {args.name} in {args.out}")
    _report_move(args, opened, codes, rows)


def _moved(
    opened: Opened,
    steps: Steps,
    codes: torch.Tensor,
    vectors: Sequence[torch.Tensor],
    strength: float,
    position: float,
    layers: list[int],
) -> torch.Tensor:
    """Style vectors at a position from -1 to 1: of one direction's move, or between two directions' moves."""
    if len(vectors) == 1:
        return _step(opened, steps, codes, vectors[0], strength * position, layers)
    first, second = (_step(opened, steps, codes, vector, strength, layers) for vector in vectors)
    return combine(first, second, (position + 1) / 2)


def _step(
    opened: Opened, steps: Steps, codes: torch.Tensor, vector: torch.Tensor, strength: float, layers: list[int]
) -> torch.Tensor:
    ws = opened.ws(codes)
    if steps.space == "w":
        return move(ws, vector, strength, layers)
    moved = opened.ws(codes + strength * vector.to(codes))
    chosen = torch.tensor([layer in layers for layer in range(ws.shape[1])], device=ws.device)
    return torch.where(chosen[None, :, None], moved, ws)


def _caption(names: Sequence[str], strength: float, position: float) -> str:
    """The strength of one move; or how much of the second of two edits, whose names stand at the ends."""
    if len(names) == 1:
        return f"{strength * position:+.2g}"
    return names[0] if position == -1 else names[1] if position == 1 else f"{(position + 1) / 2:.0%}"


def _report_move(args: move_verb.Args, opened: Opened, codes: torch.Tensor, rows: Sequence[torch.Tensor]) -> None:
    """Side effects at both ends, where a classifier is given."""
    classifier = open_classifier(args.classifier, opened.device)
    if classifier is None:
        return
    warn_of_doubts(classifier, args.name.split(","))
    perceptual, ws = open_perceptual(opened.device), opened.ws(codes)
    table = []
    for end, moved in (("left", rows[0]), ("right", rows[-1])):
        effect = measure_move(
            opened.generator, classifier, ws, moved, perceptual=perceptual, condition=opened.condition
        )
        table.append({"end": end, **effect_row(effect, args.name.split(",")[0])})
    write_table(args.out.with_suffix(".csv"), table)
    show_table([{key: row[key] for key in list(row)[:5]} for row in table], f"{args.name}, against the original")
    say(f"every attribute's change in {args.out.with_suffix('.csv')}")
