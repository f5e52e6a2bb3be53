"""Speech: recordings with their phones as frames, from which nets learn the states of phones."""

from limbeck.speech._utterance import Corpus, Segment, Utterance

__all__ = ["Corpus", "Segment", "Utterance"]
