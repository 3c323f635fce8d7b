"""Watch a training: `watch` draws figures while it runs, and a callback for each library calls it.

Imports everything below `vaeviz.animation`. Only the file of a library imports that library.
"""
