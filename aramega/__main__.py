"""`python -m aramega`: the same as `aramega`."""

from aramega.cli import main

main()
