"""Teachers that are boosted trees of LightGBM's."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.errors import CorruptError, TeacherError
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
from limbeck.teachers.fitted._tree_files import check_lightgbm

KINDS: Mapping[str, Kind] = {
    "binary": "logits",
    "cross_entropy": "logits",
    "multiclass": "logits",
    "multiclassova": "independent-logits",
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape"), "values"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "values"),
}


def lightgbm(
    model_or_path: Any, classes: Sequence[str] = (), *, trees: int = 0, name: str = ""
) -> Teacher:
    """A Booster, an LGBMClassifier or LGBMRegressor, or a text file of a model.

    It answers with raw margins, from which nothing is lost as a probability near 1 loses it:
    "multiclass" with logits; "binary" and "cross_entropy" with logits (0, m), where m is the
    logit of LightGBM's own probability of the second class, its `sigmoid` counted in;
    "multiclassova" with one logit a class, of kind independent-logits; regression with the values
    of `predict`, after its link. A random forest's margins are their mean, as in `predict`.

    `trees` uses the first so many boosting rounds alone, a cheaper teacher; 0 uses as many as
    `predict` does, after early stopping the best. Inputs are rows of as many numbers as it was
    trained on, whatever the names of its columns; those of more axes are flattened.

    Class names of a classifier are its `classes_` as text, of a Booster and a file "0", "1", ...
    `classes` are the same names, or name classes 0, 1, 2, ... in that order; of a regressor they
    name its output.

    A file is text that names no code, and opening it runs none. LightGBM's reader, though, trusts
    what it reads: of damaged files we made, it ended the process on two in five. So header, lengths
    and nodes are looked at first, and the training's settings, which a model does not need, are
    left out. That is for accidents: open no file of somebody who may mean harm.

    Raises:
        MissingError, CorruptError: no file, or one that is not whole.
        MismatchError: other class names than the model's.
        TeacherError: not fitted, trained with pandas categories, or with an objective whose
            margins are no scores of these kinds (custom, ranking): names those that are.
        InputError: a file of another library's, or more `trees` than there are.
        NeedsPackageError: LightGBM is not installed.
    """
    package = needs("lightgbm")
    if isinstance(model_or_path, str | Path):
        file = ModelFile.of(model_or_path)
        booster, own = _from_file(package, file), name or file.path.name
        teacher = _teacher(_Boosted.of(booster, trees, own), (), classes, file.fingerprint)
        options = {"classes": [str(one) for one in classes], "trees": trees, "name": name}
        source = _files.call("lightgbm", file.path, **options)
        return replace(teacher, source=source, place=file.path)
    booster, own_classes = _from_memory(package, model_or_path)
    version = hashlib.blake2b(booster.model_to_string().encode(), digest_size=8).hexdigest()
    own = name or type(model_or_path).__name__
    return _teacher(_Boosted.of(booster, trees, own), own_classes, classes, version)


def _from_file(package: Any, file: ModelFile) -> Any:
    file.check_writer("LightGBM")
    try:
        text = check_lightgbm(file.content.decode())
        return package.Booster(model_str=text)
    except (ValueError, package.basic.LightGBMError) as error:
        raise CorruptError(
            f"{file.path} is no whole text file of a LightGBM model: {error}"
        ) from error


def _from_memory(package: Any, model: Any) -> tuple[Any, Sequence[Any]]:
    """The booster, and the classes as its classifier knows them."""
    if isinstance(model, package.Booster):
        return model, ()
    if not isinstance(model, package.LGBMModel):
        raise TeacherError(
            "a teacher of LightGBM's is a Booster, an LGBMClassifier, an LGBMRegressor or the "
            f"path of a text file, not a {type(model).__name__}; teachers.sklearn takes pipelines"
        )
    if not model.__sklearn_is_fitted__():
        raise TeacherError(f"the model {type(model).__name__} is not fitted: call its fit first")
    return model.booster_, np.asarray(getattr(model, "classes_", ())).tolist()


@dataclass(frozen=True, eq=False)
class _Boosted:
    """A booster and how it is asked.

    Attributes:
        booster: LightGBM's.
        trees: the rounds asked for; 0 for as many as `predict` uses.
        name: what reports call it.
        objective: what it was trained for.
        columns: how many margins or values a row has.
        scale: what makes a margin a logit.
    """

    booster: Any
    trees: int
    name: str
    objective: str
    columns: int
    scale: float

    @classmethod
    def of(cls, booster: Any, trees: int, name: str) -> "_Boosted":
        """The booster, looked at.

        Raises:
            InputError, TeacherError: it, or the number of trees, cannot be used.
        """
        whose = f"the model {name}"
        check_trees(trees, booster.current_iteration(), whose)
        about = booster.dump_model(num_iteration=1)
        objective, *settings = str(about.get("objective", "custom")).split(" ")
        _check(booster, objective, whose)
        parameters = dict(setting.partition(":")[::2] for setting in settings)
        best = booster.best_iteration
        used = trees or (best if best > 0 else booster.current_iteration())
        # A forest's raw margins come as their sum, where `predict` takes their mean.
        share = 1 / used if about["average_output"] else 1.0
        scale = float(parameters.get("sigmoid", 1)) * share
        shown = f"{name}, {trees} trees" if trees else name
        columns = int(about["num_tree_per_iteration"])
        return cls(booster, trees, shown, objective, columns, scale)

    def of_share(self, share: float) -> "_Boosted":
        """The same with that share of its rounds, the first ones; one at least."""
        best = self.booster.best_iteration
        used = self.trees or (best if best > 0 else self.booster.current_iteration())
        return _Boosted.of(self.booster, max(1, round(share * used)), self.name)

    @property
    def kind(self) -> Kind:
        """What its answers are."""
        return KINDS[self.objective]

    def _scores(self, inputs: Array, *, raw: bool) -> Array:
        """What the booster says of rows."""
        rows = rows_of(inputs, self.booster.num_feature(), f"the model {self.name}")
        return np.asarray(
            self.booster.predict(rows, raw_score=raw, num_iteration=self.trees or None)
        )

    def margins(self, inputs: Array) -> Array:
        """Logits `(batch, classes)`, of two classes (0, m)."""
        margin = self._scores(inputs, raw=True) * self.scale
        return two_columns(margin) if self.columns == 1 else margin

    def values(self, inputs: Array) -> Array:
        """Values `(batch, 1)`."""
        return self._scores(inputs, raw=False).reshape(-1, 1)


def _check(booster: Any, objective: str, whose: str) -> None:
    if objective not in KINDS:
        raise TeacherError(
            f"{whose} was trained for the objective {objective!r}, whose margins are not known to "
            f"be scores; known are {', '.join(KINDS)}: teachers.function takes any other"
        )
    if booster.pandas_categorical:
        raise TeacherError(
            f"{whose} was trained on pandas categories, which rows of plain numbers do not have: "
            "train it on their codes (categorical_feature=), or take teachers.function"
        )


def _teacher(
    boosted: _Boosted, own: Sequence[Any], classes: Sequence[str], version: str
) -> Teacher:
    whose = f"the model {boosted.name}"
    if boosted.kind == "values":
        names = value_names(1, classes, whose)
    else:
        names = class_names(own or range(max(2, boosted.columns)), classes, whose)
    return LightGBMTeacher(
        name=boosted.name,
        classes=names,
        kind=boosted.kind,
        fingerprint=f"{version}:{boosted.trees}",
        boosted=boosted,
        version=version,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class LightGBMTeacher(Teacher):
    """Boosted trees of LightGBM's; `lightgbm` makes one.

    Attributes:
        boosted: the booster and how it is asked.
        version: names the booster with all of its trees.
    """

    boosted: _Boosted = field(repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that the booster learned from, where they had names."""
        return named_features(self.boosted.booster.feature_name())

    version: str

    def predict(self, inputs: Array) -> Array:
        """Margins, or of a regressor values."""
        is_values = self.boosted.kind == "values"
        return self.boosted.values(inputs) if is_values else self.boosted.margins(inputs)

    @property
    def has_trees(self) -> bool:
        """It always has."""
        return True

    def with_trees(self, share: float) -> Teacher:
        """The same booster asked for fewer rounds; no file holds only these."""
        fewer = self.boosted.of_share(share)
        return replace(
            self,
            name=fewer.name,
            fingerprint=f"{self.version}:{fewer.trees}",
            source="",
            place=None,
            boosted=fewer,
        )
