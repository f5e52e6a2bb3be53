"""correct(): bias correction for classes that were absent from the transfer set, or rare in it."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np
import torch
from safetensors.numpy import save as save_numpy
from safetensors.torch import load, save

from limbeck import artifacts, students
from limbeck.deployment import _bias
from limbeck.errors import ExamplesError, InputError, LabelsError, MismatchError
from limbeck.examples import Array, Examples
from limbeck.runtime import Bar, did_you_mean
from limbeck.students import Run, altered_nets
from limbeck.teachers import run as teacher_of

How = Literal["held-out", "prior", "oracle"]
HOWS: tuple[How, ...] = get_args(How)


def correct(
    run: Run,
    examples: Examples,
    *,
    classes: Sequence[str],
    how: How | str,
    to: str | Path,
    prior: Mapping[str, float] = MappingProxyType({}),
) -> Run:
    """A new run whose students answer with a bias added to the logits of the named classes.

    For classes that the transfer set lacked or had few of (raised), or had nearly alone
    (lowered). Weights, seeds and the control stay as they are; each seed gets its own bias, in
    the model's `shift`. Hinton et al. 2015, section 3 (arXiv:1503.02531), with the paper's choice
    and two that need no test labels:

    - "held-out": one bias for all named classes, that with the fewest errors on `examples`, which
      are labelled and were not seen in training. The minimum is exact, by sorting.
    - "prior": a bias for each named class, such that their mean predicted probabilities on
      `examples` are their `prior`, 1 / classes for each by default. It looks at no label; the
      examples are to come as they do in use.
    - "oracle": as "held-out", but on the labels of the test examples themselves, as the paper
      did. It says how good a bias could be, flatters, and is called ORACLE wherever it is shown.

    Examples that a bias was chosen on count as seen, so that `evaluate` refuses them, but for
    "oracle". The run's notes say what was changed, and every report carries them.

    Raises:
        InputError: no such `how`; an unknown class, all classes or none; a prior that is not one.
        LabelsError: "held-out" and "oracle" without labels, or with none of a side's classes.
        ExamplesError: the run has seen some of the examples.
        MismatchError: the examples are of another shape or name other classes.
        OccupiedError: `to` holds something else.
    """
    names = (classes,) if isinstance(classes, str) else tuple(classes)
    job = _Job(run, examples, names, how, Path(to), dict(prior))
    job.check()
    with artifacts.writing(job.to, students.ARTIFACT, job.request) as artifact:
        if not artifact.is_whole:
            job.run_all(artifact)
    return Run.open(job.to, trust=run.is_trusted)


@dataclasses.dataclass(frozen=True, eq=False)
class _Job:
    run: Run
    examples: Examples
    classes: tuple[str, ...]
    how: str
    to: Path
    prior: dict[str, float]

    def check(self) -> None:
        """Everything that can be refused before any model answers."""
        if self.how not in HOWS:
            raise InputError(f"how is one of {', '.join(HOWS)}, not {self.how!r}")
        if self.run.role != "student":
            raise InputError("a run's student is corrected; its control stays as it was trained")
        if self.run.kind != "logits":
            raise MismatchError(
                f"{self.run.name} answers with {self.run.kind}: a bias corrects the logits of "
                "classes that exclude each other"
            )
        self._check_classes()
        self._check_examples()
        if self.how == "prior":
            self._check_prior()
        else:
            self._check_labels()

    def _check_classes(self) -> None:
        classes = self.run.classes
        for name in self.classes:
            if name not in classes:
                raise InputError(
                    f"{self.run.name} has no class {name!r}; {did_you_mean(name, classes)}"
                )
        if len(set(self.classes)) not in range(1, len(classes)):
            raise InputError(
                f"classes names some of the {len(classes)} classes, not {len(set(self.classes))}: "
                "the same bias for all would change no answer"
            )

    def _check_examples(self) -> None:
        self.examples.check_classes(self.run.classes, self.run.name)
        if self.examples.shape != self.run.student.inputs:
            raise MismatchError(
                f"{self.run.name} takes inputs of shape {self.run.student.inputs}, "
                f"{self.examples.name} has {self.examples.shape}"
            )
        seen = np.isin(self.examples.content_hashes, self.run.seen())
        if seen.any():
            raise ExamplesError(
                f"{int(seen.sum())} of {len(seen)} examples of {self.examples.name} were seen in "
                f"training by {self.run.name}, the first is {str(self.examples.keys[seen][0])!r}: "
                "a bias is chosen on examples that were kept out"
            )

    def _check_prior(self) -> None:
        strange = self.prior.keys() - set(self.classes)
        missing = set(self.classes) - self.prior.keys()
        if self.prior and (strange or missing):
            raise InputError(
                f"prior gives a share to each class that is corrected, {', '.join(self.classes)}, "
                f"and to no other; it names {', '.join(self.prior)}"
            )
        shares = self._shares
        if min(shares.values()) <= 0 or sum(shares.values()) >= 1:
            raise InputError(
                f"a prior's shares are above 0 and sum to less than 1, not {list(shares.values())}"
            )

    def _check_labels(self) -> None:
        if self.prior:
            raise InputError(f"prior goes with how='prior', not with {self.how!r}")
        labels = self.examples.labels[self.examples.is_labelled]
        if not len(labels):
            raise LabelsError(f"{self.how} needs labels, and {self.examples.name} has none")
        is_named = self._is_chosen_class[labels]
        if is_named.all() or not is_named.any():
            which = "only examples" if is_named.all() else "no example"
            raise LabelsError(
                f"{self.examples.name} has {which} of {_listed(self.classes)}: "
                "a bias weighs errors of both kinds, so both kinds of examples are needed"
            )

    @cached_property
    def _is_chosen_class(self) -> Array:
        return np.isin(self.run.classes, self.classes)

    @property
    def _shares(self) -> dict[str, float]:
        """The share each corrected class is to have."""
        even = 1 / len(self.run.classes)
        return {name: float(self.prior.get(name, even)) for name in self._ordered}

    @property
    def _ordered(self) -> list[str]:
        """The corrected classes in the order of the scores."""
        return [name for name in self.run.classes if name in self.classes]

    @property
    def _chosen_on(self) -> Examples:
        """The examples that decide: all of them, or those with labels."""
        if self.how == "prior" or self.examples.is_labelled.all():
            return self.examples
        return self.examples.take(np.flatnonzero(self.examples.is_labelled))

    @property
    def request(self) -> dict[str, Any]:
        nets = self.run.record.nets
        return {
            "corrects": artifacts.fingerprint(nets),
            "how": self.how,
            "classes": self._ordered,
            "prior": self._shares if self.how == "prior" else {},
            "examples": self.examples.fingerprint,
            "labels": "" if self.how == "prior" else self.examples.labels_fingerprint,
        }

    def run_all(self, artifact: artifacts.Writing) -> None:
        """Corrects every seed, copies the rest, and writes the manifest."""
        self.run.seen()
        artifact.begin()
        biases, errors = {}, {}
        on = self._chosen_on
        with Bar(f"correcting {self.run.name}", len(self.run.seeds)) as bar:
            for seed in self.run.seeds:
                biases[seed], errors[seed] = self._choose(_logits(self.run, seed, on), on.labels)
                bar.advance()
        nets = altered_nets(
            self.run, self.to, lambda seed, content: _shifted(content, biases[seed])
        )
        artifact.finish(self._body(nets, biases, errors))

    def _choose(self, logits: Array, labels: Array) -> tuple[Array, list[int]]:
        """What is added to each class, and the errors before and after where labels decide."""
        if self.how == "prior":
            shares = np.array([self._shares.get(name, 0.0) for name in self.run.classes])
            return _bias.matching(logits, self._is_chosen_class, shares), []
        best = _bias.fewest_errors(logits, labels, self._is_chosen_class)
        return self._is_chosen_class * best.bias, [best.errors_before, best.errors]

    def _body(
        self, nets: Mapping[str, Any], biases: Mapping[int, Array], errors: Mapping[int, list[int]]
    ) -> dict[str, Any]:
        """The corrected run's manifest: the run's own, but for what was changed."""
        notes = {
            **self.run.record.notes,
            "student": [*self.run.notes, self._note(biases, errors)],
        }
        on = self._chosen_on
        correction = {
            **self.request,
            "of": str(self.run.directory),
            "examples": {"name": on.name, "n": len(on), "fingerprint": on.fingerprint},
            "biases": {str(seed): self._by_class(bias) for seed, bias in biases.items()},
            "errors_before_and_after": {str(seed): pair for seed, pair in errors.items() if pair},
        }
        return {
            **self.run.manifest,
            "nets": nets,
            "notes": notes,
            "seen": self._seen(),
            "correction": correction,
            "provenance": artifacts.provenance(),
        }

    def _seen(self) -> dict[str, Any]:
        """What training saw and, but for the oracle, what the bias was chosen on."""
        contents = self.run.seen()
        if self.how != "oracle":
            contents = np.concatenate([contents, self._chosen_on.content_hashes])
        file = self.run.record.seen["file"]
        trained = {
            role: np.isin(contents, dataclasses.replace(self.run, role=role).trained_on())
            for role in self.run.record.nets
        }
        content = save_numpy({"content": contents, **trained})
        artifacts.write_file(self.to / file, content)
        return {"file": file, **artifacts.file_entry(content)}

    def _by_class(self, biases: Array) -> dict[str, float]:
        return {name: float(biases[self.run.classes.index(name)]) for name in self._ordered}

    def _note(self, biases: Mapping[int, Array], errors: Mapping[int, list[int]]) -> str:
        on = f"{len(self._chosen_on)} examples of {self.examples.name}"
        moved = self._moved(np.stack(list(biases.values())))
        if self.how == "prior":
            shares = ", ".join(f"{share:.4g}" for share in self._shares.values())
            return (
                f"bias correction by prior: {moved}, so that the mean predicted probability on "
                f"{on}, whose labels nobody looked at, is {shares}"
            )
        before, after = (_span([pair[i] for pair in errors.values()], "d") for i in (0, 1))
        outcome = f"{moved}, where errors were fewest ({before} before, {after} after)"
        if self.how == "oracle":
            return (
                f"ORACLE bias correction, chosen on the labels of the test examples as in the "
                f"paper: {outcome} on {on}; a number on these examples flatters"
            )
        return f"bias correction by held-out labels: {outcome} on {on} that training never saw"

    def _moved(self, biases: Array) -> str:
        """What was raised or lowered by how much, over the seeds `(seeds, classes)`."""
        if self.how == "prior":
            each = [
                f"class {name} {_in_words(biases[:, self.run.classes.index(name)])}"
                for name in self._ordered
            ]
            return "the logit of " + ", of ".join(each)
        one = biases[:, self._is_chosen_class][:, 0]
        logits = "the logit" if len(self._ordered) == 1 else "each logit"
        return f"{logits} of {_listed(self._ordered)} {_in_words(one)}"


def _listed(classes: Sequence[str]) -> str:
    return ("class " if len(classes) == 1 else "classes ") + ", ".join(classes)


def _in_words(values: Array) -> str:
    """The change in words: `raised by 3.1`, or the range over the seeds."""
    if (values >= 0).all() or (values <= 0).all():
        word = "raised" if values.sum() >= 0 else "lowered"
        return f"{word} by {_span(np.abs(values), '.3g')}"
    return f"changed by {values.min():+.3g} to {values.max():+.3g} over the seeds"


def _span(values: Sequence[float] | Array, form: str) -> str:
    low, high = min(values), max(values)
    return f"{low:{form}}" if low == high else f"{low:{form}} to {high:{form}} over the seeds"


def _shifted(content: bytes, bias: Array) -> bytes:
    """Stored weights with a bias added to what the model adds to its scores."""
    tensors = load(content)
    shift = tensors["shift"]
    tensors["shift"] = (shift.double() + torch.from_numpy(bias)).to(shift.dtype)
    return save(tensors)


def _logits(run: Run, seed: int, examples: Examples) -> Array:
    """One seed's answers to all examples, `(examples, classes)` float64."""
    return teacher_of(run, seed).answers(examples, run.name).astype(np.float64)
