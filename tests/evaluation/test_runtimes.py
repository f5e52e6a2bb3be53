"""Times of two runtimes are no ratio of two models, and what is looked up takes no time."""

from pathlib import Path

import numpy as np
from torch import nn
from worlds import CLASSES, blobs, rule

import limbeck
from limbeck import Plan, objectives, students, teachers
from limbeck.teachers.wrapped import ordered

TEST = blobs(60, seed=1, name="test")


def test_a_teacher_in_onnxruntime_is_not_timed_against_a_student_in_torch(tmp_path: Path) -> None:
    scores = limbeck.score(teachers.function(rule, CLASSES), blobs(80), to=tmp_path / "s")
    run = limbeck.train(
        students.mlp([4]), scores, objectives.SoftTargets(2), to=tmp_path / "r", plan=Plan(epochs=2)
    )
    limbeck.export(run, to=tmp_path / "t.onnx", check=TEST)
    onnx = teachers.onnx(tmp_path / "t.onnx")
    report = limbeck.evaluate({"teacher": onnx, "student": run}, TEST)
    assert report.row("teacher")["runtime"] == "onnxruntime"
    assert report.row("student")["runtime"] == "torch"
    text = report.to_markdown()
    assert (
        "The teacher was timed in onnxruntime and the student in torch, so their times are" in text
    )
    assert "throughput." not in text
    assert "lower latency" not in text
    assert "latency at batch 1" in text  # each by itself
    # The remedy, followed: both in one runtime.
    both = limbeck.evaluate({"teacher": onnx, "student": onnx}, TEST).to_markdown()
    assert "was timed in" not in both
    assert "latency" in both.split("Against the teacher, ")[1].split("\n")[0]


def test_who_answers_says_in_what() -> None:
    net = teachers.module(nn.Linear(2, 3), CLASSES)
    plain = teachers.function(rule, CLASSES)
    assert (net.runtime, plain.runtime) == ("torch", "")
    assert ordered(net, CLASSES[::-1]).runtime == "torch"
    assert teachers.ensemble([net, net]).runtime == "torch"
    assert teachers.ensemble([net, plain]).runtime == ""
    assert net.uncached() is net
    answers = teachers.ensemble([net, plain]).uncached().predict(TEST.inputs)
    np.testing.assert_array_equal(answers, teachers.ensemble([net, plain]).predict(TEST.inputs))
