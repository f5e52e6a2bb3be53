"""CSV and Parquet files: read whole, or where they are large some rows at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.datasets import _arrow, _decoded
from limbeck.examples import Inputs, is_large
from limbeck.runtime import Bar, needs

ROWS = 2**14  # of a large Parquet file that are in memory at a time
BLOCK = 2**24  # bytes of a large CSV; the first block says what the columns hold


@dataclass(frozen=True, eq=False)
class Whole:
    """A file that was read: an Arrow table."""

    path: Path
    table: Any

    @property
    def column_names(self) -> list[str]:
        """Of all columns, in order."""
        names: list[str] = self.table.column_names
        return names

    def only(self, names: Sequence[str]) -> Any:
        """The Arrow table of those columns."""
        return self.table.select(names)

    def matrix(self, names: Sequence[str]) -> Inputs:
        """Columns of numbers as inputs, float32 `(rows, columns)`."""
        return _arrow.matrix(self.table, names, self.path)

    def texts_of(self, name: str) -> Inputs:
        """A column of texts as inputs."""
        return _arrow.texts(self.table[name], name, self.path)


@dataclass(frozen=True, eq=False)
class Streamed:
    """A file of which some rows are in memory at a time.

    Of a CSV the first 16 MiB say what a column holds. Whole numbers there count as any numbers, for
    later rows may have fractions, except in the columns that are kept as they are.

    Attributes:
        texts: columns that are text whatever is there.
        kept: columns that are kept as they are.
    """

    path: Path
    texts: Sequence[str]
    kept: Sequence[str]

    @cached_property
    def column_names(self) -> list[str]:
        """Of all columns, in order."""
        names: list[str] = self._schema.names
        _arrow.check_columns(names, self.path)
        return names

    def only(self, names: Sequence[str]) -> Any:
        """The Arrow table of those columns, in memory."""
        if not names:  # which a CSV's reader would take for all
            return needs("pyarrow").table({})
        with _arrow.reading(self.path):
            table = needs("pyarrow").Table.from_batches(self._batches(list(names)))
        return _arrow.plain(table)

    def matrix(self, names: Sequence[str]) -> Inputs:
        """Columns of numbers as inputs, float32 `(rows, columns)`, read once and kept on disk."""
        what = ["table", _decoded.stamps([self.path]), list(names)]
        parts = self._parts(names, lambda part, first: _arrow.matrix(part, names, self.path, first))
        return _decoded.decoded(what, lambda: self._count, parts)

    def texts_of(self, name: str) -> Inputs:
        """A column of texts as inputs, read once and kept on disk."""
        what = ["texts", _decoded.stamps([self.path]), name]
        parts = self._parts(
            [name], lambda part, first: _arrow.texts(part[name], name, self.path, first)
        )
        return _decoded.texts(what, map(np.ndarray.tolist, parts))

    def _parts(
        self, names: Sequence[str], read: Callable[[Any, int], np.ndarray]
    ) -> Iterator[np.ndarray]:
        """What is read of each part of those columns, from the table and its first row's number."""
        arrow, first = needs("pyarrow"), 0
        batches = self._batches(list(names))
        with Bar(f"reading {self.path.name}", self._count) as bar:
            while True:
                with _arrow.reading(self.path):
                    batch = next(batches, None)
                if batch is None:
                    return
                yield read(_arrow.plain(arrow.Table.from_batches([batch])), first)
                first += len(batch)
                bar.advance(len(batch))

    @cached_property
    def _count(self) -> int:
        if not _arrow.is_csv(self.path):
            return int(self._parquet.metadata.num_rows)
        with _arrow.reading(self.path):
            return sum(len(batch) for batch in self._batches(self.column_names[:1]))

    @cached_property
    def _schema(self) -> Any:
        with _arrow.reading(self.path):
            return self._csv({}).schema if _arrow.is_csv(self.path) else self._parquet.schema_arrow

    @cached_property
    def _parquet(self) -> Any:
        return needs("pyarrow.parquet").ParquetFile(self.path)

    def _batches(self, names: list[str]) -> Iterator[Any]:
        if _arrow.is_csv(self.path):
            yield from self._csv(self._kinds, include_columns=names)
        else:
            yield from self._parquet.iter_batches(ROWS, columns=names)

    @cached_property
    def _kinds(self) -> dict[str, Any]:
        arrow = needs("pyarrow")
        numbers = {
            field.name: arrow.float64()
            for field in self._schema
            if arrow.types.is_integer(field.type) or arrow.types.is_null(field.type)
        }
        widened = {name: kind for name, kind in numbers.items() if name not in self.kept}
        return {**widened, **_arrow.as_text(self.texts)}

    def _csv(self, kinds: dict[str, Any], **which: Any) -> Any:
        options = _arrow.csv_options(self.path, kinds, BLOCK, **which)
        return needs("pyarrow.csv").open_csv(self.path, **options)


def opened(path: Path, texts: Sequence[str] = (), kept: Sequence[str] = ()) -> Whole | Streamed:
    """The table in a file; columns in `texts` are text, those in `kept` what they are.

    Raises:
        CorruptError: it cannot be read as what its ending says.
        ExamplesError: a column has no name, or two have one.
        NeedsPackageError: it needs pyarrow.

    Warns:
        TableWarning: a CSV is written otherwise than with commas and in UTF-8, and read so.
    """
    if _arrow.is_csv(path):
        _arrow.Dialect.of(path).tell(path)
    if _is_large(path):
        return Streamed(path, texts, kept)
    return Whole(path, _arrow.open_table(path, texts))


def _is_large(path: Path) -> bool:
    """Whether all of it in memory would be large."""
    if _arrow.is_csv(path):
        return is_large(path.stat().st_size)
    with _arrow.reading(path):
        about = needs("pyarrow.parquet").ParquetFile(path).metadata
    cells = np.dtype(np.float32).itemsize * about.num_rows * about.num_columns
    stored = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
    return is_large(max(cells, stored))
