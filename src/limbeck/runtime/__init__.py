"""What every verb needs of the machine: device, random numbers, progress, optional packages.

Files:
    _calls: Reads a call written as text, `mlp([800, 800])`, into the object it makes; runs no
        other code.
    _device: The device and the precision that nets compute with, and models in eval mode.
    _doors: Doors: whatever a library raises about what somebody handed in becomes one sentence of
        ours.
    _optional: Imports optional packages, or says in one sentence how to install them.
    _progress: A bar on standard error for work that takes longer than a moment.
    _random: Random numbers: seeds set for a block, mixed into others, and orders drawn from them.
    _user_code: Opens code of yours that a text names, `mine.py:Focal(gamma=2)` or `module:name`, if
        trusted.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
