"""The papers' tables made again: which models to train, what to measure, and what then holds of the papers' claims."""
