"""The names that 0.1 stored, read as those of torch and scikit-learn, which are stored since."""

import re
from typing import Any

KEYS = {
    "artefact": "artifact",
    "optimiser": "optimizer",
    "neighbour_agreement": "neighbor_agreement",
}
# Arguments as an objective's text holds them, and one objective's name.
_FORMS = {"standardised": "standardized", "centred": "centered"}
_FORM = re.compile(r"\b((?:MatchLogits|Labels)\((?:form=)?)(['\"])(standardised|centred)\2")
_OBJECTIVE = re.compile(r"\bLogitStandardisation\(")


def respelt(stored: Any) -> Any:
    """A JSON value with the names of 0.1 in keys and in objectives' texts spelt as today.

    What a user named (classes, models, methods) is a value, or a key that none of these is.
    """
    if isinstance(stored, dict):
        return {KEYS.get(key, key): respelt(value) for key, value in stored.items()}
    if isinstance(stored, list):
        return [respelt(value) for value in stored]
    return _text(stored) if isinstance(stored, str) else stored


def _text(stored: str) -> str:
    text = _OBJECTIVE.sub("LogitStandardization(", stored)
    return _FORM.sub(lambda match: f"{match[1]}{match[2]}{_FORMS[match[3]]}{match[2]}", text)
