"""`python -m maskdet` is the same as the `maskdet` console script."""

from maskdet.cli.app import main

main()
