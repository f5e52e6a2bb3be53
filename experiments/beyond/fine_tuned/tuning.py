"""Fine-tunes a sentence encoder and a head on labelled texts, in one plain loop.

The head begins as the logistic regression on the embeddings of the untouched encoder: fine-tuning
from there keeps what the encoder knows (Kumar et al. 2022, arXiv:2202.10054).
"""

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

import limbeck
from limbeck import teachers

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Tuning:
    """How an encoder is fine-tuned: AdamW in bfloat16, with a warm-up and a linear decay."""

    epochs: int
    batch: int
    tokens: int  # of a text that are read
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warm_up: float = 0.1  # share of the steps
    longest_gradient: float = 1.0


def fine_tuned(
    start: Path, labelled: limbeck.Examples, to: Path, how: Tuning, seed: int, keep: Path
) -> teachers.Teacher:
    """An encoder that begins as `start` and learns two classes, with its head, kept in `to`.

    A folder that is there already is whole, and left as it is.
    """
    if not to.exists():
        _fine_tune(start, labelled, to, how, seed, keep)
    return teachers.head(to / "head.safetensors", labelled.classes, keep=keep, name=to.name)


def _fine_tune(
    start: Path, labelled: limbeck.Examples, to: Path, how: Tuning, seed: int, keep: Path
) -> None:
    began, unfinished = time.monotonic(), to.with_name(f"{to.name}-unfinished")
    first = teachers.encoder(start, tokens=how.tokens, precision="bfloat16", keep=keep)
    head = first.fit_head(labelled, strength=1.0)
    transformers.set_seed(seed)
    net = SentenceTransformer(str(start), device=str(DEVICE))
    last = _linear(head)
    losses = _fit(net, last, _read(net, labelled, how.tokens), how)
    net.save_pretrained(str(unfinished / "encoder"), create_model_card=False)
    tuned = teachers.encoder(
        unfinished / "encoder", tokens=how.tokens, precision="bfloat16", keep=keep
    )
    tuned.write_head(_regression(head, last), unfinished / "head.safetensors", labelled.classes)
    seconds = round(time.monotonic() - began, 1)
    log = {"seconds": seconds, "steps": how.epochs * _steps(len(labelled), how), "losses": losses}
    to.with_name(f"{to.name}.json").write_text(json.dumps(log))
    unfinished.rename(to)


def _linear(head: LogisticRegression) -> nn.Linear:
    """The head of two classes as a layer."""
    layer = nn.Linear(head.coef_.shape[1], 1)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.coef_))
        layer.bias.copy_(torch.from_numpy(head.intercept_))
    return layer.to(DEVICE)


def _regression(head: LogisticRegression, layer: nn.Linear) -> LogisticRegression:
    """The layer as the head was."""
    made = copy.deepcopy(head)
    made.coef_, made.intercept_ = (
        each.detach().double().cpu().numpy() for each in (layer.weight, layer.bias)
    )
    return made


def _read(net: Any, labelled: limbeck.Examples, tokens: int) -> dict[str, Tensor]:
    """What the net is given of all texts, and their labels."""
    texts = labelled.inputs.tolist()
    read = net.tokenizer(
        texts, truncation=True, max_length=tokens, padding=True, return_tensors="pt"
    )
    labels = torch.from_numpy(labelled.labels).float()
    return {name: given.to(DEVICE) for name, given in {**read, "labels": labels}.items()}


def _fit(net: Any, last: nn.Linear, read: dict[str, Tensor], how: Tuning) -> list[float]:
    """Trains both; the mean loss of each epoch."""
    steps = how.epochs * _steps(len(read["labels"]), how)
    weights = [*net.parameters(), *last.parameters()]
    optimizer = torch.optim.AdamW(
        weights, how.learning_rate, weight_decay=how.weight_decay, fused=True
    )
    warm_up = int(how.warm_up * steps)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, warm_up, steps)
    net.train()
    losses = []
    for _ in range(how.epochs):
        epoch = []
        for batch in _batches(read, how.batch):
            epoch.append(_loss(net, last, batch))
            epoch[-1].backward()
            nn.utils.clip_grad_norm_(weights, how.longest_gradient)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        losses.append(torch.stack([loss.detach() for loss in epoch]).mean().item())
    return losses


def _loss(net: Any, last: nn.Linear, batch: dict[str, Tensor]) -> Tensor:
    labels = batch.pop("labels")
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
        embedded = net(batch)["sentence_embedding"]
    return nn.functional.binary_cross_entropy_with_logits(last(embedded.float())[:, 0], labels)


def _batches(read: dict[str, Tensor], size: int) -> Iterator[dict[str, Tensor]]:
    """All texts once, in a new order."""
    for rows in torch.randperm(len(read["labels"])).to(DEVICE).split(size):
        yield {name: given[rows] for name, given in read.items()}


def _steps(texts: int, how: Tuning) -> int:
    return -(-texts // how.batch)
