"""The Python API: what `import maskdet` offers, built on the same packages as the commands."""
