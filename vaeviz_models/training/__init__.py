"""Training: `fit` and its settings, state, steps, evaluation, loaders, devices and precision.

This package imports models, networks, likelihoods and objectives.
"""
