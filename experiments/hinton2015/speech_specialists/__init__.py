"""Specialists for confusable states, and one net that learns from all of them."""
