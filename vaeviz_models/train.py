"""``vaeviz train`` as a module for launchers: ``torchrun --nproc-per-node=2 -m vaeviz_models.train mlp ...``."""

import sys

from vaeviz.cli.main import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
