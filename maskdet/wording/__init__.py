"""Words for people: terms, Markdown, names and commands."""
