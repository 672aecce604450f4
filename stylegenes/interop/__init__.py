"""Other projects' weights in: readers that execute nothing, and adapters by name."""
