"""stylegenes: style-based GANs whose latent space is a genome."""
