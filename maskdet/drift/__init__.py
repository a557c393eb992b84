"""What a model sees in service, compared with its own answers on val."""
