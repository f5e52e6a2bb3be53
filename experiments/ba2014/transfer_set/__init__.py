"""How many unlabelled points a mimic needs, and whether they may be its teacher's own."""
