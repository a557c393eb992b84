"""The weights that a training starts from: found, fetched, read safely, and matched with the data."""
