"""The score set: found by key, replayed to the bit, whole or going on, never silently wrong."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from worlds import CLASSES, Tilted, blobs, pictures, rule

from limbeck import Examples, score, show, teachers, views
from limbeck.errors import (
    CorruptError,
    InputError,
    MismatchError,
    MissingError,
    OccupiedError,
    ScoresWarning,
    TeacherError,
)
from limbeck.recipes import load_scores
from limbeck.scores import (
    FLOOR,
    KINDS,
    LOWEST,
    Dense,
    ScoreSet,
    default_width,
    is_whole_shard,
    planned_shards,
)
from limbeck.scoring import Storage
from limbeck.training import TransferSet

TEACHER = teachers.function(rule, CLASSES, name="rule")
SMALL = Storage("float32", shard_rows=16, batch=8)


def everything(scores: ScoreSet, view: int = 0):
    at = scores.positions(scores.examples)
    return scores.read(at, np.full(len(at), view))


def test_a_score_follows_its_example(tmp_path):
    points = blobs(50)
    scores = score(TEACHER, points, to=tmp_path / "s", storage=SMALL)
    order = np.random.default_rng(0).permutation(50)[:31]
    subset = points.take(order)
    at = scores.positions(subset)
    np.testing.assert_allclose(scores.read(at, np.zeros(31, int)), rule(subset.inputs), rtol=1e-6)


@given(order=st.permutations(range(20)), keep=st.integers(1, 20))
def test_any_subset_in_any_order_finds_its_own(order, keep, tmp_path_factory):
    points = blobs(20)
    scores = score(TEACHER, points, to=tmp_path_factory.getbasetemp() / "found", storage=SMALL)
    subset = points.take(np.array(order[:keep]))
    found = scores.read(scores.positions(subset), np.zeros(keep, int))
    np.testing.assert_allclose(found, rule(subset.inputs), rtol=1e-6)


def test_every_view_keeps_the_scores_of_exactly_that_input(tmp_path):
    images = pictures(20)
    teacher = teachers.function(
        lambda x: x.reshape(len(x), -1)[:, :2].astype(float), images.classes
    )
    scores = score(
        teacher, images, to=tmp_path / "s", views=views.jitter(2), count=3, seed=9, storage=SMALL
    )
    transfer = TransferSet.of(scores)
    rows, numbers = np.array([3, 3, 17]), np.array([0, 2, 1])
    batch = transfer.batch(rows, numbers)
    replayed = teacher.predict(batch.inputs.numpy())
    np.testing.assert_array_equal(batch.scores.numpy(), replayed.astype(np.float32))


def test_scores_that_lie_in_memory_by_column_are_kept_by_row(tmp_path):
    points = blobs(20)
    by_column = teachers.function(lambda x: np.asfortranarray(rule(x)), CLASSES, name="t")
    scores = score(by_column, points, to=tmp_path / "s")
    np.testing.assert_allclose(everything(scores), rule(points.inputs), rtol=2e-3, atol=2e-2)


def test_raw_logits_come_back_from_float16(tmp_path):
    points = blobs(40)
    far = teachers.function(lambda x: rule(x) + 5000.0, CLASSES, name="far")
    scores = score(far, points, to=tmp_path / "s")
    assert scores.manifest["width"] == "float16"
    np.testing.assert_allclose(everything(scores), rule(points.inputs) + 5000.0, rtol=1e-3)
    assert scores.manifest["rounding_nats"]["highest"] < 1e-4


@given(
    st.lists(
        st.lists(st.floats(-1e4, 1e4, width=32), min_size=3, max_size=3), min_size=1, max_size=5
    )
)
def test_storing_keeps_maximum_and_order_of_the_scores(rows):
    raw = np.array(rows, dtype=np.float32)
    again = Dense.of(raw, "float16").raw()
    np.testing.assert_allclose(again.max(axis=1), raw.max(axis=1))
    np.testing.assert_allclose(again, raw, atol=max(1e-2, 1e-3 * np.ptp(raw)))


def test_scores_far_below_the_maximum_are_held_not_infinite():
    stored = Dense.of(np.array([[0.0, -1e30]], dtype=np.float32), "float16")
    assert np.isfinite(stored.values).all()
    assert stored.raw()[0, 1] <= LOWEST


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_stored_and_comes_back(kind, tmp_path):
    points = blobs(20)
    p = torch.softmax(torch.from_numpy(rule(points.inputs)), 1).numpy()
    votes = np.eye(3, dtype=np.float32)[p.argmax(1)]
    of_kind = {"probabilities": p, "log-probabilities": np.log(p), "votes": votes}
    of_kind["independent-probabilities"] = 1 / (1 + np.exp(-rule(points.inputs)))
    said = of_kind.get(kind, rule(points.inputs))
    teacher = teachers.function(lambda x: said[: len(x)], CLASSES, kind=kind, name="t")
    scores = score(teacher, points, to=tmp_path / "s", storage=Storage(batch=20))
    assert (scores.kind, scores.manifest["width"]) == (kind, default_width(kind))
    np.testing.assert_allclose(everything(scores), said, atol=2e-2, rtol=2e-3)


def test_probabilities_stay_in_the_store_what_the_teacher_said(tmp_path):
    points, said = blobs(20), np.tile(np.float32([0.75, 0.25, 0.0]), (20, 1))
    said[-1] = [0.25, 0.75, 0.0]
    teacher = teachers.function(lambda x: said[: len(x)], CLASSES, kind="probabilities", name="t")
    scores = score(teacher, points, to=tmp_path / "s")
    np.testing.assert_array_equal(everything(scores), said)
    assert scores.kind == "probabilities"
    transfer = TransferSet.of(scores)
    assert transfer.source.kind == "log-probabilities"
    batch = transfer.batch(np.arange(5), np.zeros(5, int))
    np.testing.assert_allclose(batch.scores, np.log([[0.75, 0.25, FLOOR]] * 5), rtol=1e-6)


PROBABILITIES = [
    ([0.5, 0.25, 0.26], r"answered with probabilities of example 'blobs-0' that sum to 1.01, and "
     "so for 20 of 20: those of one example sum to 1"),
    ([0.5, 0.5, 0.5], "sum to 1.5, and so for 20 of 20"),
    ([0.7, 0.4, -0.1], r"answered with -0.1 among the probabilities of example 'blobs-0', and so "
     "for 20 of 20: a probability lies between 0 and 1; is kind what it answers with"),
    ([1.2, -0.1, -0.1], r"answered with 1.2 among the probabilities of example 'blobs-0'"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "sentence"), PROBABILITIES)
def test_what_are_no_probabilities_is_refused(said, sentence, tmp_path):
    rows = np.tile(np.float32(said), (20, 1))
    teacher = teachers.function(lambda x: rows[: len(x)], CLASSES, kind="probabilities", name="t")
    with pytest.raises(TeacherError, match=sentence):
        score(teacher, blobs(20), to=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_probabilities_that_are_so_but_for_rounding_are_taken(tmp_path):
    rows = np.tile(np.float32([0.7, 0.3009, -5e-7]), (20, 1))
    rows[-1] = [0.6, 0.4, 0.0]
    teacher = teachers.function(lambda x: rows[: len(x)], CLASSES, kind="probabilities", name="t")
    scores = score(teacher, blobs(20), to=tmp_path / "s")
    np.testing.assert_allclose(everything(scores), rows, atol=1e-7)


def test_probabilities_are_not_kept_in_float16(tmp_path):
    rows = np.tile(np.float32([0.7, 0.3, 0.0]), (20, 1))
    teacher = teachers.function(lambda x: rows[: len(x)], CLASSES, kind="probabilities", name="t")
    with pytest.raises(
        InputError, match=r"t answers with probabilities, and in float16 those below"
    ):
        score(teacher, blobs(20), to=tmp_path / "s", storage=Storage("float16"))
    assert not (tmp_path / "s").exists()


def test_a_teacher_is_scored_in_eval_mode_and_left_as_it_was_found(tmp_path):
    net = Tilted()
    net.drop.eval()  # a mode of its own, which must come back too
    net.train(True)
    net.drop.eval()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    points = blobs(40).without_labels()  # it learned nothing
    scores = score(net, points, to=tmp_path / "s", storage=SMALL)
    assert net.training
    assert net.norm.training
    assert not net.drop.training
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name])
    net.eval()
    with torch.no_grad():
        np.testing.assert_allclose(
            everything(scores), net(torch.from_numpy(points.inputs)), atol=1e-6
        )


def test_a_teacher_in_bfloat16_says_nearly_the_same_and_is_another_teacher():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(108, 3))
    exact, quick = (
        teachers.module(net, CLASSES, precision=precision) for precision in ("float32", "bfloat16")
    )
    inputs = np.random.default_rng(0).normal(size=(32, 1, 8, 8)).astype(np.float32)
    near, far = quick.predict(inputs), exact.predict(inputs)
    assert near.dtype == torch.float32
    assert 0 < (near - far).abs().max() <= 0.03 * far.abs().max()
    assert quick.fingerprint == f"{exact.fingerprint}:bfloat16"
    with pytest.raises(InputError, match="a teacher answers in float32 or bfloat16, not 'half'"):
        teachers.module(net, CLASSES, precision="half")


def test_a_module_gets_floats_whatever_its_attributes_are_called(tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    net.encoding = "a name of the user's own"
    images = pictures(10)  # bytes, which a linear layer does not take
    scores = score(net, images, to=tmp_path / "s")
    with torch.no_grad():
        by_hand = net(torch.from_numpy(images.inputs.astype(np.float32)))
    np.testing.assert_allclose(everything(scores), by_hand, rtol=1e-2, atol=1e-1)


def shard_bytes(directory):
    return {f.name: f.read_bytes() for f in sorted(directory.glob("*.safetensors"))}


def test_resuming_writes_the_missing_shards_and_the_bytes_are_the_same(tmp_path):
    points = blobs(50)
    score(TEACHER, points, to=tmp_path / "whole", storage=SMALL, count=2)
    calls = []

    def dying(inputs):
        calls.append(len(inputs))
        if len(calls) == 12:  # the first eight are the sample, and some of it again
            raise KeyboardInterrupt
        return rule(inputs)

    with pytest.raises(KeyboardInterrupt):
        score(
            teachers.function(dying, CLASSES, name="rule"),
            points,
            to=tmp_path / "broken",
            storage=SMALL,
            count=2,
        )
    assert show(tmp_path / "broken")["whole"].startswith("no: interrupted after 5 files")
    kept = shard_bytes(tmp_path / "broken")
    assert len(kept) == 5
    score(TEACHER, points, to=tmp_path / "broken", storage=SMALL, count=2)
    assert shard_bytes(tmp_path / "broken") == shard_bytes(tmp_path / "whole")
    assert show(tmp_path / "broken")["whole"] == "yes"


def test_a_whole_set_is_not_scored_again(tmp_path):
    points = blobs(20)
    score(TEACHER, points, to=tmp_path / "s", storage=SMALL)

    def never(inputs):
        raise AssertionError("the teacher was asked again")

    again = score(
        teachers.function(never, CLASSES, name="rule"), points, to=tmp_path / "s", storage=SMALL
    )
    np.testing.assert_allclose(everything(again), rule(points.inputs), rtol=1e-6)


def test_a_shard_that_a_crash_damaged_is_written_again(tmp_path):
    points = blobs(50)
    score(TEACHER, points, to=tmp_path / "s", storage=SMALL)
    whole = shard_bytes(tmp_path / "s")
    (tmp_path / "s" / "manifest.json").unlink()
    damaged = tmp_path / "s" / list(whole)[1]
    damaged.write_bytes(damaged.read_bytes()[:-7])
    score(TEACHER, points, to=tmp_path / "s", storage=SMALL)
    assert shard_bytes(tmp_path / "s") == whole


@pytest.mark.parametrize("fault", ["truncated", "altered", "missing"])
def test_a_damaged_shard_is_named_when_read(fault, tmp_path):
    points = blobs(50)
    score(TEACHER, points, to=tmp_path / "s", storage=SMALL)
    victim = sorted((tmp_path / "s").glob("*.safetensors"))[2]
    content = bytearray(victim.read_bytes())
    content[-3] ^= 1
    if fault == "missing":
        victim.unlink()
    else:
        victim.write_bytes(content[:-5] if fault == "truncated" else content)
    scores = load_scores(tmp_path / "s", points)
    sentence = {"truncated": "truncated", "altered": "was altered", "missing": "is missing"}[fault]
    with pytest.raises((CorruptError, MissingError), match=f"{victim.name}.*{sentence}"):
        scores.positions(points)
    assert sentence in show(tmp_path / "s")["whole"]


def test_scores_of_other_or_changed_examples_are_refused(tmp_path):
    points = blobs(30)
    scores = score(TEACHER, points, to=tmp_path / "s", storage=SMALL)
    with pytest.raises(MismatchError, match=r"5 of 5 examples were not scored .* made from other"):
        scores.positions(blobs(5, name="others"))
    changed = points.inputs.copy()
    changed[4] += 1
    moved = Examples.of(changed, keys=points.keys, classes=CLASSES)
    with pytest.raises(
        MismatchError, match=r"1 examples have changed since .* 'blobs-4': score again"
    ):
        scores.positions(moved)


def test_labels_are_no_part_of_what_was_scored(tmp_path):
    points = blobs(30)
    scores = score(TEACHER, points, to=tmp_path / "s", storage=SMALL)
    assert (scores.positions(points.without_labels()) == np.arange(30)).all()


def test_scores_in_another_class_order_are_refused(tmp_path):
    points = blobs(10)
    scores = score(TEACHER, points, to=tmp_path / "s")
    other = Examples.of(points.inputs, keys=points.keys, classes=CLASSES[::-1])
    with pytest.raises(MismatchError, match="they must be the same names in the same order"):
        scores.positions(other)


TURNED = ("star", "round", "square")
THE_SAME = teachers.function(lambda x: rule(x)[:, [2, 0, 1]], TURNED, name="rule")


def test_a_teacher_with_its_classes_in_another_order_scores_the_same_set(tmp_path):
    points = blobs(40)
    one = score(TEACHER, points, to=tmp_path / "one", storage=SMALL)
    other = score(THE_SAME, points, to=tmp_path / "other", storage=SMALL)
    assert shard_bytes(tmp_path / "one") == shard_bytes(tmp_path / "other")
    assert one.classes == other.classes == CLASSES
    net, turned = Tilted().eval(), Tilted()
    turned.load_state_dict(net.state_dict())
    turned.last.weight.data = net.last.weight.data[[2, 0, 1]]
    turned.last.bias.data = net.last.bias.data[[2, 0, 1]]
    points = points.without_labels()  # which that net never learned
    one = score(net, points, to=tmp_path / "net")
    other = score(teachers.module(turned, TURNED), points, to=tmp_path / "turned")
    np.testing.assert_array_equal(everything(one), everything(other))


def test_another_order_of_classes_is_another_teacher_and_the_same_order_the_same():
    assert teachers.ordered(TEACHER, CLASSES) is TEACHER
    assert teachers.ordered(TEACHER, ()) is TEACHER
    turned = teachers.ordered(TEACHER, TURNED)
    assert turned.fingerprint != TEACHER.fingerprint
    assert turned.fingerprint == teachers.ordered(TEACHER, TURNED).fingerprint
    points = blobs(5).inputs
    np.testing.assert_array_equal(turned.predict(points), rule(points)[:, [2, 0, 1]])


def test_an_answer_of_another_shape_is_refused_in_whatever_order(tmp_path):
    narrow = teachers.function(lambda x: rule(x)[:, :2], TURNED, name="narrow")
    with pytest.raises(TeacherError, match=r"narrow answered \d+ examples with shape \(\d+, 2\)"):
        score(narrow, blobs(10), to=tmp_path / "s")


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (
            ("round", "square", "cross"),
            r"it lacks \(star\) and only it has \(cross\); they must be",
        ),
        (
            ("round", "square", "star", "cross"),
            r"\(round, .*, cross\): only it has \(cross\); they",
        ),
        (tuple(f"c{n}" for n in range(20)), r"only it has \(c0, .*, c11, ... 20 in all\); they"),
    ],
)
def test_other_classes_are_refused_with_both_lists(names, sentence, tmp_path):
    teacher = teachers.function(rule, names, name="other")
    sentence = rf"blobs names the classes \(round, square, star\), the teacher other .*{sentence}"
    with pytest.raises(MismatchError, match=sentence):
        score(teacher, blobs(10), to=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_fewer_or_doubled_classes_are_refused():
    with pytest.raises(MismatchError, match=r"names \(round, square, star\): it lacks \(d\); they"):
        teachers.ordered(TEACHER, (*CLASSES, "d"))
    with pytest.raises(MismatchError, match="one of them twice; they must be the same names"):
        teachers.ordered(TEACHER, (*CLASSES, "star"))


def test_another_view_is_refused(tmp_path):
    images = pictures(10)
    teacher = teachers.function(
        lambda x: x.reshape(len(x), -1)[:, :2].astype(float), images.classes, name="t"
    )
    scores = score(teacher, images, to=tmp_path / "s", views=views.jitter(2), seed=1)
    scores.check_view(views.jitter(2), 1, 1)
    with pytest.raises(MismatchError, match=r"1 views jitter\(pixels=2\) with seed 1, not of 1 v"):
        scores.check_view(views.flip(), 1, 1)
    with pytest.raises(MismatchError, match=r"with seed 1, not of .* with seed 2"):
        scores.check_view(views.jitter(2), 2, 1)
    with pytest.raises(MismatchError, match=r"of 1 views .*, not of 3 views"):
        scores.check_view(views.jitter(2), 1, 3)


def test_scores_of_mixed_examples_belong_to_all_of_them(tmp_path):
    points = blobs(20)
    scores = score(TEACHER, points, to=tmp_path / "s", views=views.mixup(), count=2)
    scores.positions(points)
    with pytest.raises(MismatchError, match="mixes examples, so its scores belong to all 20"):
        scores.positions(points.take(np.arange(5)))


def answers(value):
    def answer(inputs):
        said = rule(inputs)
        said[np.isclose(inputs, POINTS.inputs[3]).all(axis=1)] = value
        return said

    return answer


POINTS = blobs(30)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (answers(np.nan), "rule answered NaN or infinity for 1 of .*, the first is 'blobs-3'"),
        (answers(-np.inf), "answered NaN or infinity for 1 of .*, the first is 'blobs-3'"),
        (
            lambda x: rule(x)[:, :2],
            r"rule answered 30 examples with shape \(30, 2\); 3 classes need \(30, 3\)",
        ),
        (lambda x: rule(x)[:1], r"with shape \(1, 3\); 3 classes need \(30, 3\)"),
        (lambda x: "no", "rule answered with a str, not with an array of numbers"),
    ],
)
def test_a_teacher_that_answers_badly_leaves_no_trace(answer, sentence, tmp_path):
    teacher = teachers.function(answer, CLASSES, name="rule")
    with pytest.raises(TeacherError, match=sentence):
        score(teacher, POINTS, to=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_teacher_made_for_other_inputs_is_said_in_words(tmp_path):
    with pytest.raises(
        TeacherError, match=r"Tilted cannot answer inputs of shape \(30, 2\) and type"
    ):
        score(Tilted(inputs=7), POINTS, to=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_probabilities_declared_as_logits_are_noticed(tmp_path):
    def likely(inputs):
        return torch.softmax(torch.from_numpy(rule(inputs)), 1)

    with pytest.warns(ScoresWarning, match="sum to one in every row.*pass kind='probabilities'"):
        score(teachers.function(likely, CLASSES, name="t"), POINTS, to=tmp_path / "s")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        teacher = teachers.function(likely, CLASSES, name="t", kind="probabilities")
        score(teacher, POINTS, to=tmp_path / "p")


def test_an_output_directory_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("do not touch")
    with pytest.raises(
        OccupiedError, match="already holds something that is not a Limbeck artifact"
    ):
        score(TEACHER, POINTS, to=tmp_path / "mine")
    assert [f.name for f in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    score(TEACHER, POINTS, to=tmp_path / "s")
    before = shard_bytes(tmp_path / "s")
    with pytest.raises(
        OccupiedError, match=r"another request \(other count, seed\); nothing was over"
    ):
        score(TEACHER, POINTS, to=tmp_path / "s", count=2, seed=3)
    assert shard_bytes(tmp_path / "s") == before


def test_what_a_teacher_is_not_is_said_in_words(tmp_path):
    with pytest.raises(TeacherError, match="a teacher is a module, a run or a function, not a str"):
        teachers.as_teacher("resnet", CLASSES)
    with pytest.raises(TeacherError, match="needs the names of its classes, each once"):
        teachers.function(rule, [])
    with pytest.raises(InputError, match="no kind of scores 'logit'; known are logits"):
        teachers.function(rule, CLASSES, kind="logit")


def test_the_manifest_says_what_the_set_is(tmp_path):
    score(TEACHER, POINTS, to=tmp_path / "s", count=2, seed=4)
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    assert manifest["teacher"]["name"] == "rule"
    assert manifest["classes"] == list(CLASSES)
    assert (manifest["kind"], manifest["count"], manifest["seed"]) == ("logits", 2, 4)
    assert manifest["examples"]["n"] == 30
    assert {"limbeck", "torch", "machine", "commit", "command"} <= manifest["provenance"].keys()
    assert all(len(entry["sha256"]) == 64 for entry in manifest["files"].values())


def test_the_format_of_today_is_read_tomorrow(tmp_path):
    """A set written with format 1 and kept here: whoever changes the format keeps this readable."""
    old = Path(__file__).parents[1] / "formats" / "scores-1"
    scores = load_scores(old, blobs(6))
    np.testing.assert_allclose(everything(scores), rule(blobs(6).inputs), rtol=1e-6)
    assert is_whole_shard(old, next(planned_shards(6, 1, 8192)))


def test_masked_logits_are_told_which_kind_has_a_place_for_them_and_it_has(tmp_path):
    def masked(inputs):
        logits = rule(inputs)
        return np.where(logits < logits.max(axis=1, keepdims=True) - 3, -np.inf, logits)

    with pytest.raises(TeacherError, match="take log_softmax of these and pass kind='log-prob"):
        score(teachers.function(masked, CLASSES, name="m"), POINTS, to=tmp_path / "a")
    as_told = teachers.function(
        lambda x: torch.log_softmax(torch.tensor(masked(x)), 1), CLASSES, kind="log-probabilities"
    )
    assert len(score(as_told, POINTS, to=tmp_path / "b")) == len(POINTS)
