"""Data larger than a disk: packed pictures in files of some megabytes each, in a folder or behind an address."""
