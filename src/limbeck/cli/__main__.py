"""`python -m limbeck.cli` is the command `limbeck`."""

from limbeck.cli import main

main()
