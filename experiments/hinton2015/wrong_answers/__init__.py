"""What a student learns from the relative probabilities of wrong answers."""
