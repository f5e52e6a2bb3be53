"""The phone error rate agrees with a slow one, and its intervals with what is known of them."""

import numpy as np
import pytest

from limbeck.errors import ExamplesError, InputError, LabelsError, MismatchError
from limbeck.speech import TIMIT_TO_39, frame_error_rate, phone_error_rate

pytest.importorskip("rapidfuzz", reason="needs limbeck[speech]")


def slow_distance(one: list[str], other: list[str]) -> int:
    """Levenshtein's, by the table of all beginnings."""
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(one) + 1), np.arange(len(other) + 1)
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            changed = table[i - 1, j - 1] + (a != b)
            table[i, j] = min(changed, table[i - 1, j] + 1, table[i, j - 1] + 1)
    return int(table[-1, -1])


def random_transcripts(count: int, seed: int, fewest: int = 1) -> list[list[str]]:
    draw = np.random.default_rng(seed)
    lengths = draw.integers(fewest, 12, size=count)
    return [draw.choice(["aa", "b", "ix", "h#"], size=n).tolist() for n in lengths]


def test_errors_are_as_many_as_the_slow_version_counts() -> None:
    spoken, said = random_transcripts(300, 0), random_transcripts(300, 1, fewest=0)
    found = phone_error_rate(said, spoken=spoken)
    slow = [slow_distance(a, b) for a, b in zip(spoken, said, strict=True)]
    assert found.errors[0].tolist() == slow
    longer = [len(b) - len(a) for a, b in zip(spoken, said, strict=True)]
    assert (found.insertions - found.deletions)[0].tolist() == longer
    assert found.percent == pytest.approx(100 * sum(slow) / sum(map(len, spoken)))


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        (["b", "aa", "d"], [0, 0, 0]),
        (["b", "iy", "d"], [1, 0, 0]),
        (["b", "d"], [0, 1, 0]),
        (["b", "aa", "aa", "d"], [0, 0, 1]),
        ([], [0, 3, 0]),
    ],
)
def test_errors_are_of_three_kinds(said: list[str], kinds: list[int]) -> None:
    found = phone_error_rate([said], spoken=[["b", "aa", "d"]])
    counted = (found.substitutions, found.deletions, found.insertions)
    assert [one.tolist() for one in counted] == [[[kind]] for kind in kinds]


def test_folded_phones_are_not_confused_with_each_other() -> None:
    spoken = [["h#", "q", "ih", "tcl", "t", "h#"]]
    said = [["pau", "ix", "kcl", "t", "q", "h#"]]
    assert phone_error_rate(said, spoken=spoken, folding=TIMIT_TO_39).percent == 0
    assert phone_error_rate(said, spoken=spoken).errors.sum() > 0


def test_the_rate_of_seeds_is_their_mean() -> None:
    spoken = random_transcripts(20, 0)
    seeds = [random_transcripts(20, seed) for seed in (1, 2, 3)]
    alone = [phone_error_rate(seed, spoken=spoken).percent for seed in seeds]
    together = phone_error_rate(*seeds, spoken=spoken)
    assert together.errors.shape == (3, 20)
    assert together.percent == pytest.approx(np.mean(alone))
    assert together.estimate().mean == together.percent


def wrong_here_and_there(spoken: list[list[str]], share: float, seed: int) -> list[list[str]]:
    draw = np.random.default_rng(seed)
    return [[p if draw.random() > share else "?" for p in one] for one in spoken]


def test_an_interval_is_as_wide_as_independent_errors_make_it() -> None:
    spoken = [["b"] * 10 for _ in range(400)]
    said = wrong_here_and_there(spoken, 0.2, 0)
    found = phone_error_rate(said, spoken=spoken).estimate()
    expected = 1.96 * 100 * np.sqrt(0.2 * 0.8 / 4000)
    assert found.n == 400
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.15)


def test_a_pair_of_systems_is_known_better_than_each_alone() -> None:
    spoken = random_transcripts(200, 0)
    better = wrong_here_and_there(spoken, 0.3, 1)
    worse = [one if n % 5 else ["?"] * len(one) for n, one in enumerate(better)]
    first = phone_error_rate(better, spoken=spoken)
    second = phone_error_rate(worse, spoken=spoken)
    difference = first.minus(second)
    assert difference.mean == pytest.approx(first.percent - second.percent)
    assert difference.high < 0
    turned = second.minus(first)
    assert (turned.low, turned.high) == pytest.approx((-difference.high, -difference.low))


def test_seeds_that_differ_widen_the_interval() -> None:
    spoken = [["b"] * 10 for _ in range(100)]
    rates = (0.1, 0.2, 0.3)
    seeds = [wrong_here_and_there(spoken, rate, n) for n, rate in enumerate(rates)]
    alone = phone_error_rate(seeds[1], spoken=spoken)
    together = phone_error_rate(*seeds, spoken=spoken)
    assert together.estimate().high > 2 * alone.estimate().high - alone.percent
    assert together.minus(alone).low < 0 < together.minus(alone).high


def test_no_errors_are_no_certainty() -> None:
    spoken = [["b", "aa"]] * 50
    perfect = phone_error_rate(spoken, spoken=spoken)
    assert perfect.estimate().low == perfect.estimate().mean == 0
    assert 3 < perfect.estimate().high < 4  # of 100 phones
    assert perfect.minus(perfect).low == -perfect.minus(perfect).high < 0


def test_one_utterance_bounds_nothing() -> None:
    found = phone_error_rate([["b"]], spoken=[["b", "aa"]]).estimate()
    assert (found.low, found.mean, found.high) == (0, 50, np.inf)


def test_an_empty_transcript_is_refused() -> None:
    with pytest.raises(ExamplesError, match="utterance 1 of 2 is empty: there is nothing"):
        phone_error_rate([["b"], ["b"]], spoken=[["b"], []])
    with pytest.raises(ExamplesError, match="utterance 0 of 1 is empty"):
        phone_error_rate([["b"]], spoken=[["q"]], folding=TIMIT_TO_39)


def test_unknown_phones_are_listed_whether_said_or_spoken() -> None:
    with pytest.raises(ExamplesError, match="2 phones are not among the 61 known: xx, yy"):
        phone_error_rate([["xx"], ["yy"]], spoken=[["b"]] * 2, folding=TIMIT_TO_39)
    with pytest.raises(ExamplesError, match="1 phones are not among the 61 known: xx"):
        phone_error_rate([["b"]], spoken=[["xx"]], folding=TIMIT_TO_39)


def test_a_text_is_no_transcript() -> None:
    with pytest.raises(ExamplesError, match="a sequence of phones, not the text 'b aa'"):
        phone_error_rate(["b aa"], spoken=[["b", "aa"]])


def test_other_utterances_are_refused() -> None:
    one = phone_error_rate([["b"], ["b"]], spoken=[["b"], ["aa"]])
    with pytest.raises(MismatchError, match="1 utterances are said, but 2 are spoken"):
        phone_error_rate([["b"]], spoken=[["b"], ["aa"]])
    with pytest.raises(MismatchError, match=r"but one has \(2,\) and the other \(1,\)"):
        one.minus(phone_error_rate([["b"]], spoken=[["b"]]))
    with pytest.raises(MismatchError, match="one has 2 phones and the other 3"):
        one.minus(phone_error_rate([["b"], ["b"]], spoken=[["b"], ["aa", "b"]]))


def test_nothing_said_has_no_rate() -> None:
    with pytest.raises(InputError, match="needs what was said, once a seed, and what was spoken"):
        phone_error_rate(spoken=[["b"]])
    with pytest.raises(InputError, match="needs what was said"):
        phone_error_rate([], spoken=[])


def one_hot(states: list[int]) -> np.ndarray:
    return np.eye(3)[states]


def test_wrong_frames_are_counted_for_each_utterance_and_seed_where_they_are_labelled() -> None:
    labels = [np.array([0, 1, -1, 2]), np.array([2, 2])]
    right = [one_hot([0, 1, 0, 2]), one_hot([2, 2])]
    half = [one_hot([0, 2, 0, 2]), one_hot([1, 1])]
    found = frame_error_rate(right, half, labels=labels)
    assert found.errors.tolist() == [[0, 0], [1, 2]]
    assert found.counts.tolist() == [3, 2]
    assert found.each.tolist() == [0.0, 60.0]
    assert found.percent == 30.0
    assert found.estimate().low == 0
    assert frame_error_rate(half, labels=labels).estimate().high <= 100
    worse = frame_error_rate(half, labels=labels).minus(frame_error_rate(right, labels=labels))
    assert worse.mean == 60.0


def test_frames_that_do_not_belong_together_are_refused() -> None:
    labels = [np.array([0, 1])]
    with pytest.raises(MismatchError, match="scores and labels are not of the same utterances"):
        frame_error_rate([one_hot([0])], labels=labels)
    with pytest.raises(LabelsError, match="no frame of utterance 0 is labelled"):
        frame_error_rate([one_hot([0])], labels=[np.array([-1])])
    with pytest.raises(InputError, match="an error rate needs the scores of each seed"):
        frame_error_rate(labels=labels)
