"""Soft targets on 3 % of the data, against labels that are stopped early."""
