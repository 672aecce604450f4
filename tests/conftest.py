"""What every test shares."""

import os
import sys
from pathlib import Path

# Tests run side by side, one a core; torch reads this once, and processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from official_pickles import foreign_classes, official_names  # noqa: F401  (fixtures)

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _seeded():
    """Each test starts from the same random state, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)
