"""The papers' numbers, as they print them, in the shape of our tables."""

from __future__ import annotations

UNCONDITIONAL = {
    ("StyleGAN2", "continuous"): {"ffhq": 5.3, "afhq": 5.62, "metfaces": 20.48, "church": 8.13, "bedrooms": 51.61},
    ("StyleGAN2", "genome"): {"ffhq": 5.11, "afhq": 5.99, "metfaces": 21.0, "church": 6.86, "bedrooms": 17.84},
    ("ProjectedGAN", "continuous"): {"ffhq": 5.08, "afhq": 4.02, "metfaces": 15.38, "church": 3.05, "bedrooms": 3.15},
    ("ProjectedGAN", "genome"): {"ffhq": 4.19, "afhq": 3.66, "metfaces": 15.24, "church": 3.08, "bedrooms": 2.96},
}
"""StyleGenes, Table 1, left: FID."""

ABLATION = {
    (64, 256): 5.87, (8, 256): 5.34, (2, 256): 24.72,
    (64, 512): 5.53, (8, 512): 5.64, (2, 512): 12.34,
    (64, 1024): 5.71, (8, 1024): 5.20, (2, 1024): 6.2,
    (64, 2048): 5.22, (8, 2048): 5.11, (2, 2048): 5.30,
}  # fmt: skip
"""StyleGenes, Table 1, right, FFHQ: FID by genes and variants."""

DISENTANGLEMENT = {
    "continuous": {"Male": 49.74, "Young": 63.43, "Bald": 96.02, "Gray_Hair": 92.49, "Heavy_Makeup": 87.71,
                   "Mustache": 95.37, "No_Beard": 79.06, "Wearing_Earrings": 84.73, "Wearing_Lipstick": 69.30,
                   "mean": 79.76},
    "genome": {"Male": 86.71, "Young": 82.90, "Bald": 97.01, "Gray_Hair": 93.68, "Heavy_Makeup": 92.09,
               "Mustache": 95.82, "No_Beard": 91.53, "Wearing_Earrings": 86.40, "Wearing_Lipstick": 85.89,
               "mean": 90.23},
}  # fmt: skip
"""StyleGenes, Table 2: accuracy in per cent."""

CONDITIONAL = {
    ("conditional model", "labels at random"): (74.54, 33.33),
    ("conditional model", "labels by frequency"): (91.24, 10.96),
    ("paper (Eq. 6)", "T = 1"): (71.01, 11.08),
    ("paper (Eq. 6)", "T = 0.8"): (77.48, 10.11),
    ("paper (Eq. 6)", "T = 0.5"): (88.02, 12.36),
    ("paper (Eq. 6)", "T = 0.3"): (95.77, 28.42),
}
"""StyleGenes, Table 3, averages: accuracy in per cent and FID by method and setting."""

PRUNING = {0: 5.873, 8: 5.814, 16: 5.787, 32: 5.784, 64: 5.760, 128: 5.909, 256: 6.114, 512: 6.270}
"""StyleGenes, Table 4: FID by pruned variants, of 1024."""
PRUNING_OF = 1024

MIXING = {
    0.0: (4.42, 8.22, 12.88, 17.41),
    0.5: (4.41, 6.10, 8.71, 11.61),
    0.9: (4.40, 5.11, 6.88, 9.03),
    1.0: (4.83, 5.17, 6.63, 8.40),
}
"""StyleGAN, Table 2: FID with 1 to 4 latents by the probability of mixing in training."""

PATHS_OF_MIXING = {0.0: (200.5, 160.6), 0.5: (231.5, 182.1), 0.9: (234.0, 195.9)}
"""StyleGAN, Table 3: full and end path length in W by the probability of mixing."""

DEPTHS = {
    ("traditional", 0, "z"): (5.25, 412.0, 415.3, 10.78),
    ("traditional", 8, "z"): (4.87, 896.2, 902.0, 170.29),
    ("traditional", 8, "w"): (4.87, 324.5, 212.2, 6.52),
    ("style-based", 0, "z"): (5.06, 283.5, 285.5, 9.88),
    ("style-based", 1, "w"): (4.60, 219.9, 209.4, 6.81),
    ("style-based", 2, "w"): (4.43, 217.8, 199.9, 6.25),
    ("style-based", 8, "w"): (4.40, 234.0, 195.9, 3.79),
}
"""StyleGAN, Table 4: FID, full and end path length, separability, by generator, depth and space."""

LINEAR = {
    "Male": (0.907, 0.783, 0.908, 0.783),
    "Young": (0.895, 0.790, 0.899, 0.789),
    "Eyeglasses": (0.927, 0.793, 0.940, 0.793),
    "Smiling": (0.877, 0.713, 0.879, 0.714),
}
"""Liu 2019, Table 1, rounded: AUC in W and Z, balanced accuracy in W and Z."""
