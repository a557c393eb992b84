"""Starting worker processes, and what to do when they fail."""
