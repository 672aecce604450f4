"""Real pictures into the latent: projection, quantization, codebook inversion and pivotal tuning."""
