"""Specialists: found without labels, begun with the generalist, corrected, combined, kept."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.cluster import AgglomerativeClustering, MiniBatchKMeans
from worlds import blobs, rule

import limbeck
from limbeck import Examples, Plan, objectives, students, teachers
from limbeck.errors import (
    CorruptError,
    InputError,
    LabelsError,
    MismatchError,
    MissingError,
    OccupiedError,
    RecipeError,
)
from limbeck.recipes import Distillation
from limbeck.scoring import Storage
from limbeck.training.specialists import _confusable, _train
from limbeck.training.specialists._train import _begun, _head

CLASSES = ("a", "b", "c", "d", "e")
PAIRS = (("a", "b"), ("d", "e"))
SHORT = Plan(epochs=3, batch=32, learning_rate=0.01)


def pairs(n: int = 300, seed: int = 0, name: str = "pairs") -> Examples:
    """Five classes on a line: a and b overlap, d and e overlap, c is far from all."""
    drawn = np.random.default_rng(seed)
    labels = drawn.integers(0, 5, n)
    places = np.array([-6.0, -5.0, 0.0, 5.0, 6.0])[labels]
    inputs = np.stack([places + drawn.normal(0, 0.6, n), drawn.normal(0, 1, n)], axis=1)
    keys = [f"{name}-{row}" for row in range(n)]
    return Examples.of(inputs.astype(np.float32), labels, keys=keys, classes=CLASSES, name=name)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    place = tmp_path_factory.mktemp("specialists")
    generalist = limbeck.train(
        students.mlp([6]), pairs(), objectives.Labels(), to=place / "generalist", plan=SHORT
    )
    made = _train.train(generalist, pairs(), PAIRS, to=place / "experts", plan=SHORT)
    return place, generalist, made


def confused(n: int = 400) -> np.ndarray:
    """Predictions that are sure of the pair and unsure which of the two."""
    drawn = np.random.default_rng(0)
    predicted = np.zeros((n, 5))
    for row, of in enumerate(drawn.integers(0, 3, n)):
        columns = ([0, 1], [2], [3, 4])[of]
        shares = drawn.dirichlet(np.ones(len(columns)))
        predicted[row, columns] = 0.9 * shares
    return predicted + (1 - predicted.sum(axis=1, keepdims=True)) / 5


# Finding subsets.


def test_the_classes_that_are_predicted_together_are_a_subset():
    assert _confusable.confusable(confused(), count=3, classes=CLASSES) == PAIRS


@pytest.mark.parametrize(
    "clusterer", [MiniBatchKMeans(n_init=10), AgglomerativeClustering()], ids=str
)
def test_any_clusterer_will_do_and_is_left_as_it_was(clusterer):
    before = clusterer.get_params()
    found = _confusable.confusable(confused(), count=3, classes=CLASSES, clusterer=clusterer)
    assert set(found) == set(PAIRS)
    assert clusterer.get_params() == before


def test_several_clusterings_are_joined_without_doubles():
    joined = _confusable.confusable(confused(), count=(2, 3, 4), classes=CLASSES)
    alone = [_confusable.confusable(confused(), count=n, classes=CLASSES) for n in (2, 3, 4)]
    assert set(joined) == {subset for found in alone for subset in found}
    assert len(set(joined)) == len(joined) > 2


def test_clusters_of_one_class_are_left_out():
    assert _confusable.confusable(confused(), count=5, classes=CLASSES) == ()


def test_clusters_of_fewer_classes_than_asked_for_are_left_out():
    assert _confusable.confusable(confused(), count=3, classes=CLASSES, least=3) == ()


def test_a_score_set_gives_the_same_subsets_as_its_probabilities(world, tmp_path):
    _, generalist, _ = world
    scores = limbeck.score(generalist, pairs(), to=tmp_path / "s", storage=Storage("float32"))
    predicted = _confusable.predictions(teachers.run(generalist), pairs())
    by_array = _confusable.confusable(predicted, count=3, classes=CLASSES)
    assert _confusable.confusable(scores, count=3) == by_array == PAIRS


def test_the_covariance_is_that_of_numpy():
    parts = iter(np.array_split(confused(), 7))
    expected = np.cov(confused(), rowvar=False, bias=True)
    assert np.allclose(_confusable._covariance(parts), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (6, "5 classes are put into 2 to 5 clusters, not 6"),
        (1, "not 1"),
        ((), "2 to 5 clusters, not 0"),
    ],
)
def test_a_number_of_clusters_that_cannot_be_is_refused(count, sentence):
    with pytest.raises(InputError, match=sentence):
        _confusable.confusable(confused(), count=count, classes=CLASSES)


def test_a_clusterer_by_its_text_is_that_of_scikit_learn():
    read = _confusable.read_clusterer("AgglomerativeClustering(linkage='average')")
    assert read.linkage == "average"
    with pytest.raises(RecipeError, match="there is no clusterer 'KMean'; did you mean 'KMeans'"):
        _confusable.read_clusterer("KMean()")


def test_a_clusterer_that_refuses_its_settings_is_named():
    with pytest.raises(InputError, match=r"cannot cluster the classes: The .linkage. parameter"):
        _confusable.confusable(
            confused(), count=2, classes=CLASSES, clusterer=AgglomerativeClustering(linkage="odd")
        )


def test_predictions_that_are_none_are_refused():
    with pytest.raises(InputError, match="a name for each class"):
        _confusable.confusable(confused(), count=2, classes=CLASSES[:4])
    with pytest.raises(InputError, match="every row sums to one"):
        _confusable.confusable(confused() * 2, count=2, classes=CLASSES)


# The start and the draw.


def test_a_specialist_begins_with_the_generalists_logits_and_the_mean_of_the_rest():
    wide = students.mlp([4], inputs=(3,), outputs=6)
    model = limbeck.students.build_model(wide, limbeck.students.encodings.IDENTITY, 1)
    model.rescale(torch.randn(6), torch.rand(6) + 0.5)
    positions = np.array([4, 1])
    narrow = limbeck.students.build_model(
        replace(wide, outputs=3), limbeck.students.encodings.IDENTITY, 2
    )
    narrow.load_state_dict(_begun(model.state_dict(), _head(wide), positions))
    inputs = torch.randn(20, 3)
    before, after = model(inputs), narrow(inputs)
    rest = before[:, [0, 2, 3, 5]]
    assert torch.allclose(after[:, :2], before[:, [4, 1]], atol=1e-5)
    assert torch.allclose(after[:, 2], rest.mean(dim=1) + np.log(4), atol=1e-5)
    assert (after[:, 2] <= rest.logsumexp(dim=1) + 1e-5).all()


@pytest.mark.parametrize("student", [students.convnet("tiny"), students.shallow(4, bottleneck=2)])
def test_the_output_layer_is_found_in_every_family(student):
    sized = student.sized((1, 8, 8), 5)
    last = list(sized.build(0).state_dict())[-2:]
    assert _head(sized) == {f"body.{name}" for name in last}


def fixed_factory(inputs: tuple[int, ...]) -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(inputs[0], 5))


def test_a_net_that_does_not_change_with_its_classes_is_refused():
    with pytest.raises(InputError, match="cannot be replaced"):
        _head(students.factory(fixed_factory).sized((2,), 5))


def test_half_of_what_a_specialist_sees_is_special(world):
    _, _, made = world
    for run, entry in zip(made.members, made.manifest["specialists"], strict=True):
        assert entry["used"]["special"] == entry["used"]["rest"]
        assert run.manifest["examples"]["labelled"] == 2 * entry["used"]["special"]
        assert run.manifest["encoding"] == made.generalist.manifest["encoding"]


def test_the_correction_is_the_log_of_the_over_sampling(world):
    _, _, made = world
    labels = pairs().labels
    for subset, correction in zip(made.subsets, made.corrections, strict=True):
        special = np.isin(labels, [CLASSES.index(name) for name in subset]).mean()
        assert correction == pytest.approx(np.log((1 - special) / special), abs=1e-12)


def test_a_rest_smaller_than_its_subset_is_corrected_by_what_was_used(world, tmp_path):
    _, generalist, _ = world
    made = _train.train(generalist, pairs(), [("a", "b", "c", "d")], to=tmp_path / "e", plan=SHORT)
    (entry,) = made.manifest["specialists"]
    rest = int((pairs().labels == 4).sum())
    assert entry["used"] == {"special": rest, "rest": rest}
    assert entry["available"] == {"special": 300 - rest, "rest": rest}
    assert entry["correction"] == pytest.approx(np.log(rest / (300 - rest)))


def test_the_correction_gives_back_the_prior_of_a_net_that_sees_nothing():
    # Half and half, such a net learns (1/4, 1/4, 1/2); a tenth of all examples are special.
    blind = teachers.function(
        lambda x: np.log(np.tile([0.25, 0.25, 0.5], (len(x), 1))), ("a", "b", "rest")
    )
    said = teachers.Specialist(blind, (0, 1), np.log(0.9 / 0.1)).probabilities(np.zeros((2, 1)))
    assert torch.allclose(said[0], torch.tensor([0.05, 0.05, 0.9]).double(), atol=1e-7)


# Inference.


def counting(answers: np.ndarray, asked: list[list[int]], classes: tuple[str, ...]):
    """A teacher that answers row `inputs[:, 0]` of a table, and writes down who asked for what."""

    def answer(inputs):
        rows = inputs[:, 0].astype(int)
        asked.append(rows.tolist())
        return answers[rows]

    return teachers.function(answer, classes, name=f"table of {len(classes)}")


@pytest.mark.parametrize("top", [1, 2])
def test_only_the_specialists_concerned_are_asked_about_only_the_rows_concerned(top):
    drawn = np.random.default_rng(0)
    table = drawn.normal(0, 2, (40, 5))
    subsets = {"first": (0, 1), "second": (3, 4), "nobody's": (2,)}
    table[:, 2] = -50.0  # never among the most probable
    asked = {name: [] for name in ("generalist", *subsets)}
    members = [
        teachers.Specialist(
            counting(
                drawn.normal(0, 2, (40, len(at) + 1)), asked[name], tuple("xyz"[: len(at) + 1])
            ),
            at,
        )
        for name, at in subsets.items()
    ]
    generalist = counting(table, asked["generalist"], CLASSES)
    answer = teachers.combined(generalist, members, top=top).predict(np.arange(40.0)[:, None])
    best = np.argsort(-table, axis=1)[:, :top]
    assert asked["generalist"] == [list(range(40))]
    for name, at in subsets.items():
        concerned = np.flatnonzero(np.isin(best, at).any(axis=1)).tolist()
        assert asked[name] == ([concerned] if concerned else [])
    assert asked["nobody's"] == []
    assert torch.allclose(answer.exp().sum(dim=1), torch.ones(40).double())


def test_where_nobody_is_concerned_the_generalist_answers():
    generalist = teachers.function(rule, ("x", "y", "z"))
    points = blobs(50).inputs
    alone = teachers.combined(generalist, []).predict(points)
    assert torch.allclose(alone, torch.log_softmax(torch.from_numpy(rule(points)).double(), 1))


def test_the_logarithm_of_nothing_is_finite_in_float32():
    sure = teachers.function(lambda x: np.tile([0.0, 2000.0, -2000.0], (len(x), 1)), "xyz")
    two = teachers.function(lambda x: np.tile([0.0, -3000.0], (len(x), 1)), "yr")
    made = teachers.combined(sure, [teachers.Specialist(two, (1,))])
    answer = made.ask(np.zeros((3, 2)), np.arange(3).astype(str), "it")
    assert answer.dtype == np.float32
    assert np.isfinite(answer).all()
    assert (answer.argmax(axis=1) == 1).all()


def test_a_specialist_that_does_not_fit_is_refused():
    generalist = teachers.function(rule, ("x", "y", "z"))
    with pytest.raises(MismatchError, match="names 3 classes; 1 special ones and the dustbin are"):
        teachers.combined(generalist, [teachers.Specialist(generalist, (0,))])
    two = teachers.function(rule, ("x", "rest"))
    with pytest.raises(MismatchError, match="outside the 3 classes"):
        teachers.combined(generalist, [teachers.Specialist(two, (3,))])
    with pytest.raises(InputError, match="top lies between 1 and the 3 classes, not 4"):
        teachers.combined(generalist, [], top=4)
    with pytest.raises(MismatchError, match="answers with probabilities, not with logits"):
        teachers.combined(teachers.function(rule, "xyz", kind="probabilities"), [])


# The artifact.


@pytest.mark.slow
def test_the_combined_model_is_a_teacher_like_any_other(world, tmp_path):
    place, _, made = world
    opened = teachers.from_text(str(place / "experts"))
    assert opened.fingerprint == made.combined().fingerprint
    test = pairs(200, seed=5, name="test")
    done = limbeck.distill(
        opened,
        pairs(),
        students.mlp([4]),
        to=tmp_path / "d",
        test=test,
        how=Distillation(plan=SHORT, seeds=1),
    )
    assert {row["name"] for row in done.report.document["rows"]} >= {"teacher", "student"}
    assert str(place / "experts") in done.recipe.read_text()


def test_the_fingerprint_changes_with_top_and_with_a_correction(world):
    _, generalist, made = world
    members = [teachers.Specialist(teachers.run(made.members[0]), (0, 1), c) for c in (0.0, 1.0)]
    able = teachers.run(generalist)
    prints = {
        teachers.combined(able, [one], top=top).fingerprint for one in members for top in (1, 2)
    }
    assert len(prints) == 4
    assert made.combined().source
    assert not made.combined(top=2).source


def test_load_and_show_know_specialists(world):
    place, _, made = world
    loaded = limbeck.load(place / "experts")
    assert loaded.subsets == PAIRS
    assert loaded.classes == CLASSES
    assert loaded.combined().fingerprint == made.combined().fingerprint
    shown = limbeck.show(place / "experts")
    assert shown["artifact"] == "specialists"
    assert shown["whole"] == "yes"
    assert shown["generalist"]["directory"] == "../generalist"


def test_training_again_changes_nothing_and_goes_on_where_it_was(world, tmp_path):
    place, _, made = world
    shutil.copytree(place, tmp_path / "w")
    generalist = limbeck.load(tmp_path / "w" / "generalist")
    at = tmp_path / "w" / "experts"
    before = {file: file.stat().st_mtime_ns for file in at.rglob("*") if file.is_file()}

    def again():
        return _train.train(generalist, pairs(), PAIRS, to=at, plan=SHORT)

    again()
    assert before == {file: file.stat().st_mtime_ns for file in at.rglob("*") if file.is_file()}
    (at / "manifest.json").unlink()
    shutil.rmtree(at / "specialist-1")
    with pytest.raises(MissingError, match="is not whole"):
        limbeck.load(at)
    points = pairs(50, seed=9).inputs
    assert torch.equal(again().combined().predict(points), made.combined().predict(points))
    first = at / "specialist-0" / "manifest.json"
    assert first.stat().st_mtime_ns == before[first]


def test_another_request_is_refused(world):
    place, generalist, _ = world
    with pytest.raises(OccupiedError, match=r"another request \(other seed\)"):
        _train.train(generalist, pairs(), PAIRS, to=place / "experts", plan=SHORT, seed=1)


def test_a_changed_generalist_is_refused(world, tmp_path):
    place, _, _ = world
    shutil.copytree(place, tmp_path / "w")
    shutil.rmtree(tmp_path / "w" / "generalist")
    limbeck.train(
        students.mlp([6]),
        pairs(),
        objectives.Labels(),
        to=tmp_path / "w" / "generalist",
        plan=replace(SHORT, epochs=1),
    )
    with pytest.raises(MismatchError, match="holds another net than when the specialists were"):
        limbeck.load(tmp_path / "w" / "experts")
    assert "another net" in limbeck.show(tmp_path / "w" / "experts")["whole"]


def test_a_damaged_specialist_is_shown_and_refused(world, tmp_path):
    place, _, _ = world
    shutil.copytree(place, tmp_path / "w")
    (model,) = (tmp_path / "w" / "experts" / "specialist-1").rglob("model.safetensors")
    model.write_bytes(model.read_bytes()[:-1])
    assert "truncated" in limbeck.show(tmp_path / "w" / "experts")["whole"]
    with pytest.raises(CorruptError, match="truncated"):
        limbeck.load(tmp_path / "w" / "experts").combined()


REFUSED = {
    "there is no subset of two classes or more": [],
    "is given twice": [("a", "b"), ("a", "b")],
    "the generalist knows no class 'z'; it knows a, b, c, d, e": [("a", "z")],
    "each once, not ['a', 'a']": [("a", "a")],
    "would have nothing in its dustbin": [CLASSES],
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_subsets_that_are_of_no_use_are_refused_before_anything_is_written(
    sentence, world, tmp_path
):
    with pytest.raises(InputError) as caught:
        _train.train(world[1], pairs(), REFUSED[sentence], to=tmp_path / "e")
    assert sentence in str(caught.value)
    assert not (tmp_path / "e").exists()


def test_examples_that_cannot_teach_a_specialist_are_refused(world, tmp_path):
    _, generalist, _ = world
    with pytest.raises(LabelsError, match="learn from labels, and pairs has none"):
        _train.train(generalist, pairs().without_labels(), PAIRS, to=tmp_path / "e")
    only = pairs().take(np.flatnonzero(pairs().labels < 2))
    with pytest.raises(LabelsError, match="is of the rest of the specialist for a, b"):
        _train.train(generalist, only, PAIRS[:1], to=tmp_path / "e")
    with pytest.raises(LabelsError, match="is of the classes of the specialist for d, e"):
        _train.train(generalist, only, PAIRS[1:], to=tmp_path / "e")
    with pytest.raises(MismatchError, match="must be the same names in the same order"):
        _train.train(generalist, blobs(), PAIRS, to=tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_a_control_is_no_generalist(world, tmp_path):
    with pytest.raises(InputError, match="not its control"):
        _train.train(replace(world[1], role="control"), pairs(), PAIRS, to=tmp_path / "e")


# The command.


def limbeck_command(capsys, *arguments: object) -> tuple[int, str, str]:
    from limbeck import cli

    with pytest.raises(SystemExit) as left:
        cli.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


@pytest.fixture
def files(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(world[0] / "generalist", tmp_path / "generalist")
    points = pairs()
    np.savez(
        "train.npz",
        inputs=points.inputs,
        labels=points.labels,
        keys=points.keys,
        classes=np.array(CLASSES),
    )
    np.savez("bare.npz", inputs=points.inputs, classes=np.array(CLASSES))
    return ("specialists", "--generalist", "generalist", "--epochs", 2, "--to", "experts")


def test_the_command_finds_trains_and_serves(files, capsys, tmp_path):
    status, out, _ = limbeck_command(
        capsys,
        *(*files, "--examples", "train.npz", "--count", 3, "--count", 4, "--json"),
        *("--clusterer", "AgglomerativeClustering(metric='cosine', linkage='average')"),
    )
    assert status == 0
    shown = json.loads(out)
    assert shown["whole"] == "yes"
    assert ["a", "b"] in [one["classes"] for one in shown["specialists"]]
    status, _, _ = limbeck_command(
        capsys, "score", "--teacher", "experts", "--examples", "bare.npz", "--to", "scores"
    )
    assert status == 0
    assert limbeck.show(tmp_path / "scores")["kind"] == "log-probabilities"


@pytest.mark.parametrize(
    ("examples", "count", "sentence"),
    [
        ("bare.npz", 3, "specialists learn from labels, and bare.npz has none"),
        ("train.npz", 9, "5 classes are put into 2 to 5 clusters, not 9"),
        ("train.npz", 5, "no cluster of 5 has two classes or more and leaves some out"),
    ],
)
def test_the_command_refuses_in_a_sentence(examples, count, sentence, files, capsys, tmp_path):
    status, _, err = limbeck_command(capsys, *files, "--examples", examples, "--count", count)
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "experts").exists()
