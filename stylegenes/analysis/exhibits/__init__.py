"""Exhibits: an analysis's record in; words, a figure and a table out."""

from stylegenes.analysis.exhibits.exhibit import Exhibit, Table, Value, Words, load_words

__all__ = ["Exhibit", "Table", "Value", "Words", "load_words"]
