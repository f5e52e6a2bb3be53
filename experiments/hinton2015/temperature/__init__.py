"""Which temperature to distil at, by the width of the student."""
