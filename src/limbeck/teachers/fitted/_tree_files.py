"""Looks whether a file of boosted trees is whole before its library, which may crash, reads it."""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from limbeck.examples import Array
from limbeck.teachers.fitted._ubj import decode

OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
OF_NODES = (
    *("left_child", "right_child", "split_feature", "threshold", "decision_type"),
    *("split_gain", "internal_value", "internal_weight", "internal_count"),
)
OF_TREE = (
    *("left_children", "right_children", "split_indices", "split_conditions", "default_left"),
    *("parents", "split_type", "sum_hessian", "loss_changes", "base_weights"),
)


def check_lightgbm(text: str) -> str:
    """Looks at the header, at each tree's length, and at what its nodes point to.

    Returns:
        the text without the settings of the training, which LightGBM may crash on too.

    Raises:
        ValueError: says what is not as it should be.
    """
    head, _, rest = text.partition("\n\n")
    trees, end, tail = ("\n" + rest).partition("\nend of trees\n")
    is_cut = "\nparameters:" in tail and "\nend of parameters" not in tail
    if not head.startswith("tree\n") or not end or is_cut:
        raise ValueError("it ends early" if head.startswith("tree\n") else "it is of another kind")
    about = _fields(head)
    features = _number(about, "max_feature_idx") + 1
    for name in ("feature_names", "feature_infos"):
        if len(about.get(name, "").split(" ")) != features:
            raise ValueError(f"its {name} are not {features}")
    sizes = [int(size) for size in about.get("tree_sizes", "").split()]
    if sum(sizes) != len(trees.encode()) or len(sizes) % _number(about, "num_tree_per_iteration"):
        raise ValueError("its trees have not the length that it says")
    _check_blocks(trees[1:].encode(), sizes, features)
    categories = [line for line in tail.split("\n") if line.startswith("pandas_categorical:")]
    return "\n".join([head, trees, "end of trees", "", *categories, ""])


def _check_blocks(trees: bytes, sizes: list[int], features: int) -> None:
    at = 0
    for number, size in enumerate(sizes):
        block = trees[at : at + size].decode()
        if not block.startswith(f"Tree={number}\n"):
            raise ValueError(f"tree {number} is not where it should be")
        _check_text_tree(_fields(block), features, f"tree {number}")
        at += size


def _check_text_tree(tree: Mapping[str, str], features: int, whose: str) -> None:
    leaves = _number(tree, "num_leaves")
    nodes = leaves - 1
    for name in OF_LEAVES if nodes else OF_LEAVES[:1]:
        _check_length(_numbers(tree, name), leaves, whose)
    if not nodes:
        return
    for name in OF_NODES:
        _check_length(_numbers(tree, name), nodes, whose)
    _check_split(_numbers(tree, "split_feature"), features, whose)
    children = [_numbers(tree, "left_child"), _numbers(tree, "right_child")]
    # Leaves are counted from -1 downwards; each node and leaf but the root has one parent.
    _check_tree(np.concatenate(children), range(-leaves, nodes), whose)
    _check_categories(tree, whose)


def _check_categories(tree: Mapping[str, str], whose: str) -> None:
    count = _number(tree, "num_cat")
    if not count:
        return
    bounds = _numbers(tree, "cat_boundaries")
    _check_length(bounds, count + 1, whose)
    _check_length(_numbers(tree, "cat_threshold"), int(bounds[-1]), whose)
    is_nominal = _numbers(tree, "decision_type").astype(np.int64) & 1 == 1
    chosen = _numbers(tree, "threshold")[is_nominal]
    if bounds[0] or (np.diff(bounds) < 0).any() or not ((chosen >= 0) & (chosen < count)).all():
        raise ValueError(f"{whose} has categories that it does not say")


def check_xgboost(content: bytes) -> dict[str, Any]:
    """Looks at the form of the file, JSON or UBJSON, and at what each tree's nodes point to.

    Returns:
        what the file says.

    Raises:
        ValueError: says what is not as it should be.
    """
    is_text = re.match(rb"\s*\{\s*[\"}]", content) is not None
    try:
        document = json.loads(content) if is_text else decode(content)
        learner = document["learner"]
        booster = learner["gradient_booster"]
        features = int(learner["learner_model_param"]["num_feature"])
        if booster["name"] == "dart":
            _check_length(booster["weight_drop"], len(booster["gbtree"]["model"]["trees"]), "dart")
            booster = booster["gbtree"]
        if booster["name"] != "gblinear":
            _check_forest(booster["model"], features)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"it lacks {error}") from error
    return dict(document)


def _check_forest(model: Mapping[str, Any], features: int) -> None:
    trees = model["trees"]
    if int(model["gbtree_model_param"]["num_trees"]) != len(trees):
        raise ValueError("it does not have the trees that it says")
    _check_length(model["tree_info"], len(trees), "tree_info")
    # Older versions do not write where a round begins.
    bounds = np.asarray(model.get("iteration_indptr", [0, len(trees)]))
    if bounds[0] or (np.diff(bounds) < 0).any() or bounds[-1] != len(trees):
        raise ValueError("its rounds have not the trees that it says")
    for number, tree in enumerate(trees):
        _check_json_tree(tree, features, f"tree {number}")


def _check_json_tree(tree: Mapping[str, Any], features: int, whose: str) -> None:
    nodes = int(tree["tree_param"]["num_nodes"])
    if int(tree["tree_param"]["size_leaf_vector"]) < 2:
        for name in OF_TREE:
            _check_length(tree[name], nodes, whose)
    left, right, feature = (np.asarray(tree[name], dtype=np.float64) for name in OF_TREE[:3])
    inner = left != -1
    _check_split(feature[inner], features, whose)
    _check_tree(np.concatenate([left[inner], right[inner]]), range(nodes), whose)


def _check_split(feature: Array, features: int, whose: str) -> None:
    if not ((feature >= 0) & (feature < features)).all():
        raise ValueError(f"{whose} asks for a feature beyond the {features} there are")


def _check_tree(children: Array, range_of_features: range, whose: str) -> None:
    is_known = (
        (children >= range_of_features.start)
        & (children < range_of_features.stop)
        & (children != 0)
    )
    if not is_known.all() or len(np.unique(children)) != len(children):
        raise ValueError(f"{whose} has nodes that are no tree")


def _check_length(array: Any, wanted: int, whose: str) -> None:
    if len(array) != wanted:
        raise ValueError(f"{whose} has {len(array)} numbers where {wanted} should be")


def _fields(block: str) -> dict[str, str]:
    """The lines `name=value` of a block."""
    lines = (line.partition("=") for line in block.split("\n"))
    return {name: value for name, _, value in lines}


def _number(fields: Mapping[str, str], name: str) -> int:
    if not re.fullmatch(r"\d{1,9}", fields.get(name, "")):
        raise ValueError(f"it lacks a {name}")
    return int(fields[name])


def _numbers(fields: Mapping[str, str], name: str) -> Array:
    if name not in fields:
        raise ValueError(f"a tree lacks its {name}")
    return np.array(fields[name].split(" ") if fields[name] else [], dtype=np.float64)
