"""Chooses served pictures for the inbox, on a thread of its own that no request waits for."""
