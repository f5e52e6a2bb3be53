"""A wide net with and without its linear bottleneck, against steps and seconds."""
