"""Teachers that are models of transformers, and heads on their embeddings.

Files:
    _classifier: Teachers that are sequence classifiers of transformers, in a local folder.
    _embedding_cache: Embeddings on disk, found by the content of the text they are of.
    _encoder: Sentence encoders in a local folder: texts are embedded once, and many heads teach
        from that.
    _head: Heads on embeddings: logistic regressions, fitted here or handed in.
    _head_file: Heads of sentence encoders in files: numbers, class names, and which encoder they
        read.
    _tokenizer: Texts to the tokens that a model of transformers reads.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
