from types import SimpleNamespace

import pytest

from analyzer.errors import CheckpointError
from analyzer.runs.model_yaml import is_literal_activation, refuse_executable_yaml


def payload(**yaml):
    layers = {"backbone": [[-1, 1, "Conv", [16, 3, 2]]], "head": [[-1, 1, "nn.Upsample", [None, 2, "nearest"]]]}
    return {"ema": SimpleNamespace(yaml={**layers, **yaml}), "model": None}


@pytest.mark.parametrize("text", ["nn.ReLU()", "torch.nn.LeakyReLU(0.1)", "nn.SiLU(inplace=True)", " nn.Hardswish() "])
def test_layers_of_torch_pass(text):
    assert is_literal_activation(text)
    refuse_executable_yaml("x.pt", payload(activation=text))


@pytest.mark.parametrize(
    "text",
    [
        "(open('x', 'w').write('y'), torch.nn.SiLU())[1]",
        "__import__('os').system('true')",
        "nn.SiLU(inplace=print(1))",
        "nn.modules.activation.os.system('true')",
        "nn.SiLU",
        "nn.functional.relu()",
        "(" * 5000,
    ],
)
def test_whatever_runs_is_refused(text):
    assert not is_literal_activation(text)
    with pytest.raises(CheckpointError, match="activation"):
        refuse_executable_yaml("x.pt", payload(activation=text))


@pytest.mark.parametrize("name", ["torch_safe_load", "load_checkpoint", "nn.init.normal_", "nn.functional", "os", None])
def test_a_layer_that_is_no_module_class_is_refused(name):
    with pytest.raises(CheckpointError, match="layer"):
        refuse_executable_yaml("x.pt", payload(head=[[-1, 1, name, []]]))


def test_a_student_inside_a_distilled_model_is_looked_at_too():
    student = payload(activation="__import__('os').system('true')")["ema"]
    outer = SimpleNamespace(yaml=None, modules=lambda: iter([outer, student]))
    with pytest.raises(CheckpointError, match="activation"):
        refuse_executable_yaml("x.pt", {"ema": outer})
