"""Images and labels in: folders, zips, LMDBs and the embedded avatars, packed into one memory-mapped cache."""

from stylegenes.data.description import Dataset
from stylegenes.data.opening import open_dataset
from stylegenes.data.order import BatchIndices, DataOrder
from stylegenes.data.packed import PackedDataset

__all__ = ["DataOrder", "BatchIndices", "Dataset", "PackedDataset", "open_dataset"]
