"""A transformer that is fine-tuned on its labels teaches a shallow student of texts."""
