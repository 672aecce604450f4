"""A compiled discriminator under R1 gives the gradient of the one that is not, or is refused; it is never wrong."""

import copy
import shutil

import pytest
import torch
from test_every_network import SIZE, discriminator_spec

from stylegenes.discriminators import DISCRIMINATORS
from stylegenes.records import ImageBatch
from stylegenes.training.regularizers import gradient_square


def gradients(D, judge) -> dict[str, torch.Tensor]:
    """Of R1 with respect to the parameters."""
    image = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    gradient_square(judge(image), image).mean().backward()
    return {name: p.grad for name, p in D.named_parameters() if p.grad is not None}


BACKENDS = [
    "aot_eager",
    pytest.param(
        "inductor",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(
                not (shutil.which("g++") or shutil.which("c++")), reason="torch.compile needs a compiler"
            ),
        ],
    ),
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_r1_through_a_compiled_discriminator(backend):
    torch.manual_seed(0)
    D = DISCRIMINATORS.build(discriminator_spec("stylegan2"))
    compiled_D = copy.deepcopy(D)
    expected = gradients(D, lambda image: D(ImageBatch(image)))
    torch._dynamo.reset()
    compiled = torch.compile(compiled_D, backend=backend)
    try:
        found = gradients(compiled_D, lambda image: compiled(ImageBatch(image)))
    except Exception as error:
        # The same code has just run uncompiled: whatever is raised is the compiler's refusal.
        assert "torch" in type(error).__module__ or isinstance(error, RuntimeError | AssertionError)
        return
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5, msg=name)
