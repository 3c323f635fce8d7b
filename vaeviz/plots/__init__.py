"""The built-in plots: one a file, named after it. The registry walks this folder as it walks a plug-in's."""
