"""Sentence encoders in a local folder: texts are embedded once, and many heads teach from that."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression

from limbeck import runtime, students
from limbeck.artifacts import cache_of
from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import CorruptError, InputError, MismatchError, MissingError, TeacherError
from limbeck.examples import Array, Examples
from limbeck.runtime import needs
from limbeck.students import texts_in
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher
from limbeck.teachers._torch import suffix
from limbeck.teachers.fitted import class_names
from limbeck.teachers.transformers import _head, _head_file
from limbeck.teachers.transformers._embedding_cache import Kept
from limbeck.teachers.transformers._head_file import Head, Reads
from limbeck.teachers.transformers._tokenizer import Reader, most_tokens

MODULES = "modules.json"
KNOWN = ("Transformer", "Pooling", "Normalize", "Dense", "LayerNorm")
CHUNK = 256  # texts a file
BATCH = 32  # texts that are embedded at a time

Texts = Examples | Array | Sequence[str]


@dataclass(frozen=True, eq=False)
class Encoder:
    """A sentence encoder, and the embeddings it has made; `teachers.encoder` opens one.

    Attributes:
        name: what teachers made of it are called.
        fingerprint: names it by its files, its tokens and its precision.
        dimensions: of an embedding.
        model: the library's own.
        reader: its tokenizer, and how much of a text is read.
        batch: texts that are embedded at a time.
        precision: "float32" or "bfloat16".
        kept: the embeddings on disk.
        folder: where it lies, absolute.
        tokens: of a text that somebody asked for; 0 for as many as it can read.
    """

    name: str
    fingerprint: str
    dimensions: int
    model: Any = field(repr=False)
    reader: Reader = field(repr=False)
    batch: int
    precision: str
    kept: Kept = field(repr=False)
    folder: Path = field(repr=False)
    tokens: int = 0

    def embed(self, texts: Texts) -> Float[np.ndarray, "texts dimensions"]:
        """The embedding of each text, float32, as the library's own `encode` gives it.

        Texts that this encoder embedded before, whatever their keys, are read from disk. The
        others are embedded and kept, so many at a time: an interrupted call goes on where it was.

        Raises:
            TeacherError: these are no texts.
            ExamplesError: a text is empty.
            StorageError: the disk is full or read-only; what was embedded before is kept.
        """
        examples = self._examples(texts)
        content = examples.content_hashes
        absent = self.kept.absent(content)
        parts = [absent[start : start + CHUNK] for start in range(0, len(absent), CHUNK)]
        cut = 0
        with runtime.Bar(f"embedding {examples.name}", len(parts)) as bar:
            for rows in parts:
                missing_texts = examples.inputs[rows].tolist()
                self.kept.add(
                    content[rows], _embedded(self.model, missing_texts, self.batch, self.precision)
                )
                cut += self.reader.count_untold(missing_texts)
                bar.advance()
        self.reader.tell(cut, len(absent))
        return self.kept.rows(content)

    def count_cut(self, texts: Texts) -> int:
        """How many of the texts are longer than what is read of them.

        Raises:
            TeacherError: these are no texts.
            ExamplesError: a text is empty.
        """
        return self.reader.count_cut(self._examples(texts).texts)

    def fit_head(
        self, examples: Examples, *, strength: float = 0.0, seed: int = 0
    ) -> LogisticRegression:
        """A logistic regression on the embeddings of the labelled examples, for `with_head`.

        `strength` is scikit-learn's C: the larger, the closer the head follows the labels. 0
        chooses a power of ten from 0.01 to 1000 by the log-loss in five-fold cross-validation
        over these same examples, the examples of a group within one fold; it is 1 where a class
        is in one group only. No other example plays a part.

        Raises:
            LabelsError: they are of fewer than two classes, one class has no example, or labels
                have a column for each class.
            InputError: a strength below 0.
            TeacherError: these are no texts.
        """
        if strength < 0:
            raise InputError(f"a strength is above 0, or 0 to have it chosen, not {strength}")
        labelled = _head.labelled_in(self._examples(examples))
        inputs, names = self.embed(labelled), np.array(labelled.classes)[labelled.labels]
        chosen = strength or _head.chosen_strength(inputs, names, labelled.groups, seed)
        return _head.fitted(inputs, names, chosen)

    def with_head(
        self,
        head: object,
        classes: Sequence[str] = (),
        *,
        looks_up: bool = True,
        name: str = "",
    ) -> Teacher:
        """The teacher who embeds texts and asks the head: texts to logits `(batch, classes)`.

        The head is scikit-learn's LogisticRegression, fitted on `embed`'s embeddings by `fit_head`
        or by you. If its `classes_` are names, `classes` gives their order; if they are positions,
        it names them. Two classes have the logits `-d/2` and `d/2` of the head's decision d, so
        softmax gives its probabilities. The fingerprint follows from the encoder's and the head's
        numbers.

        Texts that `embed` kept are answered from there, others are embedded anew and not kept: so
        call `embed` on what several heads will answer. `looks_up=False` embeds every text, for
        who wants to know how long that takes.

        Raises:
            TeacherError: the head is another kind of model, is not fitted, was fitted on other
                inputs, or its positions are not those of these classes.
            MismatchError: it names other classes than were given.
        """
        own_name = name or self.name
        return self._teacher(self._numbers(head, classes, own_name), looks_up, own_name)

    def write_head(self, head: object, to: str | Path, classes: Sequence[str] = ()) -> Path:
        """Keeps a head in a `.safetensors` file, which `teachers.head` makes the teacher of again.

        The file holds the head's numbers, the class names, where this encoder lies as seen from
        the file, and its fingerprint; no embedding and no pickle.

        Raises:
            TeacherError, MismatchError: as in `with_head`.
            InputError: the file has another ending, or lies in this encoder's folder.
            OccupiedError: it is there already and holds something else.
            StorageError: the disk is full or read-only.
        """
        numbers = self._numbers(head, classes, self.name)
        reads = Reads("", self.fingerprint, self.tokens, self.precision)
        return numbers.write(to, self.folder, reads)

    def _numbers(self, head: object, classes: Sequence[str], whose: str) -> Head:
        able = _head.checked(head, self.dimensions, whose)
        order = _head.columns(able, classes, whose)
        return Head(tuple(order), *_head.weights(able, list(order.values())))

    def _teacher(self, head: Head, looks_up: bool, name: str) -> "HeadTeacher":
        numbers = [head.weight.tolist(), head.bias.tolist()]
        return HeadTeacher(
            name=name,
            classes=head.classes,
            kind="logits",
            fingerprint=name_by_content([self.fingerprint, *numbers]),
            encoder=self,
            head=head,
            looks_up=looks_up,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: where it lies and how it was opened; another process opens it anew."""
        options = {"tokens": self.tokens, "batch": self.batch, "precision": self.precision}
        options |= {"keep": self.kept.folder.absolute().parent, "name": self.name}
        return _reopened, (self.folder, options, self.fingerprint)

    def _examples(self, texts: Texts) -> Examples:
        examples = texts if isinstance(texts, Examples) else Examples.of(texts, name="texts")
        texts_in(examples.inputs[:1], self.name)
        return examples

    def _embed(self, inputs: Array, looks_up: bool) -> Array:
        examples = self._examples(inputs)
        content = examples.content_hashes
        absent = self.kept.absent(content) if looks_up else np.arange(len(examples))
        texts = examples.inputs[absent].tolist()
        self.reader.tell(self.reader.count_untold(texts), len(texts))
        computed = (
            _embedded(self.model, texts, self.batch, self.precision) if texts else np.empty((0, 0))
        )
        return self.kept.rows(content, dict(zip(content[absent].tolist(), computed, strict=True)))


@dataclass(frozen=True, eq=False, kw_only=True)
class HeadTeacher(Teacher):
    """An encoder with a head; `Encoder.with_head` and `head` make one.

    Attributes:
        encoder: who embeds the texts.
        head: what makes scores of embeddings.
        looks_up: whether embeddings that are kept are read.
    """

    encoder: Encoder = field(repr=False)
    head: Head = field(repr=False)
    looks_up: bool

    @property
    def runtime(self) -> str:
        """Torch."""
        return "torch"

    def uncached(self) -> Teacher:
        """The same, which embeds every text anew."""
        return replace(self, looks_up=False)

    def predict(self, inputs: Array) -> Array:
        """What the head says of the texts' embeddings."""
        return self.head.logits(self.encoder._embed(inputs, self.looks_up))


def encoder(
    folder: str | Path,
    *,
    tokens: int = 0,
    batch: int = BATCH,
    precision: str = "float32",
    keep: str | Path = "",
    name: str = "",
) -> Encoder:
    """A sentence encoder in a local folder, as the library sentence-transformers writes them.

    Pooling and normalisation are as the folder's modules.json says. Nothing is fetched and no
    pickle or code of its maker's is opened, whatever the environment says. `tokens`, `batch` and
    `precision` are as in `teachers.huggingface`. Embeddings are kept in the folder `keep`, else in
    the cache (`$LIMBECK_CACHE/embeddings`, else `~/.cache/limbeck/embeddings`), 4 bytes a number.

    Raises:
        MissingError: no such folder, or it lacks its modules, configuration, tokenizer or weights.
        TeacherError: it is made of other parts than a transformer, pooling and layers behind it,
            its weights are a pickle or lie elsewhere, or the library cannot open it.
        CorruptError: a file in it is damaged.
        InputError: no such precision, a batch below 1, tokens that it cannot read.
        NeedsPackageError: sentence-transformers is not installed.
    """
    if batch < 1:
        raise InputError(f"a batch holds 1 text or more, not {batch}")
    place, ending = students.present_folder(folder), suffix(precision)
    own_name = name or place.name
    content = students.folder_fingerprint(place, _checked_parts(place))
    model, reader = _loaded(place, own_name, tokens)
    named = name_by_content([content, reader.most, ending])
    dimensions = _embedded(model, ["a"], batch, precision).shape[1]
    kept = Kept((Path(keep) if keep else cache_of("embeddings")) / named, dimensions)
    return Encoder(
        own_name, named, dimensions, model, reader, batch, precision, kept, place, tokens
    )


def head(
    path: str | Path,
    classes: Sequence[str] = (),
    *,
    folder: str | Path = "",
    batch: int = BATCH,
    keep: str | Path = "",
    name: str = "",
) -> Teacher:
    """The teacher that a file of `Encoder.write_head` names: an encoder with a fitted head.

    It answers as `Encoder.with_head` does and has the same fingerprint. The encoder is looked for
    in `folder`, else where the file says; its tokens and precision are as they were. `classes` are
    those that the file names, in any order, or nothing.

    Raises:
        MissingError: no such file, or no encoder there.
        CorruptError: the file is no head, or damaged.
        MismatchError: the encoder there is another one, or other classes are given.
        Whatever `encoder` raises.
    """
    numbers, reads = _head_file.read(path)
    place = str(folder) or reads.folder
    if not Path(place).expanduser().is_dir():
        raise MissingError(
            f"the encoder of {path} is not in {place}: say where it lies, "
            f"head({str(path)!r}, folder=...)"
        )
    reader = encoder(place, tokens=reads.tokens, batch=batch, precision=reads.precision, keep=keep)
    if reader.fingerprint != reads.fingerprint:
        raise MismatchError(
            f"{path} is the head of another encoder than {place} holds ({reader.fingerprint}, not "
            f"{reads.fingerprint}): its files have changed, or folder= names the wrong one"
        )
    names = class_names(numbers.classes, classes, str(path))
    teacher = reader._teacher(replace(numbers, classes=names), True, name or Path(path).name)
    options = {
        "classes": list(classes),
        "folder": _absolute(folder),
        "batch": 0 if batch == BATCH else batch,
        "keep": _absolute(keep),
        "name": name,
    }
    file = _files.present(path)
    return replace(teacher, source=_files.call("head", file, **options), place=file)


def _reopened(folder: Path, options: dict[str, Any], fingerprint: str) -> Encoder:
    again = encoder(folder, **options)
    if again.fingerprint != fingerprint:
        raise MismatchError(
            f"{folder} holds another encoder than it did ({again.fingerprint}, not {fingerprint}): "
            "its files have changed since"
        )
    return again


def _absolute(place: str | Path) -> str:
    return str(Path(place).expanduser().absolute()) if str(place) else ""


def _checked_parts(place: Path) -> list[str]:
    """The folder's own parts in which modules lie, after looking at all of them."""
    modules = _modules(place)
    for number, (path, kind) in enumerate(modules):
        if kind not in KNOWN or (number == 0) != (kind == KNOWN[0]):
            raise TeacherError(
                f"{place} is made of {', '.join(kind for _, kind in modules)}; a sentence encoder "
                f"of texts is a {KNOWN[0]}, and behind it any of {', '.join(KNOWN[1:])}"
            )
        if not (place / path).resolve().is_relative_to(place):
            raise TeacherError(f"{place / MODULES} says {path!r}, which is outside its folder")
        if kind == KNOWN[0]:
            students.checked_config(place / path)
        students.check_weights(place / path)
    return [part for part in sorted({"", *dict(modules)}) if (place / part).is_dir()]


def _modules(place: Path) -> list[tuple[str, str]]:
    """Path and kind of each module; a kind that is not the library's is its whole name."""
    if not (place / MODULES).is_file():
        raise MissingError(
            f"{place} has no {MODULES}: it is no sentence encoder; of any model of transformers "
            "sentence_transformers.SentenceTransformer(folder).save(other) makes one"
        )
    try:
        listed = json.loads((place / MODULES).read_bytes())
        modules = [(str(one["path"]), str(one["type"])) for one in listed]
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptError(f"{place / MODULES} is damaged: {error!r}") from error
    ours = "sentence_transformers."
    return [
        (path, kind.split(".")[-1] if kind.startswith(ours) else kind) for path, kind in modules
    ]


def _loaded(place: Path, whose: str, tokens: int) -> tuple[Any, Reader]:
    library = needs("sentence_transformers")
    with students.opening(place):
        model = library.SentenceTransformer(
            str(place),
            device=str(runtime.device()),
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    own = model.max_seq_length or 0
    special = model.tokenizer.num_special_tokens_to_add()
    most = most_tokens(tokens, own, special, whose)
    if tokens:
        model.max_seq_length = tokens
    return model.eval(), Reader(model.tokenizer, most, whose, bool(tokens))


def _embedded(model: Any, texts: list[str], batch: int, precision: str) -> Array:
    with runtime.evaluating(model), runtime.autocast(precision):
        vectors = model.encode(
            texts, batch_size=batch, show_progress_bar=False, convert_to_tensor=True
        )
    embedded: Array = vectors.float().cpu().numpy()
    return embedded
