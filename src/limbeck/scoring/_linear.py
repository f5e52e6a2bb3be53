"""A linear model of a few labels: what a teacher that is fed rightly does not fall far behind."""

from typing import Any

import lazy_loader
import numpy as np

from limbeck.examples import Array, Examples

# Most teachers are good, and then none of this is loaded.
linear_model, model_selection, pipeline, preprocessing, text = (
    lazy_loader.load(f"sklearn.{name}", suppress_warning=True)
    for name in (
        "linear_model",
        "model_selection",
        "pipeline",
        "preprocessing",
        "feature_extraction.text",
    )
)

FEWEST = 40  # labelled examples, with fewer of which no model is fitted
MOST_INPUTS = 4096  # numbers of an input; of larger ones so many, evenly spread
FOLDS = 5


def linear_scores(examples: Examples) -> Array | None:
    """Scores `(n, classes)` that a ridge model, fitted to the other folds, gives labelled examples.

    Of texts it reads TF-IDF of words, of all else the numbers, standardised. None where there are
    too few examples, or too few of a class, to fit one.
    """
    labels = examples.labels
    counts = np.unique(labels, return_counts=True)[1]
    if len(labels) < FEWEST or (labels.ndim == 1 and (len(counts) < 2 or counts.min() < FOLDS)):
        return None
    targets = np.eye(len(examples.classes))[labels] if labels.ndim == 1 else labels
    scores = model_selection.cross_val_predict(
        _model(examples), _inputs(examples), targets, cv=FOLDS
    )
    return np.asarray(scores).reshape(len(labels), -1)


def _model(examples: Examples) -> Any:
    first = text.TfidfVectorizer() if examples.is_text else preprocessing.StandardScaler()
    return pipeline.make_pipeline(first, linear_model.RidgeCV(np.logspace(-1, 4, 6)))


def _inputs(examples: Examples) -> Array | list[str]:
    if examples.is_text:
        return examples.texts
    flat = np.asarray(examples.inputs[np.arange(len(examples))]).reshape(len(examples), -1)
    step = -(-flat.shape[1] // MOST_INPUTS)
    return np.asarray(flat[:, ::step], dtype=np.float64)
