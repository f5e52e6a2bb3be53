"""Students that average embeddings of a text's tokens, which start as a language model's own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from limbeck.errors import InputError, MismatchError, MissingError
from limbeck.examples import Array, Examples, Inputs, Ragged
from limbeck.runtime import needs, text_of
from limbeck.students._pretrained import Folder, opening
from limbeck.students._readings import READINGS
from limbeck.students._student import Student, start

TOKENIZER = "tokenizer.json"
ROWS = re.compile(r"(word_embeddings|embed_tokens|wte|shared)\.weight")
RARE = 1e-4  # a token about as frequent as this counts half: Arora et al. 2017 take 1e-4 to 1e-3
AT_ONCE = 256  # texts that are tokenised at a time


class Tokens(nn.Module):
    """The mean embedding of each text's tokens, `(batch, dimensions)`; 0 where it has none.

    Takes texts as bytes, uint8 `(batch, longest)`, which the tokenizer that is kept among the
    weights splits; or the tokens found before, int32 `(batch, most)`, -1 after the last.
    """

    tokenizer: Tensor

    def __init__(self, vocabulary: int, dimensions: int, size: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(vocabulary, dimensions)
        self.register_buffer("tokenizer", torch.zeros(size, dtype=torch.uint8))

    def forward(self, texts: Tensor) -> Tensor:
        """The means, float32."""
        if texts.dtype == torch.uint8:
            content = self.tokenizer.cpu().numpy().tobytes()
            tokens = _tokens_of(_tokenizer_of(content), list(_read(texts.cpu().numpy())))
            texts = torch.from_numpy(tokens.block(np.arange(len(tokens)))).to(texts.device)
        is_token = texts >= 0
        counts = is_token.sum(dim=1)
        means: Tensor = functional.embedding_bag(
            texts[is_token].long(), self.embeddings.weight, counts.cumsum(0) - counts, mode="mean"
        )
        return means


@dataclass(frozen=True)
class StaticEmbeddings(Student):
    """Averaged embeddings of a tokenizer's tokens, and a hidden layer if it is asked for.

    The idea is Model2Vec's (Tulkens & van Dongen 2024, github.com/MinishLab/model2vec): a language
    model's embeddings of single tokens, reduced by PCA and weighted by how rare a token is, are
    embeddings of texts once averaged. It runs the model on every token; here a token starts as its
    row of the model's embedding table, and training goes on from there.

    Attributes:
        folder: the language model's, absolute.
        content: the fingerprint of the folder when the student was first described.
        vocabulary: rows of its embedding table.
        size: bytes of its tokenizer.
    """

    folder: str = ""
    dimensions: int = 64
    hidden: int = 0
    content: str = ""
    vocabulary: int = 0
    size: int = 0

    @property
    def text(self) -> str:
        """The call that describes this student again."""
        return text_of("static_embeddings", self)

    @property
    def reads_text(self) -> bool:
        """Whether its inputs are texts, as their bytes."""
        return True

    @property
    def tokenizes(self) -> bool:
        """Whether its net splits texts by a tokenizer, which no ONNX graph can hold."""
        return True

    def readings_in(self, examples: Examples) -> Ragged:
        """The tokens of each text.

        Raises:
            MismatchError: the folder has changed since the student was described.
        """
        return READINGS.find(examples, f"tokens {self.content}", self._tokens)

    def _tokens(self, texts: Inputs) -> Ragged:
        return _tokens(_tokenizer_of((self._place() / TOKENIZER).read_bytes()), texts)

    def unfilled(self, seed: int) -> nn.Module:
        """The net without the folder's embeddings and tokenizer, for weights that hold both."""
        return self._net()

    def outline(self) -> nn.Module:
        """The net without its weights, on the meta device: the folder is not asked."""
        with torch.device("meta"):
            return self._net()

    def _net(self) -> nn.Sequential:
        layers: list[nn.Module] = [Tokens(self.vocabulary, self.dimensions, self.size)]
        if self.hidden:
            layers += [start(nn.Linear(self.dimensions, self.hidden)), nn.ReLU()]
        last = start(nn.Linear(self.hidden or self.dimensions, self.outputs), gain=1.0)
        return nn.Sequential(*layers, last)

    def _body(self) -> nn.Module:
        place, net = self._place(), self._net()
        tokens = net[0]
        assert isinstance(tokens, Tokens)
        content = np.frombuffer((place / TOKENIZER).read_bytes(), np.uint8)
        with torch.no_grad():
            tokens.embeddings.weight.copy_(_started(place, self.content, self.dimensions))
            tokens.tokenizer.copy_(torch.tensor(content))
        return net

    def _place(self) -> Path:
        folder = Folder.of(self.folder)
        if folder.fingerprint != self.content:
            raise MismatchError(
                f"{self.folder} has changed: the student was described with its content "
                f"{self.content}, and now it is {folder.fingerprint}; put the old files back, or "
                "describe the student anew"
            )
        return folder.place


def static_embeddings(
    folder: str | Path,
    *,
    dimensions: int = 64,
    hidden: int = 0,
    content: str = "",
    vocabulary: int = 0,
    size: int = 0,
    inputs: list[int] | tuple[int, ...] = (),
    outputs: int = 0,
) -> StaticEmbeddings:
    """A student of texts that averages embeddings of tokens, which start as a language model's own.

    The folder holds a model of transformers: config.json, safetensors and tokenizer.json; no code
    or pickle in it is opened. The embedding table is reduced to `dimensions` by PCA, and each token
    weighted by `a / (a + p)` with a = 0.0001 (Arora et al. 2017, "A Simple but Tough-to-Beat
    Baseline for Sentence Embeddings", section 3) and p from its place in the vocabulary by Zipf's
    law: vocabularies list frequent tokens first. `content`, `vocabulary` and `size` are found in
    the folder, and stand in the text so that a folder that has changed is refused. The net keeps
    the tokenizer among its weights; once trained it needs the folder no more.

    Raises:
        MissingError: no such folder, or it lacks a model, a tokenizer.json or an embedding table.
        TeacherError: its weights are a pickle, lie elsewhere, or are an adapter's.
        InputError: fewer than 1 dimension, more than the model has, or hidden units below 0.
        NeedsPackageError: tokenizers is not installed.
    """
    if not content:
        place = Folder.of(folder)
        folder, content = place.place, place.fingerprint
        vocabulary, wide = _table(place.place).shape
        size = _size(place.place, vocabulary)
        if dimensions > wide:
            raise InputError(f"the embeddings of {folder} have {wide} dimensions, not {dimensions}")
    if dimensions < 1 or hidden < 0:
        raise InputError(
            "static_embeddings takes 1 dimension or more and 0 hidden units or more, not "
            f"{dimensions} and {hidden}"
        )
    described = StaticEmbeddings(str(folder), dimensions, hidden, content, vocabulary, size)
    return replace(described, inputs=tuple(inputs), outputs=outputs)


@lru_cache(maxsize=2)
def _started(place: Path, content: str, dimensions: int) -> Tensor:
    """The embeddings that training starts from, `(vocabulary, dimensions)`, of the usual size."""
    table = _table(place).double()
    table -= table.mean(dim=0)
    _, axes = torch.linalg.eigh(table.T @ table)  # ascending
    axes = axes[:, -dimensions:].flip(1)
    # Which end of an axis is positive is an accident of the solver.
    axes *= axes[axes.abs().argmax(dim=0), torch.arange(dimensions)].sign()
    frequency = 1 / torch.arange(2, len(table) + 2).double()
    weighted = table @ axes * (RARE / (RARE + frequency / frequency.sum()))[:, None]
    size = (dimensions * weighted.square().mean()).sqrt()
    started: Tensor = (weighted / size).float()
    return started


def _table(place: Path) -> Tensor:
    """The input embeddings of a model's tokens, float32 `(vocabulary, dimensions)`."""
    for file in sorted(place.glob("model*.safetensors")):
        with opening(place), safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118  the reader is no mapping
                if ROWS.search(name):
                    table: Tensor = tensors.get_tensor(name)
                    return table.float()
    raise MissingError(f"{place} holds no table of token embeddings ({ROWS.pattern})")


def _size(place: Path, vocabulary: int) -> int:
    if not (place / TOKENIZER).is_file():
        raise MissingError(f"{place} has no {TOKENIZER}: write it with tokenizer.save_pretrained")
    content = (place / TOKENIZER).read_bytes()
    with opening(place):
        size = _tokenizer_of(content).get_vocab_size()
    if size > vocabulary:
        raise MismatchError(
            f"the tokenizer in {place} knows {size} tokens, and its model embeds {vocabulary}"
        )
    return len(content)


@lru_cache(maxsize=4)
def _tokenizer_of(content: bytes) -> Any:
    tokenizer = needs("tokenizers").Tokenizer.from_str(content.decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read(rows: Array) -> Iterator[str]:
    """The texts of which these are the bytes, `(batch, longest)`."""
    for row in rows:
        yield row.tobytes().rstrip(b"\0").decode(errors="replace")


def _tokens(tokenizer: Any, texts: Inputs) -> Ragged:
    firsts = range(0, len(texts), AT_ONCE)
    parts = (texts[first : first + AT_ONCE].tolist() for first in firsts)
    return Ragged.joined(_tokens_of(tokenizer, part) for part in parts)


def _tokens_of(tokenizer: Any, texts: Sequence[str]) -> Ragged:
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    tokens = [np.array(one.ids, np.int32) for one in encoded]
    return Ragged.of(np.concatenate(tokens), np.array([len(one) for one in tokens]))
