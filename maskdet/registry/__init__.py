"""Versions of a model with their lineage, and aliases such as champion, in a plain folder."""
