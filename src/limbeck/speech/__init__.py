"""Speech: recordings with their phones as frames, from which nets learn the states of phones."""

from limbeck.speech._decode import Decoded, Decoder, Grid, Tuned, Weights, tune
from limbeck.speech._digits import digits
from limbeck.speech._error_rate import (
    FrameErrorRate,
    PhoneErrorRate,
    frame_error_rate,
    phone_error_rate,
)
from limbeck.speech._features import FilterBanks, differences
from limbeck.speech._folder import folder, utterances
from limbeck.speech._frames import frames
from limbeck.speech._grammar import Bigram, log_priors
from limbeck.speech._phones import TIMIT_PHONES, TIMIT_TO_39, TIMIT_TO_48, Folding, fold
from limbeck.speech._spoken import spoken
from limbeck.speech._states import align, realign, state_names, states, transcript
from limbeck.speech._timit import timit
from limbeck.speech._utterance import SETS, Corpus, Segment, Utterance
from limbeck.speech._windows import Windows

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
