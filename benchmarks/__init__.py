"""What this library promises to be fast at, measured; each writes `results/NAME.json`."""
