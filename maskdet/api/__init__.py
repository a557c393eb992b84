"""The Python API: what `import maskdet` offers, over the rooms that the commands use."""
