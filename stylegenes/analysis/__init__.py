"""Analyses: a survey or a model in, a record out, and the figures and tables made of it."""
