"""Classes left out of the transfer set, and the bias that brings them back."""
