"""Load weights from any file into a model that the user names, without running code of the file. See `load_weights`."""
