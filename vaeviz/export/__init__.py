"""Figure sets: draw many plots into a folder, with a manifest and a page that shows them.

May import every room but `vaeviz.cli`.
"""
