"""Whether to distil on a table of flights."""
