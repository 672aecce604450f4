"""The two players and what belongs to them: networks, running average, optimizers, penalties."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from stylegenes.discriminators import DISCRIMINATORS, Discriminator
from stylegenes.errors import UserError
from stylegenes.generator import Generator
from stylegenes.size import Size
from stylegenes.snapshot import load_snapshot
from stylegenes.training.augment import AUGMENTS, Augmentation
from stylegenes.training.config import AdamConfig, RunConfig
from stylegenes.training.draws import seed_for
from stylegenes.training.ema import make_ema
from stylegenes.training.losses import LOSSES, AdversarialLoss
from stylegenes.training.regularizers import REGULARIZERS, Player, Regularizer

log = logging.getLogger(__name__)


@dataclass
class Phase:
    """One optimizer step of one player.

    Attributes:
        name: shown in messages, `D main`, `D lazy`, `G main` or `G lazy`.
        player: whose parameters it moves.
        main: whether the adversarial loss is part of it.
        regularizers: penalties that are part of it.
        interval: it happens every so many steps, and its penalties weigh so much more.
    """

    name: str
    player: Player
    main: bool
    regularizers: list[Regularizer]
    interval: int = 1


@dataclass
class Players:
    """Everything that training changes.

    Attributes:
        frozen: names of the discriminator's parameters that are not trained.
        blur: standard deviation in pixels of the Gaussian through which the discriminator sees everything.
        rendering: height and width in pixels that 3D networks render at where a schedule says it, else 0.
        pose_swap: probability that the latent is told another fake's camera.
        penalty_scale: factor on all regularizers.
        level: log2 of the resolution in use, None where nothing grows.
        lr_scale: factor on the learning rates.
    """

    G: Generator
    D: Discriminator
    ema: Generator
    loss: AdversarialLoss
    augment: Augmentation
    regularizers: nn.ModuleDict
    phases: list[Phase]
    optimizers: dict[Player, torch.optim.Adam]
    learning_rates: dict[Player, float]
    frozen: set[str] = field(default_factory=set)
    blur: float = 0.0
    rendering: int = 0
    pose_swap: float = 0.0
    penalty_scale: float = 1.0
    level: float | None = None
    lr_scale: float = 1.0

    @property
    def manner(self) -> tuple[Any, ...]:
        """Numbers that Python hands to kernels and decides by; they may change from step to step."""
        betas = [group["betas"] for optimizer in self.optimizers.values() for group in optimizer.param_groups]
        return self.blur, self.penalty_scale, self.level, self.rendering, *betas

    def parameters(self, player: Player) -> list[nn.Parameter]:
        """The parameters that `player` trains."""
        return [parameter for _, parameter in self.named_parameters(player)]

    def named_parameters(self, player: Player) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that `player` trains, by name."""
        for name, parameter in self.network(player).named_parameters():
            if player == "G" or name not in self.frozen:
                yield name, parameter

    def network(self, player: Player) -> nn.Module:
        """The network of `player`."""
        return self.G if player == "G" else self.D

    def modules(self) -> dict[str, nn.Module]:
        """Every module whose state belongs to the run, by the name it is saved under."""
        return {"G": self.G, "D": self.D, "ema": self.ema, "augment": self.augment, "regularizers": self.regularizers}

    def grow(self, level: float) -> None:
        """Let both players work at 2^level pixels of detail; the running average follows with its buffers.

        Where other layers take part than before, both optimizers start anew, as in the official code of the
        progressive GAN and of StyleGAN: their averages are about another loss.
        """
        # A schedule goes on rising where the networks are grown up, and `manner` must not change with it.
        self.level = min(level, 2.0 + self.G.synthesis.size.doublings)
        if any([self.G.synthesis.grow(level), self.D.grow(level)]):
            for optimizer in self.optimizers.values():
                optimizer.state.clear()

    def render_at(self, resolution: int) -> None:
        """Let 3D networks render resolution x resolution pixels; the running average follows with its buffers."""
        self.rendering = resolution
        self.G.synthesis.render_at(resolution)
        self.D.render_at(resolution)

    def scale_learning_rates(self, scale: float) -> None:
        """Set every learning rate to `scale` times its configured value."""
        if scale == self.lr_scale:
            return
        self.lr_scale = scale
        for player, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                rate = self.learning_rates[player] * scale
                group["lr"] = group["lr"].fill_(rate) if torch.is_tensor(group["lr"]) else rate

    def step(self, player: Player, *, recording: bool = False) -> None:
        """Move the parameters of `player` by their gradients; `recording` says that a graph is being recorded."""
        optimizer = self.optimizers[player]
        for group in optimizer.param_groups:
            group["capturable"] = recording
        optimizer.step()

    def set_beta2(self, beta2: float) -> None:
        """Set the decay of the mean square of both players, before the correction for lazy regularization."""
        for player, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["betas"] = (group["betas"][0], beta2 ** lazy_ratio(self.phases, player))


def build_phases(regularizers: dict[str, Regularizer]) -> list[Phase]:
    """The phases of a step: for D, then for G, the main one and the one of its lazy penalties.

    Raises:
        UserError: when lazy penalties of one player have different intervals.
    """
    phases = []
    order: tuple[Player, Player] = ("D", "G")
    for player in order:
        own = [r for r in regularizers.values() if r.player == player]
        lazy = [r for r in own if r.interval > 1]
        phases.append(Phase(f"{player} main", player, True, [r for r in own if r.interval == 1]))
        if len({r.interval for r in lazy}) > 1:
            found = ", ".join(f"{name} {r.interval}" for name, r in regularizers.items() if r in lazy)
            raise UserError(f"lazy penalties of one player share a step and need one interval; got {found}")
        if lazy:
            phases.append(Phase(f"{player} lazy", player, False, lazy, lazy[0].interval))
    return phases


def lazy_ratio(phases: list[Phase], player: Player) -> float:
    """What lazy regularization scales the learning rate and the exponents of the decays by: k / (k + 1).

    A player with a lazy phase every k steps takes k + 1 optimizer steps where the loss alone would take k (Karras et
    al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", appendix B).
    """
    intervals = [phase.interval for phase in phases if phase.player == player and not phase.main]
    return intervals[0] / (intervals[0] + 1) if intervals else 1.0


def make_adam(parameters: list[nn.Parameter], config: AdamConfig, ratio: float) -> torch.optim.Adam:
    """Adam, corrected for lazy regularization by `ratio`; on CUDA one kernel, its learning rate a tensor there."""
    betas = (float(config.beta1**ratio), float(config.beta2**ratio))
    lr, fused = config.lr * ratio, None
    if parameters and parameters[0].device.type == "cuda":
        lr, fused = torch.full((), lr, device=parameters[0].device), True
    return torch.optim.Adam(parameters, lr=lr, betas=betas, eps=config.eps, fused=fused)


def build_players(config: RunConfig, device: torch.device) -> Players:
    """Build the networks and what belongs to them; the start depends on the seed alone.

    Args:
        config: with model specs that are complete.
        device: where everything goes.

    Raises:
        UserError: for anything in the configuration that cannot be built.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(config.seed, "networks"))
        G = Generator.from_spec({"latent": config.model.latent, "synthesis": config.model.synthesis})
        D = DISCRIMINATORS.build(config.model.discriminator)
    check_growth(config, G, D)
    if config.init_from is not None:
        start_from(config.init_from, G, D)
    for network in (G, D):
        network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    regularizers = {name: REGULARIZERS.build({"name": name, **kwargs}) for name, kwargs in config.regularizers.items()}
    phases = build_phases(regularizers)
    players = Players(
        G=G.train(),
        D=D.train(),
        ema=make_ema(G),  # type: ignore[arg-type]
        loss=LOSSES.build(config.loss),
        augment=AUGMENTS.build(config.augment.pipe or {"name": "none"}).to(device),
        regularizers=nn.ModuleDict(regularizers).to(device),
        phases=phases,
        optimizers={},
        learning_rates={},
        frozen=frozen_names(D, config.freeze_d),
    )
    adams: dict[Player, AdamConfig] = {"G": config.optimizer.G, "D": config.optimizer.D}
    for player, adam in adams.items():
        optimizer = make_adam(players.parameters(player), adam, lazy_ratio(phases, player))
        players.optimizers[player] = optimizer
        players.learning_rates[player] = float(optimizer.param_groups[0]["lr"])
    return players


def check_growth(config: RunConfig, G: Generator, D: Discriminator) -> None:
    """Refuse to grow a network that does not.

    Raises:
        UserError: names the player.
    """
    still = [player for player, grows in (("synthesis", G.synthesis.grows), ("discriminator", D.grows)) if not grows]
    if config.growth is not None and still:
        names = ", ".join(f"model.{part}.name={getattr(config.model, part)['name']}" for part in still)
        raise UserError(
            f"growth is set, and {names} does not grow; use progan or stylegan1 with progan, or growth=none"
        )


def frozen_names(D: Discriminator, stages: int) -> set[str]:
    """Names of the parameters in the first `stages` stages from the image on (Mo et al. 2020, "Freeze the D").

    Raises:
        UserError: when nothing would be left to train.
    """
    available = D.stages()
    if not 0 <= stages < len(available):
        raise UserError(
            f"freeze_d={stages} is not possible: this discriminator has {len(available)} stages, take fewer"
        )
    frozen = {id(parameter) for stage in available[:stages] for parameter in stage.parameters()}
    return {name for name, parameter in D.named_parameters() if id(parameter) in frozen}


def start_from(path: str, G: Generator, D: Discriminator) -> None:
    """Copy the networks of a snapshot into `G` and, where it keeps one, `D` (transfer learning).

    The labels may be others: what reads them begins anew. The resolution may be larger, for networks that can go on
    from a smaller one: the layers of the new resolutions begin anew. The generator may have more channels, for networks
    that can go on from fewer: its pictures are the same at first.

    Raises:
        UserError: when the snapshot's networks have another shape.
    """
    snapshot = load_snapshot(path)
    small, large = snapshot.generator.synthesis.resolution, G.synthesis.resolution
    _check_spec("generator", path, snapshot.generator.spec, G.spec)
    state = snapshot.generator.latent.state_dict(prefix="latent.")
    synthesis = snapshot.generator.synthesis.state_dict()
    synthesis = synthesis if small == large else G.synthesis.enlarged(synthesis, small)
    if any(snapshot.generator.spec["synthesis"].get(key) != G.spec["synthesis"].get(key) for key in _WIDTHS):
        synthesis = G.synthesis.widened(synthesis)
    _copy(path, {**state, **{f"synthesis.{key}": value for key, value in synthesis.items()}}, G)
    if snapshot.discriminator is not None:
        _check_spec("discriminator", path, {"D": snapshot.discriminator.spec}, {"D": D.spec})
        state = snapshot.discriminator.state_dict()
        _copy(path, state if small == large else D.enlarged(state, small), D)


_WIDTHS = ("channel_base", "channel_max")
"""Arguments of a synthesis network that may be larger than in the snapshot that it starts from."""


def _copy(path: str, state: dict[str, torch.Tensor], target: nn.Module) -> None:
    """Copy what fits; what is new, or has another shape because it reads other labels, begins anew."""
    own = target.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    if len(fitting) < len(own):
        anew = ", ".join(sorted(own.keys() - fitting.keys()))
        log.info("other labels or another resolution than in %s: these begin anew: %s", path, anew)
    target.load_state_dict({**own, **fitting})


def _grows_into(small: Size, large: Size) -> bool:
    """Whether doubling leads from one size to the other."""
    return small.start == large.start and small < large


def _check_spec(what: str, path: str, given: dict[str, Any], wanted: dict[str, Any]) -> None:
    for part, spec in wanted.items():
        every = (spec.keys() | given[part].keys()) - {"label_dim"}
        keys = sorted(key for key in every if spec.get(key) != given[part].get(key))
        if part == "synthesis" and all(spec.get(key, 0) >= given[part].get(key, 0) for key in _WIDTHS):
            keys = [key for key in keys if key not in _WIDTHS]
        if keys == ["resolution"] and _grows_into(Size.of(given[part]["resolution"]), Size.of(spec["resolution"])):
            continue
        if keys:
            found = ", ".join(f"{key}={given[part].get(key)!r}" for key in keys)
            raise UserError(
                f"the {what} in {path} differs from this run's in {found}; give the run the same values, for example "
                f"--set model.{'discriminator' if part == 'D' else part}.{keys[0]}={given[part].get(keys[0])}"
            )
