"""Problems that several tests use."""
import pathlib

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
CERTIFICATES = EXAMPLES.parent / "certificates"


@pytest.fixture
def iris():
    """The shipped iris network as a list of arrays, its data and labels."""
    from safetensors_reader import tensors

    found = tensors(EXAMPLES / "iris" / "iris_m10.safetensors")
    data = np.load(EXAMPLES / "iris" / "iris.data.npz")
    return [found["0.weight"], found["2.weight"]], data["X"], data["y"]


class Linear:
    """As torch.nn.Linear looks from outside."""

    def __init__(self, weight, bias=None):
        self.weight, self.bias = Tensor(weight), None if bias is None else Tensor(bias)


class ReLU:
    pass


class LeakyReLU:
    def __init__(self, negative_slope):
        self.negative_slope = negative_slope


class Flatten:
    pass


class Tanh:
    pass


class Tensor:
    """As a torch tensor looks from outside."""

    def __init__(self, values):
        self._values = np.asarray(values)
        self.dtype = self._values.dtype

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self._values


class Sequential:
    """As torch.nn.Sequential looks from outside."""

    def __init__(self, *layers):
        self._layers = layers

    def children(self):
        return iter(self._layers)
