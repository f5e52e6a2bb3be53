"""Several teachers as one: both means, classes by name, and the same again from score sets."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from worlds import CLASSES, Tilted, blobs, pictures, rule

import limbeck
from limbeck import (
    Examples,
    Plan,
    combine,
    evaluate,
    objectives,
    score,
    students,
    teachers,
    train,
    views,
)
from limbeck.errors import (
    CorruptError,
    ExamplesError,
    InputError,
    MismatchError,
    OccupiedError,
    TeacherError,
)
from limbeck.evaluation import cost
from limbeck.evaluation._cost import Cost
from limbeck.recipes import load_scores
from limbeck.scores._ensembles import MEANS, arithmetic, geometric
from limbeck.scoring import Storage, _writer
from limbeck.teachers._ensemble import members_in
from limbeck.training import TransferSet

WIDE = Storage("float32", shard_rows=16, batch=8)
POINTS = blobs(50)


def tilt(inputs):
    """Another opinion of the blobs, with an offset in every row."""
    return rule(inputs)[:, ::-1] * 0.3 + inputs[:, :1] * 4 + 100


ONE = teachers.function(rule, CLASSES, name="one")
TWO = teachers.function(tilt, CLASSES, name="two")
# The same opinion as TWO, with its columns in another order.
TURNED = teachers.function(lambda x: tilt(x)[:, [2, 0, 1]], ("star", "round", "square"), name="2")


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape) * 5


def everything(scores, view=0):
    at = scores.rows(scores.examples)
    return scores.read(at, np.full(len(at), view))


def test_the_means_of_the_talks_two_models_are_the_talks():
    a, b = np.array([0.3, 0.2, 0.5]), np.array([0.1, 0.8, 0.1])
    logits = np.log(np.stack([a, b]))[:, None]
    np.testing.assert_allclose(np.exp(arithmetic(logits)), [[0.2, 0.5, 0.3]], rtol=1e-12)
    # (.03, .16, .05) in the talk is the product; the geometric mean of two is its square root.
    root = np.sqrt([0.03, 0.16, 0.05])
    np.testing.assert_allclose(softmax(geometric(logits), 1), [root / root.sum()], rtol=1e-12)


def test_the_geometric_mean_is_the_root_of_the_product_and_the_arithmetic_the_mean():
    logits = drawn(7, 20, 10)
    p = softmax(logits, axis=2)
    root = np.prod(p, axis=0) ** (1 / 7)
    said = softmax(geometric(logits), 1)
    np.testing.assert_allclose(said, root / root.sum(1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(np.exp(arithmetic(logits)), p.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("formula", [geometric, arithmetic])
def test_an_offset_of_a_members_row_changes_nothing(formula):
    logits = drawn(3, 20, 10)
    moved = logits + drawn(3, 20, 1) * 10
    np.testing.assert_allclose(formula(moved), formula(logits), atol=1e-12)


def test_an_arithmetic_mean_of_tiny_probabilities_keeps_their_logarithm():
    logits = np.array([[[0.0, -2000.0]], [[0.0, -3000.0]]])
    np.testing.assert_allclose(arithmetic(logits), [[0.0, -2000.0 - np.log(2)]])


@pytest.mark.parametrize("mean", MEANS)
def test_members_that_agree_are_their_ensemble(mean):
    together = teachers.ensemble([ONE, ONE, ONE], mean=mean)
    said = log_softmax(together.predict(POINTS.inputs).astype(float), axis=1)
    np.testing.assert_allclose(said, log_softmax(rule(POINTS.inputs).astype(float), 1), atol=1e-5)


def test_an_ensemble_says_of_what_kind_its_mean_is():
    assert teachers.ensemble([ONE]).kind == "logits"
    said = teachers.ensemble([ONE, TWO], mean="arithmetic")
    assert said.kind == "log-probabilities"
    np.testing.assert_allclose(np.exp(said.predict(POINTS.inputs)).sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("mean", MEANS)
def test_classes_are_matched_by_name(mean):
    plain = teachers.ensemble([ONE, TWO], mean=mean)
    turned = teachers.ensemble([ONE, TURNED], mean=mean)
    assert turned.classes == CLASSES
    np.testing.assert_array_equal(turned.predict(POINTS.inputs), plain.predict(POINTS.inputs))
    first = teachers.ensemble([TURNED, ONE], mean=mean)
    assert first.classes == TURNED.classes
    columns = [first.classes.index(name) for name in CLASSES]
    said = first.predict(POINTS.inputs)[:, columns]
    np.testing.assert_allclose(said, plain.predict(POINTS.inputs), atol=1e-6)


def test_probabilities_and_their_logarithms_are_members_beside_logits():
    p = softmax(rule(POINTS.inputs).astype(float), axis=1)
    chances = teachers.function(lambda x: p, CLASSES, kind="probabilities", name="p")
    logs = teachers.function(lambda x: np.log(p), CLASSES, kind="log-probabilities", name="log p")
    said = teachers.ensemble([ONE, chances, logs]).predict(POINTS.inputs)
    np.testing.assert_allclose(softmax(said, 1), p, rtol=1e-4, atol=1e-7)


def test_a_probability_of_zero_is_zero_in_the_geometric_mean():
    sure = teachers.function(
        lambda x: np.tile([1.0, 0, 0], (len(x), 1)), CLASSES, kind="probabilities"
    )
    said = softmax(teachers.ensemble([ONE, sure]).predict(POINTS.inputs), axis=1)
    np.testing.assert_allclose(said, np.tile([1.0, 0, 0], (50, 1)), atol=1e-7)


def test_a_module_is_a_member_in_eval_mode_and_left_as_it_was_found():
    net = Tilted()
    net.train()
    member = teachers.module(net, CLASSES)
    said = teachers.ensemble([member]).predict(POINTS.inputs)
    assert net.training
    with torch.no_grad():
        alone = net.eval()(torch.from_numpy(POINTS.inputs)).numpy()
    np.testing.assert_allclose(said, alone - alone.mean(1, keepdims=True), atol=1e-5)


def test_another_member_order_of_classes_or_mean_is_another_fingerprint():
    given = [
        teachers.ensemble(members, mean=mean).fingerprint
        for members in ([ONE], [ONE, TWO], [TWO, ONE], [ONE, TURNED], [ONE, ONE])
        for mean in MEANS
    ]
    assert len(set(given)) == len(given)
    assert teachers.ensemble([ONE, TWO]).fingerprint == teachers.ensemble([ONE, TWO]).fingerprint


OTHER = teachers.function(rule, ("round", "square", "cross"), name="other")
FOUR = teachers.function(rule, (*CLASSES, "cross"), name="four")
VALUES = teachers.function(rule, CLASSES, kind="values", name="valuer")


@pytest.mark.parametrize(
    ("members", "mean", "error", "sentence"),
    [
        ([], "geometric", InputError, "an ensemble has one member or more; got none"),
        ([ONE], "harmonic", InputError, "mean is geometric or arithmetic, not 'harmonic'"),
        (
            [ONE, TWO, OTHER],
            "geometric",
            MismatchError,
            "member 0, one, names the class 'star' and member 2, other, does not: the members of "
            "an ensemble name the same classes, in any order",
        ),
        (
            [ONE, FOUR],
            "arithmetic",
            MismatchError,
            "member 1, four, names the class 'cross' and member 0, one, does not",
        ),
        (
            [ONE, VALUES],
            "geometric",
            MismatchError,
            "member 1 of the ensemble, valuer, answers with values; a mean is taken of logits, "
            "log-probabilities or probabilities",
        ),
    ],
)
def test_what_is_no_ensemble_is_refused_in_a_sentence(members, mean, error, sentence):
    with pytest.raises(error, match=sentence):
        teachers.ensemble(members, mean=mean)


def test_a_member_that_names_no_classes_is_refused_in_a_sentence():
    sentence = (
        "a member of an ensemble is a teacher or a run, not a function: teachers.module and "
        "teachers.function make a teacher of it"
    )
    with pytest.raises(TeacherError, match=sentence):
        members_in(rule)


def test_a_member_that_answers_badly_is_named(tmp_path):
    lame = teachers.function(lambda x: rule(x)[:, :2], CLASSES, name="lame")
    with pytest.raises(TeacherError, match=r"the member lame answered 50 examples with shape"):
        score(teachers.ensemble([ONE, lame]), POINTS, to=tmp_path / "s")
    torn = teachers.function(lambda x: rule(x) * np.nan, CLASSES, name="torn")
    with pytest.raises(TeacherError, match=r"the member torn .* the first is 'row 0 of the batch'"):
        score(teachers.ensemble([ONE, torn]), POINTS, to=tmp_path / "s")
    below = teachers.function(lambda x: rule(x), CLASSES, kind="probabilities", name="below")
    with pytest.raises(TeacherError, match=r"the member below answered with -.* among the prob"):
        score(teachers.ensemble([ONE, below]), POINTS, to=tmp_path / "s")
    assert not (tmp_path / "s").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    plan = Plan(epochs=2, batch=32)
    place = tmp_path_factory.mktemp("ensembles") / "run"
    return train(students.mlp([5]), POINTS_TRAIN, objectives.Labels(), to=place, plan=plan, seeds=3)


POINTS_TRAIN, POINTS_TEST = TransferSet(blobs(80, seed=5)), blobs(40, seed=6, name="test")


def test_a_run_is_a_member_with_each_of_its_seeds(trained):
    together = teachers.ensemble([trained])
    logits = [teachers.run(trained, seed).predict(POINTS.inputs).numpy() for seed in range(3)]
    by_hand = geometric(np.stack(logits).astype(np.float64))
    np.testing.assert_allclose(together.predict(POINTS.inputs), by_hand, atol=1e-6)
    assert len(together.members) == 3
    one = teachers.ensemble([teachers.run(trained, 1), ONE])
    assert len(one.members) == 2


def test_an_ensemble_of_runs_may_answer_in_bfloat16(trained):
    exact = teachers.ensemble([trained])
    quick = teachers.in_precision(exact, "bfloat16")
    assert [m.fingerprint for m in quick.members] == [
        f"{m.fingerprint}:bfloat16" for m in exact.members
    ]
    assert (quick.mean, quick.name, quick.source) == (exact.mean, exact.name, exact.source)
    near, far = quick.predict(POINTS.inputs), exact.predict(POINTS.inputs)
    assert 0 < np.abs(near - far).max() <= 0.05 * np.abs(far).max()
    assert teachers.in_precision(trained, "float32") is trained
    with pytest.raises(InputError, match="cannot be asked in bfloat16: runs of ours and ensembles"):
        teachers.in_precision(ONE, "bfloat16")


def test_classes_keep_their_order_in_another_precision(trained):
    for exact in (teachers.run(trained), teachers.ensemble([trained])):
        turned = teachers.ordered(exact, ("star", "round", "square"))
        quick = teachers.in_precision(turned, "bfloat16")
        assert quick.classes == turned.classes
        near, far = (
            np.asarray(quick.predict(POINTS.inputs)),
            np.asarray(turned.predict(POINTS.inputs)),
        )
        assert 0 < np.abs(near - far).max() <= 0.05 * np.abs(far).max()


def test_an_ensemble_costs_what_its_nets_cost_or_says_nothing(trained):
    alone, together = cost(trained, POINTS_TEST), cost(teachers.ensemble([trained]), POINTS_TEST)
    assert alone.operations > 0
    assert (together.parameters, together.bytes, together.operations) == (
        3 * alone.parameters,
        3 * alone.bytes,
        3 * alone.operations,
    )
    assert cost(teachers.ensemble([trained, ONE]), POINTS_TEST) == Cost()


def test_an_ensemble_is_evaluated_as_one_and_not_on_what_its_members_saw(trained):
    together = teachers.ensemble([trained, ONE], mean="arithmetic")
    report = evaluate({"together": together, "nets": trained}, POINTS_TEST, reference="together")
    assert [report.row(name)["seeds"] for name in ("together", "nets")] == [1, 3]
    with pytest.raises(ExamplesError, match=r"80 of 80 .* were seen in training by together"):
        evaluate({"together": together}, POINTS_TRAIN.examples)


def shard_bytes(directory):
    return {f.name: f.read_bytes() for f in sorted(directory.glob("*.safetensors"))}


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize(("width", "nearness"), [("float32", 1e-5), ("float16", 5e-2)])
def test_combined_scores_are_those_of_the_ensemble(mean, width, nearness, tmp_path):
    images = pictures(30)
    members = [
        teachers.function(
            lambda x, f=f: x.reshape(len(x), -1)[:, f : f + 2] / 20.0,
            ("left", "right"),
            name=str(f),
        )
        for f in (0, 9)
    ]
    shown = {"views": views.jitter(1), "count": 2, "seed": 4, "storage": Storage(width)}
    live = score(
        teachers.ensemble(members, mean=mean),
        images,
        to=tmp_path / "live",
        **{**shown, "storage": WIDE},
    )
    sets = [score(m, images, to=tmp_path / m.name, **shown) for m in members]
    later = combine(sets, to=tmp_path / "later", mean=mean, storage=Storage("float32"))
    assert (later.kind, later.classes, later.count) == (live.kind, live.classes, 2)
    for view in (0, 1):
        np.testing.assert_allclose(everything(later, view), everything(live, view), atol=nearness)
    assert later.manifest["teacher"]["fingerprint"] == live.manifest["teacher"]["fingerprint"]


def test_a_member_set_of_other_orders_finds_its_own(tmp_path):
    order = np.random.default_rng(1).permutation(50)
    turned_points = Examples.of(
        POINTS.inputs[order], keys=POINTS.keys[order], classes=TURNED.classes
    )
    one = score(ONE, POINTS, to=tmp_path / "one", storage=WIDE)
    two = score(TURNED, turned_points, to=tmp_path / "two", storage=Storage("float32", 7))
    live = teachers.ensemble([ONE, TWO]).predict(POINTS.inputs)
    together = combine([one, two], to=tmp_path / "both", storage=WIDE)
    np.testing.assert_allclose(everything(together), live, atol=1e-5)
    assert (together.examples.keys == POINTS.keys).all()
    swapped = combine([two, one], to=tmp_path / "swapped", storage=WIDE)
    assert swapped.classes == TURNED.classes
    at = swapped.rows(POINTS)
    found = swapped.read(at, np.zeros(50, int))[:, [TURNED.classes.index(c) for c in CLASSES]]
    np.testing.assert_allclose(found, live, atol=1e-5)


def test_the_manifest_names_members_and_mean(tmp_path):
    sets = [score(t, POINTS, to=tmp_path / t.name) for t in (ONE, TWO)]
    said = combine(sets, to=tmp_path / "both", mean="arithmetic").manifest["teacher"]
    assert (said["name"], said["mean"]) == ("arithmetic mean of 2", "arithmetic")
    assert [m["fingerprint"] for m in said["members"]] == [ONE.fingerprint, TWO.fingerprint]
    assert [m["scores"] for m in said["members"]] == [s.fingerprint for s in sets]
    assert said["members"][0]["name"] == "one"
    live = score(teachers.ensemble([ONE, TWO]), POINTS, to=tmp_path / "live").manifest["teacher"]
    assert [m["name"] for m in live["members"]] == ["one", "two"]
    assert limbeck.show(tmp_path / "both")["whole"] == "yes"


def test_an_interrupted_combination_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    sets = [score(t, POINTS, to=tmp_path / t.name, storage=WIDE) for t in (ONE, TWO)]
    combine(sets, to=tmp_path / "whole", storage=WIDE)
    real, calls = _writer.write_shard, []

    def dying(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(_writer, "write_shard", dying)
    with pytest.raises(KeyboardInterrupt):
        combine(sets, to=tmp_path / "broken", storage=WIDE)
    monkeypatch.undo()
    assert len(shard_bytes(tmp_path / "broken")) == 2
    assert limbeck.show(tmp_path / "broken")["whole"].startswith("no: interrupted after 2 files")
    combine(sets, to=tmp_path / "broken", storage=WIDE)
    assert shard_bytes(tmp_path / "broken") == shard_bytes(tmp_path / "whole")
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "whole").iterdir()}
    combine(sets, to=tmp_path / "whole", storage=WIDE)
    assert {f: f.stat().st_mtime_ns for f in (tmp_path / "whole").iterdir()} == before


def test_another_combination_is_refused_in_the_same_place(tmp_path):
    sets = [score(t, POINTS, to=tmp_path / t.name) for t in (ONE, TWO)]
    combine(sets, to=tmp_path / "both")
    with pytest.raises(OccupiedError, match="another request"):
        combine(sets, to=tmp_path / "both", mean="arithmetic")
    with pytest.raises(OccupiedError, match="another request"):
        combine(sets[:1], to=tmp_path / "both")
    again = score(ONE, POINTS, to=tmp_path / "again", storage=WIDE)  # other bytes, one teacher
    with pytest.raises(OccupiedError, match=r"another request \(other scores\)"):
        combine([again, sets[1]], to=tmp_path / "both")


def test_sets_that_do_not_belong_together_are_refused(tmp_path):
    one = score(ONE, POINTS, to=tmp_path / "one")

    def refused(other, sentence):
        with pytest.raises(MismatchError, match=sentence):
            combine([one, other], to=tmp_path / "both")
        assert not (tmp_path / "both").exists()

    fewer = score(TWO, POINTS.take(np.arange(40)), to=tmp_path / "fewer")
    refused(fewer, "10 of 50 examples were not scored in .*fewer, the first is 'blobs-40'")
    more = score(TWO, blobs(60), to=tmp_path / "more")
    with pytest.raises(MismatchError, match=r"changed since|were not scored"):
        combine([one, more], to=tmp_path / "both")
    wider = Examples.of(
        np.concatenate([POINTS.inputs, POINTS.inputs[:5] + 1]),
        keys=[*POINTS.keys, *"abcde"],
        classes=CLASSES,
    )
    refused(
        score(TWO, wider, to=tmp_path / "wider"),
        "wider holds scores of 55 examples and 50 are to be combined: the sets of an ensemble are",
    )
    moved = Examples.of(POINTS.inputs + 1, keys=POINTS.keys, classes=CLASSES)
    refused(score(TWO, moved, to=tmp_path / "moved"), "50 examples have changed since they were")
    twice = score(TWO, POINTS, to=tmp_path / "twice", count=2)
    refused(twice, r"twice holds scores of 2 views plain\(\) with seed 0, not of 1 views")
    seeded = score(TWO, POINTS, to=tmp_path / "seeded", seed=3)
    refused(seeded, "with seed 3, not of 1 views .* with seed 0")
    stranger = score(OTHER, Examples.of(POINTS.inputs, keys=POINTS.keys), to=tmp_path / "stranger")
    refused(stranger, "member 0, .*one, names the class 'star' and member 1, .*stranger, does not")
    values = score(VALUES, POINTS, to=tmp_path / "values")
    refused(values, "member 1 of the ensemble, .*values, answers with values")
    with pytest.raises(InputError, match="an ensemble has one member or more; got none"):
        combine([], to=tmp_path / "both")


def test_a_damaged_member_is_named_before_anything_is_written(tmp_path):
    sets = [score(t, POINTS, to=tmp_path / t.name, storage=WIDE) for t in (ONE, TWO)]
    victim = sorted((tmp_path / "two").glob("*.safetensors"))[1]
    victim.write_bytes(victim.read_bytes()[:-5])
    opened = load_scores(tmp_path / "two", POINTS)
    with pytest.raises(CorruptError, match=f"{victim.name}.*truncated"):
        combine([sets[0], opened], to=tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_a_student_learns_from_combined_scores_as_from_any(tmp_path):
    sets = [score(t, POINTS, to=tmp_path / t.name) for t in (ONE, TWO)]
    for mean in MEANS:
        together = combine(sets, to=tmp_path / f"both-{mean}", mean=mean)
        plan = Plan(epochs=1, batch=16)
        run = train(
            students.mlp([4]), together, objectives.SoftTargets(2), to=tmp_path / mean, plan=plan
        )
        assert run.manifest["scores"] == together.fingerprint
