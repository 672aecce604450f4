import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stylegenes.errors import UserError
from stylegenes.latents import Genome


@given(genes=st.integers(1, 70), variants=st.integers(1, 2050), seed=st.integers(0, 2**31))
def test_genotype_string_round_trip(genes, variants, seed):
    genome = Genome(genes, genes, num_variants=variants)
    genotype = genome.sample(3, torch.Generator().manual_seed(seed))
    strings = genome.to_strings(genotype)
    assert all(string.replace("-", "").replace("_", "").isalnum() for string in strings)
    assert torch.equal(genome.from_strings(strings), genotype)


def test_string_of_another_shape_or_with_a_typo_is_refused():
    string = Genome(32, 32, num_variants=256).to_strings(torch.zeros(1, 32, dtype=torch.int64))[0]
    with pytest.raises(UserError, match="another model"):
        Genome(32, 32, num_variants=255).from_strings([string])
    with pytest.raises(UserError, match="has a wrong letter"):
        Genome(32, 32, num_variants=256).from_strings(["B" + string[1:]])
    with pytest.raises(UserError, match=r"it holds '\?'"):
        Genome(32, 32, num_variants=256).from_strings(["what?!"])
    for length in (0, 1, 44, 45, 47, 48):
        with pytest.raises(UserError, match=f"has {length} characters?; a code string of this model has 46"):
            Genome(32, 32, num_variants=256).from_strings([(string * 2)[:length]])


def test_string_with_a_variant_that_the_genome_lacks_is_refused():
    genome = Genome(4, 4, num_variants=10)
    for genotype in ([0, 0, 0, 15], [10, 9, 9, 9]):
        crafted = [genome._pack(genotype)]
        with pytest.raises(UserError, match=f"holds variant {max(genotype)}; variants of this genome are 0 to 9"):
            genome.from_strings(crafted)
    assert genome.from_strings(genome.to_strings(torch.full((1, 4), 9))).tolist() == [[9] * 4]


def test_lookup_equals_the_loop_and_so_does_its_gradient(rng):
    genome = Genome(24, 8, num_variants=5)
    genotype = genome.sample(6, rng)
    w = genome(genotype)
    loop = torch.stack([torch.cat([genome.variants[i, k] for i, k in enumerate(row)]) for row in genotype])
    assert torch.equal(w, loop)
    weight = torch.randn(w.shape, generator=rng)
    grads = [torch.autograd.grad((out * weight).sum(), genome.variants)[0] for out in (w, loop)]
    torch.testing.assert_close(*grads)


def test_mean_is_exact_over_all_genotypes():
    genome = Genome(6, 3, num_variants=4)
    everything = torch.cartesian_prod(*[torch.arange(4)] * 3)
    torch.testing.assert_close(genome(everything).mean(dim=0, keepdim=True), genome.mean())


def test_sampling_is_reproducible_and_uniform(rng):
    genome = Genome(4, 4, num_variants=8)
    genotype = genome.sample(8000, rng)
    assert torch.equal(genotype, genome.sample(8000, torch.Generator().manual_seed(0)))
    counts = torch.stack([genotype[:, i].bincount(minlength=8) for i in range(4)]).double()
    assert ((counts - 1000) ** 2 / 1000).sum() < 58  # chi-square, 28 degrees of freedom, p = 0.0007


@pytest.mark.parametrize("mean", [0.0, 5.0, 100.0])
@pytest.mark.parametrize("variants", [2, 16, 256])
def test_twins_are_found_wherever_their_bank_lies(mean, variants, rng):
    genome = Genome(32, num_genes=4, num_variants=variants)
    with torch.no_grad():
        half = torch.randn(4, variants // 2, 8, generator=rng) + mean
        genome.variants.copy_(torch.cat([half, half], dim=1))
    assert genome.dead_variants().all()
    with torch.no_grad():
        genome.variants.copy_(torch.randn(4, variants, 8, generator=rng) + mean)
    assert not genome.dead_variants().any()


@pytest.mark.parametrize(("w_dim", "genes", "variants"), [(100, 33, 4), (8, 0, 4), (8, 4, 0)])
def test_impossible_sizes_are_refused(w_dim, genes, variants):
    with pytest.raises(UserError):
        Genome(w_dim, genes, num_variants=variants)


def test_a_float_code_is_refused():
    with pytest.raises(UserError, match="integer tensor"):
        Genome(8, 4, num_variants=4)(torch.zeros(1, 4))


def test_a_variant_that_a_gene_does_not_have_is_never_another_gene_s():
    genome = Genome(8, 4, num_variants=4).eval()
    for wrong in (4, -1):
        code = torch.zeros(1, 4, dtype=torch.int64)
        code[0, 1] = wrong
        for use in (genome, genome.to_strings):
            with pytest.raises(UserError, match="variants of this genome are 0 to 3"):
                use(code)
