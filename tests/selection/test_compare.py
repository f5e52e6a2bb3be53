"""compare(): equal tuning, equal seeds, an untouched test set, and intervals that hold together."""

import json

import numpy as np
import pytest
from worlds import blobs, rule

import limbeck
from limbeck import metrics, objectives, students, teachers
from limbeck.artifacts import _files
from limbeck.cli import main
from limbeck.errors import (
    ExamplesError,
    InputError,
    LabelsError,
    OccupiedError,
    RecipeError,
    TrustError,
)
from limbeck.examples import Examples
from limbeck.metrics import simultaneous
from limbeck.recipes import read_recipe, run_recipe
from limbeck.selection import Budget, Compared
from limbeck.selection._compare import _folder, _Job

PLAN = limbeck.Plan(epochs=2, batch=32, held_out=0.0)
BUDGET = Budget(trials=3, learning_rates=(1e-3, 1e-1), held_out=0.25)
STUDENT = students.mlp([4])
SOFT = [objectives.SoftTargets(1.0), objectives.SoftTargets(4.0)]
METHODS = {"soft": SOFT, "dist": [objectives.DIST(hard_weight=0)]}
TEST = blobs(150, seed=9, name="test")


def scored(to, *, labelled=True):
    teacher = teachers.function(rule, blobs().classes, name="rule")
    return limbeck.score(teacher, blobs(160, labelled=labelled), to=to / "scores")


def said_by(run, examples, seed=None):
    """The logits of a run's net, `(examples, classes)`."""
    return teachers.run(run, seed).ask(examples.inputs, examples.keys, "the run")


def compared(to, scores, methods=METHODS, **changed):
    given = {"test": TEST, "to": to / "compared", "plan": PLAN, "budget": BUDGET, "seeds": 2}
    return limbeck.compare(STUDENT, scores, methods, **{**given, **changed})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def whole(place):
    return compared(place, scored(place), baseline="soft")


def test_every_method_has_the_same_trials_and_the_control_is_one_of_them(whole):
    assert [row["name"] for row in whole.rows] == ["soft", "dist", "control"]
    for row in whole.rows:
        rates = [trial["learning_rate"] for trial in row["trials"]]
        assert rates == list(BUDGET.rates)
    assert whole.row("control")["objective"] == "Labels()"


def test_candidates_are_taken_in_turn(whole):
    tried = [trial["objective"] for trial in whole.row("soft")["trials"]]
    assert tried == [SOFT[0].text, SOFT[1].text, SOFT[0].text]


def test_the_best_on_held_out_examples_is_chosen_the_first_of_equals(whole):
    for row in whole.rows:
        reached = [trial["held_out"] for trial in row["trials"]]
        assert row["chosen"] == reached.index(max(reached))
        assert row["learning_rate"] == row["trials"][row["chosen"]]["learning_rate"]
        assert row["objective"] == row["trials"][row["chosen"]]["objective"]
    assert whole.document["chosen_by"].startswith("accuracy on ")


def test_what_a_trial_reached_is_the_accuracy_of_its_run_on_the_part_it_did_not_learn(whole):
    examples = blobs(160)
    rest, held = examples.split(BUDGET.held_out)
    for row in whole.rows:
        for number, trial in enumerate(row["trials"]):
            run = limbeck.load(whole.directory / "tuning" / f"trial-{number}" / row["name"])
            said = said_by(run, held).argmax(axis=1)
            assert trial["held_out"] == pytest.approx((said == held.labels).mean())
            assert run.manifest["examples"]["n"] == len(rest)
            assert not np.isin(held.content_hashes, run.seen()).any()


def test_the_tuning_seed_is_none_of_the_final_seeds(whole):
    assert whole.document["seeds"] == [0, 1]
    assert whole.document["tuning_seed"] == 2
    trial = limbeck.load(whole.directory / "tuning" / "trial-0" / "dist")
    assert trial.seeds == [2]


def test_the_chosen_setting_is_trained_on_the_whole_transfer_set_with_every_seed(whole):
    for row in whole.rows:
        run = whole.run(row["name"])
        assert run.seeds == [0, 1]
        assert run.manifest["objective"] == row["objective"]
        assert run.manifest["plan"]["learning_rate"] == row["learning_rate"]
        assert run.manifest["examples"]["n"] == 160


def answers(run):
    return np.stack([said_by(run, TEST, seed) for seed in run.seeds])


def test_differences_are_paired_and_hold_together(whole):
    """Three methods against "soft" and the control: three different pairs."""
    assert whole.document["comparisons"] == 3
    logits = {row["name"]: answers(whole.run(row["name"])) for row in whole.rows}
    for row in whole.rows:
        assert set(row["against"]) == {"soft", "control"} - {row["name"]}
        for other, found in row["against"].items():
            expected = metrics.difference(
                metrics.STANDARD["accuracy"],
                logits[row["name"]],
                logits[other],
                TEST.labels,
                np.zeros((0, 0)),
                confidence=simultaneous(3),
            )
            ends = [found["difference"], found["low"], found["high"]]
            assert ends == pytest.approx([expected.mean, expected.low, expected.high])
            answer = "yes" if found["low"] > 0 else "no" if found["high"] < 0 else "undecided"
            assert found["answer"] == answer
        assert np.mean(row["values"]) == pytest.approx(row["metrics"]["accuracy"]["mean"])


def test_it_reads_back_and_shows_itself_as_whole(whole):
    assert Compared.read(whole.directory).document == whole.document
    assert limbeck.load(whole.directory).document == whole.document
    shown = limbeck.show(whole.directory)
    assert shown["artifact"] == "comparison"
    assert shown["whole"] == "yes"
    (whole.directory / "comparison.md").read_text().index("## Tuning")


def test_it_says_in_words_which_gains_hold(whole):
    found = whole.row("dist")["against"]["soft"]
    sentence = f"Is dist better than soft? {found['answer'].capitalize()}: accuracy is"
    assert sentence in str(whole)
    assert "hold together at 95% over all 3 comparisons (Bonferroni)" in str(whole)
    assert "Each method had 3 trials" in str(whole)
    assert all(row["objective"].split("(")[0] in whole.to_markdown() for row in whole.rows)


def test_made_again_it_returns_at_once_and_another_request_is_refused(whole, place):
    scores = limbeck.load(place / "scores", examples=blobs(160))
    before = (whole.directory / "manifest.json").stat().st_mtime_ns
    assert compared(place, scores, baseline="soft").document == whole.document
    assert (whole.directory / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(OccupiedError, match=r"another request \(other baseline\)"):
        compared(place, scores, baseline="dist")


class Sealed(Examples):
    """Examples whose inputs and labels notice being read while their seal holds."""

    def __getattribute__(self, name):
        if name in ("inputs", "labels") and Sealed.holds():
            raise AssertionError(f"the test {name} were read before all was trained")
        return super().__getattribute__(name)

    @staticmethod
    def holds():
        return False


def test_the_test_examples_are_not_touched_before_all_is_trained(tmp_path, monkeypatch):
    scores = scored(tmp_path)
    finals = tmp_path / "compared" / "final"

    def holds():
        trained = {run.parent.name for run in finals.glob("*/*/manifest.json")}
        is_begun = (tmp_path / "compared" / "tuning").exists()
        return is_begun and trained != {"soft", "dist", "control"}

    sealed = Sealed(**vars(blobs(150, seed=9, name="test")))
    monkeypatch.setattr(Sealed, "holds", staticmethod(holds))
    found = compared(tmp_path, scores, test=sealed, baseline="soft")
    assert found.row("soft")["metrics"]["accuracy"]["n"] == 150
    # The seal works: broken open before its time it is noticed.
    monkeypatch.setattr(Sealed, "holds", staticmethod(lambda: True))
    with pytest.raises(AssertionError, match="the test labels were read"):
        _ = sealed.labels


def test_other_test_examples_change_nothing_of_the_choice(whole, tmp_path):
    other = blobs(90, seed=11, name="other")
    found = compared(tmp_path, scored(tmp_path), test=other, baseline="soft")
    for row in found.rows:
        assert row["trials"] == whole.row(row["name"])["trials"]


def test_an_interrupted_comparison_goes_on_to_the_same_end(whole, tmp_path):
    scores, calls = scored(tmp_path), []

    def stop(sentence):
        calls.append(sentence)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compared(tmp_path, scores, baseline="soft", tell=stop)
    assert limbeck.show(tmp_path / "compared")["whole"].startswith("no: interrupted")
    first = tmp_path / "compared" / "tuning" / "trial-0" / "soft" / "manifest.json"
    before = first.stat().st_mtime_ns
    again = compared(tmp_path, scores, baseline="soft")
    assert first.stat().st_mtime_ns == before
    assert again.rows == whole.rows


def test_without_labels_trials_are_judged_by_agreement_and_there_is_no_control(tmp_path):
    scores = scored(tmp_path, labelled=False)
    found = compared(tmp_path, scores, baseline="soft")
    assert [row["name"] for row in found.rows] == ["soft", "dist"]
    assert found.document["chosen_by"].startswith("agreement with the teacher on ")
    assert found.document["notes"][0] == "there is no control: the examples have no labels"
    held = blobs(160).split(BUDGET.held_out)[1]
    run = limbeck.load(found.directory / "tuning" / "trial-0" / "soft")
    agrees = said_by(run, held).argmax(axis=1) == rule(held.inputs).argmax(1)
    assert found.row("soft")["trials"][0]["held_out"] == pytest.approx(agrees.mean())


def test_with_few_labels_every_control_trains_as_long_as_a_student_and_stops_early(tmp_path):
    examples = blobs(160)
    few = Examples.of(
        examples.inputs,
        np.where(np.arange(160) < 60, examples.labels, -1),
        keys=examples.keys,
        classes=examples.classes,
    )
    teacher = teachers.function(rule, few.classes, name="rule")
    scores = limbeck.score(teacher, few, to=tmp_path / "scores")
    found = compared(tmp_path, scores)
    controls = [*(found.directory / "tuning").glob("*/control"), found.run("control").directory]
    assert len(controls) == 4
    for directory in controls:
        assert any("stopped early on" in note for note in limbeck.load(directory).notes)
    assert found.row("control")["objective"] == "Labels()"


def test_labels_that_are_all_held_out_are_missed_in_words(tmp_path):
    points = blobs(160, labelled=False)
    held = points.split(BUDGET.held_out)[1]
    few = blobs(160).take(points.find(held.keys[:5]))
    teacher = teachers.function(rule, points.classes, name="rule")
    stored = limbeck.score(teacher, points, to=tmp_path / "s")
    scores = limbeck.TransferSet.of(stored, few)
    with pytest.raises(LabelsError, match="every labelled example is held out to judge the tri"):
        compared(tmp_path, scores, {"soft": SOFT})


def test_a_control_with_a_rate_of_its_own_is_trained_beside_a_student_or_alone(tmp_path):
    scores = scored(tmp_path)
    job = _Job(
        student=STUDENT,
        transfer=limbeck.TransferSet.of(scores),
        given=METHODS,
        test=TEST,
        to=tmp_path,
        plan=PLAN,
        budget=BUDGET,
        seeds=(0,),
        baseline="soft",
        tell=print,
    )
    alone = job._trained(job.transfer, {"control": objectives.Labels()}, 0.01, [0], tmp_path / "a")
    beside = job._trained(
        job.transfer,
        {"control": objectives.Labels(), "soft": SOFT[0]},
        0.01,
        [0],
        tmp_path / "b",
    )
    assert set(alone) == {"control"}
    np.testing.assert_allclose(
        said_by(alone["control"], TEST), said_by(beside["control"], TEST), atol=1e-4
    )


class Diverging:
    """An objective that is no number above a learning rate's second step."""

    needs_scores, needs_labels, text = True, False, "Diverging()"

    def __call__(self, output, batch):
        return {"loss": output.sum() * float("inf")}


def test_a_trial_that_diverges_is_spent_and_the_others_go_on(tmp_path):
    methods = {"soft": [SOFT[0], Diverging()]}
    found = compared(tmp_path, scored(tmp_path), methods)
    trials = found.row("soft")["trials"]
    assert "the loss is no longer a number" in trials[1]["failed"]
    assert found.row("soft")["chosen"] != 1
    assert "1 of the trials of soft diverged" in found.document["notes"]
    assert all("held_out" in trial for trial in found.row("control")["trials"])


def test_rates_fill_the_range_evenly_on_a_logarithmic_scale():
    rates = np.log10(Budget(8, (1e-4, 1e-1)).rates)
    assert rates[0] == pytest.approx(-2.5)
    assert ((rates >= -4) & (rates <= -1)).all()
    gaps = np.diff(np.sort(np.concatenate([[-4], rates, [-1]])))
    assert gaps.max() < 3 * 3 / 9
    assert Budget(4, (1e-4, 1e-1)).rates == Budget(8, (1e-4, 1e-1)).rates[:4]


@pytest.mark.parametrize(
    ("changed", "error", "sentence"),
    [
        ({"methods": {}}, InputError, "compare takes one method or more"),
        ({"methods": {"soft": []}}, InputError, "the method 'soft' has no candidates"),
        ({"methods": {"soft": SOFT * 2}}, InputError, "4 candidates and the budget only 3 trials"),
        ({"methods": {"control": SOFT}}, InputError, "'control' learns hard labels, not Soft"),
        ({"methods": {"a b": SOFT, "a-b": SOFT}}, InputError, "differ by punctuation alone"),
        ({"methods": {"soft": [len]}}, InputError, "has a builtin_function_or_method for a candi"),
        ({"baseline": "sofd"}, InputError, "the baseline 'sofd' is none of the methods; did you"),
        ({"test": blobs(9, seed=9, labelled=False)}, LabelsError, "and blobs has no labels"),
        ({"test": blobs(160).take(np.arange(3))}, ExamplesError, "are also in the transfer set"),
        ({"seeds": 0}, InputError, "seeds are a count of 1 or more"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(changed, error, sentence, tmp_path):
    scores = scored(tmp_path)
    with pytest.raises(error, match=sentence):
        compared(tmp_path, scores, **changed)
    assert not (tmp_path / "compared").exists()


def test_labels_and_scores_are_asked_for_where_a_method_needs_them(tmp_path):
    with pytest.raises(LabelsError, match=r"DKD\(.*\) of the method 'dkd' needs labels, and blobs"):
        compared(
            tmp_path,
            scored(tmp_path, labelled=False),
            {"dkd": [objectives.DKD()], "soft": SOFT},
            baseline="soft",
        )
    with pytest.raises(InputError, match=r"of the method 'soft' needs a teacher's scores; blobs h"):
        compared(tmp_path, limbeck.TransferSet(blobs(160)))


def test_one_method_alone_is_refused(tmp_path):
    with pytest.raises(InputError, match="one method alone has nothing to be held against"):
        compared(tmp_path, scored(tmp_path, labelled=False), {"soft": SOFT}, baseline="soft")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"trials": 0}, "a budget has 1 trial or more, not 0"),
        ({"learning_rates": (0.1, 0.01)}, "the lowest and the highest, above 0, not 0.1 and 0.01"),
        ({"held_out": 1.0}, "held_out lies between 0 and 1, not 1"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(values, sentence):
    with pytest.raises(InputError, match=sentence):
        Budget(**values)


def test_a_method_may_have_any_name():
    assert _folder("soft targets, T = 4") == "soft-targets-T-4"
    assert _folder("../..") == "method"


def test_an_altered_comparison_is_not_read(tmp_path, whole):
    _files.write_json(tmp_path / "comparison.json", {**whole.document, "seeds": [7]})
    kept = (whole.directory / "manifest.json").read_bytes()
    (tmp_path / "manifest.json").write_bytes(kept)
    with pytest.raises(limbeck.errors.CorruptError):
        Compared.read(tmp_path)
    with pytest.raises(InputError, match="no row 'sofd'; it has soft, dist, control"):
        whole.row("sofd")


# --- the command ------------------------------------------------------------------------


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


@pytest.fixture
def files(tmp_path):
    for name, examples in (("train", blobs(160)), ("test", TEST)):
        np.savez(
            tmp_path / f"{name}.npz",
            inputs=examples.inputs,
            labels=examples.labels,
            classes=np.array(examples.classes),
        )
    train = limbeck.read(tmp_path / "train.npz")
    teacher = teachers.function(rule, train.classes, name="rule")
    limbeck.score(teacher, train, to=tmp_path / "scores")
    return tmp_path


def options(files):
    fixed = ["--scores", str(files / "scores"), "--test", str(files / "test.npz")]
    sizes = ["--epochs", "1", "--seeds", "2", "--trials", "2", "--learning-rates", "0.01", "0.1"]
    return ["compare", *fixed, *sizes, "--student", "mlp([4])", "--to", str(files / "compared")]


METHOD_OPTIONS = [
    "--method",
    "soft=SoftTargets(temperature=2)",
    "--method",
    "soft=SoftTargets(temperature=4)",
    "--method",
    "raw=MatchLogits()",
]


def test_the_command_gathers_candidates_by_name(files, capsys):
    status, out, err = command(
        capsys, *options(files), *METHOD_OPTIONS, "--baseline", "soft", "--json"
    )
    assert status == 0, err
    document = json.loads(out)
    assert [row["name"] for row in document["rows"]] == ["soft", "raw", "control"]
    assert len({trial["objective"] for trial in document["rows"][0]["trials"]}) == 2
    assert document["budget"] == {"trials": 2, "learning_rates": [0.01, 0.1], "held_out": 0.1}
    assert "trial 1 of 2" in err
    status, out, _ = command(capsys, *options(files), *METHOD_OPTIONS, "--baseline", "soft")
    assert status == 0
    assert "Is raw better than soft?" in out
    status, out, _ = command(capsys, "show", str(files / "compared"))
    assert status == 0
    assert "comparison" in out


@pytest.mark.parametrize(
    ("methods", "sentence"),
    [
        (["SoftTargets(temperature=2)"], "--method takes NAME=OBJECTIVE, such as"),
        (["soft="], "--method takes NAME=OBJECTIVE, such as"),
        (["soft=SoftTarget(2)"], "there is no objective 'SoftTarget'; did you mean 'SoftTargets'?"),
    ],
)
def test_a_method_that_cannot_be_read_is_bad_input(files, capsys, methods, sentence):
    given = [word for method in methods for word in ("--method", method)]
    status, out, err = command(capsys, *options(files), *given)
    assert (status, out) == (2, "")
    assert sentence in err
    assert not (files / "compared").exists()


# --- the recipe -------------------------------------------------------------------------

RECIPE = """
[examples]
train = "{folder}/train.npz"
test = "{folder}/test.npz"

[score]
teacher = "tests.selection.test_compare:rule_teacher"
examples = "train"

[compare]
student = "mlp([4])"
on = "scores"
test = "test"
baseline = "soft"
trials = 2
learning_rates = [0.01, 0.1]
seeds = 2
epochs = 1

[compare.methods]
soft = ["SoftTargets(2)", "SoftTargets(4)"]
raw = ["MatchLogits()"]
"""


def rule_teacher():
    return teachers.function(rule, blobs().classes, name="rule")


def recipe(files, change=("", "")):
    file = files / "methods.toml"
    file.write_text(RECIPE.format(folder=files).replace(*change))
    return read_recipe(file)


def test_a_recipe_compares_and_says_what_came_of_it(files, monkeypatch):
    monkeypatch.chdir(files)
    said = []
    run_recipe(recipe(files), to=files / "run", trust=True, tell=said.append)
    found = limbeck.load(files / "run" / "compared")
    assert [row["name"] for row in found.rows] == ["soft", "raw", "control"]
    assert found.document["budget"]["learning_rates"] == [0.01, 0.1]
    assert "Is raw better than soft?" in said[-1]


def test_a_smoke_run_compares_too(files, monkeypatch):
    monkeypatch.chdir(files)
    run_recipe(recipe(files), to=files / "run", trust=True, smoke=True)
    assert limbeck.show(files / "run" / "compared")["whole"] == "yes"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("trials = 2", "trails = 2"), r"\[compare\] has no key 'trails'; did you mean 'trials'"),
        (("epochs = 1", "learning_rate = 1"), r"\[compare\] has no key 'learning_rate'"),
        (("[0.01, 0.1]", "[0.01]"), "learning_rates are two, the lowest and the highest, not"),
        (("trials = 2", "trials = 0"), "a budget has 1 trial or more, not 0"),
        (("MatchLogits()", "MatchLogit()"), "no objective 'MatchLogit'; did you mean 'MatchLogits"),
        (('test = "test"', 'test = "tast"'), "names 'tast', which the recipe does not make"),
        (('["MatchLogits()"]', '"MatchLogits()"'), "methods.raw should be a valid list"),
    ],
)
def test_faults_of_a_comparison_are_found_when_the_recipe_is_read(files, change, sentence):
    with pytest.raises(RecipeError, match=sentence):
        recipe(files, change)


def test_code_of_your_own_is_refused_before_anything_is_scored(files, monkeypatch):
    monkeypatch.chdir(files)
    (files / "mine.py").write_text("raise SystemExit('it was run')")
    read = recipe(files, ("MatchLogits()", "mine.py:Mine(3)"))
    with pytest.raises(TrustError, match=r"the teacher .*rule_teacher runs code that this text"):
        run_recipe(read, to=files / "run")
    assert not (files / "run").exists()
    compare = next(step for step in read.steps if step.verb == "compare")
    with pytest.raises(TrustError, match=r"the objective mine.py:Mine runs code that this text"):
        compare.check_trusted(set(), trust=False)
