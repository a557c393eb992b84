"""Words for people: terms, Markdown and names."""
