"""`python -m barberpro` is the `barberpro` command."""

from barberpro.server.cli import main

main()
