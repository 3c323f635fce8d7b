"""A plug-in for vaeviz: a data set of rings, a model for it, and more."""
