"""Section 4's acoustic model: ten nets, their ensemble, and one net that the ensemble taught."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import limbeck
from experiments import error_rates, harness, spoken
from experiments.harness import Entry, Experiment, Outcome, Setting
from limbeck import objectives, students, teachers

MEMBERS, SEEDS = 10, 3
LABELS = replace(spoken.PLAN, epochs=6, patience=2)
SOFT = replace(spoken.PLAN, epochs=12)
HEARING_MORE = replace(spoken.PLAN, epochs=6)  # of four times as many frames
TEMPERATURES = (1, 2, 5, 10)
HARD = 0.5  # the weight of the labels, relative to that of the soft targets
SHARE = 0.8  # of the gain that has to transfer


def work(setting: Setting) -> Outcome:
    """Members, ensemble, and students at four temperatures; the development set chooses one."""
    sets = spoken.made(setting)
    teacher = ensemble(setting, sets)
    tried = {t: distilled(setting, sets, t) for t in setting.pick(TEMPERATURES, smoke=(2,))}
    judged = {
        t: error_rates.frame_error_rate(
            sets.development, spoken.log_posteriors(runs, sets.development)
        ).percent
        for t, runs in tried.items()
    }
    chosen = min(judged, key=lambda t: judged[t])
    models: dict[str, spoken.Model] = {
        "single": members(setting, sets),
        "ensemble": teacher,
        "distilled": tried[chosen],
        "hearing_more": hearing_more(setting, sets, chosen),
    }
    rates = {
        name: error_rates.rates(model, sets, setting.place / "rates" / f"{name}.json")
        for name, model in models.items()
    }
    ours = {name: error_rates.accuracy(found.frames) for name, found in rates.items()}
    ours |= {f"{name}_phones": error_rates.entry(found.phones) for name, found in rates.items()}
    single, all_of_them, *taught = (rates[name].frames for name in models)
    for name, found in zip(("share_of_gain", "share_of_gain_hearing_more"), taught, strict=True):
        ours[name] = error_rates.share_of_way(single, all_of_them, found)
    return Outcome(
        ours,
        holds=_holds(ours),
        seeds=setting.pick(SEEDS, smoke=2),
        headline=[*models, "share_of_gain", "share_of_gain_hearing_more"],
        more={"temperature": chosen, "development_frame_errors": judged},
    )


def members(setting: Setting, sets: spoken.Sets, seeds: Sequence[int] = ()) -> list[limbeck.Run]:
    """Nets on labels with those seeds, or all of them."""
    return spoken.taught(
        setting,
        "members",
        students.mlp(spoken.layers(setting)),
        sets.train.frames,
        objectives.Labels(),
        LABELS,
        seeds or range(setting.pick(MEMBERS, smoke=3)),
    )


def ensemble(setting: Setting, sets: spoken.Sets) -> teachers.Teacher:
    """All members as one."""
    return teachers.ensemble(members(setting, sets), mean="geometric")


def scores(setting: Setting, sets: spoken.Sets) -> limbeck.ScoreSet:
    """What they say of the training frames."""
    return limbeck.score(ensemble(setting, sets), sets.train.frames, to=setting.place / "scores")


def more_scores(setting: Setting, sets: spoken.Sets) -> limbeck.TransferSet:
    """What they say of these and of unlabelled frames, the labels of the former beside it."""
    frames = spoken.more_voices(setting)
    scored = limbeck.score(ensemble(setting, sets), frames, to=setting.place / "scores-more")
    return limbeck.TransferSet.of(scored, sets.train.frames)


def distilled(
    setting: Setting, sets: spoken.Sets, temperature: float, seeds: Sequence[int] = ()
) -> list[limbeck.Run]:
    """Nets that the ensemble taught at a temperature."""
    return _taught(setting, "distilled", scores(setting, sets), temperature, SOFT, seeds)


def hearing_more(
    setting: Setting, sets: spoken.Sets, temperature: float, seeds: Sequence[int] = ()
) -> list[limbeck.Run]:
    """Nets that it taught on speech it was not trained on too."""
    given = more_scores(setting, sets)
    return _taught(setting, "hearing-more", given, temperature, HEARING_MORE, seeds)


def _taught(
    setting: Setting,
    name: str,
    given: limbeck.ScoreSet | limbeck.TransferSet,
    temperature: float,
    plan: limbeck.Plan,
    seeds: Sequence[int],
) -> list[limbeck.Run]:
    return spoken.taught(
        setting,
        f"{name}-{temperature}",
        students.mlp(spoken.layers(setting)),
        given,
        objectives.SoftTargets(temperature=temperature, hard_weight=HARD),
        plan,
        seeds or range(setting.pick(SEEDS, smoke=2)),
    )


def _holds(ours: Mapping[str, Entry]) -> Any:
    if ours["share_of_gain"]["low"] >= SHARE:
        return True
    return False if ours["share_of_gain"]["high"] < SHARE else "undecided"


WORDS = {
    "single": "ten nets",
    "ensemble": "their ensemble",
    "distilled": "distilled",
    "hearing_more": "distilled,\nhearing more",
}


def draw(result: Mapping[str, Any]) -> Figure:
    """Frame accuracies, and the paper's."""
    return harness.bars(result, WORDS, "Speech that espeak-ng made", "frame accuracy, %")


EXPERIMENT = Experiment(
    folder=Path(__file__).parent,
    claim="A net taught by an ensemble of ten hears the states of phones nearly as well: at least "
    "80 % of the ensemble's gain in frame accuracy transfers.",
    paper={
        "single": 58.9,
        "ensemble": 61.1,
        "distilled": 60.8,
        "share_of_gain": 0.86,
        "where": "section 4, table 1: frame accuracy in %, on 2,000 hours of speech",
    },
    cost="1 hour on two cores",
    work=work,
    draw=draw,
    large_cost="nets of the paper's kind, three layers of 2,000 units: a GPU",
)

if __name__ == "__main__":
    harness.main(EXPERIMENT)
