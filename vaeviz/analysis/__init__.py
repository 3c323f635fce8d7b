"""Numbers only: what the plots draw, computed without matplotlib."""
