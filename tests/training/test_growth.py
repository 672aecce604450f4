"""Growing players: when other layers take part, both optimizers start anew."""

import pytest
import torch
from tiny_run import TinyData, tiny_config

from stylegenes.generator import Generator
from stylegenes.records import Noise
from stylegenes.synthesis import SYNTHESES
from stylegenes.training import Machine, train
from stylegenes.training.draws import draw_codes
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


@pytest.mark.parametrize(("level", "shown"), [(2, 2), (2.5, 4), (3, 4), (3.1, 6), (4, 6), (9, 6)])
@pytest.mark.parametrize("latent", [{"name": "mapping"}, {"name": "genome", "num_genes": 4}], ids=["mapping", "genome"])
def test_styles_are_mixed_among_the_layers_in_use(level, shown, latent):
    """All crossovers show while a network grows, and lie anywhere among its layers."""
    spec = {"name": "stylegan1", **SYNTHESES.get("stylegan1").example_spec(16, 8)}
    G = Generator.from_spec({"latent": {**latent, "w_dim": 8}, "synthesis": spec})
    G.synthesis.grow(level)
    codes = draw_codes(G, 300, rng=torch.Generator().manual_seed(0), mixing=1.0)
    assert codes.crossover.unique().tolist() == list(range(1, shown)) and G.synthesis.num_ws == 6
    with torch.no_grad():
        own = G.broadcast(G.latent(codes.code))[:1].repeat(5, 1, 1)
        for layer in range(5):
            own[layer, layer + 1] += 1
        images = G.synthesis(torch.cat([G.broadcast(G.latent(codes.code))[:1], own]), noise=Noise("none")).image
    differs = [bool((image != images[0]).any()) for image in images[1:]]
    assert differs == [layer + 1 < shown for layer in range(5)]


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


def test_grown_up_players_go_on_in_one_manner(players):
    """The schedule fades in resolutions that they do not have; each other manner would be recorded anew."""
    manners = []
    for level in (3.5, 4, 4.5, 4.7, 6):
        players.grow(level)
        manners.append(players.manner)
    assert manners[0] != manners[1] and manners[1:] == manners[1:2] * 4


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
