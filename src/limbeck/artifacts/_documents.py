"""Documents of rows that are artifacts of their own: JSON is the truth, Markdown a view of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from limbeck.artifacts import _files
from limbeck.artifacts._directories import MANIFEST
from limbeck.artifacts._files import read_checked, read_json
from limbeck.artifacts._records import FileEntry, lacking, read_record
from limbeck.errors import CorruptError, InputError


@dataclass(frozen=True)
class DocumentRecord:
    """What the manifest beside a document says, so far as reading it needs that."""

    files: Mapping[str, FileEntry]


def read_document(
    directory: Path, artifact: str, name: str, record: type, number: int = 1
) -> dict[str, Any]:
    """The JSON document of an artifact, with all that a record of that type holds.

    Raises:
        MissingError: there is none, or it is not whole.
        CorruptError: it is damaged, of another format than `number`, or lacks a part.
    """
    files = read_record(DocumentRecord, directory, artifact).files
    if name not in files:
        raise CorruptError(f"{directory / MANIFEST} lacks files.{name}")
    read_checked(directory, name, files[name])
    document = read_json(directory / name)
    if (own_format := document.get("format", "none")) != number:
        raise CorruptError(
            f"{directory / name} has format {own_format}; this Limbeck reads {number}"
        )
    if missing := lacking(record, document):
        raise CorruptError(f"{directory / name} is no {artifact}: it lacks {', '.join(missing)}")
    return document


Row = Mapping[str, Any]
D = TypeVar("D", bound="Documented")


@dataclass(frozen=True)
class Form:
    """What documents of one kind are called, and what each of them holds.

    Attributes:
        artifact: in the manifest.
        name: the JSON file.
        page: the Markdown file.
        version: the format that is written and read.
        record: what a document says, typed: a frozen dataclass.
        lacks: how a sentence about a row that is not there begins.
    """

    artifact: str
    name: str
    page: str
    version: int
    record: type
    lacks: tuple[str, str]

    @property
    def files(self) -> list[str]:
        """What lies in the directory beside the manifest."""
        return [self.name, self.page]


@dataclass(frozen=True)
class Documented:
    """A document in a directory: JSON is the truth, Markdown a view of it.

    Attributes:
        document: what the JSON file holds; everything else here is read from it.
        directory: where it lies.
    """

    document: Mapping[str, Any]
    directory: Path
    FORM: ClassVar[Form]

    @property
    def rows(self) -> Sequence[Row]:
        """The rows in their order."""
        return list(self.document["rows"])

    def row(self, name: str) -> Row:
        """The row of that name.

        Raises:
            InputError: there is no such row.
        """
        rows = {str(row["name"]): row for row in self.rows}
        if name not in rows:
            subject, others = self.FORM.lacks
            raise InputError(f"{subject} no row {name!r}; {others} {', '.join(rows)}")
        return rows[name]

    def to_markdown(self) -> str:
        """The whole document as GitHub-flavoured Markdown."""
        raise NotImplementedError

    def write(self) -> None:
        """Writes the Markdown page and the JSON file into the directory.

        Raises:
            StorageError: the disk is full, read-only, or not ours to write.
        """
        _files.write_file(self.directory / self.FORM.page, self.to_markdown().encode())
        _files.write_json(self.directory / self.FORM.name, self.document)

    @classmethod
    def read(cls: type[D], directory: str | Path) -> D:
        """The document in a directory.

        Raises:
            MissingError: there is none, or it is not whole.
            CorruptError: it is damaged, or of another format.
        """
        place, form = Path(directory), cls.FORM
        document = read_document(place, form.artifact, form.name, form.record, form.version)
        return cls(document, place)
