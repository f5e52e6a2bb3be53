"""A shallow net with as many parameters as a deep one, by labels and as a mimic."""
