"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._classifier import huggingface as huggingface
from ._encoder import Encoder as Encoder
from ._encoder import encoder as encoder
from ._encoder import head as head
from ._head_file import is_head as is_head
