"""Health checks of a latent space, each a question with a number and a threshold, and their report.

May import `vaeviz.plots` and the rooms below it; it imports no matplotlib.
"""
