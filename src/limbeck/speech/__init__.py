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

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
