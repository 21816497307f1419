"""Writes one of the measured data sets: data.py NAME FILE.npz."""
import sys

import numpy as np
from sklearn import datasets


def standardised(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def pair(low, high):
    digits = datasets.load_digits()
    chosen = (digits.target == low) | (digits.target == high)
    return digits.data[chosen] / 16, np.where(digits.target[chosen] == low, -1, 1)


def load(name):
    if name == "iris":
        iris = datasets.load_iris()
        return standardised(iris.data), np.where(iris.target == 0, 1, -1)
    if name == "iris12":
        iris = datasets.load_iris()
        chosen = iris.target > 0
        return standardised(iris.data[chosen]), np.where(iris.target[chosen] == 1, -1, 1)
    if name == "cancer":
        cancer = datasets.load_breast_cancer()
        return standardised(cancer.data), np.where(cancer.target == 0, -1, 1)
    if name.startswith("digits") and len(name) == 8:
        return pair(int(name[6]), int(name[7]))
    raise SystemExit(f"unknown data set {name}: iris, iris12, cancer, digits01 … digits89")


x, y = load(sys.argv[1])
np.savez(sys.argv[2], X=x, y=y.astype(np.int64))
