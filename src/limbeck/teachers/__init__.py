"""Anything that scores examples: a module, a run, a function, an ensemble; one kind a file."""

from limbeck.teachers._encoder import Encoder, encoder, head
from limbeck.teachers._endpoint import Endpoint
from limbeck.teachers._ensemble import ensemble, in_precision
from limbeck.teachers._exported import exported
from limbeck.teachers._function import function
from limbeck.teachers._given import as_teacher
from limbeck.teachers._http import http, http_from_text
from limbeck.teachers._huggingface import huggingface
from limbeck.teachers._lightgbm import lightgbm
from limbeck.teachers._onnx import onnx
from limbeck.teachers._read import DOORS, Door, check, read
from limbeck.teachers._saved import saved
from limbeck.teachers._scores import scores
from limbeck.teachers._sklearn import sklearn
from limbeck.teachers._specialists import SPECIALISTS, Specialist, Specialists, combined
from limbeck.teachers._teacher import Answer, Teacher, ordered
from limbeck.teachers._torch import module, run
from limbeck.teachers._xgboost import xgboost

__all__ = [
    "DOORS",
    "SPECIALISTS",
    "Answer",
    "Door",
    "Encoder",
    "Endpoint",
    "Specialist",
    "Specialists",
    "Teacher",
    "as_teacher",
    "check",
    "combined",
    "encoder",
    "ensemble",
    "exported",
    "function",
    "head",
    "http",
    "http_from_text",
    "huggingface",
    "in_precision",
    "lightgbm",
    "module",
    "onnx",
    "ordered",
    "read",
    "run",
    "saved",
    "scores",
    "sklearn",
    "xgboost",
]
