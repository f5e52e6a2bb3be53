"""The table of section 3: a big net's knowledge in a small one, on MNIST."""
