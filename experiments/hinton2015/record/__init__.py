"""The best 784-800-800-10 we can make on MNIST: beyond the paper."""
