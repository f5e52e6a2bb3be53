"""Teachers around another one, which answers.

Files:
    _features: Columns of a table are found by name, in whatever order a teacher learned them.
    _ordered: Teachers whose columns stand in another order than they answer in.
    _pixels: Teachers that want images otherwise than stored: scaled, standardized, laid out,
        resized.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
