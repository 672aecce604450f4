import pytest
import torch
from toy_genome import ATTRIBUTES, NUM_VARIANTS, LinearClassifier, effects

from stylegenes.analysis.editing import (
    Constraints,
    Edit,
    Strength,
    difference_map,
    edit,
    edit_checked,
    editor,
    evaluate_edit,
    redraw,
    traverse,
)
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.analysis.wishes import parse_where
from stylegenes.errors import UserError
from stylegenes.perception import PerceptualDistance


class MeanSquare(PerceptualDistance):
    name, weights_hash = "mse", ""

    def forward(self, a, b):
        return (a - b).square().mean(dim=(1, 2, 3))


def middle(labeler, level=0.1):
    """A genotype whose variants all lie near `level`."""
    return (labeler.generator.latent.variants[..., 0] - level).abs().argmin(dim=1)


def wishes(text):
    return parse_where(text, ATTRIBUTES)


@pytest.mark.parametrize("present", [1, 0])
def test_an_edit_does_what_was_requested(labeler, report, present):
    wish = wishes(f"Smiling={present}")
    made = edit(report, middle(labeler), wish, Strength(num_genes=1))
    seen = evaluate_edit(labeler, made, wish, MeanSquare())
    assert made.genes == [2]
    assert seen.after[0] == pytest.approx(0.95 if present else 0.05, abs=0.01)
    assert seen.achieved[0] == pytest.approx(float(made.predicted[0]), abs=0.02)
    assert seen.achieved[1] == 0 and seen.achieved[2].abs() > 0.05
    assert seen.side_effect == pytest.approx(float(seen.achieved[2].abs()) / 2)
    assert seen.distance == pytest.approx(float((seen.pictures[0] - seen.pictures[1]).square().mean()))


def test_rank_grades_the_strength(labeler, report):
    wish, start = wishes("Smiling=1"), middle(labeler)
    changes = [
        float(evaluate_edit(labeler, edit(report, start, wish, Strength(1, rank)), wish, MeanSquare()).achieved[0])
        for rank in (0, 0.34, 0.67, 1)
    ]
    assert changes[0] == 0 and changes == sorted(set(changes))


def test_held_genes_stay(labeler, report):
    made = edit(report, middle(labeler), wishes("Young=1"), Strength(2), Constraints(genes=[7]))
    assert 7 not in made.genes and made.after[7] == made.before[7] and 2 in made.genes


def test_holding_an_attribute_avoids_its_genes(labeler, report):
    wish, constraints = wishes("Young=1"), Constraints(attributes=[0])
    free = evaluate_edit(labeler, edit(report, middle(labeler), wish, Strength(2)), wish, MeanSquare())
    held = evaluate_edit(labeler, edit(report, middle(labeler), wish, Strength(2), constraints), wish, MeanSquare())
    assert free.achieved[0].abs() > 0.2
    assert held.achieved[0].abs() < 1e-6 and held.achieved[2] > 0.2


def test_later_wishes_leave_earlier_genes_alone(labeler, report):
    made = edit(report, middle(labeler), wishes("Smiling=1,Young=1"), Strength(1))
    assert made.genes == [2, 7]


class Fickle(LinearClassifier):
    """Smiling goes against its gene wherever the last gene is negative."""

    def forward(self, images):
        flip = torch.where(images.flatten(1)[:, -1:] < 0, -1.0, 1.0)
        p = super().forward(images)
        return torch.cat([0.5 + (p[:, :1] - 0.5) * flip, p[:, 1:]], dim=1)


def test_a_checked_edit_sees_that_this_picture_is_another_case(labeler, report):
    fickle, wish = CodeLabeler(labeler.generator, Fickle(effects())), wishes("Smiling=1")
    start = middle(labeler, level=-0.1)
    blind = evaluate_edit(fickle, edit(report, start, wish, Strength(1)), wish, MeanSquare())
    seeing = evaluate_edit(fickle, edit_checked(fickle, report, start, wish, Strength(1)), wish, MeanSquare())
    assert blind.achieved[0] < -0.2 and seeing.achieved[0] >= 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("text", ["Smiling=1", "Young=0", "Eyeglasses=1"])
def test_a_checked_edit_is_never_worth_less(labeler, report, seed, text):
    (wish,) = wishes(text)
    start, strength = labeler.generator.sample(1, torch.Generator().manual_seed(seed))[0], Strength(2)
    before = labeler.probabilities(start[None])[0]
    others = [a for a in range(len(ATTRIBUTES)) if a != wish.column]

    def worth(made):
        after = labeler.probabilities(made.after[None])[0]
        return float(wish.likelihood(after) - (after - before)[others].abs().mean())

    checked = edit_checked(labeler, report, start, [wish], strength)
    assert worth(checked) >= worth(edit(report, start, [wish], strength)) - 1e-6
    assert sorted(checked.genes) == (checked.after != checked.before).nonzero().flatten().tolist()
    assert len(checked.genes) <= 2


def test_a_checked_edit_keeps_what_is_held(labeler, report):
    wish = wishes("Young=1")
    made = edit_checked(labeler, report, middle(labeler), wish, Strength(3, care=0), Constraints(genes=[7]))
    assert made.after[7] == made.before[7] and made.genes == [2]
    held = evaluate_edit(
        labeler,
        edit_checked(labeler, report, middle(labeler), wish, Strength(3), Constraints(attributes=[0])),
        wish,
        MeanSquare(),
    )
    assert held.achieved[0].abs() < 1e-6 and held.achieved[2] > 0.2


def test_a_checked_edit_leaves_out_what_costs_more_than_it_gains(labeler, report):
    made = edit_checked(labeler, report, middle(labeler), wishes("Young=1"), Strength(3), Constraints(genes=[7]))
    assert made.genes == []


def test_a_checked_edit_stays_where_it_may_not_move(labeler, report):
    made = edit_checked(labeler, report, middle(labeler), wishes("Smiling=1"), Strength(2, rank=0))
    assert made.genes == [] and torch.equal(made.before, made.after)


def test_a_checked_edit_without_a_free_gene_changes_nothing(labeler, report):
    start = middle(labeler)
    made = edit_checked(labeler, report, start, wishes("Smiling=1"), Strength(2), Constraints(genes=range(len(start))))
    assert made.genes == [] and torch.equal(made.before, made.after)


def test_later_checked_wishes_leave_earlier_genes_alone(labeler, report):
    wish = wishes("Smiling=1,Young=1")
    made = edit_checked(labeler, report, middle(labeler), wish, Strength(1))
    assert made.genes == [2, 7]


def test_traversal_is_ordered_and_moves_one_gene(labeler, report):
    strip = traverse(report.shrunk.mean, middle(labeler), 5, 1, 6)
    p = labeler.probabilities(strip)[:, 1]
    assert (p.diff() > 0).all() and p[0] == pytest.approx(0.1) and p[-1] == pytest.approx(0.9)
    assert (strip != middle(labeler)).any(dim=0).nonzero().flatten().tolist() == [5]


def test_redrawing_changes_one_place(labeler, rng):
    strip = redraw(middle(labeler), 4, 8, NUM_VARIANTS, rng)
    assert sorted(strip[:, 4].tolist()) == list(range(8))
    where = difference_map(labeler.pictures(strip)).flatten()
    assert where.argmax() == 4 and where.count_nonzero() == 1


def test_a_picture_compared_with_itself_shows_nothing(labeler):
    same = Edit(middle(labeler), middle(labeler), [], torch.zeros(3))
    seen = evaluate_edit(labeler, same, wishes("Smiling=1"), MeanSquare())
    assert seen.distance == 0 and seen.side_effect == 0


def test_impossible_edits_are_refused(labeler, report):
    start, wish = middle(labeler), wishes("Smiling=1")
    with pytest.raises(UserError, match="no gene 9"):
        edit(report, start, wish, Strength(), Constraints(genes=[9]))
    with pytest.raises(UserError, match="Smiling cannot be changed and held"):
        edit(report, start, wish, Strength(), Constraints(attributes=[0]))
    with pytest.raises(UserError, match="methods: checked, statistics"):
        editor(labeler, report, Strength(), method="magic")
    with pytest.raises(UserError, match="rank from 0 to 1"):
        Strength(rank=2)
    with pytest.raises(UserError, match="one genotype"):
        edit(report, start[None], wish, Strength())
    with pytest.raises(UserError, match="no gene -1"):
        traverse(report.shrunk.mean, start, -1, 0, 3)
