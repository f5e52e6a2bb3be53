"""Teachers behind an HTTP endpoint.

Files:
    _address: Where an HTTP endpoint may lie, and the secret that no text of ours repeats.
    _endpoint: A client of one HTTP endpoint: what it asks again, how long it waits, and when it
        stops.
    _http: Teachers behind an HTTP endpoint: batched JSON, several requests in flight.
"""

from limbeck.teachers.endpoints._endpoint import Endpoint
from limbeck.teachers.endpoints._http import http, http_from_text

__all__ = [
    "Endpoint",
    "http",
    "http_from_text",
]
