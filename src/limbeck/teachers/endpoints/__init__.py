"""Teachers behind an HTTP endpoint.

Files:
    _address: Where an HTTP endpoint may lie, and the secret that no text of ours repeats.
    _endpoint: A client of one HTTP endpoint: what it asks again, how long it waits, and when it
        stops.
    _http: Teachers behind an HTTP endpoint: batched JSON, several requests in flight.
    _limits: One deadline and one bound on bytes over a whole HTTP request, however it drips in.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
