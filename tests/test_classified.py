"""Codes, their pictures, and what a classifier says of these: as if each step were taken by hand."""

import pytest
import torch

from stylegenes.classified import classify_codes
from stylegenes.generator import Generator
from stylegenes.perception import ModuleScorer, Scoring
from stylegenes.records import Condition, Noise

GENOME = {"name": "genome", "w_dim": 8, "num_genes": 4, "num_variants": 4}
MAPPING = {"name": "mapping", "w_dim": 8, "depth": 2, "label_dim": 3}


def rows_of_means(images: torch.Tensor) -> torch.Tensor:
    return images.mean(dim=(2, 3))[:, :2]


@pytest.mark.parametrize("latent", [GENOME, MAPPING], ids=["genome", "labels"])
@pytest.mark.parametrize("psi", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("n", [1, 5])
def test_it_is_what_every_step_gives(latent, psi, n):
    synthesis = {"name": "stylegan2", "resolution": 8, "w_dim": 8, "channel_base": 64, "channel_max": 8}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = Generator.from_spec({"latent": latent, "synthesis": synthesis}).eval()
    classifier = ModuleScorer(rows_of_means, Scoring(["a", "b"], 8, logits=True))
    code = generator.sample(n, torch.Generator().manual_seed(1))
    condition = Condition(torch.eye(3)[torch.arange(n) % 3]) if generator.label_dim else None
    found = classify_codes(generator, classifier, code, condition, noise=Noise("const"), psi=psi)
    pictures = generator(code, condition, psi=psi, noise=Noise("const")).image
    assert torch.equal(found.pictures.image, pictures) and torch.equal(found.probability, classifier(pictures))
    assert torch.equal(found.w, generator.latent(code, condition)) and found.code is code
    assert not found.probability.requires_grad and found.probability.shape == (n, 2)
