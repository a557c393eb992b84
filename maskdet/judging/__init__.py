"""Evaluating any model on the pictures of a manifest."""
