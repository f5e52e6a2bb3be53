"""Teachers that are boosted trees of XGBoost's."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import CorruptError, InputError, TeacherError
from limbeck.examples import Array
from limbeck.runtime import needs
from limbeck.scores import Kind
from limbeck.teachers import _files
from limbeck.teachers._teacher import Teacher
from limbeck.teachers.fitted._model_file import (
    ModelFile,
    check_trees,
    class_names,
    named_features,
    rows_of,
    two_columns,
    value_names,
)
from limbeck.teachers.fitted._tree_files import check_xgboost

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("binary:logistic", "binary:logitraw"), "logits"),
    **dict.fromkeys(("multi:softprob", "multi:softmax"), "logits"),
    **dict.fromkeys(("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror"), "values"),
    **dict.fromkeys(("reg:absoluteerror", "reg:quantileerror", "reg:logistic"), "values"),
    **dict.fromkeys(("reg:gamma", "reg:tweedie", "count:poisson"), "values"),
}


def xgboost(
    model_or_path: Any, classes: Sequence[str] = (), *, trees: int = 0, name: str = ""
) -> Teacher:
    """A Booster, an XGBClassifier or XGBRegressor, or a `.ubj` or `.json` file of a model.

    It answers with raw margins, from which nothing is lost as a probability near 1 loses it:
    "multi:softprob" and "multi:softmax" with logits; "binary:logistic" and "binary:logitraw" with
    logits (0, m), where m is the logit of XGBoost's own probability of class 1, its base score
    counted in; several binary outputs with one logit each, of kind independent-logits; regression
    with the values of `predict`, after its link, a column for each output.

    `trees` uses the first so many boosting rounds alone, a cheaper teacher; 0 uses those up to
    the best one where training stopped early, else all. Inputs are rows of as many numbers as it
    was trained on, whatever the names of its columns; those of more axes are flattened.

    Classes are "0", "1", ... unless `classes` names them in that order; of a regressor they name
    its outputs. A file does not tell a custom objective from the default: `Booster`s that learnt
    one of your own are for `teachers.function`.

    JSON and UBJSON name no code, and opening such a file runs none. XGBoost's reader, though,
    trusts what it reads: of damaged `.ubj` files we made, it ended or hung the process on one
    in nine. So form, lengths and nodes are looked at first. That is for accidents: open no file of
    somebody who may mean harm.

    Raises:
        MissingError, CorruptError: no file, or one that is not whole.
        MismatchError: other class names than there are classes.
        TeacherError: not fitted, trained with categories of a data frame, or with an objective
            whose margins are no scores of these kinds (custom, ranking, survival): names those
            that are.
        InputError: a file of another library's, more `trees` than there are, or `trees` of a
            linear booster.
        NeedsPackageError: XGBoost is not installed.
    """
    package = needs("xgboost")
    if isinstance(model_or_path, str | Path):
        file = ModelFile.of(model_or_path)
        booster, own = _from_file(package, file), name or file.path.name
        teacher = _teacher(_Boosted.of(booster, trees, own), classes, file.fingerprint)
        options = {"classes": [str(one) for one in classes], "trees": trees, "name": name}
        source = _files.call("xgboost", file.path, **options)
        return replace(teacher, source=source, place=file.path)
    booster, missing = _from_memory(package, model_or_path)
    version = hashlib.blake2b(bytes(booster.save_raw("ubj")), digest_size=8).hexdigest()
    own = name or type(model_or_path).__name__
    boosted = _Boosted.of(booster, trees, own)
    return _teacher(replace(boosted, missing=missing), classes, version)


def _from_file(package: Any, file: ModelFile) -> Any:
    file.check_writer("XGBoost")
    booster = package.Booster()
    try:
        check_xgboost(file.content)
        booster.load_model(bytearray(file.content))
    except (ValueError, package.core.XGBoostError) as error:
        reason = str(error).strip().split("\n")[0]
        raise CorruptError(
            f"{file.path} is no whole .ubj or .json file of an XGBoost model: {reason}"
        ) from error
    return booster


def _from_memory(package: Any, model: Any) -> tuple[Any, float]:
    """The booster, and what stands for a missing value."""
    if isinstance(model, package.Booster):
        return model, float("nan")
    if not isinstance(model, package.XGBModel):
        raise TeacherError(
            "a teacher of XGBoost's is a Booster, an XGBClassifier, an XGBRegressor or the path of "
            f"a .ubj or .json file, not a {type(model).__name__}; teachers.sklearn takes pipelines"
        )
    if not model.__sklearn_is_fitted__():
        raise TeacherError(f"the model {type(model).__name__} is not fitted: call its fit first")
    if callable(model.objective):
        raise _unknown("custom", f"the model {type(model).__name__}")
    return model.get_booster(), float(model.missing)


@dataclass(frozen=True, eq=False)
class _Boosted:
    """A booster and how it is asked.

    Attributes:
        booster: XGBoost's.
        trees: the rounds asked for; 0 for as many as its estimators' `predict` uses.
        rounds: the rounds that are used, of a linear booster 0.
        name: what reports call it.
        objective: what it was trained for.
        columns: how many margins or values a row has.
        missing: what stands for a missing value.
    """

    booster: Any
    trees: int
    rounds: int
    name: str
    objective: str
    columns: int
    missing: float = float("nan")

    @classmethod
    def of(cls, booster: Any, trees: int, name: str) -> "_Boosted":
        """The booster, looked at.

        Raises:
            InputError, TeacherError: it, or the number of trees, cannot be used.
        """
        whose = f"the model {name}"
        learner = json.loads(booster.save_config())["learner"]
        objective = learner["objective"]["name"]
        if objective not in KINDS:
            raise _unknown(objective, whose)
        rounds = _rounds(booster, trees, learner["gradient_booster"]["name"], whose)
        sizes = learner["learner_model_param"]
        columns = max(int(sizes["num_class"]), int(sizes.get("num_target", 1)), 1)
        shown = f"{name}, {trees} trees" if trees else name
        return cls(booster, trees, rounds, shown, objective, columns)

    @property
    def used(self) -> int:
        """How many rounds answer; 0 of a linear booster."""
        return self.rounds or int(self.booster.num_boosted_rounds() if self.has_trees else 0)

    def of_share(self, share: float) -> "_Boosted":
        """The same with that share of its rounds, the first ones; one at least."""
        trees = max(1, round(share * self.used))
        fewer = _Boosted.of(self.booster, trees, self.name)
        return replace(fewer, missing=self.missing)

    @property
    def has_trees(self) -> bool:
        """Whether it is no linear booster."""
        learner = json.loads(self.booster.save_config())["learner"]
        return bool(learner["gradient_booster"]["name"] != "gblinear")

    @property
    def kind(self) -> Kind:
        """What its answers are."""
        several = self.objective.startswith("binary:") and self.columns > 1
        return "independent-logits" if several else KINDS[self.objective]

    def _scores(self, inputs: Array, *, raw: bool) -> Array:
        """What the booster says of rows."""
        rows = rows_of(inputs, self.booster.num_features(), f"the model {self.name}")
        matrix = needs("xgboost").DMatrix(rows, missing=self.missing)
        return np.asarray(
            self.booster.predict(
                matrix,
                output_margin=raw,
                validate_features=False,  # the rows have no names; their number is checked above
                iteration_range=(0, self.rounds),
            )
        )

    def margins(self, inputs: Array) -> Array:
        """Logits `(batch, classes)`, of two classes (0, m)."""
        margin = self._scores(inputs, raw=True)
        return two_columns(margin) if self.columns == 1 else margin

    def values(self, inputs: Array) -> Array:
        """Values `(batch, outputs)`."""
        return self._scores(inputs, raw=False).reshape(len(inputs), -1)


def _unknown(objective: str, whose: str) -> TeacherError:
    return TeacherError(
        f"{whose} was trained for the objective {objective!r}, whose margins are not known to be "
        f"scores; known are {', '.join(KINDS)}: teachers.function takes any other"
    )


def _check_categories(booster: Any, whose: str) -> None:
    categories = booster.get_categories() if hasattr(booster, "get_categories") else None
    if categories is not None and not categories.empty():
        raise TeacherError(
            f"{whose} was trained on a data frame's categories, which rows of plain numbers do not "
            "have: train it on their codes, or take teachers.function"
        )


def _rounds(booster: Any, trees: int, kind: str, whose: str) -> int:
    """How many boosting rounds are used; 0 is all there are."""
    if kind == "gblinear":
        if trees:
            raise InputError(f"{whose} is linear (gblinear): it has no trees, trees={trees}")
        return 0
    _check_categories(booster, whose)
    check_trees(trees, booster.num_boosted_rounds(), whose)
    best = booster.attr("best_iteration")
    return trees or (int(best) + 1 if best is not None else 0)


def _teacher(boosted: _Boosted, classes: Sequence[str], version: str) -> Teacher:
    whose = f"the model {boosted.name}"
    if boosted.kind == "values":
        names = value_names(boosted.columns, classes, whose)
    else:
        several = boosted.columns if boosted.columns > 1 else 2
        names = class_names(range(several), classes, whose)
    return XGBoostTeacher(
        name=boosted.name,
        classes=names,
        kind=boosted.kind,
        fingerprint=f"{version}:{boosted.trees}",
        boosted=boosted,
        version=version,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class XGBoostTeacher(Teacher):
    """Boosted trees of XGBoost's, or its linear booster; `xgboost` makes one.

    Attributes:
        boosted: the booster and how it is asked.
        version: names the booster with all of its trees.
    """

    boosted: _Boosted = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that the booster learned from, where they had names."""
        return named_features(self.boosted.booster.feature_names)

    version: str

    def predict(self, inputs: Array) -> Array:
        """Margins, or of a regressor values."""
        is_values = self.boosted.kind == "values"
        return self.boosted.values(inputs) if is_values else self.boosted.margins(inputs)

    @property
    def has_trees(self) -> bool:
        """Whether it is no linear booster."""
        return self.boosted.used > 0

    def with_trees(self, share: float) -> Teacher:
        """The same booster asked for fewer rounds; no file holds only these.

        Raises:
            InputError: it is linear.
        """
        if not self.has_trees:
            return super().with_trees(share)
        fewer = self.boosted.of_share(share)
        return replace(
            self,
            name=fewer.name,
            fingerprint=f"{self.version}:{fewer.trees}",
            source="",
            place=None,
            boosted=fewer,
        )
