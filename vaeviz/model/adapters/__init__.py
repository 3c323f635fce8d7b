"""Adapters open the models of other libraries, one library or file format per file.

An adapter is a function of the file's name. It returns the `Model` for the objects that it knows, and None for all
others. One that opens files that can run code takes ``trust``, and refuses them without it.
"""
