"""Watch a training: `watch` draws figures while it runs, and a callback for each library calls it.

Imports everything of vaeviz but the command line. Only the file of a library imports that library.
"""
