"""Which gains over soft targets survive when every method is tuned alike."""
