"""Run the command line: ``python -m vaeviz``."""

import os
import sys

if sys.path[0] in ("", os.getcwd()):  # where `python -m` looks first; a file there must not pass for a library
    del sys.path[0]

from vaeviz.cli.main import main

main()
