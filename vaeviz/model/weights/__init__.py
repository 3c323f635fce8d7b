"""Weights of any file into a model that the user names. `load_weights` begins; no file runs code."""
