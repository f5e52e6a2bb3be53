"""Section 5: a generalist, specialists for what it confuses, and all of them in one net."""
