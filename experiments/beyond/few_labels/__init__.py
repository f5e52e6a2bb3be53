"""Few labels and many texts without: a shallow student of texts learns from a transformer."""
