"""Served pictures on their way into training: corrected by people, or captured and then reviewed."""
