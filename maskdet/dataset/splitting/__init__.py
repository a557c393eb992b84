"""Train and val: dealt alike everywhere, with nothing alike on both sides."""
