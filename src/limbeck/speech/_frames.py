"""Utterances as examples: one for each frame, with the frames around it as its inputs."""

from collections.abc import Sequence

import numpy as np

from limbeck.errors import ExamplesError, LabelsError
from limbeck.examples import Array, Examples
from limbeck.runtime import Bar
from limbeck.speech._features import FilterBanks
from limbeck.speech._utterance import Utterance
from limbeck.speech._windows import Windows


def frames(
    utterances: Sequence[Utterance],
    labels: Sequence[Array] | None = None,
    *,
    classes: Sequence[str] = (),
    banks: FilterBanks = FilterBanks(),
    context: int = 7,
    name: str = "frames",
) -> Examples:
    """An example for each frame, inputs float32 `(frames, numbers, 2 * context + 1)`.

    With 40 bands and a context of 7 these are 123 x 15 = 1,845 numbers. Only the frames are in
    memory; a frame's neighbours are put beside it when its row is asked for. The groups are the
    utterances, so that no split parts them; `split(..., by="speaker")` keeps speakers whole.

    Args:
        utterances: of one rate; no two have the same key.
        labels: of each utterance the class position of each frame, -1 for none.
        classes: the class names in order.
        banks: how sound becomes frames.
        context: frames on either side; beyond an utterance's ends its first and last are repeated.
        name: what reports call the set.

    Returns:
        Examples with the keys `utterance:00012` and the columns `utterance`, `speaker` and
        `position`, which counts the frames of an utterance from 0.

    Raises:
        ExamplesError: no utterances, several rates, equal keys, or one shorter than a window.
        LabelsError: an utterance has another number of labels than of frames.
        NeedsPackageError: kaldi-native-fbank is not installed.
    """
    _check_alike(utterances)
    counts = [banks.count(one) for one in utterances]
    windows = Windows.of(_all_frames(utterances, counts, banks), counts, context)
    spoken = np.repeat([one.key for one in utterances], counts)
    position = np.concatenate([np.arange(count) for count in counts])
    return Examples.of(
        windows,
        None if labels is None else _joined(labels, counts, utterances),
        keys=np.strings.add(spoken, np.strings.mod(":%05d", position)),
        classes=classes,
        groups=spoken,
        columns={
            "utterance": spoken,
            "speaker": np.repeat([one.speaker for one in utterances], counts),
            "position": position,
        },
        name=name,
    )


def _check_alike(utterances: Sequence[Utterance]) -> None:
    if not utterances:
        raise ExamplesError("no utterances: there is nothing to make frames of")
    for one in utterances:
        if one.rate != utterances[0].rate:
            raise ExamplesError(
                f"{one.key} has {one.rate} samples a second, {utterances[0].key} has "
                f"{utterances[0].rate}: the frames of one set are of one rate"
            )


def _all_frames(
    utterances: Sequence[Utterance], counts: Sequence[int], banks: FilterBanks
) -> Array:
    # Into one block from the start: a list of parts would be a second copy when joined.
    inputs = np.empty((sum(counts), banks.numbers), np.float32)
    ends = np.cumsum(counts)
    with Bar("filter banks", len(counts)) as bar:
        for one, count, end in zip(utterances, counts, ends, strict=True):
            inputs[end - count : end] = banks.of(one)
            bar.advance()
    return inputs


def _joined(
    labels: Sequence[Array], counts: Sequence[int], utterances: Sequence[Utterance]
) -> Array:
    if len(labels) != len(counts):
        raise LabelsError(f"there are labels for {len(labels)} utterances of {len(counts)}")
    for one, labels_of_one, count in zip(utterances, labels, counts, strict=True):
        if np.shape(labels_of_one) != (count,):
            raise LabelsError(
                f"{one.key} has {count} frames, its labels have shape {np.shape(labels_of_one)}"
            )
    return np.concatenate(list(labels))
