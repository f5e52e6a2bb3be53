"""The papers' claims, each measured by one command; `python -m experiments` lists them."""
