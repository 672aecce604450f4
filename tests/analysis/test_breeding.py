import pytest
import torch
from toy_genome import LinearClassifier, effects, toy_generator

from stylegenes.analysis.breeding import GeneticSearch, Lineage, cross_block, cross_chosen, cross_uniform, mutate
from stylegenes.analysis.labeler import CodeLabeler
from stylegenes.errors import UserError
from stylegenes.latents import Genome


def parents(n=200, genes=12):
    return torch.zeros(n, genes, dtype=torch.int64), torch.ones(n, genes, dtype=torch.int64)


def test_uniform_children_take_half_from_each(rng):
    child = cross_uniform(*parents(), rng)
    assert child.double().mean() == pytest.approx(0.5, abs=0.03)
    assert child.double().mean(dim=0).min() > 0.35


def test_blocks_are_contiguous(rng):
    child = cross_block(*parents(), rng)
    switches = child.diff(dim=1).abs().sum(dim=1) + child[:, 0] + child[:, -1]
    assert (switches <= 2).all() and set(child.sum(dim=1).tolist()) > {0, 3, 6, 9, 12}


def test_chosen_genes_come_from_the_second_parent():
    assert cross_chosen(*parents(1, 4), [1, 3]).tolist() == [[0, 1, 0, 1]]
    with pytest.raises(UserError, match="no gene 4"):
        cross_chosen(*parents(1, 4), [4])


def test_mutation_happens_at_its_rate_and_always_changes(rng):
    start = torch.randint(5, (400, 30), generator=rng)
    mutant = mutate(start, 0.2, 5, rng)
    assert (mutant != start).double().mean() == pytest.approx(0.2, abs=0.02)
    assert mutant.min() == 0 and mutant.max() == 4
    assert (mutate(start, 1.0, 5, rng) != start).all() and torch.equal(mutate(start, 0.0, 5, rng), start)
    assert torch.equal(mutate(start * 0, 1.0, 1, rng), start * 0)
    with pytest.raises(UserError, match="mutation rate"):
        mutate(start, 1.5, 5)


def test_selection_raises_an_attribute_and_the_lineage_is_true(rng, tmp_path):
    labeler = CodeLabeler(toy_generator(), LinearClassifier(effects()), batch_size=512)
    genome = labeler.generator.latent
    search = GeneticSearch(genome, mutation_rate=0.1, population=24, survivors=6)
    lineage = search.breed(genome.sample(8, rng), lambda codes: labeler.probabilities(codes)[:, 2], 12, rng)
    best = [lineage.generation(g)[0].fitness for g in range(13)]
    assert lineage.num_generations == 12 and best[-1] > 0.9 > best[0]
    assert [person.id for person in lineage.individuals] == list(range(8 + 12 * 24))
    codes = genome.from_strings([person.genotype for person in lineage.individuals])
    for person in lineage.individuals[8:]:
        own, mother, father = codes[person.id], *codes[person.parents]
        foreign = ((own != mother) & (own != father)).nonzero().flatten().tolist()
        assert set(foreign) <= set(person.mutations)
        assert all(lineage.individuals[p].generation < person.generation for p in person.parents)
        assert person.fitness == pytest.approx(float(labeler.probabilities(own[None])[0, 2]), abs=1e-6)
    assert {a.generation for a in lineage.ancestors(lineage.generation(12)[0].id)} >= {0}
    lineage.save(tmp_path / "lineage.json")
    assert Lineage.load(tmp_path / "lineage.json") == lineage


def test_one_founder_breeds_with_itself(rng):
    genome = toy_generator().latent
    lineage = GeneticSearch(genome, mutation_rate=0.0, population=3).breed(
        genome.sample(1, rng), lambda codes: torch.zeros(len(codes)), 1, rng
    )
    assert len({person.genotype for person in lineage.individuals}) == 1


def test_a_fitness_that_is_no_number_is_refused(rng):
    search = GeneticSearch(Genome(8, num_genes=4, num_variants=4))

    def fitness(genotype):
        return torch.where(genotype[:, 0] == 3, torch.nan, 1.0)

    with pytest.raises(UserError, match="no number"):
        search.breed(torch.tensor([[3, 0, 0, 0], [0, 0, 0, 0]]), fitness, 2, rng)


def test_an_empty_farm_is_refused():
    with pytest.raises(UserError, match="at least one"):
        GeneticSearch(toy_generator().latent, population=0)
