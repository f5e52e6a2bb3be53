"""Students that read texts: hashed n-grams of words and bytes, their embeddings averaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from limbeck.errors import InputError
from limbeck.examples import Array, Examples, Inputs, Ragged, tensor
from limbeck.runtime import text_of
from limbeck.students._readings import READINGS
from limbeck.students._student import Student, start

PRIME = 2**24 - 3  # a byte times a residue has 32 bits: sums of 2**31 of them stay exact
BASE = 9_113_823
LINK = 9_726_637  # between the words of an n-gram
MOST_BUCKETS = 2**20  # beyond these, hashes below the prime would fill them unevenly
LONGEST = 2**16  # bytes of a text that are read
MOST_WORDS = 5
AT_ONCE = 64  # texts that are hashed at a time, and filled up to the longest of them


class Hashed(nn.Module):
    """Bytes of texts `(batch, longest)` to the buckets of their n-grams.

    A polynomial in the bytes is summed along all texts, so that the hash of any stretch is a
    difference of two sums (Karp & Rabin 1987), and the work does not grow with its length. Words
    are runs of ASCII letters and digits, in lower case, and of bytes outside ASCII.
    """

    powers: Tensor
    inverses: Tensor

    def __init__(self, words: int, characters: tuple[int, ...], buckets: int) -> None:
        super().__init__()
        self.words, self.characters, self.buckets = words, characters, buckets
        self.register_buffer("powers", torch.tensor(_powers(BASE)), persistent=False)
        inverses = torch.tensor(_powers(pow(BASE, -1, PRIME)))
        self.register_buffer("inverses", inverses, persistent=False)

    def forward(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """The row of each n-gram's text, and its bucket; int64 `(n-grams,)`, in no order."""
        of_rows, buckets = (torch.cat(each) for each in zip(*self.by_length(texts), strict=True))
        return of_rows, buckets

    def by_length(self, texts: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The same for the n-grams of each length, in the order of the texts."""
        texts = texts[:, :LONGEST]
        rows, places = texts.nonzero(as_tuple=True)  # one stream of bytes, without what fills up
        letters = _lower(texts[rows, places])
        grams = [self._of_characters(letters, rows, places, n) for n in self.characters]
        grams += self._of_words(letters, rows, places) if self.words else []
        return [(of_rows, (hashes * LINK % PRIME) % self.buckets) for of_rows, hashes in grams]

    def _of_words(
        self, letters: Tensor, rows: Tensor, places: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        is_word = _is_word(letters)
        goes_on = _next(is_word) & (_next(rows) == rows)
        ends = (is_word & ~goes_on).nonzero(as_tuple=True)[0]
        upto = self._sums(letters * is_word, places)[ends]
        # Between words nothing is added: the sum at a word's start is that at the last one's end.
        single = (upto - _last(upto)) % PRIME * self.powers[places[ends]] % PRIME
        rows = rows[ends]
        gram, is_whole = single, torch.ones_like(rows, dtype=torch.bool)
        for order in range(1, self.words + 1):
            if order > 1:
                gram = (_last(gram) * LINK + single + order) % PRIME
                is_whole = _last(is_whole) & (_last(rows + 1) == rows + 1)
            yield rows[is_whole], gram[is_whole]

    def _of_characters(
        self, letters: Tensor, rows: Tensor, places: Tensor, n: int
    ) -> tuple[Tensor, Tensor]:
        sums = functional.pad(self._sums(letters, places), (n, 0))
        stretch = (sums[n:] - sums[:-n]) % PRIME * self.powers[places] % PRIME
        is_whole = functional.pad(rows + 1, (n - 1, 0))[: rows.shape[0]] == rows + 1
        return rows[is_whole], (stretch + n * BASE)[is_whole] % PRIME

    def _sums(self, letters: Tensor, places: Tensor) -> Tensor:
        """Sums, from the first text on, of the byte at place j over `BASE ** j`."""
        return (letters * self.inverses[places].long()).cumsum(dim=0)


class Bag(nn.Module):
    """The mean embedding of each text's n-grams, `(batch, dimensions)`; 0 where it has none.

    Takes texts as bytes, uint8 `(batch, longest)`; or their buckets as they were hashed before,
    int32 `(batch, most)`, -1 after the last.
    """

    def __init__(self, hashed: Hashed, dimensions: int) -> None:
        super().__init__()
        self.hashed = hashed
        self.embeddings = nn.Embedding(hashed.buckets, dimensions)
        nn.init.normal_(self.embeddings.weight, std=dimensions**-0.5)

    def forward(self, texts: Tensor) -> Tensor:
        """The means, float32."""
        if texts.dtype == torch.uint8:
            parts = self.hashed.by_length(texts)
        else:
            rows, at = (texts >= 0).nonzero(as_tuple=True)
            parts = [(rows, texts[rows, at].long())]
        # A number of 1 beside each embedding counts the n-grams.
        parts_padded = [
            functional.pad(self.embeddings(buckets), (0, 1), value=1.0) for _, buckets in parts
        ]
        each = [
            _of_each(one, rows, texts) for one, (rows, _) in zip(parts_padded, parts, strict=True)
        ]
        sums = torch.stack(each).sum(dim=0)
        means: Tensor = sums[:, :-1] / sums[:, -1:].clamp(min=1)
        return means


def _of_each(values: Tensor, rows: Tensor, texts: Tensor) -> Tensor:
    """The sum of the values of each text, `(batch, numbers)`; the rows ascend."""
    # len() would fix the number of texts in an exported file.
    empty = values.new_zeros(texts.shape[0], values.shape[1])
    if not torch.compiler.is_exporting():
        return empty.index_add(0, rows, values)
    # The threads of ONNX Runtime (1.32) add to one row at once, and lose some of it. So here each
    # sum is that up to the row's last value, less that up to the last value of the row before.
    ends = (functional.pad(rows[1:], (0, 1), value=-1) != rows).nonzero(as_tuple=True)[0]
    upto = values.double().cumsum(dim=0)[ends]
    before = functional.pad(upto[:-1], (0, 0, 1, 0))
    return empty.index_put((rows[ends],), (upto - before).float())


@dataclass(frozen=True)
class Ngrams(Student):
    """Hashed n-grams with averaged embeddings, and a hidden layer if it is asked for.

    The shape of fastText (Joulin et al. 2016, arXiv:1607.01759, section 2), with embeddings that
    all classes share. Everything from bytes to scores is in the net, so an exported file needs no
    tokeniser beside it.
    """

    words: int = 2
    characters: tuple[int, ...] = ()
    buckets: int = 2**17
    dimensions: int = 16
    hidden: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.words <= MOST_WORDS or not (self.words or self.characters):
            raise InputError(
                f"ngrams: words is the longest run of words, 0 to {MOST_WORDS}, and without words "
                f"there are characters; got {self.words} and {list(self.characters)}"
            )
        if any(n < 1 for n in self.characters) or self.dimensions < 1:
            raise InputError("ngrams: lengths of characters and dimensions are 1 or more")
        if not 1 <= self.buckets <= MOST_BUCKETS:
            raise InputError(f"ngrams: there are 1 to {MOST_BUCKETS} buckets, not {self.buckets}")

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("ngrams", self)

    @property
    def reads_text(self) -> bool:
        """Whether its inputs are texts, as their bytes."""
        return True

    def readings_in(self, examples: Examples) -> Ragged:
        """The buckets of each text's n-grams."""
        reader = f"ngrams {self.words} {self.characters} {self.buckets}"
        return READINGS.find(examples, reader, lambda texts: _buckets(self._hashed(), texts))

    def _hashed(self) -> Hashed:
        return Hashed(self.words, self.characters, self.buckets)

    def _body(self) -> nn.Module:
        layers: list[nn.Module] = [Bag(self._hashed(), self.dimensions)]
        if self.hidden:
            layers += [start(nn.Linear(self.dimensions, self.hidden)), nn.ReLU()]
        return nn.Sequential(
            *layers, start(nn.Linear(self.hidden or self.dimensions, self.outputs), gain=1.0)
        )


def ngrams(
    words: int = 2,
    *,
    characters: list[int] | tuple[int, ...] = (),
    buckets: int = 2**17,
    dimensions: int = 16,
    hidden: int = 0,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> Ngrams:
    """A student of texts: runs of up to so many words, and of bytes of the lengths in `characters`.

    Raises:
        InputError: neither words nor characters, or a number below 1.
    """
    return Ngrams(
        words,
        tuple(characters),
        buckets,
        dimensions,
        hidden,
        inputs=tuple(inputs),
        outputs=outputs,
    )


def _buckets(hashed: Hashed, texts: Inputs) -> Ragged:
    """The buckets of all texts, hashed so many at a time."""
    firsts = range(0, len(texts), AT_ONCE)
    parts = (_buckets_of(hashed, texts[first : first + AT_ONCE]) for first in firsts)
    with torch.inference_mode():
        return Ragged.joined(parts)


def _buckets_of(hashed: Hashed, texts: Array) -> Ragged:
    part = tensor(texts)
    rows, buckets = hashed(part)
    order = rows.argsort(stable=True)
    return Ragged.of(buckets[order].numpy(), rows.bincount(minlength=len(part)).numpy())


@cache
def _powers(base: int) -> Array:
    """`base ** j` modulo the prime for j below `LONGEST`, int32."""
    powers, power = [], 1
    for _ in range(LONGEST):
        powers.append(power)
        power = power * base % PRIME
    return np.array(powers, dtype=np.int32)


def _last(values: Tensor) -> Tensor:
    """The value before each one; 0 before the first."""
    return functional.pad(values, (1, 0))[:-1]


def _next(values: Tensor) -> Tensor:
    """The value after each one; 0 after the last."""
    return functional.pad(values, (0, 1))[1:]


def _lower(letters: Tensor) -> Tensor:
    return letters + 32 * ((letters >= 65) & (letters <= 90))


def _is_word(letters: Tensor) -> Tensor:
    is_digit = (letters >= 48) & (letters <= 57)
    is_letter = (letters >= 97) & (letters <= 122)
    is_beyond_ascii: Tensor = letters >= 128
    return is_digit | is_letter | is_beyond_ascii
