"""Texts to the tokens that a model of transformers reads."""

import warnings
from dataclasses import dataclass
from typing import Any

from limbeck.errors import InputError, TextsWarning

UNKNOWN = 10**9  # what tokenizers call their limit, or more, where they know of none

Tokens = dict[str, list[int]]


@dataclass(eq=False)
class Reader:
    """A tokenizer, and how much of a text it reads.

    Attributes:
        tokenizer: transformers' own.
        most: tokens of a text that are read, special ones included; 0 for all of them.
        whose: the model, as messages call it.
        is_chosen: whether somebody asked for `most`, and so knows that texts are cut.
    """

    tokenizer: Any
    most: int
    whose: str
    is_chosen: bool

    def read(self, texts: list[str]) -> list[Tokens]:
        """What the model is given of each text; a warning says once how many were cut."""
        if self.most and self.is_chosen:  # nobody counts: each text is tokenised once
            return self._rows(texts, truncation=True, max_length=self.most)
        read = self._rows(texts)
        long = [row for row, tokens in enumerate(read) if self._is_long(tokens)]
        if long:
            cut = self._rows([texts[row] for row in long], truncation=True, max_length=self.most)
            for row, tokens in zip(long, cut, strict=True):
                read[row] = tokens
        self.tell(len(long), len(texts))
        return read

    def count_cut(self, texts: list[str]) -> int:
        """How many of the texts are longer than what is read of them."""
        read = self._rows(texts) if self.most and texts else []
        return sum(self._is_long(tokens) for tokens in read)

    def count_untold(self, texts: list[str]) -> int:
        """The same while nobody knows that texts are cut; then 0, without a look."""
        return 0 if self.is_chosen else self.count_cut(texts)

    def tell(self, cut: int, of: int) -> None:
        """Warns that texts are cut, once, and only where nobody asked for it."""
        if cut and not self.is_chosen:
            self.is_chosen = True
            warnings.warn(
                f"{self.whose} reads {self.most} tokens, and {cut} of {of} texts are longer: of "
                f"those only the beginning counts; tokens={self.most} says that this is meant",
                TextsWarning,
                stacklevel=5,
            )

    def _rows(self, texts: list[str], **how: Any) -> list[Tokens]:
        encoded = self.tokenizer(texts, verbose=False, **how)
        return [{name: encoded[name][row] for name in encoded} for row in range(len(texts))]

    def _is_long(self, tokens: Tokens) -> bool:
        return bool(self.most) and len(tokens["input_ids"]) > self.most


def most_tokens(asked: int, own: int, special: int, whose: str) -> int:
    """How many tokens of a text are read: those asked for, or as many as the model can.

    Raises:
        InputError: it cannot read so many, or so few hold nothing of the text.
    """
    if not asked:
        return own
    if asked <= special or (own and asked > own):
        most = f" to {own}" if own else " or more"
        raise InputError(
            f"{whose} reads {special + 1}{most} tokens of a text, not {asked}; 0 is as many as it "
            "can"
        )
    return asked


def own_limit(tokenizer: Any, net: Any) -> int:
    """How many tokens a model can read, by its tokenizer and its positions; 0 for any number."""
    positions = getattr(net.config, "max_position_embeddings", None) or UNKNOWN
    for name, layer in net.named_modules():
        if name.endswith("position_embeddings") and getattr(layer, "padding_idx", None) is not None:
            positions -= layer.padding_idx + 1  # RoBERTa's positions begin after the filling's
    most = min(int(tokenizer.model_max_length), int(positions))
    return most if most < UNKNOWN else 0
