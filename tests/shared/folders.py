"""Folders of tiny models of Hugging Face's libraries, and a world without network."""

import json
import socket

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers", reason="needs limbeck[text]")

OPINIONS = ("negative", "positive")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (*SPECIAL, "the", "a", "movie", "plot", "was", "good", "bad", "very", "dull", "fine")
TEXTS = [
    "the movie was good",
    "bad",
    "a very very very dull plot",
    "the plot was fine and so was the movie",
    "good good",
]


def no_network(monkeypatch):
    """Whoever asks for an address ends the test, though a library may catch what is raised."""
    asked = []

    def refuse(*given, **more):
        asked.append(given)
        raise OSError("these tests have no network")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert not asked


def texts(given):
    return np.array(given, dtype=np.dtypes.StringDType())


def save(folder, kind="BertForSequenceClassification", **config):
    """A tiny net of random weights and its tokenizer, as transformers writes them."""
    torch.manual_seed(7)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    small |= {"intermediate_size": 32, "max_position_embeddings": 12, "vocab_size": len(WORDS)}
    small["initializer_range"] = 0.5
    settings = transformers.BertConfig(**(small | config))
    tokenizer = transformers.BertTokenizer(vocab={word: row for row, word in enumerate(WORDS)})
    transformers.utils.logging.disable_progress_bar()
    getattr(transformers, kind)(settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def rewrite(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in (content | changes).items() if v is not ...}))


def save_encoder(folder, *parts):
    """A tiny sentence encoder of random weights: mean pooling, normalised, and further parts."""
    library = pytest.importorskip("sentence_transformers", reason="needs limbeck[text]")
    modules = library.sentence_transformer.modules
    save(folder, "BertModel", initializer_range=0.05)
    net = modules.Transformer(str(folder))
    pooling = modules.Pooling(16, "mean")
    whole = library.SentenceTransformer(
        modules=[net, pooling, *parts, modules.Normalize()], device="cpu"
    )
    whole.save(str(folder), create_model_card=False)
    return folder
