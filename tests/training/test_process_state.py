"""A training leaves what is the process's as it found it, and takes nothing from it."""

import sys
import threading

import numpy as np
import pytest
import torch
from worlds import blobs

from limbeck import Plan, objectives, students, teachers, train
from limbeck.errors import InputError

PLAN = Plan(epochs=2, batch=16, learning_rate=0.01)
NET = students.mlp([8], dropout=0.3)


def weights(place) -> dict[str, torch.Tensor]:
    run = train(NET, blobs(80), objectives.Labels(), to=place, plan=PLAN, control=False)
    return run.model().state_dict()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, torch.Tensor]:
    return weights(tmp_path_factory.mktemp("alone") / "run")


def check_same(one, other) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert value.dtype == other[name].dtype, name
        assert torch.equal(value, other[name]), name


def test_two_trainings_in_two_threads_give_what_each_gives_alone(alone, tmp_path):
    made = {}

    def work(name: str) -> None:
        made[name] = weights(tmp_path / name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_same(made["a"], alone)
    check_same(made["b"], alone)


def test_a_default_of_float64_changes_no_weight_and_stays(alone, tmp_path):
    torch.set_default_dtype(torch.float64)
    try:
        check_same(weights(tmp_path / "run"), alone)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_within_no_grad_it_trains_all_the_same_and_leaves_it_on(alone, tmp_path):
    with torch.no_grad():
        made = weights(tmp_path / "run")
        assert not torch.is_grad_enabled()
    check_same(made, alone)


def test_within_inference_mode_it_is_refused_in_a_sentence(tmp_path):
    with (
        torch.inference_mode(),
        pytest.raises(InputError, match=r"call it outside of torch.inference_mode\(\)"),
    ):
        weights(tmp_path / "run")


def test_the_generators_are_where_they_were(tmp_path):
    def drawn() -> list[float]:
        # numpy's old generator is the process's, so it is what is looked at
        return [torch.rand(1).item(), np.random.rand()]  # noqa: NPY002

    def seeded() -> None:
        torch.manual_seed(3)
        np.random.seed(3)  # noqa: NPY002

    seeded()
    expected = drawn()
    seeded()
    weights(tmp_path / "run")
    assert drawn() == expected


def test_a_module_of_the_working_folder_leaves_no_path_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine_here.py").write_text("def ask(x):\n    return x\n")
    before = list(sys.path)
    teachers.from_text("mine_here:ask", ["a", "b"], trust=True)
    assert sys.path == before
