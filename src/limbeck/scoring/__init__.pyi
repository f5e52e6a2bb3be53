"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._combine import combine as combine
from ._confidence import against as against
from ._confidence import confidence as confidence
from ._confidence import recorded_confidence as recorded_confidence
from ._held_out import HeldOut as HeldOut
from ._held_out import held_out_answer as held_out_answer
from ._sample import Sample as Sample
from ._sanity import check_sense as check_sense
from ._score import score as score
from ._writer import Storage as Storage
