"""Examples: inputs, labels and groups (utterance, patient) that keep their keys."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from limbeck.artifacts import fingerprint
from limbeck.errors import ExamplesError, MismatchError
from limbeck.examples import _labels
from limbeck.examples._hashes import Hashes, content_hashes, digest, hash64
from limbeck.examples._inputs import TEXT, as_inputs, check_inputs, check_narrowed_columns, is_text
from limbeck.examples._labels import LabelsKind
from limbeck.examples._lazy import Array, Inputs, joined, subset


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs, labels where there are any, and the keys they are known by.

    Made by `Examples.of`, which checks everything; `take`, `split` and the like keep keys,
    labels, groups and columns with their inputs.

    Attributes:
        inputs: raw inputs `(examples, ...)`: numbers, or texts `(examples,)` of numpy's
            `StringDType`; what a model needs done to them is its encoding.
        labels: int64 class positions `(examples,)`, -1 where an example has no label; or int8
            `(examples, classes)`, a 0 or 1 for each column, a row of -1 for none; or float32
            values `(examples, outputs)`, a row of NaN for none.
        keys: text `(examples,)`, no two alike.
        classes: the class names in order; empty when nobody named them.
        groups: text `(examples,)`: examples of one group are never split apart. Without groups
            of your own, inputs with the same content are a group.
        columns: anything else known of each example, for slices and splits.
        features: of a table the names of the input columns, in order; else empty.
        name: what reports call the set.
        source: the text that `limbeck.read` opens again; empty for arrays of your own.
    """

    inputs: Inputs
    labels: Array
    keys: Array
    classes: tuple[str, ...]
    groups: Array
    columns: Mapping[str, Array] = field(default_factory=dict)
    name: str = "examples"
    source: str = ""
    features: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        inputs: Inputs | Sequence[str],
        labels: Array | Sequence[Any] | None = None,
        *,
        keys: Sequence[str] | Array | None = None,
        classes: Sequence[str] = (),
        groups: Sequence[str] | Array | None = None,
        columns: Mapping[str, Array] | None = None,
        name: str = "examples",
        features: Sequence[str] = (),
        kind: str = "",
    ) -> "Examples":
        """Examples from arrays, checked.

        Labels are class names, or class positions from 0 on with -1 for none. Whole numbers are
        names where all of them are in `classes`, and without `classes` where none is 0: 1 to 5,
        or -1 and 1. False and True are names too. Without `classes` the names are the labels' own
        values in order ("0", "1", ... for positions). Where an example may be of several classes,
        or of a single one or not, labels are 0 or 1 `(examples, classes)`, -1 where one is not
        known, which counts in no loss and no metric. Floats `(examples,)`
        or `(examples, outputs)` are values to be predicted. Where numbers could be another,
        `kind` says what is meant: "logits" for positions of classes, "independent-logits" for a 0
        or 1 for each column, "values" for real values. Keys default to the row.

        Raises:
            ExamplesError: no examples, NaN or infinity, a text that is empty, duplicate keys, or
                unequal lengths.
            LabelsError: a label is outside the classes, or not of that kind.
            InputError: no such kind.

        Warns:
            TableWarning: floats that are all 0 or 1 are taken as values.
        """
        inputs = as_inputs(inputs)
        n = len(inputs) if inputs.ndim else 0
        check_inputs(inputs)
        known_keys = np.arange(n).astype(str) if keys is None else _names(keys, "keys")
        _check_keys(known_keys, n)
        if labels is not None:
            _check_length("labels", len(labels), n)
        positions, names = _labels.read_labels(labels, tuple(classes), n, kind)
        others = {k: np.asarray(v) for k, v in (columns or {}).items()}
        for column, values in others.items():
            _check_length(f"column {column!r}", len(values), n)
        if features:
            _check_length(
                "names of features", len(features), inputs.shape[1] if inputs.ndim > 1 else 1
            )
        check_narrowed_columns(inputs, features)
        examples = cls(
            inputs, positions, known_keys, names, known_keys, others, name, "", tuple(features)
        )
        if groups is None:
            own = examples.content_hashes.astype(str)
        else:
            own = _names(groups, "groups")
            _check_length("groups", len(own), n)
        return dataclasses.replace(examples, groups=own)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are texts."""
        return is_text(self.inputs)

    @property
    def texts(self) -> list[str]:
        """The texts, as Python's own."""
        return list(np.asarray(self.inputs))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input; of a text (-1,), as many bytes as it has."""
        return TEXT if self.is_text else tuple(self.inputs.shape[1:])

    @property
    def is_labelled(self) -> Array:
        """Which examples have a label, `(examples,)` booleans."""
        return _labels.is_labelled(self.labels)

    @property
    def labels_kind(self) -> LabelsKind:
        """What a student answers with who learns these labels: "logits" where they are classes."""
        return _labels.labels_kind_of(self.labels)

    @cached_property
    def _hashes(self) -> Hashes:
        return Hashes()

    @property
    def content_hashes(self) -> Array:
        """8 bytes for each input's content, type and shape, `(examples,)` uint64; no labels."""
        if self._hashes.contents is None:
            self._hashes.contents = content_hashes(self.inputs, self.shape)
        return self._hashes.contents

    @property
    def key_hashes(self) -> Array:
        """8 bytes for each key, `(examples,)` uint64: what views draw their numbers from."""
        if self._hashes.keys is None:
            self._hashes.keys = hash64(str(key).encode() for key in self.keys)
        return self._hashes.keys

    @property
    def fingerprint(self) -> str:
        """Names the set by its keys and contents, in whatever order they come."""
        if not self._hashes.whole:
            order = np.argsort(self.keys)
            keys = "\0".join(self.keys[order]).encode()
            content = self.content_hashes[order].astype("<u8").tobytes()
            self._hashes.whole = fingerprint([len(self), digest(keys), digest(content)])
        return self._hashes.whole

    @property
    def labels_fingerprint(self) -> str:
        """Names the labels by their keys, in whatever order they come."""
        order = np.argsort(self.keys)
        return fingerprint(digest(_labels.labels_content(self.labels[order])))

    @cached_property
    def _sorted_keys(self) -> tuple[Array, Array]:
        order = np.argsort(self.keys)
        return self.keys[order], order

    @property
    def rows_by_key(self) -> Array:
        """The rows in the order of their keys, `(examples,)`."""
        return self._sorted_keys[1]

    def find(self, keys: Array) -> Array:
        """The row of each key, -1 for a key that is not here."""
        ordered, order = self._sorted_keys
        at = np.searchsorted(ordered, keys)
        at = np.minimum(at, len(ordered) - 1)
        return np.where(ordered[at] == keys, order[at], -1)

    def take(self, rows: Array) -> "Examples":
        """The examples of those rows, in that order."""
        part = dataclasses.replace(
            self,
            inputs=subset(self.inputs, rows),
            labels=self.labels[rows],
            keys=self.keys[rows],
            groups=self.groups[rows],
            columns={k: v[rows] for k, v in self.columns.items()},
            source="",
        )
        if len(part) == 0:
            raise ExamplesError(f"no example of {self.name} is left")
        if self._hashes.contents is not None:
            part._hashes.contents = self._hashes.contents[rows]
        if self._hashes.keys is not None:
            part._hashes.keys = self._hashes.keys[rows]
        return part

    def named(self, name: str, source: str = "") -> "Examples":
        """The same examples under another name and source."""
        return dataclasses.replace(self, name=name, source=source)

    def without_labels(self) -> "Examples":
        """The same examples, unlabelled; the class names stay."""
        return dataclasses.replace(self, labels=_labels.blank_labels(self.labels, len(self)))

    def with_labels(self, labels: Array, classes: tuple[str, ...]) -> "Examples":
        """The same inputs under other labels, which are positions in those classes."""
        other = dataclasses.replace(self, labels=labels, classes=classes, source="")
        hashes = self._hashes  # labels are in none of them
        other._hashes.contents, other._hashes.keys = hashes.contents, hashes.keys
        other._hashes.whole = hashes.whole
        return other

    def check_classes(self, classes: Sequence[str], whose: str) -> None:
        """Refuses class names that are not these, in this order.

        Raises:
            MismatchError: they differ.
        """
        if self.classes and tuple(classes) != self.classes:
            raise MismatchError(
                f"{self.name} names the classes {_labels.brief_names(self.classes)}, {whose} names "
                f"{_labels.brief_names(classes)}: they must be the same names in the same order"
            )

    def split(
        self, fraction: float, *, by: str = "", seed: int = 0
    ) -> tuple["Examples", "Examples"]:
        """Two parts that share no group; the second holds about that fraction of the examples.

        Which group goes where depends on its name and the seed alone, not on the order.
        `by` takes the groups from a column.

        Raises:
            ExamplesError: a part would be empty, or the same content is in both parts.
        """
        if not 0 < fraction < 1:
            raise ExamplesError(f"the fraction of a split lies between 0 and 1, not {fraction}")
        groups = self.column(by).astype(str) if by else self.groups
        names, of_group, counts = np.unique(groups, return_inverse=True, return_counts=True)
        order = np.argsort(hash64(f"{seed}\0{name}".encode() for name in names))
        before = np.cumsum(counts[order]) - counts[order]
        chosen = order[before < round(fraction * len(self))]
        second = np.isin(of_group, chosen)
        return self._parted(second)

    def split_by_time(self, column: str, fraction: float) -> tuple["Examples", "Examples"]:
        """Two parts of which the second is later: about that fraction, by a column of times.

        Examples of the same time stay together, in the later part.

        Raises:
            ExamplesError: a part would be empty, or the same content is in both parts.
        """
        times = self.column(column)
        first_of_later = np.sort(times)[round(len(self) * (1 - fraction))]
        return self._parted(np.asarray(times >= first_of_later))

    def _parted(self, second: Array) -> tuple["Examples", "Examples"]:
        if second.all() or not second.any():
            raise ExamplesError(f"{self.name} cannot be split so: one part would be empty")
        parts = self.take(np.flatnonzero(~second)), self.take(np.flatnonzero(second))
        check_disjoint({"the first part": parts[0], "the second part": parts[1]})
        return parts

    def column(self, name: str) -> Array:
        """The values of a column, `(examples,)`.

        Raises:
            ExamplesError: there is none of that name.
        """
        if name not in self.columns:
            names = ", ".join(sorted(self.columns)) or "none"
            raise ExamplesError(f"{self.name} has no column {name!r}; it has {names}")
        return self.columns[name]

    @property
    def has_row_keys(self) -> bool:
        """Whether nobody gave keys, so that an example is known by its row."""
        return bool((self.keys == np.arange(len(self)).astype(str)).all())

    def called_as_in(self, others: "Examples") -> "Examples":
        """The same examples, each under the key that its content has in another set.

        One that is not there, or is here twice, is called by this set's name and its row.
        """
        first = dict(zip(others.content_hashes[::-1], others.keys[::-1], strict=True))
        keys = [f"{self.name}/{key}" for key in self.keys]
        for row, content in enumerate(self.content_hashes):
            if content in first:
                keys[row] = first.pop(content)
        return dataclasses.replace(self, keys=np.array(keys))

    def joined(self, labelled: "Examples") -> "Examples":
        """These examples and the labelled ones: known keys get their label, others are added.

        Raises:
            MismatchError: other classes, another input shape or form of labels, or other content
            under one key.
        """
        self.check_classes(labelled.classes, labelled.name)
        if labelled.shape != self.shape:
            raise MismatchError(
                f"inputs of {self.name} have shape {self.shape}, "
                f"of {labelled.name} {labelled.shape}"
            )
        if self.features and labelled.features and labelled.features != self.features:
            raise MismatchError(
                f"{self.name} has the columns {_labels.brief_names(self.features)}, "
                f"{labelled.name} {_labels.brief_names(labelled.features)}: put them in one order"
            )
        rows = self.find(labelled.keys)
        is_known = rows >= 0
        changed = is_known & (self.content_hashes[rows] != labelled.content_hashes)
        if changed.any():
            if labelled.has_row_keys:
                return self.joined(labelled.called_as_in(self))
            key = str(labelled.keys[changed][0])
            raise MismatchError(
                f"example {key!r} is one thing in {self.name} and another in {labelled.name}: "
                "give the sets keys of their own"
            )
        labels = _labels.alike_labels(self.labels, labelled.labels, (self.name, labelled.name))
        labels[rows[is_known]] = labelled.labels[is_known]
        mine = dataclasses.replace(self, labels=labels, classes=self.classes or labelled.classes)
        new = np.flatnonzero(~is_known)
        return _concatenated(mine, labelled.take(new)) if len(new) else mine


def check_disjoint(parts: Mapping[str, Examples]) -> None:
    """Refuses parts that share an example, by content, whatever its key.

    Raises:
        ExamplesError: names the parts, the first example found in both, and how many there are.
    """
    for (one, first), (other, second) in combinations(parts.items(), 2):
        shared = np.isin(second.content_hashes, first.content_hashes)
        if shared.any():
            key = str(second.keys[shared][0])
            is_twin = first.content_hashes == second.content_hashes[shared][0]
            twin = str(first.keys[is_twin][0])
            raise ExamplesError(
                f"{shared.sum()} of the examples in {other} are also in {one}, "
                f"the first is {key!r} (there {twin!r}): a score on them would flatter; "
                "take them out of one part"
            )


def _concatenated(one: Examples, other: Examples) -> Examples:
    shared = one.columns.keys() & other.columns.keys()
    return dataclasses.replace(
        one,
        inputs=joined([one.inputs, other.inputs]),
        labels=np.concatenate([one.labels, other.labels]),
        keys=np.concatenate([one.keys, other.keys]),
        groups=np.concatenate([one.groups, other.groups]),
        columns={k: np.concatenate([one.columns[k], other.columns[k]]) for k in shared},
    )


def _check_keys(keys: Array, n: int) -> None:
    _check_length("keys", len(keys), n)
    values, counts = np.unique(keys, return_counts=True)
    if (counts > 1).any():
        key = str(values[counts > 1][0])
        raise ExamplesError(
            f"{int((counts > 1).sum())} keys are not unique, the first is {key!r} "
            f"({int(counts[counts > 1][0])} times): a key names one example"
        )


def _names(values: Any, what: str) -> Array:
    names = np.asarray(values, dtype=str)
    if names.ndim != 1:
        raise ExamplesError(f"{what} are one for each example, not of the shape {names.shape}")
    return names


def _check_length(what: str, length: int, n: int) -> None:
    if length != n:
        raise ExamplesError(f"there are {n} inputs but {length} {what}")
