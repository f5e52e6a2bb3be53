"""Datasets: images, tables, texts and speech, read from files or obtained by name.

Files:
    _arrow: Columns of CSV and Parquet files: opened, checked, and read as inputs, labels or texts.
    _decoded: Inputs that are costly to decode: decoded once, kept in the cache and opened from
        there.
    _download: Known data sets, obtained and verified by checksum, whichever source answers first.
    images: Images from IDX files, folders and Parquet, and the sets everyone knows.
    _label_columns: The columns of labels in a table: which they are, and whether numbers are names
        or positions.
    _pictures: Encoded pictures as one array: decoded, upright, of one size and with the same
        channels.
    _read: Opens examples from a path, the name of a known set, or a call that says how.
    _speech: Opens frames of a corpus of speech, with the states of their phones as labels, by a
        call.
    synthetic/: New unlabelled rows for a table, from the rows it has: MUNGE, naive Bayes, and at
        random.
    _table_file: CSV and Parquet files: read whole, or where they are large some rows at a time.
    tables: Rows of numbers from arrays, `.npy`, `.npz`, CSV and Parquet.
    text: Texts with labels from JSON lines, CSV and Parquet files, and the IMDB reviews.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
