"""What every verb needs of the machine: device, random numbers, progress, optional packages.

Files:
    _calls: Reads a call written as text, `mlp([800, 800])`, into the object it makes; runs no
        other code.
    _device: The device and the precision that nets compute with, and models in eval mode.
    _optional: Imports optional packages, or says in one sentence how to install them.
    _progress: A bar on standard error for work that takes longer than a moment.
    _random: Random numbers: seeds set for a block, mixed into others, and orders drawn from them.
    _user_code: Opens code of yours that a text names, `mine.py:Focal(gamma=2)` or `module:name`, if
        trusted.
"""

from limbeck.runtime._calls import Makers, did_you_mean, make, text_of
from limbeck.runtime._device import Precision, autocast, device, evaluating
from limbeck.runtime._optional import needs
from limbeck.runtime._progress import Bar
from limbeck.runtime._random import mixed, seeded, shuffled
from limbeck.runtime._user_code import Named, fingerprint_of

__all__ = [
    "Bar",
    "Makers",
    "Named",
    "Precision",
    "autocast",
    "device",
    "did_you_mean",
    "evaluating",
    "fingerprint_of",
    "make",
    "mixed",
    "needs",
    "seeded",
    "shuffled",
    "text_of",
]
