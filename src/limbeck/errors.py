"""Every error Limbeck raises.

```
LimbeckError
├── InputError (ValueError)            what was handed in cannot be used
│   ├── ExamplesError                  the examples: empty, NaN, duplicate keys, wrong shape
│   ├── LabelsError                    the labels: missing, or outside the classes
│   ├── TeacherError                   what a teacher answered
│   ├── MismatchError                  two artifacts that do not belong together
│   └── RecipeError                    a recipe or a call written as text
├── CorruptError (ValueError)          a file that is not what its checksum says
├── MissingError (FileNotFoundError)   a file or directory that is not there
├── OccupiedError (FileExistsError)    an output directory that holds something else
├── StorageError (OSError)             a full or read-only disk
├── TrustError (PermissionError)       naming code runs it, and nobody said --trust
├── NeedsPackageError (ImportError)    an optional package is not installed
└── NotMetError                        an exported file answers otherwise than its student
```

Each message is one sentence or two: what was wrong, the value we got, what would be right.
"""

from collections.abc import Sequence


class LimbeckError(Exception):
    """The root of every error raised by Limbeck."""


class InputError(LimbeckError, ValueError):
    """Something handed in cannot be used."""


class ExamplesError(InputError):
    """Examples that are empty, duplicated, of the wrong shape, or not finite."""


class LabelsError(InputError):
    """Labels that are missing where they are needed, or outside the classes."""


class TeacherError(InputError):
    """A teacher answered with the wrong number of classes, NaN, infinity, or twice otherwise."""


class MismatchError(InputError):
    """Two artifacts that do not belong together."""


class RecipeError(InputError):
    """A recipe, or a call written as text, with one or more faults."""


class CorruptError(LimbeckError, ValueError):
    """A file whose content is not what its checksum says."""


class MissingError(LimbeckError, FileNotFoundError):
    """A file or directory that is not there."""


class OccupiedError(LimbeckError, FileExistsError):
    """An output directory that holds something else; nothing is overwritten."""


class StorageError(LimbeckError, OSError):
    """A disk that is full or cannot be written."""


class TrustError(LimbeckError, PermissionError):
    """Code was named in a text, and running it was not allowed."""


class NeedsPackageError(LimbeckError, ImportError):
    """An optional package is needed and not installed."""


class NotMetError(LimbeckError):
    """An exported file answers otherwise than its student."""


class ScoresWarning(UserWarning):
    """The scores are usable, but probably not of the kind they were declared to be."""


class TableWarning(UserWarning):
    """A table can be used, but a column of it is probably not what it is taken for."""


class StudentWarning(UserWarning):
    """A student can be used, but probably is not what was meant."""


class TextsWarning(UserWarning):
    """Texts are read, but not to their end."""


class SpeechWarning(UserWarning):
    """Recordings can be used, but not all of them.

    Attributes:
        faults: of each recording left out because it is bad, the sentence that says why.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)
