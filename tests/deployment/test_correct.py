"""Bias correction: the class nobody showed the student comes back, and it is said how."""

import json

import numpy as np
import pytest
from scipy.special import softmax
from worlds import CLASSES, blobs, rule

from limbeck import (
    Plan,
    cli,
    correct,
    evaluate,
    export,
    load,
    objectives,
    score,
    show,
    students,
    teachers,
    train,
)
from limbeck.deployment import _bias
from limbeck.errors import ExamplesError, InputError, LabelsError, MismatchError, OccupiedError

TEACHER = teachers.function(rule, CLASSES, name="rule")
STAR = np.array([False, False, True])
TEST = blobs(600, seed=77, name="test")
HELD = blobs(400, seed=5, name="held")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("correct")
    points = blobs(200, seed=1)
    without = points.take(np.flatnonzero(points.labels != CLASSES.index("star")))
    scores = score(TEACHER, without, to=folder / "scores")
    plan = Plan(epochs=20, batch=16, learning_rate=0.02)
    objective = objectives.SoftTargets(4.0)
    return train(students.mlp([8]), scores, objective, to=folder / "run", plan=plan, seeds=2)


@pytest.fixture(scope="module")
def held_out(run):
    to = run.directory.parent / "held-out"
    return correct(run, HELD, classes=["star"], how="held-out", to=to)


def random_logits(n=200, classes=4, seed=0):
    drawn = np.random.default_rng(seed)
    return drawn.normal(0, 2, (n, classes)), drawn.integers(0, classes, n)


def errors_of(logits, labels, named, bias):
    return int(((logits + named * bias).argmax(axis=1) != labels).sum())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("named", [[0], [1, 3], [0, 1, 2]])
def test_no_bias_on_a_fine_grid_makes_fewer_errors(seed, named):
    logits, labels = random_logits(seed=seed)
    is_named = np.isin(np.arange(4), named)
    labels = np.where(np.random.default_rng(seed).random(200) < 0.6, labels, named[0])
    found = _bias.fewest_errors(logits, labels, is_named)
    grid = [errors_of(logits, labels, is_named, bias) for bias in np.linspace(-15, 15, 6001)]
    assert found.errors <= min(grid)
    assert found.errors == errors_of(logits, labels, is_named, found.bias)
    assert found.errors_before == errors_of(logits, labels, is_named, 0.0)


def test_the_middle_of_the_widest_best_interval_is_taken():
    # Class 1 is right for the last two, from a bias of 1 and of 2; the first two hold to 5 and 9.
    logits = np.array([[5.0, 0.0], [9.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    found = _bias.fewest_errors(logits, np.array([0, 0, 1, 1]), np.array([False, True]))
    assert found == _bias.Chosen(3.5, 2, 0)
    # Fewest errors from 1 to 2 and from 3 to 6: the wider.
    logits = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [6.0, 0.0]])
    found = _bias.fewest_errors(logits, np.array([1, 0, 1, 0]), np.array([False, True]))
    assert found == _bias.Chosen(4.5, 2, 1)
    # Fewest errors from 4 on without end: a logit of it counts.
    found = _bias.fewest_errors(np.array([[4.0, 0.0]]), np.array([1]), np.array([False, True]))
    assert found == _bias.Chosen(4.5, 1, 0)


def test_examples_that_no_bias_gets_right_do_not_move_it():
    logits = np.array([[5.0, 0.0, -9.0], [1.0, 0.0, -9.0], [3.0, 0.0, -9.0]])
    named = np.array([False, True, False])
    found = _bias.fewest_errors(logits, np.array([0, 1, 2]), named)
    assert found == _bias.Chosen(3.0, 2, 1)  # between 1 and 5, whatever is at 3


def test_the_bias_is_nothing_where_none_makes_fewer_errors():
    logits = np.array([[5.0, 0.0], [0.0, 5.0]])
    found = _bias.fewest_errors(logits, np.array([0, 1]), np.array([False, True]))
    assert found == _bias.Chosen(0.0, 0, 0)


@pytest.mark.parametrize(("named", "prior"), [([2], [0.1]), ([0, 3], [0.3, 0.05])])
def test_the_mean_probabilities_meet_the_prior(named, prior):
    logits, _ = random_logits(seed=3)
    logits[:, named] += 12
    shares = np.zeros(4)
    shares[named] = prior
    biases = _bias.matching(logits, np.isin(np.arange(4), named), shares)
    means = softmax(logits + biases, axis=1).mean(axis=0)
    np.testing.assert_allclose(means[named], prior, atol=1e-8)
    assert not np.delete(biases, named).any()


def test_equal_logits_need_the_odds_of_the_prior():
    biases = _bias.matching(np.zeros((5, 2)), np.array([False, True]), np.array([0.0, 0.8]))
    assert biases[1] == pytest.approx(np.log(0.8 / 0.2))


def rows(report):
    return {row["name"]: row["metrics"]["accuracy"]["mean"] for row in report.document["rows"]}


@pytest.mark.slow
def test_the_held_out_bias_recovers_most_of_the_omitted_class(run, held_out, tmp_path):
    prior = correct(run, HELD.without_labels(), classes=["star"], how="prior", to=tmp_path / "p")
    models = {"teacher": TEACHER, "before": run, "student": held_out, "prior": prior}
    found = rows(evaluate(models, TEST))
    assert found["before"] < found["teacher"] - 0.05
    for name in ("student", "prior"):
        share = (found[name] - found["before"]) / (found["teacher"] - found["before"])
        assert share > 0.5, f"{name} recovers only {share:.0%}"


def test_only_the_shift_of_the_named_class_is_another(run, held_out):
    assert held_out.seeds == run.seeds
    assert held_out.shipped == run.shipped
    for seed in run.seeds:
        before, after = run.model(seed).state_dict(), held_out.model(seed).state_dict()
        for name in before.keys() - {"shift"}:
            assert (before[name] == after[name]).all()
        moved = (after["shift"] - before["shift"]).cpu().numpy()
        said = held_out.manifest["correction"]["biases"][str(seed)]["star"]
        np.testing.assert_allclose(moved, [0, 0, said], rtol=1e-6)
        assert held_out.history(seed) == run.history(seed)
    assert held_out.control.fingerprint == run.control.fingerprint
    assert len({held_out.manifest["correction"]["biases"][str(s)]["star"] for s in run.seeds}) == 2


def test_a_run_corrected_by_prior_meets_it_in_use(run, tmp_path):
    shares = {"round": 0.2, "star": 0.4}
    made = correct(run, HELD, classes=["star", "round"], how="prior", prior=shares, to=tmp_path)
    answers = teachers.run(made, 1).predict(HELD.inputs).double().numpy()
    means = softmax(answers, axis=1).mean(axis=0)
    np.testing.assert_allclose(means[[0, 2]], [0.2, 0.4], atol=1e-6)
    assert "whose labels nobody looked at, is 0.2, 0.4" in made.notes[-1]
    assert "the logit of class round " in made.notes[-1]


def test_a_corrected_run_loads_shows_exports_and_says_what_was_done(run, held_out, tmp_path):
    note = held_out.notes[-1]
    biases = [b["star"] for b in held_out.manifest["correction"]["biases"].values()]
    assert note.startswith(
        f"bias correction by held-out labels: the logit of class star raised by "
        f"{min(biases):.3g} to {max(biases):.3g} over the seeds, where errors were fewest ("
    )
    assert note.endswith("on 400 examples of held that training never saw")
    assert load(held_out.directory).notes == held_out.notes
    shown = show(held_out.directory)
    assert shown["whole"] == "yes"
    assert shown["correction"]["how"] == "held-out"
    made = export(held_out, to=tmp_path / "s.safetensors", check=TEST)
    assert made.agreement == 1
    assert note in (tmp_path / "s.safetensors.md").read_text()
    [row] = evaluate({"corrected": held_out}, TEST).document["rows"]
    assert note in row["notes"]


def test_the_same_call_does_nothing_and_another_is_refused(run, held_out):
    again = correct(run, HELD, classes=["star"], how="held-out", to=held_out.directory)
    assert again.manifest == held_out.manifest
    with pytest.raises(OccupiedError, match="another request"):
        correct(run, HELD, classes=["star"], how="prior", to=held_out.directory)
    with pytest.raises(OccupiedError):
        correct(run, HELD, classes=["star"], how="held-out", to=run.directory)


@pytest.mark.slow
def test_the_oracle_is_called_so_wherever_it_is_shown(run, tmp_path):
    made = correct(run, TEST, classes=["star"], how="oracle", to=tmp_path / "chosen")
    assert made.name == "chosen (ORACLE)"
    assert made.notes[-1].startswith("ORACLE bias correction, chosen on the labels of the test")
    report = evaluate({"student": made}, TEST)  # as the paper measured it, and said so
    assert "ORACLE" in report.to_markdown()
    least = correct(run, HELD, classes=["star"], how="held-out", to=tmp_path / "held")
    assert rows(report)["student"] >= rows(evaluate({"student": least}, TEST))["student"]


@pytest.mark.parametrize("how", ["held-out", "prior"])
def test_what_a_bias_was_chosen_on_is_no_test_set(run, how, tmp_path):
    made = correct(run, HELD, classes=["star"], how=how, to=tmp_path / how)
    with pytest.raises(ExamplesError, match="were seen in training by student"):
        evaluate({"student": made}, HELD)


def test_unlabelled_examples_do_not_decide_on_errors(run, held_out, tmp_path):
    some = HELD.joined(blobs(50, seed=9, labelled=False, name="bare"))
    made = correct(run, some, classes=["star"], how="held-out", to=tmp_path / "some")
    assert made.manifest["correction"]["examples"]["n"] == 400
    biases = "biases"
    assert made.manifest["correction"][biases] == held_out.manifest["correction"][biases]


def test_refusals_are_sentences(run, tmp_path):
    to = tmp_path / "no"

    def refused(error, sentence, examples=HELD, classes=("star",), how="held-out", **options):
        with pytest.raises(error, match=sentence):
            correct(run, examples, classes=classes, how=how, to=to, **options)
        assert not to.exists()

    refused(InputError, "run has no class 'stars'; did you mean 'star'", classes="stars")
    refused(InputError, "some of the 3 classes, not 3", classes=CLASSES)
    refused(InputError, "some of the 3 classes, not 0", classes=())
    refused(InputError, "how is one of held-out, prior, oracle, not 'best'", how="best")
    refused(LabelsError, "held-out needs labels, and held has none", HELD.without_labels())
    no_stars = HELD.take(np.flatnonzero(HELD.labels != 2))
    refused(LabelsError, "held has no example of class star", no_stars)
    stars = HELD.take(np.flatnonzero(HELD.labels == 2))
    refused(LabelsError, "held has only examples of class star", stars, how="oracle")
    seen = blobs(200, seed=1)
    for how in ("held-out", "prior", "oracle"):
        refused(ExamplesError, "seen in training by run, the first is 'blobs-", seen, how=how)
    refused(InputError, "prior goes with how='prior'", prior={"star": 0.3})
    refused(InputError, "it names stars", how="prior", prior={"stars": 0.3})
    refused(InputError, r"sum to less than 1, not \[1.0\]", how="prior", prior={"star": 1})
    others = blobs(20, seed=2)
    wide = type(others).of(np.ones((20, 3)), others.labels, classes=CLASSES)
    refused(MismatchError, r"inputs of shape \(2,\), examples has \(3,\)", wide)
    with pytest.raises(InputError, match="its control stays as it was"):
        correct(run.control, HELD, classes="star", how="held-out", to=to)


@pytest.fixture
def command(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("held.npz", inputs=HELD.inputs, labels=HELD.labels, classes=np.array(CLASSES))

    def call(*options):
        words = ["correct", "--run", str(run.directory), "--examples", "held.npz", *options]
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        return left.value.code, capsys.readouterr()

    return call


def test_the_command_is_the_function(command, held_out, tmp_path):
    status, printed = command("--classes", "star", "--how", "held-out", "--to", "made")
    assert (status, printed.err) == (0, "")
    assert printed.out.startswith("made: ")
    assert "raised by" in printed.out
    options = ("--classes=star", "--how=prior", "--prior", "star=0.3", "--to=p", "--json")
    status, printed = command(*options)
    assert json.loads(printed.out)["correction"]["prior"] == {"star": 0.3}
    made = load(tmp_path / "made")
    assert made.manifest["correction"]["biases"] == held_out.manifest["correction"]["biases"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--classes=stars", "--how=prior"], "no class 'stars'; did you mean 'star'?"),
        (["--classes=star", "--how=best"], "how is one of held-out, prior, oracle, not 'best'"),
        (["--classes=star", "--how=prior", "--prior=0.3"], "--prior takes CLASS=SHARE, not '0.3'"),
        (["--classes=star", "--how=prior", "--prior=star=x"], "CLASS=SHARE, not 'star=x'"),
    ],
)
def test_bad_input_of_the_command_is_one_sentence(command, tmp_path, options, sentence):
    status, printed = command(*options, "--to", "no")
    assert status == 2
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "no").exists()
