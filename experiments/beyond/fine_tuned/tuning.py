"""Fine-tunes all weights of a small transformer on labelled texts, in one plain loop."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from torch import Tensor, nn

import limbeck

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass(frozen=True)
class Tuning:
    """How a transformer is fine-tuned: AdamW in bfloat16, with a warm-up and a linear decay."""

    epochs: int
    batch: int
    tokens: int  # of a text that are read
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    warm_up: float = 0.1  # share of the steps
    longest_gradient: float = 1.0


def fine_tune(start: Path, labelled: limbeck.Examples, to: Path, how: Tuning, seed: int) -> Path:
    """The folder of a sequence classifier that begins as `start` and learns the labels.

    A folder that is there already is whole, and left as it is.
    """
    if to.exists():
        return to
    began, unfinished = time.monotonic(), to.with_name(f"{to.name}-unfinished")
    transformers.logging.set_verbosity_error()  # else it reports that the head is new
    transformers.logging.disable_progress_bar()
    transformers.set_seed(seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(start)
    net = _classifier(start, labelled.classes)
    losses = _fit(net, _read(tokenizer, labelled, how.tokens), how)
    for part in (net, tokenizer):
        part.save_pretrained(unfinished)
    seconds = round(time.monotonic() - began, 1)
    log = {"seconds": seconds, "steps": how.epochs * _steps(len(labelled), how), "losses": losses}
    to.with_name(f"{to.name}.json").write_text(json.dumps(log))
    return unfinished.rename(to)


def _classifier(start: Path, classes: tuple[str, ...]) -> nn.Module:
    """The transformer with a new head on its pooled first token, for those classes."""
    net: nn.Module = transformers.AutoModelForSequenceClassification.from_pretrained(
        start, id2label=dict(enumerate(classes)), dtype=torch.float32
    )
    return net.to(DEVICE)


def _read(tokenizer: object, labelled: limbeck.Examples, tokens: int) -> dict[str, Tensor]:
    """What the net is given of all texts, and their labels."""
    read = tokenizer(  # type: ignore[operator]  # transformers' own
        labelled.inputs.tolist(),
        truncation=True,
        max_length=tokens,
        padding=True,
        return_tensors="pt",
    )
    labels = torch.from_numpy(labelled.labels).long()
    return {name: given.to(DEVICE) for name, given in {**read, "labels": labels}.items()}


def _fit(net: nn.Module, read: dict[str, Tensor], how: Tuning) -> list[float]:
    """Trains the net; the mean loss of each epoch."""
    steps = how.epochs * _steps(len(read["labels"]), how)
    optimiser = torch.optim.AdamW(
        net.parameters(), how.learning_rate, weight_decay=how.weight_decay, fused=True
    )
    schedule = transformers.get_linear_schedule_with_warmup(
        optimiser, int(how.warm_up * steps), steps
    )
    losses = []
    for _ in range(how.epochs):
        epoch = []
        for batch in _batches(read, how.batch):
            with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
                loss = net(**batch).loss
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), how.longest_gradient)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            epoch.append(loss.detach())
        losses.append(torch.stack(epoch).mean().item())
    return losses


def _batches(read: dict[str, Tensor], size: int) -> Iterator[dict[str, Tensor]]:
    """All texts once, in a new order."""
    for rows in torch.randperm(len(read["labels"])).to(DEVICE).split(size):
        yield {name: given[rows] for name, given in read.items()}


def _steps(texts: int, how: Tuning) -> int:
    return -(-texts // how.batch)
