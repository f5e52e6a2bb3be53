"""One hidden layer and no convolution on MNIST and Fashion-MNIST, by labels and as a mimic."""
