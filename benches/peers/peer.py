"""One peer on one question: peer.py (scip|clarabel|z3) QUESTION.json SECONDS. Prints [answer, size]."""
import itertools
import json
import sys
import time
from fractions import Fraction

import numpy as np


def number(text):
    """`3`, `0.5e-3`, `1/3` or `1p-43` = 2⁻⁴³."""
    mantissa, _, exponent = text.partition("p")
    return Fraction(mantissa) * Fraction(2) ** int(exponent or 0)


class Question:
    """s·g(w) ≤ T|w|: exact numbers, and floats on the span of the support with T = 1."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            raw = json.load(file)
        lam = [number(raw["unit"]) * n for n in raw["lambda"]]
        self.exact_x = [[number(e) for e in row] for row in raw["x"]]
        self.exact_b = [a * y for a, y in zip(lam, raw["y"])]
        self.exact_t = 2 * sum(lam) * number(raw["bound"])
        x = np.array([[float(e) for e in row] for row in self.exact_x])
        self.b = np.array([float(b / self.exact_t) for b in self.exact_b])
        # w may be taken in the span of the samples: the rest of it does not change g.
        self.x = np.linalg.qr(x.T)[1].T if x.shape[0] < x.shape[1] else x
        self.norms = np.linalg.norm(self.x, axis=1)


def scip(question, seconds):
    from pyscipopt import Model, quicksum

    bounds, nodes = [], 0
    for sign in (1, -1):
        model = Model()
        model.hideOutput()
        model.setParam("limits/time", seconds / 2)
        model.setParam("limits/gap", 1e-4)
        width = question.x.shape[1]
        w = [model.addVar(lb=-1, ub=1) for _ in range(width)]
        model.addCons(quicksum(v * v for v in w) <= 1)
        objective = []
        for x, b, norm in zip(question.x, sign * question.b, question.norms):
            z = quicksum(float(e) * v for e, v in zip(x, w))
            relu = model.addVar(lb=0, ub=norm)
            model.addCons(relu >= z)
            if b > 0:
                active = model.addVar(vtype="B")
                model.addCons(relu <= z + norm * (1 - active))
                model.addCons(relu <= norm * active)
            objective.append(float(b) * relu)
        model.setObjective(quicksum(objective), "maximize")
        model.optimize()
        bounds.append(model.getDualbound())
        nodes += model.getNTotalNodes()
    return f"floats: max g ≤ {max(bounds):.6f} T", f"{nodes} nodes"


def clarabel_enumeration(question, seconds):
    import clarabel
    from scipy import sparse

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    width = question.x.shape[1]
    end, best, done, total = time.perf_counter() + seconds, 0.0, 0, 0
    for sign in (1, -1):
        b = sign * question.b
        bends = np.flatnonzero(b > 0)
        falls = np.flatnonzero(b < 0)
        total += 2 ** len(bends)
        # Variables w and, for falling samples, h ≥ max(w·x, 0).
        variables = width + len(falls)
        for pattern in itertools.product((1, -1), repeat=len(bends)):
            if time.perf_counter() > end:
                break
            cost = np.zeros(variables)
            signs = np.zeros((len(bends), variables))
            for k, (i, tau) in enumerate(zip(bends, pattern)):
                signs[k, :width] = -tau * question.x[i]
                if tau > 0:
                    cost[:width] -= b[i] * question.x[i]
            cost[width:] = -b[falls]
            above = np.zeros((2 * len(falls), variables))
            for k, i in enumerate(falls):
                above[k, :width], above[k, width + k] = question.x[i], -1
                above[len(falls) + k, width + k] = -1
            ball = np.zeros((1 + width, variables))
            ball[1:, :width] = -np.eye(width)
            matrix = sparse.csc_matrix(np.vstack([signs, above, ball]))
            right = np.zeros(matrix.shape[0])
            right[len(signs) + len(above)] = 1
            linear = len(signs) + len(above)
            cones = [clarabel.NonnegativeConeT(linear), clarabel.SecondOrderConeT(1 + width)]
            zero = sparse.csc_matrix((variables, variables))
            solution = clarabel.DefaultSolver(zero, cost, matrix, right, cones, settings).solve()
            best, done = max(best, -solution.obj_val_dual), done + 1
    if done < total:
        return f"no bound: {done} of {total} patterns", f"{done} programs"
    return f"floats: max g ≤ {best:.6f} T", f"{done} programs"


def z3(question, seconds):
    import z3 as solver

    def rational(f):
        return solver.Q(f.numerator, f.denominator)

    answers = []
    for sign in (1, -1):
        w = [solver.Real(f"w{k}") for k in range(len(question.exact_x[0]))]
        terms = []
        for x, b in zip(question.exact_x, question.exact_b):
            z = solver.Sum([rational(e) * v for e, v in zip(x, w)])
            terms.append(rational(sign * b) * solver.If(z > 0, z, 0))
        search = solver.Solver()
        search.set("timeout", int(500 * seconds))
        search.add(solver.Sum([v * v for v in w]) <= 1, solver.Sum(terms) > rational(question.exact_t))
        answers.append(str(search.check()))
    words = "proved" if answers == ["unsat", "unsat"] else "both signs: " + ", ".join(answers)
    return words, "no proof file"


name, path, limit = sys.argv[1:]
tool = {"scip": scip, "clarabel": clarabel_enumeration, "z3": z3}[name]
print(json.dumps(tool(Question(path), float(limit))))
