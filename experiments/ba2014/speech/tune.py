"""Rates and losses on the made corpus, judged by the frames of the development set.

`python -m experiments.ba2014.speech.tune mimic_small --rate 0.004` prints of how many frames in a
hundred the first seed of that net is wrong; `--objective "MatchLogits('centred')"` is another loss
of a mimic, `--epochs` another length. Teacher and frames are the experiment's own.
"""

import argparse
from dataclasses import replace

from experiments import error_rates, harness, spoken
from experiments.ba2014.speech import __main__ as experiment
from experiments.harness import Setting
from limbeck import objectives


def main() -> None:
    """Trains one net and prints what it gets wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=list(experiment.TWINS))
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--objective", default="SoftTargets(temperature=1)")
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    root = harness.BUILD / "ba2014"
    setting = Setting("speech", root, root / "speech")
    [nets] = experiment.made(setting)
    is_mimic = options.net.startswith("mimic")
    usual = nets.mimics if is_mimic else spoken.PLAN
    epochs = options.epochs or usual.epochs
    objective = objectives.read(options.objective if is_mimic else objectives.Labels().text)
    [run] = spoken.taught(
        setting,
        f"{options.net}-{options.rate:g}-{epochs}-{objective.text}",
        nets.students[options.net],
        nets.scores() if is_mimic else nets.sets.train.frames,
        objective,
        replace(usual, learning_rate=options.rate, epochs=epochs),
        [0],
        root / "speech-tune",
    )
    said = spoken.log_posteriors([run], nets.sets.development)
    wrong = error_rates.frame_error_rate(nets.sets.development, said)
    found = round(float(wrong.each[0]), 2)
    print(options.net, objective.text, options.rate, epochs, found, flush=True)


if __name__ == "__main__":
    main()
