"""Disentanglement (StyleGenes, section 4.3): how well a small network reads attributes off the latent.

The classes of every attribute weigh the same, in training and in the score, whatever their frequency: the loss weighs
each draw by the inverse frequency of its class (balanced sampling, in expectation), and accuracy is the mean of the
accuracies on either class, so that guessing scores 50 % always.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

MIN_OF_A_CLASS = 10
_CHUNK = 4096


@dataclass(frozen=True)
class DisentanglementSettings:
    """How the network is trained.

    Attributes:
        hidden: width of its two hidden layers; 0 reads by one linear layer.
        epochs: passes over the training part; the best one on the validation part counts.
        batch: draws a step.
        lr: Adam's learning rate.
        held_out: share of the draws for validation, and again for the test.
        seed: of split, order and weights.
    """

    hidden: int = 256
    epochs: int = 20
    batch: int = 256
    lr: float = 1e-3
    held_out: float = 0.1
    seed: int = 0


LINEAR = DisentanglementSettings(hidden=0, lr=1e-2)
"""A reader of one linear layer, which a rate of 0.001 would leave unfinished after 20 epochs."""


@dataclass(frozen=True)
class Disentanglement:
    """Balanced accuracies on the test part.

    Attributes:
        accuracy: by attribute.
        mean: their mean; None where there are none.
        failed: attributes too rare to be scored.
        num_test: draws in the test part.
    """

    accuracy: dict[str, float]
    mean: float | None
    failed: list[str]
    num_test: int


@dataclass(frozen=True)
class OneHot:
    """A genotype [N, G] as rows of G V zeros and ones: each variant is a feature of its own."""

    genotype: torch.Tensor
    num_variants: int

    @property
    def shape(self) -> torch.Size:
        """[N, G V]."""
        return torch.Size((len(self), self.genotype.shape[1] * self.num_variants))

    def __len__(self) -> int:
        """N."""
        return len(self.genotype)

    def __getitem__(self, index: torch.Tensor) -> torch.Tensor:
        """The rows at `index` [n], float32 [n, G V]."""
        return nn.functional.one_hot(self.genotype[index], self.num_variants).flatten(1).float()


Rows = torch.Tensor | OneHot


def disentanglement(
    features: Rows,
    probability: torch.Tensor,
    attributes: list[str],
    settings: DisentanglementSettings = DisentanglementSettings(),
) -> Disentanglement:
    """Train a network of two hidden layers, or none, with one output an attribute, and test it.

    Args:
        features: float [N, F], latents, or a genotype as `OneHot`.
        probability: [N, A], the classifier's probabilities; above one half is a label of 1.
        attributes: A names.
        settings: how.
    """
    size = max(1, round(len(features) * settings.held_out))
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(settings.seed))
    test, validation, train = order[:size], order[size : 2 * size], order[2 * size :]
    labels = (probability > 0.5).float()
    rarest = torch.stack([torch.minimum(labels[i].sum(0), (1 - labels[i]).sum(0)) for i in (train, validation, test)])
    known = (rarest.min(dim=0).values >= MIN_OF_A_CLASS).nonzero().flatten()
    failed = [name for i, name in enumerate(attributes) if i not in known.tolist()]
    if len(known) == 0:
        return Disentanglement({}, None, failed, len(test))
    labels = labels[:, known]
    x = _Standardized.fit(features, train)
    network = _fit(x, labels, train, validation, settings)
    accuracies = balanced_accuracy(_predict(network, x, test), labels[test])
    scores = {attributes[int(k)]: a for k, a in zip(known, accuracies.tolist())}
    return Disentanglement(scores, sum(scores.values()) / len(scores), failed, len(test))


@dataclass(frozen=True)
class _Standardized:
    """Features [N, F] that may lie in a mapped file, read a batch at a time at mean zero and deviation one."""

    features: Rows
    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def fit(cls, features: Rows, train: torch.Tensor) -> _Standardized:
        """Mean and deviation over the rows `train`, summed in float64."""
        parts = train.sort().values.split(_CHUNK)
        mean = torch.stack([features[part].double().sum(0) for part in parts]).sum(0) / len(train)
        squares = torch.stack([(features[part].double() - mean).square().sum(0) for part in parts]).sum(0)
        deviation = (squares / max(len(train) - 1, 1)).sqrt()
        # What never varied in training keeps its scale: divided by almost nothing it would drown all the rest.
        return cls(features, mean.float(), torch.where(deviation > 1e-8, deviation, 1.0).float())

    def take(self, index: torch.Tensor) -> torch.Tensor:
        """The rows at `index`."""
        return (self.features[index] - self.mean) / self.deviation


@torch.no_grad()
def _predict(network: nn.Module, x: _Standardized, index: torch.Tensor) -> torch.Tensor:
    """Logits [n, A] of the rows at `index`, some at a time."""
    return torch.cat([network(x.take(part)) for part in index.split(_CHUNK)])


@torch.no_grad()
def balanced_accuracy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean of the accuracies on either class, [A], of logits and labels [N, A]."""
    from sklearn.metrics import balanced_accuracy_score

    columns = zip((labels > 0.5).unbind(1), (logits > 0).unbind(1), strict=True)
    return torch.tensor([balanced_accuracy_score(true.numpy(), found.numpy()) for true, found in columns])


def _fit(
    x: _Standardized,
    labels: torch.Tensor,
    train: torch.Tensor,
    validation: torch.Tensor,
    settings: DisentanglementSettings,
) -> nn.Module:
    """The network of the epoch with the best mean accuracy on the validation part."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        hidden = [settings.hidden] * 2 if settings.hidden else []
        sizes = [len(x.mean), *hidden, labels.shape[1]]
        linears = [nn.Linear(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]
    network = nn.Sequential(linears[0], *(layer for linear in linears[1:] for layer in (nn.ReLU(), linear)))
    frequency = labels[train].mean(dim=0)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.lr)
    rng = torch.Generator().manual_seed(settings.seed)
    best, state = -1.0, network.state_dict()
    for _ in range(settings.epochs):
        for chosen in train[torch.randperm(len(train), generator=rng)].split(settings.batch):
            y = labels[chosen]
            weight = 0.5 * (y / frequency + (1 - y) / (1 - frequency))
            loss = nn.functional.binary_cross_entropy_with_logits(network(x.take(chosen)), y, weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        score = balanced_accuracy(_predict(network, x, validation), labels[validation]).mean().item()
        if score > best:
            best, state = score, {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(state)
    return network.requires_grad_(False)
