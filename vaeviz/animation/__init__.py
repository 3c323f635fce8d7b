"""Animations: a plot of one model after another, and loops through the latent space of one model.

Imports everything below the explorer. `animate` is its only public function.
"""
