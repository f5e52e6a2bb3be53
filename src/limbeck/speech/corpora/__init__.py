"""Corpora of speech: read from files, spoken by a synthesiser, and aligned.

Files:
    _audio: Samples of an audio file of one channel: RIFF wav, NIST SPHERE, FLAC.
    _digits: Spoken digits of real voices: phones by forced alignment, each speaker held out in
        turn.
    _espeak: Speech from text by espeak-ng, a synthesiser of formants, with the time of each
        phoneme.
    _folder: Recordings in folders of speakers, each with its phones in a file beside it.
    _forced: Where the phones of a spoken word are, by forced alignment with pocketsphinx.
    _mnemonics: The phones of English in espeak-ng's names: 46 and silence, and where each begins
        and ends.
    _reading: A recording and the files beside it as an utterance; of many the bad ones may be left
        out.
    _sentences: Sentences made by a small grammar: as many different ones as wanted, from a seed.
    _spoken: Synthetic speech with its phones: a corpus that anyone can make, of voices of
        espeak-ng.
    _stored: A made corpus as a folder: a file of samples for each speaker, the segments as JSON.
    _timit: TIMIT as its licence holders have it: 462 speakers to learn from, 50 to tune on, 24 to
        test.
    _transcript: What is spoken in a recording: its phones, a line `first end phone` each, and its
        words.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
