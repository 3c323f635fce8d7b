"""Run the command line: ``python -m vaeviz``."""

from vaeviz.cli.main import main

main()
