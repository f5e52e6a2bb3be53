"""What a mimic is asked to match: logits in three forms, soft targets, probabilities."""
