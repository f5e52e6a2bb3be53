"""TIMIT's phones fold as Lee & Hon folded them, and phones nobody knows are listed."""

import pytest

from limbeck.errors import ExamplesError
from limbeck.speech import TIMIT_PHONES, TIMIT_TO_39, TIMIT_TO_48, fold

GROUPS = [  # table 1 of Lee & Hon: what each of the 39 stands for, where it is more than itself
    {"aa", "ao"},
    {"ah", "ax", "ax-h"},
    {"er", "axr"},
    {"hh", "hv"},
    {"ih", "ix"},
    {"l", "el"},
    {"m", "em"},
    {"n", "en", "nx"},
    {"ng", "eng"},
    {"sh", "zh"},
    {"uw", "ux"},
    {"pcl", "tcl", "kcl", "bcl", "dcl", "gcl", "h#", "pau", "epi"},
]


def test_there_are_61_phones_and_foldings_to_48_and_39() -> None:
    assert len(set(TIMIT_PHONES)) == len(TIMIT_PHONES) == 61
    assert tuple(TIMIT_TO_48) == tuple(TIMIT_TO_39) == TIMIT_PHONES
    assert len(set(TIMIT_TO_48.values()) - {None}) == 48
    assert len(set(TIMIT_TO_39.values()) - {None}) == 39


def test_phones_fold_together_only_within_their_groups() -> None:
    of = {phone: next((g for g in GROUPS if phone in g), {phone}) for phone in TIMIT_PHONES}
    for one in TIMIT_PHONES:
        together = {p for p in TIMIT_PHONES if TIMIT_TO_39[p] == TIMIT_TO_39[one]}
        assert together == of[one]


def test_a_finer_folding_never_parts_what_is_one_in_the_coarser() -> None:
    pairs = {(TIMIT_TO_48[p], TIMIT_TO_39[p]) for p in TIMIT_PHONES}
    assert len(pairs) == len({fine for fine, _ in pairs})


def test_closures_are_silence_and_q_is_left_out() -> None:
    assert fold(["h#", "q", "tcl", "t", "h#"], TIMIT_TO_39) == ("sil", "sil", "t", "sil")
    assert fold(["bcl", "pcl", "q", "pau"], TIMIT_TO_48) == ("vcl", "cl", "sil")


def test_phones_that_a_folding_does_not_know_are_listed() -> None:
    with pytest.raises(ExamplesError, match="2 phones are not among the 61 known: H#, xx"):
        fold(["xx", "aa", "H#"], TIMIT_TO_39)


def test_a_text_is_no_transcript() -> None:
    with pytest.raises(ExamplesError, match="a sequence of phones, not the text 'aa b'"):
        fold("aa b", TIMIT_TO_39)
