"""Speech: recordings with their phones as frames, from which nets learn the states of phones.

Files:
    corpora/: Corpora of speech: read from files, spoken by a synthesiser, and aligned.
    _decode: From a net's scores to phones: priors, a bigram and Viterbi, with weights for each.
    _error_rate: Error rates: what must be changed of what was said to get what was spoken, and
        wrong frames.
    _features: Log mel filter banks of a recording and their differences in time: 123 numbers every
        10 ms.
    _frames: Utterances as examples: one for each frame, with the frames around it as its inputs.
    _grammar: What is known before a frame is heard: how frequent states are, and which phone
        follows which.
    _phones: Phones: TIMIT's inventory, what it is folded to for scoring, and phones as numbers.
    _states: States: the third of a phone that each frame is in, and a realignment of them by a
        net's scores.
    _utterance: Utterances: recorded sentences with the phones in them, and the sets of a corpus.
    _viterbi: Viterbi: the best path of states through an utterance's scores, exactly.
    _windows: Frames with their neighbours as inputs, which are not copied until rows are asked for.
"""

from limbeck.speech._decode import Decoded, Decoder, Grid, Tuned, Weights, tune
from limbeck.speech._error_rate import (
    FrameErrorRate,
    PhoneErrorRate,
    frame_error_rate,
    phone_error_rate,
)
from limbeck.speech._features import FilterBanks, differences
from limbeck.speech._frames import frames
from limbeck.speech._grammar import Bigram, log_priors
from limbeck.speech._phones import TIMIT_PHONES, TIMIT_TO_39, TIMIT_TO_48, Folding, fold
from limbeck.speech._states import align, realign, state_names, states, transcript
from limbeck.speech._utterance import SETS, Corpus, Segment, Utterance
from limbeck.speech._windows import Windows
from limbeck.speech.corpora import digits, folder, spoken, timit, utterances

__all__ = [
    "SETS",
    "TIMIT_PHONES",
    "TIMIT_TO_39",
    "TIMIT_TO_48",
    "Bigram",
    "Corpus",
    "Decoded",
    "Decoder",
    "FilterBanks",
    "Folding",
    "FrameErrorRate",
    "Grid",
    "PhoneErrorRate",
    "Segment",
    "Tuned",
    "Utterance",
    "Weights",
    "Windows",
    "align",
    "differences",
    "digits",
    "fold",
    "folder",
    "frame_error_rate",
    "frames",
    "log_priors",
    "phone_error_rate",
    "realign",
    "spoken",
    "state_names",
    "states",
    "timit",
    "transcript",
    "tune",
    "utterances",
]
