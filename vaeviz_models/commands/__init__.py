"""Commands that vaeviz_models adds to the command line of vaeviz. They may import everything below."""
