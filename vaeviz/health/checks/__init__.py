"""Health checks, one question a file."""
