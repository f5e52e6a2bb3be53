"""Whether a model was trained on the examples it is to be tested on."""

from collections.abc import Iterable, Mapping

import numpy as np

from limbeck.errors import ExamplesError
from limbeck.examples import Examples
from limbeck.students import Run


def check_unseen(
    models: Mapping[str, Iterable[Run]], examples: Examples, *, advice: str = ""
) -> None:
    """Refuses a test set of which a model saw examples, whatever their keys.

    `advice` ends the sentence with what else can be done where it is raised.

    Raises:
        ExamplesError: a net was trained or decided on some of them.
    """
    contents = examples.content_hashes
    for name, runs in models.items():
        for run in runs:
            seen = np.isin(contents, run.seen())
            if seen.any():
                raise ExamplesError(
                    f"{int(seen.sum())} of {len(contents)} examples of {examples.name} "
                    f"were seen in training by {name}, the first is "
                    f"{str(examples.keys[seen][0])!r}: a score on them would flatter; "
                    f"take them out{f', or {advice}' if advice else ''}"
                )
