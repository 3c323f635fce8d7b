"""Adapters: one a file. Each is a function of the file's name that opens the models it knows, or returns None.

An adapter tells its models by the name of their module, so that nothing is imported that is not there.
"""
