"""Names, inputs and options: how plots, models, data sets and commands are found and called.

Nothing here knows what a model or a data set is. May import `vaeviz.errors` only.
"""
