"""The sections of a run's page, one module each; a section without its artefact is None."""
