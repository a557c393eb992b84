"""The machine, its processes, files and clocks."""
