"""A run as one HTML page, runs side by side, and what a CI job reports."""
