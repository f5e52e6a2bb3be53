"""Soft targets let 3 % of the speech teach almost what all of it does."""
