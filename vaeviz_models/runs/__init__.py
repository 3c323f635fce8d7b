"""Run folders: config, weights, history and checkpoint, and the trainings that write them.

This package imports training, models and `vaeviz`.
"""
