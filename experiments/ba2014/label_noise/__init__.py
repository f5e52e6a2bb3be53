"""Whether a teacher filters wrong labels, so that its mimic is better than the labels' net."""
