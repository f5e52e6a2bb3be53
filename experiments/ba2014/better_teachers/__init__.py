"""Whether a better teacher makes a better mimic, for a small and a large student."""
