"""The commands that vaeviz_models adds to the command line of vaeviz."""
