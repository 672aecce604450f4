"""Augmentation of what the discriminator sees."""

from stylegenes.training.augment.ada import AugmentPipe
from stylegenes.training.augment.base import AUGMENTS, Augmentation, NoAugmentation, augment_alike
from stylegenes.training.augment.diffaugment import DiffAugment

__all__ = ["AUGMENTS", "AugmentPipe", "Augmentation", "DiffAugment", "NoAugmentation", "augment_alike"]
