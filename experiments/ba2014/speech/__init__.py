"""A shallow net that mimics deep ones hears phones better than the same net on labels."""
