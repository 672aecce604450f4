"""Growing players: when other layers take part, both optimizers start anew."""

import pytest
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.training import Machine, train
from stylegenes.training.players import Players, build_players
from stylegenes.training.resolve import complete_config
from stylegenes.training.state import STATE_FILE, read_state

GROWING = (
    "model.synthesis.name=progan",
    "model.discriminator.name=progan",
    "data.resolution=16",
    "regularizers.path_length=none",
    "augment.pipe=none",
    'growth={"name": "progressive", "start": 8, "hold_kimg": 0.016, "fade_kimg": 0.032}',
)


@pytest.fixture
def players() -> Players:
    config = complete_config(tiny_config(*GROWING), TinyData(resolution=16), warn=False)
    return build_players(config, torch.device("cpu"))


def test_moments_are_forgotten_whenever_a_resolution_begins_or_ends_to_fade_in(players):
    forgotten = []
    for level in (3, 3, 3.2, 3.8, 4, 4, 5, 6.5):
        for player, optimizer in players.optimizers.items():
            for parameter in players.parameters(player):
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
        players.grow(level)
        left = [len(optimizer.state) for optimizer in players.optimizers.values()]
        assert all(left) or not any(left)
        forgotten.append(not any(left))
    assert forgotten == [True, False, True, False, True, False, False, False]


def test_players_that_do_not_grow_forget_nothing():
    players = build_players(complete_config(tiny_config(), TinyData(), warn=False), torch.device("cpu"))
    for parameter in players.parameters("G"):
        parameter.grad = torch.ones_like(parameter)
    players.optimizers["G"].step()
    players.grow(2.5)
    assert players.optimizers["G"].state


def test_a_run_counts_adams_steps_from_the_last_change(tmp_path):
    """8 images a step: 8 px for 2 steps, fading for 4, then 16 px; 10 steps end 4 after the last change."""
    train(tiny_config(*GROWING), tmp_path, data=TinyData(resolution=16), machine=Machine("cpu"), quiet=True)
    state = read_state(tmp_path / STATE_FILE)
    steps = {tensor.item() for name, tensor in state.tensors.items() if name.startswith("adam_G.step.")}
    assert state.counters.step == 10 and steps == {4.0}
