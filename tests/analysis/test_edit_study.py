import pytest
import torch
from toy_genome import ATTRIBUTES, NUM_GENES

from stylegenes.analysis.edit_study import EditStudy, study_edits
from stylegenes.analysis.editing import Strength, edit, editor
from stylegenes.analysis.exhibits.tables import edit_study_table
from stylegenes.analysis.plots.changes import edit_study_figure
from stylegenes.analysis.wishes import Wish
from stylegenes.errors import UserError


def test_the_study_equals_single_edits(labeler, report):
    genotypes, strength = labeler.generator.sample(5, torch.Generator().manual_seed(1)), Strength(num_genes=2)
    study = study_edits(labeler, genotypes, editor(labeler, report, strength, method="statistics"))
    for a, name in enumerate(ATTRIBUTES):
        changes, signs = [], []
        for genotype in genotypes:
            before = labeler.probabilities(genotype[None])[0]
            wish = Wish(name, a, present=bool(before[a] < 0.5))
            after = labeler.probabilities(edit(report, genotype, [wish], strength).after[None])[0]
            changes.append(after - before)
            signs.append(1.0 if wish.present else -1.0)
        changes = torch.stack(changes)
        torch.testing.assert_close(study.changed[a], changes.abs().mean(dim=0))
        assert float(study.achieved[a]) == pytest.approx(float((changes[:, a] * torch.tensor(signs)).mean()))
        others = [b for b in range(len(ATTRIBUTES)) if b != a]
        assert float(study.side_effect[a]) == pytest.approx(float(changes[:, others].abs().mean()))


def test_an_attribute_of_one_gene_changes_more_than_the_others(labeler, report):
    genotypes = labeler.generator.sample(20, torch.Generator().manual_seed(2))
    study = study_edits(labeler, genotypes, editor(labeler, report, Strength(1)))
    assert float(study.achieved[0]) > 0.3 and float(study.flipped[0]) > 0.9
    assert float(study.foremost[0]) > 0.5
    table = edit_study_table(study)
    assert [row[0] for row in table.rows] == ATTRIBUTES and table.rows[0][6] in ATTRIBUTES[1:]
    assert len(edit_study_figure(study).axes) == 3


def test_an_edit_that_does_nothing_is_not_foremost(labeler, report):
    genotypes = labeler.generator.sample(3, torch.Generator().manual_seed(3))
    study = study_edits(labeler, genotypes, editor(labeler, report, Strength(rank=0)))
    assert study.foremost.sum() == study.flipped.sum() == study.achieved.sum() == 0


def test_of_a_single_attribute_no_other_changes():
    study = EditStudy(["only"], torch.ones(1), torch.full((1, 1), 0.4), torch.zeros(1), torch.ones(1), 1)
    assert study.strongest_other(0) == ("", 0.0)


def test_no_pictures_are_refused(labeler, report):
    with pytest.raises(UserError, match="at least one"):
        study_edits(labeler, torch.zeros(0, NUM_GENES, dtype=torch.int64), editor(labeler, report, Strength()))
