"""The command line: parameter types, the model and data named by options, and one file per command.

May import every room. No other room imports it.
"""
