"""Bucila, Caruana & Niculescu-Mizil 2006, "Model Compression", KDD."""
