"""The public names and nothing else: each is imported when it is first asked for."""

import os

import lazy_loader

# What keeps packages from telling their makers about their use. Each reads it as it is imported,
# and torch's exporter imports onnxruntime by itself, so it is set before anything else is done; an
# environment that says otherwise is left as it is.
TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: a device id, and look-ups of its maker's hosts
    "HF_HUB_DISABLE_TELEMETRY": "1",  # the hub behind transformers and sentence-transformers
}
for _variable, _value in TELEMETRY.items():
    os.environ.setdefault(_variable, _value)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
