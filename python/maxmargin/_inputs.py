"""Models and data sets as the native part reads them: a file name and the contents of a file."""
import io
import json
import os
from fractions import Fraction

import numpy as np

from ._errors import InputError
from ._network import Network

_IGNORED = {"Flatten", "Identity", "Dropout"}
# What arrays are called until a message names them; no file has such a name.
MODEL, DATA = "<model>.npz", "<data>.npz"


def _array(value):
    """A NumPy array of a tensor of any library that has ``detach``, ``cpu`` and ``numpy``."""
    for step in ("detach", "cpu"):
        if hasattr(value, step):
            value = getattr(value, step)()
    if "bfloat16" in str(getattr(value, "dtype", "")) and hasattr(value, "float"):
        value = value.float()  # exact: every bfloat16 is a float32
    if hasattr(value, "numpy"):
        return value.numpy()
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"not an array, since its rows differ in length: {error}") from error


def _floats(name, value):
    """Integers as floats, as in matrices that were typed in."""
    if value.dtype.kind not in "iub":
        return value
    floats = value.astype(np.float64)
    if (np.abs(floats) > 2.0**53).any():
        raise InputError(f"`{name}` holds integers that no float64 equals")
    return floats


def _npz(arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _from_file(path):
    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            return path, file.read()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _is_path(value):
    return isinstance(value, (str, os.PathLike))


def _slope(layer):
    slope = Fraction(str(layer.negative_slope))
    return f"leaky:{slope}"


def _sequential(layers):
    """Tensors by name, and the activation, of layers known by the names of their classes."""
    arrays, activations, linear, after = {}, [], 0, None
    for position, layer in enumerate(layers):
        kind = type(layer).__name__
        if kind in _IGNORED:
            continue
        if kind == "Linear":
            if linear and after is None:
                activations.append("linear")
            arrays[f"{position}.weight"] = _array(layer.weight)
            if getattr(layer, "bias", None) is not None:
                arrays[f"{position}.bias"] = _array(layer.bias)
            linear, after = linear + 1, None
        elif kind in ("ReLU", "LeakyReLU"):
            if linear == 0 or after is not None:
                raise InputError(f"layer {position} ({kind}) does not follow a Linear layer")
            after = "relu" if kind == "ReLU" else _slope(layer)
            activations.append(after)
        else:
            raise InputError(
                f"layer {position} is a {kind}: only Linear, ReLU, LeakyReLU and Flatten are supported"
            )
    if linear and after is not None:
        raise InputError("the network ends with an activation: its outputs must be those of a Linear layer")
    if len(set(activations)) > 1:
        raise InputError(f"all activations must be the same; found {', '.join(sorted(set(activations)))}")
    return arrays, (activations[0] if activations else None)


def model_file(model, activation=None):
    """``(name, bytes)`` of a model, and the activation.

    ``model`` is a path, a module whose children are Linear, ReLU, LeakyReLU and Flatten layers in
    their order (``torch.nn.Sequential``), a state dict, a list of matrices, or a :class:`Network`.
    """
    if _is_path(model):
        return _from_file(model), activation
    if isinstance(model, Network):
        return ("model.json", json.dumps(model.json).encode()), activation
    found = None
    if hasattr(model, "children") and callable(model.children):
        arrays, found = _sequential(list(model.children()))
    elif hasattr(model, "items"):
        arrays = {str(name): _array(value) for name, value in model.items()}
    elif isinstance(model, (list, tuple)):
        arrays = {f"{position}.weight": _array(value) for position, value in enumerate(model)}
    else:
        raise InputError(
            f"a model of type {type(model).__name__} is not supported: give a torch.nn.Sequential, a state "
            "dict, a list of arrays, or the path of a .safetensors, .npz, .onnx or .json file"
        )
    if not arrays:
        raise InputError("the model has no Linear layers")
    if found is not None and activation is not None and found != activation:
        raise InputError(f"the model's activation is {found}, not {activation}")
    for name, value in arrays.items():
        if value.dtype == object:
            raise InputError(f"`{name}` does not hold floats")
    return (MODEL, _npz({n: _floats(n, v) for n, v in arrays.items()})), activation or found


def data_file(X, y=None):
    """``(name, bytes)`` of a data set: a path, or samples (n × features, flattened) and n labels."""
    if _is_path(X):
        if y is not None:
            raise InputError("the labels are read from the file: leave y out")
        return _from_file(X)
    if y is None:
        raise InputError("labels are missing: give y, or the path of a data set as X")
    samples, labels = _array(X), _array(y)
    if samples.ndim > 2:
        samples = samples.reshape(len(samples), -1)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind in "OSU":
        raise InputError(
            f"y holds {labels.dtype} such as {labels.flat[0]!r}: labels are numbers, -1 and 1, or 0 and 1, or "
            "classes 0, 1, 2, …" if labels.size else "y is empty"
        )
    return DATA, _npz({"X": samples, "y": labels})
