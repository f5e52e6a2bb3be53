"""Rates, losses and lengths, judged on the development set.

`python -m experiments.ba2014.speech.tune mimic_small --rate 0.004` prints how many frames and how
many phones in a hundred the first seed of that net gets wrong, on the made corpus;
`--held-out george` is a fold of the digits, `--objective "MatchLogits('centered')"` another loss of
a mimic, `--epochs` another length. Teacher and frames are the experiment's own.
"""

import argparse
from dataclasses import replace

import limbeck
from experiments import error_rates, harness, spoken
from experiments.ba2014.speech import __main__ as experiment
from experiments.harness import Setting
from limbeck import objectives, speech


def main() -> None:
    """Trains one net and prints what it gets wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=list(experiment.TWINS))
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--held-out", choices=experiment.SPEAKERS)
    parser.add_argument("--objective", default="SoftTargets(temperature=1)")
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    root = harness.BUILD / "ba2014"
    setting = Setting("speech", root, root / "speech")
    if options.held_out:
        nets = experiment.fold(setting, options.held_out)
    else:
        [nets] = experiment.made(setting)
    run, epochs = _trained(nets, options)
    frames, phones = _wrong(nets.sets, run)
    print(options, f"epochs {epochs}", f"frames {frames:.2f}", f"phones {phones:.2f}", flush=True)


def _trained(nets: experiment.Nets, options: argparse.Namespace) -> tuple[limbeck.Run, int]:
    is_mimic = options.net.startswith("mimic")
    usual = nets.mimics if is_mimic else spoken.PLAN
    plan = replace(usual, learning_rate=options.rate, epochs=options.epochs or usual.epochs)
    objective = objectives.from_text(options.objective if is_mimic else objectives.Labels().text)
    [run] = spoken.taught(
        nets.setting,
        f"{options.net}-{plan.learning_rate:g}-{plan.epochs}-{objective.text}",
        nets.students[options.net],
        nets.scores() if is_mimic else nets.sets.train.frames,
        objective,
        plan,
        [0],
        nets.place.parent.with_name("speech-tune") / nets.place.name,
    )
    return run, plan.epochs


def _wrong(sets: spoken.Sets, run: limbeck.Run) -> tuple[float, float]:
    """Frames and phones in a hundred; the phones with the best weights of the decoder."""
    part = sets.development
    said = spoken.log_posteriors([run], part)
    tuned = speech.tune(
        error_rates.decoder(sets),
        part.each(said[0]),
        part.transcripts,
        folding=sets.folding,
        grid=experiment.GRID,
    )
    phones = min(error for _, error in tuned.trials)
    return error_rates.frame_error_rate(part, said).percent, phones


if __name__ == "__main__":
    main()
