"""The families of students, one a file.

Files:
    _bottleneck: A linear bottleneck, `W = U V`: how it starts, and how it is multiplied out.
    _conv_pool: Convolutional nets of few layers with one hidden layer, as the papers compare
        depths.
    _convnet: Convolutional students and teachers for small images.
    _factory: Any other net: a function that returns an `nn.Module`, named so that it can be found
        again.
    _fastnet: A convolutional net for small colour images that learns in few passes over them.
    _frequency_conv: A net for frames of speech: one convolution over the mel bands, a max-pool,
        dense layers.
    _mlp: Fully connected students of any depth, and the papers' shallow one with its bottleneck.
    _ngrams: Students that read texts: hashed n-grams of words and bytes, their embeddings averaged.
    _of_size: Students of a family that have a given number of parameters.
    _shallow_conv: The papers' shallow net for images: one convolution, a linear bottleneck, one
        wide layer.
    _static: Students that average embeddings of a text's tokens, which start as a language model's
        own.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
