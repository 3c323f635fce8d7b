"""Models: the VAE, the conditional VAE, the plain autoencoder, and their builders.

This package imports networks, likelihoods and objectives.
"""
