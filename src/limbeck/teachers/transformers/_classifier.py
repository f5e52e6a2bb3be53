"""Teachers that are sequence classifiers of transformers, in a local folder."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from limbeck import runtime
from limbeck.artifacts import fingerprint as name_by_content
from limbeck.errors import InputError, TeacherError
from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.scores import check_kind
from limbeck.students import Folder, opening, texts_in
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher
from limbeck.teachers._torch import suffix
from limbeck.teachers.transformers._tokenizer import Reader, most_tokens, own_limit

BATCH = 32
CLASSIFIER = "ForSequenceClassification"
KINDS = {
    "multi_label_classification": "independent-logits",
    "regression": "values",
    "single_label_classification": "logits",
}


def huggingface(
    folder: str | Path,
    classes: Sequence[str] = (),
    *,
    kind: str = "",
    tokens: int = 0,
    batch: int = BATCH,
    precision: str = "float32",
    name: str = "",
) -> Teacher:
    """A sequence classifier of transformers in a local folder: texts to scores `(batch, classes)`.

    The folder holds config.json, safetensors and a tokenizer, as `save_pretrained` writes them.
    Nothing is fetched and no pickle or code of its maker's is opened, whatever the environment
    says. Class names are those of its `id2label`; where these are only LABEL_0, LABEL_1, ...,
    `classes` names them in that order. The kind follows from its `problem_type` unless given:
    "independent-logits" for several labels, "values" for regression (also for one output, as
    transformers has it), else "logits".

    Texts are read up to `tokens` tokens, special ones included; 0 is as many as the model can, and
    a `TextsWarning` says once how many were cut there. They are answered `batch` at a time, those
    of like length together, in float32 or, with a precision of "bfloat16", as `teachers.module`
    says. The fingerprint follows from the content of the files, the tokens, kind and precision.

    Raises:
        MissingError: no such folder, or it lacks its configuration, tokenizer or weights.
        TeacherError: it is no sequence classifier, its weights are a pickle or lie elsewhere,
            transformers cannot open it, or nobody names the classes; asked about what is no text.
        CorruptError: a file in it is damaged.
        MismatchError: it names other classes than were given.
        InputError: no such kind or precision, a batch below 1, tokens that it cannot read.
        NeedsPackageError: transformers is not installed.
    """
    if batch < 1:
        raise InputError(f"a batch holds 1 text or more, not {batch}")
    place, ending = Folder.of(folder), suffix(precision)
    own_name = name or place.place.name
    _check_architecture(place.config, folder, own_name)
    net, reader = _loaded(place, own_name, tokens)
    outputs, own_kind = int(net.config.num_labels), kind or _kind(net.config)
    names = _names(net.config).named(classes, own_name)
    _files.check_scores((_files.ANY, outputs), names, own_name)
    options = {"kind": kind, "tokens": tokens, "batch": batch if batch != BATCH else 0}
    options |= {"precision": precision if ending else "", "name": name}
    return ClassifierTeacher(
        name=own_name,
        classes=names,
        kind=check_kind(own_kind),
        fingerprint=name_by_content([place.fingerprint, reader.most, own_kind]) + ending,
        source=_files.call("huggingface", place.place, classes=list(classes), **options),
        place=place.place,
        model=net,
        reader=reader,
        batch=batch if _can_fill(net, reader) else 1,
        precision=precision,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassifierTeacher(Teacher):
    """A sequence classifier of transformers; `huggingface` opens one.

    Attributes:
        model: transformers' own.
        reader: its tokenizer, and how much of a text it reads.
        batch: texts that are answered at a time.
        precision: what it computes in.
    """

    model: Any = field(repr=False)
    reader: Reader = field(repr=False)
    batch: int
    precision: str

    @property
    def runtime(self) -> str:
        """Torch."""
        return "torch"

    def predict(self, inputs: Array) -> Array:
        """What the classifier says of texts."""
        read = self.reader.read(texts_in(inputs, self.reader.whose))
        # Long ones first, so that memory runs out at once or not at all.
        order = np.argsort([-len(tokens["input_ids"]) for tokens in read], kind="stable")
        parts = [order[start : start + self.batch] for start in range(0, len(order), self.batch)]
        scores = np.empty((len(read), self.model.config.num_labels), np.float32)
        with runtime.evaluating(self.model), runtime.autocast(self.precision):
            for rows in parts:
                filled = self.reader.tokenizer.pad([read[row] for row in rows], return_tensors="pt")
                logits = self.model(**filled.to(self.model.device)).logits
                scores[rows] = logits.float().cpu().numpy()
        return scores


def _check_architecture(config: Mapping[str, Any], folder: str | Path, whose: str) -> None:
    names = config.get("architectures") or []
    if not any(str(name).endswith(CLASSIFIER) for name in names):
        raise TeacherError(
            f"{whose} is no sequence classifier, its architecture is "
            f"{', '.join(names) or 'not named'}: of a sentence encoder make a teacher with "
            f"teachers.encoder({str(folder)!r}).with_head(...), and train any other first as "
            "transformers.AutoModelForSequenceClassification"
        )


def _loaded(folder: Folder, whose: str, tokens: int) -> tuple[Any, Reader]:
    transformers = needs("transformers")
    local = {"local_files_only": True, "trust_remote_code": False}
    with opening(folder.place):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder.place, **local)
        net, loading = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder.place,
            use_safetensors=True,
            dtype=torch.float32,  # never float16 on a CPU, whatever the weights are kept in
            output_loading_info=True,
            **local,
        )
    absent = sorted(loading["missing_keys"])
    if absent:
        raise TeacherError(
            f"{whose} is no trained classifier: its weights lack {absent[0]}"
            + (f" and {len(absent) - 1} more" if absent[1:] else "")
        )
    special = tokenizer.num_special_tokens_to_add()
    most = most_tokens(tokens, own_limit(tokenizer, net), special, whose)
    return net.to(runtime.device()), Reader(tokenizer, most, whose, bool(tokens))


def _kind(config: Any) -> str:
    usual = "values" if config.num_labels == 1 else "logits"
    return KINDS.get(str(config.problem_type), usual)


def _names(config: Any) -> _files.Notes:
    names = tuple(str(config.id2label[place]) for place in range(config.num_labels))
    is_default = all(re.fullmatch(r"LABEL_\d+", name) for name in names)
    return _files.Notes(() if is_default else names)


def _can_fill(net: Any, reader: Reader) -> bool:
    """Whether texts of unequal length fit into one batch: some models cannot fill up short ones."""
    return None not in (reader.tokenizer.pad_token_id, net.config.pad_token_id)
