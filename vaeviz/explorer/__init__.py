"""The explorer: one interactive page, or a notebook widget, for the latent space of any model.

May import everything below the command line.
"""
