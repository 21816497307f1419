"""Networks that maxmargin returns: exact, and as arrays."""
import numpy as np

from ._exact import exact


class Network:
    """A network with exact parameters. It can be given to :func:`certify` again as it is: ``net.json``."""

    def __init__(self, document):
        self.json = document
        """The exact JSON form, as the command line reads and writes it."""

    @property
    def activation(self):
        """``"relu"``, ``"linear"`` or ``{"leaky_relu": slope}``."""
        return self.json["activation"]

    @property
    def exact(self):
        """The weight matrices, first layer first, as lists of rows of :class:`fractions.Fraction`."""
        return [[[exact(v or "0") for v in row] for row in _rows(layer)] for layer in self.json["layers"]]

    @property
    def weights(self):
        """The weight matrices (outputs × inputs) as arrays of the nearest float64."""
        return [np.array([[float(v) for v in row] for row in layer]) for layer in self.exact]

    @property
    def shape(self):
        """``"64-10-1"``."""
        layers = self.exact
        return "-".join(str(n) for n in [len(layers[0][0])] + [len(layer) for layer in layers])

    def __repr__(self):
        return f"<maxmargin.Network: {self.shape}, {self.activation}>"


def _rows(layer):
    if "weights" in layer:
        return layer["weights"]
    values = layer["parameters"]
    return [[None if i is None else values[i] for i in row] for row in layer["pattern"]]
