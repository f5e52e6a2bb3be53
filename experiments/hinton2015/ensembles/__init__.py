"""Section 4's table: what ten nets know, in one of them."""
