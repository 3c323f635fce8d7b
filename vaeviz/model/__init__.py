"""What an encoder and a decoder are: opening models, calling them, and the posteriors that come back.

`encode` and `decode` are the only places where a foreign encoder or decoder is called. May import `vaeviz.data` and
the rooms below it.
"""
