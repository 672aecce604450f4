"""Images and labels in: folders, zips, LMDBs and the embedded avatars, packed into one memory-mapped cache."""
