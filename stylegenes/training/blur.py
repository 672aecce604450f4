"""Blurring what the discriminator sees early in training, as StyleGAN3-R needs ("Alias-Free GANs", Karras et al. 2021).

Configuration R is prone to collapse in the beginning, when the discriminator looks at high frequencies that the
generator cannot yet make in the right place; while it sees none, it judges the rest (section 3.2).
"""

from __future__ import annotations

import torch

from stylegenes.ops.fir import filter2d, setup_filter


def gaussian_blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Filter with a Gaussian that is cut at three standard deviations; beyond the edge is gray.

    Args:
        images: [N, C, H, W] in [-1, 1].
        sigma: standard deviation in pixels; below 1/3 nothing happens.

    Returns:
        [N, C, H, W].
    """
    reach = int(3 * sigma)
    if reach < 1:
        return images
    taps = (torch.arange(-reach, reach + 1, device=images.device) / sigma).square().mul(-0.5).exp()
    return filter2d(images, setup_filter(taps, separable=True, device=images.device))
