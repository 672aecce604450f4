"""Make a trained model part of the package: half precision, a card, and the statistics of a survey where it has genes.

    python assets/ship_model.py runs/0001 avatars32
    python assets/ship_model.py runs/0001 avatars32 --draws 100000 --measure 10000 --notes "Trained on two CPU cores."

RUN is a run folder (its newest snapshot), a snapshot folder or a shipped model. Everything is made beside the model of
that name and takes its place at the end. The same command again goes on with an interrupted survey, which lies in the
cache folder and may be deleted afterwards.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from stylegenes.analysis.summary import FILE, Summary, summarize
from stylegenes.caches import cache_root
from stylegenes.cli import evaluate
from stylegenes.cli.console import Bars, say
from stylegenes.devices import pick_device
from stylegenes.errors import UserError
from stylegenes.files import atomic_folder, write_json
from stylegenes.generator import Generator
from stylegenes.metrics import load_classifier, read_records
from stylegenes.metrics.reference import open_real
from stylegenes.snapshot import MODELS, Card, Snapshot, load_snapshot, save_snapshot
from stylegenes.survey import Draws, Surveyor, conduct, fingerprint

JUDGE, METRICS = "avatars32-judge", "fd,kid,pr,outliers"
LARGEST = 10 * 2**20
"""Bytes that a file of the package may have."""


def survey(snapshot: Snapshot, judge: str, num_draws: int, device: str) -> Summary:
    """Draw and judge, or go on with it; returns what is kept."""
    where = pick_device(device)
    generator, discriminator = snapshot.generator.to(where), snapshot.discriminator
    surveyor = Surveyor(
        generator, load_classifier(judge, where), None if discriminator is None else discriminator.to(where)
    )
    plan = surveyor.plan()
    folder = cache_root() / "surveys" / f"{plan.model[:16]}-{plan.classifier[:16]}"
    with Bars() as bars:

        def on_shard(index: int, draws: Draws) -> bool:
            nonlocal seen
            seen += len(draws)
            bars.update(f"survey in {folder}", min(seen, num_draws), num_draws)
            return False

        seen = 0
        return summarize(conduct(surveyor, folder, plan, num_draws=num_draws, on_shard=on_shard))


def measure(model: Path, source: str, num: int, device: str) -> dict[str, float]:
    """Metrics of `num` pictures against the data, by name."""
    with TemporaryDirectory() as folder:
        out = Path(folder)
        evaluate.run(evaluate.Args(str(model), source, metrics=METRICS, num=num, device=device, out=out))
        records = [record for file in sorted(out.glob("metric-*.jsonl")) for record in read_records(file)]
    return {record.metric: float(f"{record.value:.5g}") for record in records if record.value is not None}


def card_of(snapshot: Snapshot, name: str, notes: str, source: str | None = None) -> Card:
    """The card of the shipped model: the run's own, with a license for the weights and credit for the data.

    The credit is that of `source`, where the data itself takes long to prepare; None takes the data.
    """
    assert snapshot.card.data is not None, "a model in the package names its data"
    artist = open_real(snapshot.card, source, snapshot.generator.synthesis.resolution).description.license
    text = f"{_words(snapshot.generator)} by the recipe {snapshot.card.recipe}. {notes}".strip()
    return replace(
        snapshot.card,
        name=name,
        license=f"Apache-2.0 (weights); the faces it learned from are drawn with {artist.split(' (http')[0]}",
        metrics={},
        notes=f"{text} Stored in half precision.",
    )


def _words(generator: Generator) -> str:
    latent = generator.latent
    known = "with labels" if generator.label_dim else "without labels"
    genes = f"A genome of {latent.num_genes} genes x {latent.num_variants} variants"
    return f"{genes if latent.num_genes else 'A mapping network of Gaussian codes'}, trained {known}"


def ship(run: Path, name: str, args: argparse.Namespace) -> Path:
    """Write the folder of the shipped model, all or nothing."""
    old = load_snapshot(run)
    card = card_of(old, name, args.notes, args.data)
    with atomic_folder(MODELS / name) as folder:
        # The final folder is replaced as a whole, so that model and statistics always belong together.
        made = save_snapshot(folder / "made", old.generator, card, discriminator=old.discriminator, half=True)
        shipped = load_snapshot(made)
        assert card.data is not None
        if args.measure:
            metrics = measure(made, args.data or card.data.source, args.measure, args.device)
            against = f" against {args.data}" if args.data else ""
            card = replace(card, metrics=metrics, notes=f"{card.notes} Metrics by {args.measure:,} pictures{against}.")
            save_snapshot(made, old.generator, card, discriminator=old.discriminator, half=True)
        for file in made.iterdir():
            file.rename(folder / file.name)
        made.rmdir()
        if shipped.generator.latent.num_genes and args.draws:
            survey(shipped, args.judge, args.draws, args.device).save(folder / "genes" / FILE)
            write_json(folder / "genes" / "classifier.json", {"path": args.judge})
        large = [file.name for file in folder.rglob("*") if file.stat().st_size > LARGEST]
        assert not large, f"too large for the package: {', '.join(large)}"
    return MODELS / name


def main() -> None:
    """Ship and say what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--draws", type=int, default=60_000, help="pictures of the survey; 0 for none")
    parser.add_argument("--judge", default=JUDGE, help="name of the shipped classifier that judges them")
    parser.add_argument("--measure", type=int, default=2000, help="pictures of the card's metrics; 0 for none")
    parser.add_argument("--data", help="what metrics compare with and whose license is told (default: its own)")
    parser.add_argument("--notes", default="", help="for the card: what is drawn well and what is not")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    try:
        out = ship(args.run, args.name, args)
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
    say((out / "card.md").read_text(encoding="utf-8"))
    for file in sorted(out.rglob("*.*")):
        say(f"{file.stat().st_size:>10,}  {file.relative_to(out)}")
    say(f"weights {fingerprint(load_snapshot(args.name).generator)[:16]}")


if __name__ == "__main__":
    main()
