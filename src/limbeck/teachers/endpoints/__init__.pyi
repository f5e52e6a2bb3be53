"""The names at this door, each once: `lazy_loader` reads here where it lives."""

from ._endpoint import Endpoint as Endpoint
from ._http import http as http
from ._http import http_from_text as http_from_text
