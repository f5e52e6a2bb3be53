"""New unlabelled rows for a table, from the rows it has: MUNGE, naive Bayes, and at random.

Files:
    _columns: Tables of continuous and nominal columns as plain numbers, and back again.
    _munge: New rows from the rows there are: MUNGE, naive Bayes, and at random.
    _naive_bayes: Naive Bayes estimation: a mixture, fitted by EM, in whose components columns are
        independent.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
