"""The networks that can be trained: one module each, with its sizes and its sections of the configuration."""
