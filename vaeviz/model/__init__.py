"""Encoders and decoders: opening models, calling them, and the posteriors that they return.

`encode` and `decode` are the only places where a foreign encoder or decoder is called. May import `vaeviz.data` and
the rooms below it.
"""
