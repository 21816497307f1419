#!/usr/bin/env python3
"""A second checker of maxmargin certificates, written from docs/certificate-format.md alone.

    check.py FILE… [--model MODEL.json --data DATA.json] [--json] [--time-limit SECONDS]

Standard library only, exact arithmetic only, and as plain as possible: it may be slow. Sections of
the document are cited as (section). Exit codes (3): 0 verified, 1 rejected, 2 malformed, 3 another
problem, 4 a limit, 64 usage, 70 an error of this program, which says nothing of the file; with several files the
first failure decides. A file may take 45 seconds of processor time and one more for every kB, or as
--time-limit says, and 768 MB and 200 times its size; of a file in gzip the size before it is unpacked counts.
"""
import gzip
import hashlib
import itertools
import json
import math
import re
import sys
import traceback
import zlib
from collections import namedtuple
from fractions import Fraction

try:
    import resource
    import signal
except ImportError:  # a system without them: no limits of time and memory
    signal = None

sys.set_int_max_str_digits(0)


class Fault(Exception):
    """Why a file is not verified; `code` is the exit code."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def malformed(text):
    raise Fault(2, text)


def need(condition, text):
    """A condition of a proof."""
    if not condition:
        raise Fault(1, text)


def limit(condition, text):
    if not condition:
        raise Fault(4, "limit: " + text)


# ---------------------------------------------------------------- reading (1)

def parse(raw):
    def pairs(items):
        if len({key for key, _ in items}) < len(items):
            malformed("a repeated key")
        return dict(items)

    def integer(text):
        value = int(text) if len(text) < 30 else 1 << 64
        if text == "-0" or not -(1 << 63) <= value < 1 << 64:
            malformed(f"the integer {text[:30]}")
        return value

    def refuse(text):
        malformed(f"the number {text} is neither an integer nor a string")

    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs, parse_int=integer,
                              parse_float=refuse, parse_constant=refuse)
        if b"\\u" in raw:
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # refuses lone surrogates
        return document
    except RecursionError:
        raise Fault(4, "limit: nesting") from None
    except ValueError as error:
        malformed(f"not JSON: {error}")


def fields(value, required, optional=(), ordered=False):
    if not isinstance(value, dict):
        malformed(f"an object with {required} expected")
    for key in value:
        if key not in required and key not in optional:
            malformed(f"unknown key {key!r}")
    for key in required:
        if key not in value:
            malformed(f"the key {key!r} is missing")
    if ordered and list(value) != list(required):
        malformed(f"the keys must be in the order {required}")
    return value


def string(value):
    return value if isinstance(value, str) else malformed("a string expected")


def integer(value):
    ok = isinstance(value, int) and not isinstance(value, bool) and value < 1 << 63
    return value if ok else malformed("an integer of 64 bits expected")


def index(value):
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if ok else malformed("an index expected")


def listing(value, read):
    return [read(v) for v in value] if isinstance(value, list) else malformed("a list expected")


def row_of(*reads):
    """Reads a list of exactly these things."""
    def read(value):
        if not isinstance(value, list) or len(value) != len(reads):
            malformed(f"a list of length {len(reads)} expected")
        return tuple(r(v) for r, v in zip(reads, value))
    return read


def optional(value, key, read):
    return None if value.get(key) is None else read(value[key])


NUMBER = re.compile(r"(-?)([0-9]+)(?:/([0-9]+)|p([+-]?[0-9]+)|(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?)")


def number(text):
    limit(len(string(text).encode()) <= 4096, "a number of more than 4096 characters")
    match = NUMBER.fullmatch(text)
    if not match:
        malformed(f"{text[:40]!r} is not a number")
    sign, digits, denominator, two, decimals, ten = match.groups()
    limit(all(abs(int(e)) <= 2200 for e in (two, ten) if e), "an exponent past 2200")
    if denominator is not None and int(denominator) == 0:
        malformed(f"{text[:40]!r} has denominator 0")
    value = Fraction(int(digits + (decimals or "")), 10 ** len(decimals or ""))
    value /= int(denominator or 1)
    value *= Fraction(2) ** int(two or 0) * Fraction(10) ** int(ten or 0)
    return -value if sign else value


def ascending(keys):
    keys = list(keys)
    return all(a < b for a, b in zip(keys, keys[1:]))


# ---------------------------------------------------------------- arithmetic

def dot(u, v):
    """The sum of the products; fractions over common denominators, which is faster."""
    if u and isinstance(u[0], Poly):
        return sum((a * b for a, b in zip(u, v)), Poly([]))
    d, e = (math.lcm(*(a.denominator for a in x)) for x in (u, v))
    parts = (a.numerator * (d // a.denominator) * (b.numerator * (e // b.denominator)) for a, b in zip(u, v))
    return Fraction(sum(parts), d * e)


def norm2(u):
    return dot(u, u)


class Poly:
    """A polynomial in an infinitely small ε > 0 (4, curves)."""

    def __init__(self, coefficients):
        self.c = list(coefficients)
        while self.c and not self.c[-1]:
            self.c.pop()

    def __add__(self, other):
        return Poly(a + b for a, b in itertools.zip_longest(self.c, other.c, fillvalue=0))

    def __mul__(self, other):
        if not isinstance(other, Poly):
            return Poly(a * other for a in self.c)
        product = [Fraction(0)] * (len(self.c) + len(other.c))
        for i, a in enumerate(self.c):
            if a:
                for j, b in enumerate(other.c):
                    product[i + j] += a * b
        return Poly(product)

    __rmul__ = __mul__

    def sign(self):
        lowest = next((a for a in self.c if a), 0)
        return (lowest > 0) - (lowest < 0)

    def __gt__(self, zero):
        return self.sign() > 0

    def __lt__(self, zero):
        return self.sign() < 0

    def __bool__(self):
        return bool(self.c)


def definite(a, strictly=False):
    """Whether a symmetric matrix is positive semidefinite (or definite) (4)."""
    a = [list(row) for row in a]
    for k in range(len(a)):
        pivot = a[k][k]
        if pivot < 0 or (pivot == 0 and (strictly or any(a[k][k + 1:]))):
            return False
        for i in range(k + 1, len(a)):
            if pivot and a[i][k]:
                factor = a[i][k] / pivot
                a[i] = [x - factor * y for x, y in zip(a[i], a[k])]
    return True


def norm_at_most(rows, square):
    """Whether the operator norm is at most √square."""
    if not rows or not rows[0]:
        return True
    if len(rows[0]) < len(rows):
        rows = list(zip(*rows))
    limit(len(rows) <= 64, "a matrix of more than 64 rows and columns")
    return definite([[square * (i == j) - dot(u, v) for j, v in enumerate(rows)] for i, u in enumerate(rows)])


# ---------------------------------------------------------------- network, data, problem (1)

Neuron = namedtuple("Neuron", "j inputs w v")  # v by outputs, None for a structural zero


class Network:
    def __init__(self, value):
        fields(value, ["activation", "layers"])
        a = value["activation"]
        if a in ("relu", "linear"):
            self.alpha = Fraction(a == "linear")
        else:
            self.alpha = number(fields(a, ["leaky_relu"])["leaky_relu"])
        if not 0 <= self.alpha <= 1:
            malformed("the slope is outside [0, 1]")
        self.pattern, self.u = [], []
        for layer in listing(value["layers"], lambda v: v):
            self.read_layer(layer)
        self.depth = len(self.u)
        if self.depth < 1:
            malformed("no layers")
        for below, above in zip(self.pattern, self.pattern[1:]):
            if len(below) != len(above[0]):
                malformed("consecutive layers do not fit")
        self.inputs, self.outputs = len(self.pattern[0][0]), len(self.pattern[-1])
        self.uses = [max([0] + [sum(row.count(p) for row in pattern) for p in range(len(u))])
                     for pattern, u in zip(self.pattern, self.u)]
        self.shares = max(self.uses) > 1
        self.limits()

    def read_layer(self, layer):
        entry = lambda read: lambda v: None if v is None else read(v)
        if isinstance(layer, dict) and "weights" in layer:
            rows = listing(fields(layer, ["weights"])["weights"], lambda r: listing(r, entry(number)))
            values = [w for row in rows for w in row if w is not None]
            count = itertools.count()
            rows = [[None if w is None else next(count) for w in row] for row in rows]
        else:
            fields(layer, ["parameters", "pattern"])
            values = listing(layer["parameters"], number)
            rows = listing(layer["pattern"], lambda r: listing(r, entry(index)))
            order = list(dict.fromkeys(p for row in rows for p in row if p is not None))
            if sorted(order) != list(range(len(values))):
                malformed("the pattern does not use exactly the parameters")
            place = {p: n for n, p in enumerate(order)}
            values = [values[p] for p in order]
            rows = [[None if p is None else place[p] for p in row] for row in rows]
        if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
            malformed("a matrix needs rows of one length, at least 1")
        self.pattern.append(rows)
        self.u.append(values)

    def limits(self):
        limit(self.depth <= 64, "more than 64 layers")
        longest = 0
        for u in self.u:
            d = math.lcm(*(w.denominator for w in u))
            bits = max((abs(w.numerator * (d // w.denominator)).bit_length() for w in u), default=0)
            longest = max(longest, bits + d.bit_length())
        limit(self.depth * (longest + self.alpha.denominator.bit_length()) <= 1 << 15, "numbers too long")

    def moved(self, u):
        """The same architecture with other parameters."""
        other = object.__new__(Network)
        other.__dict__.update(self.__dict__)
        other.u = u
        other.limits()
        return other

    def matrices(self, u=None, zero=Fraction(0)):
        fill = lambda pattern, values: [[zero if p is None else values[p] for p in row] for row in pattern]
        return [fill(p, values) for p, values in zip(self.pattern, u or self.u)]

    def norm2(self, layers=None):
        return sum((norm2(self.u[l]) for l in (range(self.depth) if layers is None else layers)), Fraction(0))

    def canonical(self):
        layers = []
        for pattern, u, uses in zip(self.pattern, self.u, self.uses):
            text = [str(w) for w in u]
            layers.append({"parameters": text, "pattern": pattern} if uses > 1 else
                          {"weights": [[None if p is None else text[p] for p in row] for row in pattern]})
        return {"activation": {0: "relu", 1: "linear"}.get(self.alpha, {"leaky_relu": str(self.alpha)}),
                "layers": layers}

    def neurons(self):
        """Those that exist; the network has depth 2."""
        first, second = self.matrices()
        found = []
        for j, row in enumerate(self.pattern[0]):
            inputs = [c for c, p in enumerate(row) if p is not None]
            v = [None if out[j] is None else second[o][j] for o, out in enumerate(self.pattern[1])]
            if any(x is not None for x in v):
                found.append(Neuron(j, inputs, [first[j][c] for c in inputs], v))
        return found


class Data:
    def __init__(self, value):
        fields(value, ["x", "y"])
        self.x = listing(value["x"], lambda row: listing(row, number))
        self.y = listing(value["y"], integer)
        if not self.x or len(self.x) != len(self.y):
            malformed("as many labels as samples, at least one")

    def fit(self, inputs, outputs):
        """Labels normalised for a network of this shape."""
        for x in self.x:
            if len(x) != inputs or not any(x):
                malformed("a sample of another length, or zero")
        if outputs == 1 and 0 in self.y and set(self.y) <= {0, 1}:
            self.y = [2 * y - 1 for y in self.y]
        if not set(self.y) <= (set(range(outputs)) if outputs > 1 else {-1, 1}):
            malformed("a label that is none")

    def canonical(self):
        return {"x": [[str(e) for e in row] for row in self.x], "y": self.y}


def digest(value):
    return hashlib.sha256(json.dumps(value.canonical(), separators=(",", ":")).encode()).hexdigest()


def forward(matrices, x, alpha):
    """Preactivations of all layers; over fractions or polynomials."""
    z, a = [], x
    for rows in matrices:
        z.append([dot(row, a) for row in rows])
        a = [v if v > 0 else alpha * v for v in z[-1]]
    return z


class Problem:
    def __init__(self, net, data):
        data.fit(net.inputs, net.outputs)
        self.net, self.data = net, data
        matrices = net.matrices()
        self.z = [forward(matrices, x, net.alpha) for x in data.x]
        self.constraints = []  # (sample, covector)
        for i, y in enumerate(data.y):
            if net.outputs == 1:
                self.constraints.append((i, [Fraction(y)]))
            else:
                for o in range(net.outputs):
                    if o != y:
                        self.constraints.append((i, [Fraction((p == y) - (p == o)) for p in range(net.outputs)]))
        self.q = [dot(c, self.z[i][-1]) for i, c in self.constraints]
        self.gamma = min(self.q)

    def active(self, delta=0):
        return {k for k, q in enumerate(self.q) if q <= self.gamma * (1 + delta)}

    def nu2(self):
        return self.gamma ** 2 / self.net.norm2() ** self.net.depth

    def slope(self, z):
        return Fraction(1) if z > 0 else self.net.alpha

    def slopes(self, i, special=()):
        """Slopes of all hidden units at sample i; `special` maps (layer, unit) to others."""
        special = dict(special)
        return [[special.get((l, j), self.slope(z)) for j, z in enumerate(zs)]
                for l, zs in enumerate(self.z[i][:-1])]

    def restricted(self, i, neuron):
        return [self.data.x[i][c] for c in neuron.inputs]

    def near(self, i, neuron, delta):
        """|w·x| ≤ δ|w||x|"""
        x = self.restricted(i, neuron)
        return dot(neuron.w, x) ** 2 <= delta ** 2 * norm2(neuron.w) * norm2(x)


# ---------------------------------------------------------------- gradients and kinks (4)

def gradient(net, matrices, x, covector, slopes, added=()):
    """Gradient by layers of the polynomial with these slopes, and the backward weights by layers.

    `added` maps (layer, unit) to a multiple of that hidden preactivation that is added to it.
    Over fractions or polynomials; at θ, and with slopes σ' where z ≠ 0, its values are the network's.
    """
    added = dict(added)
    inputs = [x]
    for rows, s in zip(matrices, slopes):
        inputs.append([f * dot(row, inputs[-1]) for f, row in zip(s, rows)])
    zero = x[0] * 0
    delta, gradients, weights = covector, [], []
    for l in reversed(range(net.depth)):
        g = [zero] * len(net.u[l])
        for r, row in enumerate(net.pattern[l]):
            for c, p in enumerate(row):
                if p is not None:
                    g[p] = g[p] + delta[r] * inputs[l][c]
        gradients.insert(0, g)
        if l:
            w = [sum((delta[r] * matrices[l][r][j] for r in range(len(delta))), zero) for j in range(len(inputs[l]))]
            weights.insert(0, w)
            delta = [f * v + added.get((l - 1, j), zero) for j, (f, v) in enumerate(zip(slopes[l - 1], w))]
    return gradients, weights


def gradient_at(problem, i, covector, special=(), added=()):
    net = problem.net
    return gradient(net, net.matrices(), problem.data.x[i], covector, problem.slopes(i, special), added)


def kinks(net, matrices, x, z, moving, that_matter=False):
    """Kinks (layer, row), both from 0; `matrices`, `x`, `z` over fractions or polynomials."""
    if net.alpha == 1:
        return []
    first = moving[0]
    hidden = range(first, net.depth - 1)
    inputs = x if first == 0 else [v if v > 0 else net.alpha * v for v in z[first - 1]]

    def live(l, r, c):
        fixed_zero = l not in moving and not matrices[l][r][c]
        return net.pattern[l][r][c] is not None and not fixed_zero

    off = {first - 1: [not v for v in inputs]}
    for l in hidden:
        off[l] = []
        for r, v in enumerate(z[l]):
            if v:
                off[l].append(net.alpha == 0 and v < 0)
            elif l == first and not that_matter:
                sums = {}
                for c, p in enumerate(net.pattern[l][r]):
                    if p is not None:
                        sums[p] = sums[p] + inputs[c] if p in sums else inputs[c]
                off[l].append(not any(sums.values()))
            else:
                off[l].append(not any(live(l, r, c) and not o for c, o in enumerate(off[l - 1])))
    found = [(l, r) for l in hidden for r, v in enumerate(z[l]) if not v and not off[l][r]]
    if not that_matter:
        return found
    matters = {net.depth - 1: [True] * net.outputs}
    for l in reversed(hidden):
        matters[l] = [not off[l][j] and any(m and live(l + 1, r, j) for r, m in enumerate(matters[l + 1]))
                      for j in range(len(z[l]))]
    return [(l, r) for l, r in found if matters[l][r]]


def kinks_at(problem, i, moving, that_matter=False):
    net = problem.net
    return kinks(net, net.matrices(), problem.data.x[i], problem.z[i], moving, that_matter)


def stationary(problem, moving, multipliers, gradients):
    for l in moving:
        total = [sum((m * g[l][p] for m, g in zip(multipliers, gradients)), Fraction(0))
                 for p in range(len(problem.net.u[l]))]
        need(total == problem.net.u[l], f"not stationary in layer {l + 1}")


def read_lambda(problem, value, on_active):
    """Positive multipliers by constraint."""
    pairs = listing(value, row_of(index, number))
    need(ascending(k for k, _ in pairs), "λ out of order")
    for k, l in pairs:
        need(k < len(problem.q) and l >= 0, "λ of no constraint, or negative")
        need(not l or not on_active or problem.q[k] == problem.gamma, f"λ of constraint {k}, which is not active")
    found = {k: l for k, l in pairs if l}
    need(found, "all λ are 0")
    return found


class Path:
    """The network along a curve (4)."""

    def __init__(self, problem, moving, moves):
        net = problem.net
        need(len(moves) == net.depth, "a curve has one list per layer")
        limit(sum(max((len(c) for _, c in m), default=0) for m in moves) <= 64, "degree of a curve")
        self.u = [[Poly([w]) for w in u] for u in net.u]
        for l, changes in enumerate(moves):
            need(l in moving or not changes, f"layer {l + 1} is fixed")
            need(ascending(p for p, _ in changes) and all(p < len(net.u[l]) for p, _ in changes), "coordinates of a curve")
            for p, c in changes:
                self.u[l][p] = Poly([net.u[l][p], *c])
        self.net, self.matrices = net, net.matrices(self.u, Poly([]))

    def at(self, x):
        x = [Poly([e]) for e in x]
        return x, forward(self.matrices, x, self.net.alpha)


read_moves = lambda v: listing(v, lambda m: listing(m, row_of(index, lambda c: listing(c, number))))


# ---------------------------------------------------------------- rules (5), except covers

Claim = namedtuple("Claim", "kind scope layer moving region near bound lo hi delta epsilon")


def rule_stationarity(problem, claim, proof):
    net, moving = problem.net, claim.moving
    need(claim.kind == "kkt", "wrong claim")
    lam = listing(proof["lambda"], row_of(index, number))
    mu = listing(proof.get("mu", []), row_of(index, index, number))
    germs = listing(proof.get("germs", []), lambda g: fields(g, ["constraint", "weight", "moves"]))
    germs = [(index(g["constraint"]), number(g["weight"]), read_moves(g["moves"])) for g in germs]
    need(ascending(k for k, _ in lam), "λ out of order")
    need(all(k < len(problem.q) and problem.q[k] == problem.gamma and l >= 0 for k, l in lam), "λ < 0 or not active")
    lam = dict(lam)
    last = net.depth - 2
    independent = (net.depth == 2 and not net.shares and len(moving) == 2) or \
        (last >= 0 and list(moving) == [last] and net.uses[last] <= 1)
    need(independent or not mu, "slopes are not independent here")
    need(ascending((k, j) for k, j, _ in mu), "μ out of order")
    need(all(a[0] <= b[0] for a, b in zip(germs, germs[1:])), "germs out of order")
    need(all(lam.get(k, 0) > 0 and w >= 0 for k, w, _ in germs), "a germ without λ, or of negative weight")
    by_germs = {k for k, _, _ in germs}
    for k in by_germs:
        need(sum(w for g, w, _ in germs if g == k) == 1, "weights do not sum to 1")
    special = {}
    for k, j, m in mu:
        need(lam.get(k, 0) > 0 and k not in by_germs, "μ without λ, or with germs")
        need((last, j) in kinks_at(problem, problem.constraints[k][0], moving), "μ not at a kink")
        need(net.alpha * lam[k] <= m <= lam[k], "μ outside [αλ, λ]")
        special.setdefault(k, {})[(last, j)] = m / lam[k]
    multipliers, gradients = [], []
    for k, l in lam.items():
        if not l:
            continue
        i, c = problem.constraints[k]
        for g, w, moves in germs:
            if g == k:
                path = Path(problem, moving, moves)
                x, z = path.at(problem.data.x[i])
                need(not kinks(net, path.matrices, x, z, moving), "a germ stays on a kink")
                slopes = [((h, j), problem.slope(v)) for h, zs in enumerate(z[:-1]) for j, v in enumerate(zs)]
                multipliers.append(l * w)
                gradients.append(gradient_at(problem, i, c, slopes)[0])
        if k not in by_germs:
            need(independent or not kinks_at(problem, i, moving), "a kink without germs")
            multipliers.append(l)
            gradients.append(gradient_at(problem, i, c, special.get(k, {}))[0])
    stationary(problem, moving, multipliers, gradients)


def rule_descent(problem, claim, proof):
    net = problem.net
    need(claim.kind == "not_kkt", "wrong claim")
    given = listing(proof["direction"], lambda r: listing(r, number))
    need(len(given) == net.depth, "a direction has one list per layer")
    for l, values in enumerate(given):
        need(not values or (l in claim.moving and len(values) == len(net.u[l])), f"the direction does not fit layer {l + 1}")
    d = [values or [Fraction(0)] * len(u) for values, u in zip(given, net.u)]
    need(sum(dot(u, v) for u, v in zip(net.u, d)) < 0, "⟨θ,d⟩ is not negative")
    weights, moves, patterns = net.matrices(), net.matrices(d), [0]

    def least(i, c, l, before):
        """The least derivative over slopes, with ȧ of layer l − 1 given."""
        z = problem.z[i]
        a = problem.data.x[i] if l == 0 else [problem.slope(v) * v for v in z[l - 1]]
        dz = [dot(m, a) + dot(w, before) for m, w in zip(moves[l], weights[l])]
        if l == net.depth - 1:
            return dot(c, dz)
        choices = [{net.alpha, Fraction(1)} if v == 0 and e else {problem.slope(v)} for v, e in zip(z[l], dz)]
        if l == net.depth - 2:
            out = [dot(c, [row[j] for row in weights[l + 1]]) for j in range(len(dz))]
            best = [min(s, key=lambda s, j=j: out[j] * s * dz[j]) for j, s in enumerate(choices)]
            return least(i, c, l + 1, [s * e for s, e in zip(best, dz)])
        patterns[0] += math.prod(len(s) for s in choices) - 1
        limit(patterns[0] <= 1 << 16, "slope patterns")
        return min(least(i, c, l + 1, [s * e for s, e in zip(chosen, dz)]) for chosen in itertools.product(*choices))

    for k in sorted(problem.active()):
        i, c = problem.constraints[k]
        need(least(i, c, 0, [Fraction(0)] * net.inputs) >= 0, f"constraint {k} falls along the direction")


def rule_curve(problem, claim, proof):
    need(claim.kind == "not_local_optimum", "wrong claim")
    path = Path(problem, claim.moving, read_moves(proof["moves"]))
    change = Poly([])
    for u, after in zip(problem.net.u, path.u):
        for before, now in zip(u, after):
            change = change + now * now + Poly([-before * before])
    need(change < 0, "the norm does not fall along the curve")
    outputs = [path.at(x)[1][-1] for x in problem.data.x]
    for k, (i, c) in enumerate(problem.constraints):
        q = sum((f * e for f, e in zip(c, outputs[i])), Poly([]))
        need(not q + Poly([-problem.gamma]) < 0, f"constraint {k} falls below the margin along the curve")


def rule_convex_cell(problem, claim, proof):
    net = problem.net
    need(claim.kind in ("local_optimum", "global_optimum"), "wrong claim")
    lam = read_lambda(problem, proof["lambda"], True)
    given = listing(proof.get("slopes", []), row_of(index, index, number))
    samples = sorted({problem.constraints[k][0] for k in lam})
    whole = claim.scope == "all" and net.depth > 1
    moving = claim.moving
    if whole:
        need(net.depth == 2 and not net.shares, "needs depth 2 without sharing")
        need(claim.kind == "local_optimum", "proves no global optimum of all layers")
    else:
        need(not given, "slopes in scope of one layer")
        need(claim.kind == "local_optimum" or moving[0] == net.depth - 1 or net.alpha == 1, "proves no global optimum here")
    found = [(i, j) for i in samples for _, j in kinks_at(problem, i, moving, True)]
    need([(i, j) for i, j, _ in given] == found, "not exactly the kinks")
    slopes = {(i, j): p for i, j, p in given}
    neurons = net.neurons() if whole else []
    for neuron in neurons:
        v = [x or Fraction(0) for x in neuron.v]
        for i, j in found:
            if j == neuron.j:
                weight = sum(l * dot(problem.constraints[k][1], v) for k, l in lam.items() if problem.constraints[k][0] == i)
                need(net.alpha <= slopes[i, j] <= 1 and weight < 0, "a slope out of range, or a kink that is not concave")
    special = lambda i: {(0, j): p for (n, j), p in slopes.items() if n == i}
    gradients = [gradient_at(problem, *problem.constraints[k], special(problem.constraints[k][0]))[0] for k in lam]
    stationary(problem, moving, lam.values(), gradients)
    for neuron in neurons:
        outputs = [o for o, v in enumerate(neuron.v) if v is not None]
        m = [[Fraction(0)] * len(neuron.inputs) for _ in outputs]
        for k, l in lam.items():
            i, c = problem.constraints[k]
            s = slopes.get((i, neuron.j), problem.slope(problem.z[i][0][neuron.j]))
            for row, o in zip(m, outputs):
                row[:] = [e + l * s * c[o] * x for e, x in zip(row, problem.restricted(i, neuron))]
        need(norm_at_most(m, 1), f"the norm of M at neuron {neuron.j} exceeds 1")


def rule_second_order(problem, claim, proof):
    net, moving = problem.net, claim.moving
    need(claim.kind == "local_optimum", "wrong claim")
    lam = read_lambda(problem, proof["lambda"], True)
    penalty = number(proof["penalty"])
    need(penalty >= 0, "a negative penalty")
    given = listing(proof.get("slopes", []), row_of(index, index, index, number))
    need(ascending(s[:3] for s in given), "slopes out of order")
    found = [(k, l + 1, j) for k in lam for l, j in kinks_at(problem, problem.constraints[k][0], moving, True)]
    need([s[:3] for s in given] == found, "not exactly the kinks")
    need(all(net.alpha <= p <= 1 for *_, p in given), "a slope outside [α, 1]")
    special = {k: {(l - 1, j): p for n, l, j, p in given if n == k} for k in lam}
    coordinates = [(l, p) for l in moving for p in range(len(net.u[l]))]
    limit(len(coordinates) <= 64, "a matrix of more than 64 rows")
    a = [[Fraction(x == y) for x in coordinates] for y in coordinates]
    gradients = []
    for k, mult in lam.items():
        i, c = problem.constraints[k]
        g, weights = gradient_at(problem, i, c, special[k])
        need(all(weights[l][j] < 0 for l, j in special[k]), "a backward weight at a kink is not negative")
        gradients.append(g)
        slopes = problem.slopes(i, special[k])
        for x, (l, p) in enumerate(coordinates):
            # Column of the Hessian: the ε-coefficient of the gradient at θ + ε e.
            u = [[Poly([w]) for w in layer] for layer in net.u]
            u[l][p] = Poly([net.u[l][p], Fraction(1)])
            x0, c0 = [Poly([e]) for e in problem.data.x[i]], [Poly([e]) for e in c]
            h, _ = gradient(net, net.matrices(u, Poly([])), x0, c0, slopes)
            for y, (m, r) in enumerate(coordinates):
                second = h[m][r].c[1] if len(h[m][r].c) > 1 else 0
                a[y][x] += penalty * g[l][p] * g[m][r] - mult * second
    stationary(problem, moving, lam.values(), gradients)
    need(definite(a, strictly=True), "the Hessian is not positive definite")


def rule_linear(problem, claim, proof):
    net, m = problem.net, problem.net.depth
    need(claim.kind in ("margin_at_most", "global_optimum", "local_optimum") and claim.scope == "all", "wrong claim or scope")
    square = problem.nu2() if claim.bound is None else claim.bound ** 2
    need(claim.bound is None or claim.bound >= 0, "a negative bound")
    need(m == 1 or (net.alpha == 1 and not net.shares), "needs a linear network without sharing")
    lam = read_lambda(problem, proof["lambda"], False)
    r2 = square * sum(lam.values()) ** 2 * m ** m
    any_width = claim.region == "any_width"

    def matrix(outputs, inputs):
        rows = [[Fraction(0)] * len(inputs) for _ in outputs]
        for k, l in lam.items():
            i, c = problem.constraints[k]
            for row, o in zip(rows, outputs):
                row[:] = [e + l * c[o] * problem.data.x[i][n] for e, n in zip(row, inputs)]
        return rows

    if m == 1 and any_width:
        need(sum(norm2(r) for r in matrix(range(net.outputs), range(net.inputs))) <= r2, "the Frobenius norm is too large")
    elif m == 1:
        parts = [gradient_at(problem, *problem.constraints[k])[0][0] for k in lam]
        h = [sum(l * g[p] for l, g in zip(lam.values(), parts)) for p in range(len(net.u[0]))]
        need(norm2(h) <= r2, "the Frobenius norm is too large")
    elif m == 2:
        for neuron in net.neurons():
            outputs = [o for o, v in enumerate(neuron.v) if any_width or v is not None]
            need(norm_at_most(matrix(outputs, neuron.inputs), r2), f"the operator norm at neuron {neuron.j} is too large")
    else:
        need(norm_at_most(matrix(range(net.outputs), range(net.inputs)), r2), "the operator norm is too large")


def rule_layer_cell(problem, claim, proof):
    net = problem.net
    need(claim.kind == "margin_at_most" and claim.layer, "wrong claim or scope")
    need(claim.bound >= 0, "a negative bound")
    layer = claim.layer - 1
    lam = read_lambda(problem, proof["lambda"], False)
    mu = listing(proof["mu"], row_of(index, index, index, number))
    everywhere = claim.region == "everywhere" and not mu and (layer == net.depth - 1 or net.alpha == 1)
    need(claim.region == "cell" or everywhere, "not of this region")
    need(ascending(m[:3] for m in mu), "μ out of order")
    h = [Fraction(0)] * len(net.u[layer])
    terms = [(*problem.constraints[k], {}, l) for k, l in lam.items()]
    for i, l, j, m in mu:
        need(i < len(problem.data.x) and layer + 1 <= l < net.depth and j < len(net.pattern[l - 1]), "μ of no unit that keeps its sign")
        need(m >= 0, "a negative μ")
        tau = Fraction(1) if problem.z[i][l - 1][j] > 0 else Fraction(-1)
        terms.append((i, [Fraction(0)] * net.outputs, {(l - 1, j): tau}, m))
    for i, c, added, factor in terms:
        g = gradient_at(problem, i, c, (), added)[0][layer]
        h = [e + factor * v for e, v in zip(h, g)]
    need(norm2(h) <= claim.bound ** 2 * sum(lam.values()) ** 2, "the multipliers do not give the bound")


def rule_norm_bound(problem, claim, proof):
    net, x = problem.net, problem.data.x
    need(claim.kind == "margin_at_most" and claim.scope == "all", "wrong claim or scope")
    need(claim.bound >= 0 and not (claim.region == "any_width" and net.shares), "a negative bound, or sharing")
    samples = listing(proof["samples"], index)
    need(len(samples) in (1, 2) and all(i < len(x) for i in samples), "one sample or two")
    if len(samples) == 2:
        i, j = samples
        need(problem.data.y[i] != problem.data.y[j], "two samples with the same label")
        length = norm2([a - b for a, b in zip(x[i], x[j])]) / 4
    else:
        length = norm2(x[samples[0]])
    follows = length * (1 if net.outputs == 1 else 2) * math.prod(net.uses) / net.depth ** net.depth
    need(claim.bound ** 2 >= follows, "the bound is below the norm bound")


def rule_kkt_residual(problem, claim, proof):
    net = problem.net
    need(claim.kind == "kkt_residual" and claim.scope == "all", "wrong claim or scope")
    lo, hi, delta, epsilon = claim.lo, claim.hi, claim.delta, claim.epsilon
    need(min(lo, hi, delta, epsilon) >= 0, "a negative number in the claim")
    need(net.depth == 2 and not net.shares, "needs depth 2 without sharing")
    neurons, active = net.neurons(), problem.active(delta)
    lam = listing(proof["lambda"], row_of(index, number))
    mu = listing(proof["mu"], row_of(index, index, number))
    direction = optional(proof, "direction", lambda v: listing(v, lambda r: listing(r, number)))
    need(ascending(k for k, _ in lam) and all(k in active and l >= 0 for k, l in lam), "λ out of order, not active or negative")
    lam = dict(lam)
    need(ascending((k, j) for k, j, _ in mu), "μ out of order")
    by_index = {n.j: n for n in neurons}
    for k, j, m in mu:
        need(k in lam and j in by_index and problem.near(problem.constraints[k][0], by_index[j], epsilon), "μ not at a near-kink")
        need(net.alpha * lam[k] <= m <= lam[k], "μ outside [αλ, λ]")
    mu = {(k, j): m for k, j, m in mu}
    output = lambda c, n: sum(f * v for f, v in zip(c, n.v) if v is not None)

    def value(i, n):
        z = problem.z[i][0][n.j]
        return problem.slope(z) * z

    residual = net.norm2()
    for n in neurons:
        w, v = list(n.w), list(n.v)
        for k, l in lam.items():
            i, c = problem.constraints[k]
            m = output(c, n) * mu.get((k, n.j), l * problem.slope(problem.z[i][0][n.j]))
            if m:
                w = [e - m * x for e, x in zip(w, problem.restricted(i, n))]
            v = [e if e is None else e - l * f * value(i, n) for e, f in zip(v, c)]
        before = norm2(n.w) + sum(e * e for e in n.v if e is not None)
        residual += norm2(w) + sum(e * e for e in v if e is not None) - before
    need(residual <= hi ** 2 * net.norm2(), "the residual of the multipliers is above hi")
    if lo == 0:
        return
    need(direction is not None, "a positive lower bound needs a direction")
    need([len(d) for d in direction] == [len(u) for u in net.u], "the direction does not fit")
    first, second = net.matrices(direction)
    for k in sorted(active):
        i, c = problem.constraints[k]
        total = Fraction(0)
        for n in neurons:
            t = output(c, n) * dot([first[n.j][e] for e in n.inputs], problem.restricted(i, n))
            free = problem.near(i, n, epsilon)
            total += max(t, net.alpha * t) if free else problem.slope(problem.z[i][0][n.j]) * t
            total += dot(c, [row[n.j] for row in second]) * value(i, n)
        need(total <= 0, f"the direction has a positive product with a gradient of constraint {k}")
    product = sum(dot(u, d) for u, d in zip(net.u, direction))
    need(product > 0, "⟨θ,d⟩ is not positive")
    need(product ** 2 >= lo ** 2 * net.norm2() * sum(norm2(d) for d in direction), "the direction does not give lo")


def rule_point(problem, claim, proof):
    net = problem.net
    need(claim.kind == "not_global_optimum" or (claim.kind == "margin_at_least" and claim.scope == "all"), "wrong claim or scope")
    parameters = optional(proof, "parameters", lambda v: listing(v, lambda r: listing(r, number)))
    other = proof.get("network")
    need(parameters is None or "network" not in proof, "parameters or a network, not both")
    need(claim.bound is None or claim.bound >= 0, "a negative bound")
    there = net
    if parameters is not None:
        need([len(u) for u in parameters] == [len(u) for u in net.u], "the parameters do not fit")
        there = net.moved(parameters)
    elif "network" in proof:
        try:
            there = Network(other)
            need(claim.region == "any_width", "a network of another architecture")
            need(there.inputs == net.inputs and there.outputs == net.outputs, "other inputs or outputs")
        except Fault as fault:
            raise Fault(4 if fault.code == 4 else 1 if isinstance(other, dict) else 2, str(fault)) from None
    point = problem if there is net else Problem(there, problem.data)
    need(point.gamma > 0, "the point does not classify the data")
    if claim.kind == "not_global_optimum":
        for l in range(net.depth):
            need(l in claim.moving or there.u[l] == net.u[l], f"layer {l + 1} is fixed")
        n = len(claim.moving)
        need(point.gamma ** 2 * net.norm2(claim.moving) ** n > problem.gamma ** 2 * there.norm2(claim.moving) ** n, "the point is not better")
        return
    need(claim.bound ** 2 * there.norm2() ** net.depth <= point.gamma ** 2, "the point's margin is below the bound")
    if claim.region in ("cell", "near"):
        two_layers(net)
        for n, after in zip(net.neurons(), there.neurons()):
            need(n.v[0] * after.v[0] >= 0, "an output weight changes its sign")
            for i in range(len(problem.data.x)):
                z, now = problem.z[i][0][n.j], point.z[i][0][n.j]
                stays = now >= 0 if z > 0 else now <= 0
                # At a kink both signs are free in `near`; that is covered by |z| ≤ δ|w||x|.
                need(stays or (claim.region == "near" and problem.near(i, n, claim.near)), "a sign leaves the region")
    if claim.region == "any_width":
        need(not there.shares and there.alpha == net.alpha and there.depth == net.depth, "not a competitor")
        if net.depth == 2:
            allowed = [set(n.inputs) for n in net.neurons()]
            for row in there.pattern[0]:
                reads = {c for c, p in enumerate(row) if p is not None}
                need(any(reads <= a for a in allowed), "a neuron reads inputs that none here may")


def two_layers(net):
    need(net.depth == 2 and net.outputs == 1 and not net.shares, "needs depth 2, one output, no sharing")


# ---------------------------------------------------------------- covers (5)

class Covers:
    """Multipliers and covers for competitors in a region, with T the same or one per cover."""

    def __init__(self, problem, region, near, multipliers, bound=None, bounds=None, outputs=(), signs=()):
        two_layers(problem.net)
        self.problem, self.region, self.near = problem, region, near
        self.outputs, self.decided = dict(outputs), dict(signs)
        self.bounds = bounds
        units = fields(multipliers["units"], ["a", "z", "tau"], ["x"])
        self.a, self.z, self.tau = (number(units[u]) for u in ("a", "z", "tau"))
        self.x = optional(units, "x", number)
        lam = listing(multipliers["lambda"], row_of(index, integer))
        need(lam and ascending(i for i, _ in lam) and lam[-1][0] < len(problem.data.x), "λ empty, out of order or of no sample")
        need(all(n >= 1 for _, n in lam), "λ is not positive")
        need(self.a > 0, "a unit is not positive")
        self.lam = dict(lam)
        self.sum = self.a * sum(self.lam.values())
        self.t = None if bound is None else 2 * bound * self.sum
        self.cones = []

    def read(self, covers, ordered=True):
        for cover in listing(covers, lambda v: v):
            fields(cover, ["cone", "nodes"], ordered=ordered)
            cone = fields(cover["cone"], ["sign", "fixed"], ["inputs"])
            fixed = listing(cone["fixed"], row_of(index, integer))
            inputs = optional(cone, "inputs", lambda v: listing(v, index))
            width = self.problem.net.inputs
            inputs = list(range(width)) if inputs is None else inputs
            sign = integer(cone["sign"])
            need(abs(sign) == 1 and all(abs(tau) == 1 for _, tau in fixed), "signs are 1 or -1")
            need(ascending(i for i, _ in fixed) and all(i < len(self.problem.data.x) for i, _ in fixed), "fixed samples")
            need(ascending(inputs) and all(c < width for c in inputs), "inputs of a cone")
            t = self.t
            if self.bounds is not None:
                t = self.bounds[len(self.cones)] if len(self.cones) < len(self.bounds) else Fraction(0)
            self.cones.append((sign, inputs, dict(fixed)))
            Cover(self, sign, inputs, dict(fixed), t).nodes(cover["nodes"])

    def served(self):
        """Pairs of a neuron and the covers that serve it; each must have one."""
        found = []
        for n in self.problem.net.neurons():
            v = n.v[0]
            sign = (v > 0) - (v < 0)
            signs = [sign] if sign and self.region in ("cell", "near") else [1, -1]
            if self.bounds is not None:
                signs = [sign] if sign else []
            if n.j in self.outputs:
                signs = [self.outputs[n.j]]
            for s in signs:
                serving = [c for c, (sign, inputs, fixed) in enumerate(self.cones)
                           if sign == s and set(n.inputs) <= set(inputs)
                           and all(self.sign(n, i) == tau for i, tau in fixed.items())]
                need(serving, f"neuron {n.j} with output sign {s} is not served by any cover")
                found.append((n, serving))
        return found

    def sign(self, n, i):
        """The weak sign of w'·x_i that all competitors share, or None."""
        if (n.j, i) in self.decided:
            return self.decided[n.j, i]
        z = self.problem.z[i][0][n.j]
        if self.region == "cell":
            return 1 if z > 0 else -1
        if self.region == "near" and not self.problem.near(i, n, self.near):
            return 1 if z > 0 else -1
        return None


def root_up(value):
    """At least √value; (5, rounded samples)."""
    if value == 0:
        return Fraction(0)
    n, d = value.numerator, value.denominator
    h = (max(0, 82 - (n * d).bit_length()) + 1) // 2
    return Fraction(ceil_root(n * d * 4 ** h), d * 2 ** h)


def ceil_root(n):
    return math.isqrt(n - 1) + 1 if n > 0 else 0


class Cover:
    """One tree. Ranges are integers times unit z; vectors X integers times unit x; constants, T and H
    multiples of unit a · unit z."""

    def __init__(self, proof, sign, inputs, fixed, t):
        problem, self.alpha = proof.problem, proof.problem.net.alpha
        if self.alpha.denominator == 1:
            self.alpha = int(self.alpha)
        self.a, self.z, self.tau = proof.a, proof.z, proof.tau
        need(min(self.a, self.z, self.tau) > 0 and (proof.x is None or proof.x > 0), "a unit is not positive")
        items = sorted(set(proof.lam) | set(fixed))
        limit(len(items) <= 4096, "more than 4096 items")
        samples = [[problem.data.x[i][c] for c in inputs] for i in items]
        self.x = proof.x or Fraction(1, math.lcm(*(e.denominator for x in samples for e in x)))
        self.X = [[math.floor(e / self.x + Fraction(1, 2)) for e in x] for x in samples]
        self.b = [proof.lam.get(i, 0) * (1 if problem.data.y[i] == sign else -1) for i in items]
        ranges = []
        for i, x, X, b in zip(items, samples, self.X, self.b):
            eta = root_up(sum(((e - self.x * n) ** 2 for e, n in zip(x, X)), Fraction(0)))
            t -= abs(b) * self.a * eta
            square = sum(n * n for n in X) * (self.x / self.z) ** 2
            length = -(-ceil_root(square.numerator * square.denominator) // square.denominator)
            limit(length < 1 << 63, "an item is too long for unit z")
            cut = min(math.ceil(eta / self.z), length)
            ranges.append({1: (-cut, length), -1: (-length, cut)}.get(fixed.get(i), (-length, length)))
        q = problem.net.alpha.denominator
        self.t = Fraction(math.floor(t * q / (self.a * self.z)), q)
        self.open = [ranges]

    def nodes(self, nodes):
        for node in listing(nodes, lambda v: v):
            kinds = [k for k in ("split", "close", "empty", "tighten", "quadratic") if isinstance(node, dict) and k in node]
            if len(kinds) != 1:
                malformed("a node has one kind")
            shape = {"split": ([], []), "empty": ([], []), "close": ([], ["times"]),
                     "tighten": (["upper", "lower"], ["times"]), "quadratic": (["roots", "kappa"], ["times"])}
            fields(node, kinds + shape[kinds[0]][0], shape[kinds[0]][1])
            values = {key: read(node[key]) for key, read in (
                ("split", index), ("empty", index), ("times", integer), ("kappa", integer),
                *((k, lambda v: listing(v, integer)) for k in ("close", "tighten", "quadratic")),
                *((k, lambda v: listing(v, row_of(index, integer, integer))) for k in ("upper", "lower")),
                ("roots", lambda v: listing(v, row_of(index, integer)))) if key in node}
            need(self.open, "a node after the end of the tree")
            getattr(self, kinds[0])(values, self.open.pop())
        need(not self.open, "the tree ends with open subtrees")

    def item(self, i):
        need(i < len(self.X), f"there is no item {i}")
        return i

    def split(self, node, ranges):
        i = self.item(node["split"])
        l, h = ranges[i]
        self.open.append(ranges[:i] + [(l, min(h, 0))] + ranges[i + 1:])
        self.open.append(ranges[:i] + [(max(l, 0), h)] + ranges[i + 1:])

    def empty(self, node, ranges):
        l, h = ranges[self.item(node["empty"])]
        need(l > h, "the range is not empty")

    def relax(self, a, times, ranges, roots=None):
        """V with vec = unit a · unit x · V, and H."""
        need(len(a) == len(self.X), "one coefficient per item")
        a = [e * times for e in a]
        need(times >= 1 and all(-(1 << 63) <= e < 1 << 63 for e in a), "coefficients out of range")
        k = 0
        for i, (e, b, (l, h)) in enumerate(zip(a, self.b, ranges)):
            d2 = (roots or {}).get(i, 0) ** 2
            value = lambda z: b * (z if z > 0 else self.alpha * z) - e * z - d2 * z * z
            points = [l, h] + ([0] if l < 0 < h else [])
            for c, low, high in ((b - e, max(l, 0), h), (self.alpha * b - e, l, min(h, 0))):
                if d2 and low < Fraction(c) / (2 * d2) < high:
                    points.append(Fraction(c) / (2 * d2))
            k += max(map(value, points))
        return [sum(e * x for e, x in zip(a, column)) for column in zip(*self.X)], self.t - k

    def close(self, node, ranges):
        v, h = self.relax(node["close"], node.get("times", 1), ranges)
        need(h >= 0 and self.x ** 2 * sum(e * e for e in v) <= (self.z * h) ** 2, "the leaf does not close")

    def tighten(self, node, ranges):
        v, h = self.relax(node["tighten"], node.get("times", 1), ranges)
        ranges = list(ranges)
        for side, key in ((1, "upper"), (-1, "lower")):
            for i, tau, end in node[key]:
                X = self.X[self.item(i)]
                need(tau >= 0, "a negative multiplier of a range")
                s = tau * self.tau * self.a
                square = sum((s.denominator * e + side * s.numerator * f) ** 2 for e, f in zip(X, v))
                bound = side * end + s * h
                need(bound >= 0 and square * self.x ** 2 <= (s.denominator * self.z * bound) ** 2, "a range does not follow")
                low, high = ranges[i]
                ranges[i] = (low, min(high, end)) if side > 0 else (max(low, end), high)
        self.open.append(ranges)

    def quadratic(self, node, ranges):
        need(ascending(i for i, _ in node["roots"]) and all(d >= 1 for _, d in node["roots"]), "parabolas")
        roots = {self.item(i): d for i, d in node["roots"]}
        v, h = self.relax(node["quadratic"], node.get("times", 1), ranges, roots)
        unit = self.a * self.z
        kappa = unit * math.floor(node["kappa"] * self.t / 2 ** 20)
        need(kappa > 0, "κ is not positive")
        vec = [self.a * self.x * e for e in v]
        x = {i: [self.x * e for e in self.X[i]] for i in roots}
        matrix = [[kappa * (h * unit - kappa) - norm2(vec) / 4] + [-d * dot(vec, x[i]) / 2 for i, d in roots.items()]]
        for row, (i, d) in enumerate(roots.items(), 1):
            entry = lambda j, e: kappa * self.z / self.a * (i == j) - d * e * dot(x[i], x[j])
            matrix.append([matrix[0][row]] + [entry(j, e) for j, e in roots.items()])
        need(definite(matrix), "the quadratic leaf does not close")


def nu(problem):
    """ν at depth 2."""
    return problem.gamma / problem.net.norm2()


def one_bound(problem, claim, proof, region, near, bound, ordered=True, **more):
    covers = Covers(problem, region, near, fields(proof["multipliers"], ["units", "lambda"]), bound, **more)
    covers.read(proof["covers"], ordered)
    covers.served()


def rule_dual_bound(problem, claim, proof):
    need(claim.kind == "margin_at_most" and claim.scope == "all" and claim.bound >= 0, "wrong claim, scope or bound")
    one_bound(problem, claim, proof, claim.region, claim.near, claim.bound)


def rule_local_cover(problem, claim, proof):
    need(claim.kind in ("local_optimum", "global_optimum") and claim.scope == "all", "wrong claim or scope")
    two_layers(problem.net)
    region = "near" if claim.kind == "local_optimum" else "everywhere"
    one_bound(problem, claim, proof, region, 0, nu(problem))


def one_layer(problem, layer):
    """A hidden layer alone as layer 1 of a two-layer problem (5, layer_cover)."""
    net, at = problem.net, layer - 1
    need(net.outputs == 1 and net.uses[at] <= 1, "needs one output and a layer that does not share")
    between = range(layer, net.depth - 1)
    need(not between or net.alpha == 0, "a slope on negative inputs between the layer and the last")
    need(all(w >= 0 for l in between for w in net.u[l]), "a negative weight between the layer and the last")
    matrices = net.matrices()
    product = matrices[-1][0]
    for rows in reversed(matrices[layer:-1]):
        product = [dot(product, column) for column in zip(*rows)]
    two = object.__new__(Network)
    two.__dict__.update(net.__dict__)
    two.pattern, two.u = [net.pattern[at], [list(range(len(product)))]], [net.u[at], product]
    two.depth, two.uses, two.shares = 2, [net.uses[at], 1], False
    two.inputs = len(net.pattern[at][0])
    two.limits()
    data = object.__new__(Data)
    act = lambda z: [v if v > 0 else net.alpha * v for v in z]
    data.x = [act(problem.z[i][at - 1]) if at else x for i, x in enumerate(problem.data.x)]
    data.y = problem.data.y
    return Problem(two, data)


def rule_layer_cover(problem, claim, proof):
    need(1 <= claim.layer < problem.net.depth, "scope of one hidden layer only")
    need(claim.region != "near" or problem.net.depth == 2, "near in the scope of one layer needs depth 2")
    regions = {"local_optimum": ("near", 0), "global_optimum": ("everywhere", 0), "margin_at_most": (claim.region, claim.near)}
    need(claim.kind in regions and claim.region != "any_width", "wrong claim or region")
    need(claim.bound is None or claim.bound >= 0, "a negative bound")
    square = problem.gamma ** 2 / problem.net.norm2(claim.moving) if claim.bound is None else claim.bound ** 2
    given = fields(proof["multipliers"], ["units", "lambda", "bounds"])
    bounds = listing(given["bounds"], number)
    need(all(t >= 0 for t in bounds), "a negative T")
    covers = Covers(one_layer(problem, claim.layer), *regions[claim.kind], given, bounds=bounds)
    covers.read(proof["covers"])
    need(len(covers.cones) == len(bounds), "covers and bounds differ in number")
    total = sum((n.v[0] * min(bounds[c] for c in serving)) ** 2 for n, serving in covers.served())
    need(total <= square * covers.sum ** 2, "the covers do not give the bound")


def rule_width_tree(problem, claim, proof):
    need(claim.kind in ("margin_at_most", "global_optimum", "local_optimum") and claim.scope == "all", "wrong claim or scope")
    need(claim.kind != "margin_at_most" or (claim.region == "everywhere" and claim.bound >= 0), "wrong region or bound")
    two_layers(problem.net)
    bound = nu(problem) if claim.bound is None else claim.bound
    region = "near" if claim.kind == "local_optimum" else "everywhere"
    neurons = {n.j: n for n in problem.net.neurons()}
    open_ = [({}, {})]  # output signs, preactivation signs
    for node in listing(proof["nodes"], lambda v: v):
        if not isinstance(node, dict) or len(node) != 1:
            malformed("a node has one key")
        (kind, value), = node.items()
        reads = {"output": index, "split": row_of(index, index), "symmetric": row_of(index, index),
                 "leaf": lambda v: fields(v, ["multipliers", "covers"])}
        if kind not in reads:
            malformed(f"unknown node {kind!r}")
        value = reads[kind](value)
        need(open_, "a node after the end of the tree")
        outputs, signs = open_.pop()
        if kind == "output":
            need(value in neurons and value not in outputs, "no such neuron, or decided")
            open_ += [({**outputs, value: -1}, signs), ({**outputs, value: 1}, signs)]
        elif kind == "split":
            need(value[0] in neurons and value[1] < len(problem.data.x) and value not in signs, "no such sign, or decided")
            open_ += [(outputs, {**signs, value: -1}), (outputs, {**signs, value: 1})]
        elif kind == "symmetric":
            k, j = value
            need(k in neurons and j in neurons and k < j and neurons[k].inputs == neurons[j].inputs, "not exchangeable")
            need(region == "everywhere" and outputs.get(k) == -1 and outputs.get(j) == 1, "not symmetric")
        else:
            one_bound(problem, claim, value, region, 0, bound, False, outputs=outputs, signs=signs)
    need(not open_, "the tree ends with open subtrees")


RULES = {  # name: check, required keys in order if ordered, optional keys
    "stationarity": (rule_stationarity, ["lambda"], ["mu", "germs"]),
    "descent": (rule_descent, ["direction"], []),
    "curve": (rule_curve, ["moves"], []),
    "convex_cell": (rule_convex_cell, ["lambda"], ["slopes"]),
    "second_order": (rule_second_order, ["lambda", "penalty"], ["slopes"]),
    "linear": (rule_linear, ["lambda"], []),
    "layer_cell": (rule_layer_cell, ["lambda", "mu"], []),
    "norm_bound": (rule_norm_bound, ["samples"], []),
    "kkt_residual": (rule_kkt_residual, ["lambda", "mu"], ["direction"]),
    "point": (rule_point, [], ["parameters", "network"]),
    "dual_bound": (rule_dual_bound, ["multipliers", "covers"], []),
    "local_cover": (rule_local_cover, ["multipliers", "covers"], []),
    "layer_cover": (rule_layer_cover, ["multipliers", "covers"], []),
    "width_tree": (rule_width_tree, ["nodes"], []),
}
KINDS = {"kkt_residual": ["lo", "hi", "delta", "epsilon"], "margin_at_most": ["region", "bound"], "margin_at_least": ["region", "bound"],
         **{k: [] for k in ("kkt", "not_kkt", "local_optimum", "not_local_optimum", "global_optimum", "not_global_optimum")}}


def read_claim(value, depth):
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str) or value["kind"] not in KINDS:
        malformed("unknown kind of claim")
    kind = value["kind"]
    fields(value, ["kind", "scope"] + KINDS[kind])
    scope, region, near = string(value["scope"]), None, None
    limit(len(scope) <= 4096, "a scope of more than 4096 characters")
    layer = re.fullmatch(r"layer:([0-9]+)", scope)
    layer = int(layer[1]) if layer else 0
    if scope != "all" and not 1 <= layer < 1 << 64:
        malformed("unknown scope")
    if "region" in value:
        region = string(value["region"])
        if region.startswith("near:"):
            region, near = "near", number(region[5:])
        if region not in ("cell", "near", "everywhere", "any_width") or (region == "near" and (near is None or near < 0)):
            malformed("unknown region")
    numbers = {key: number(value[key]) for key in KINDS[kind] if key != "region"}
    moving = range(layer - 1, layer) if layer else range(depth)
    get = numbers.get
    return Claim(kind, f"layer:{layer}" if layer else "all", layer, moving, region, near,
                 get("bound"), get("lo"), get("hi"), get("delta"), get("epsilon"))


def check(raw, given=None):
    """The claims that this file proves; raises a Fault if not all are proved."""
    document = parse(raw)
    if not isinstance(document, dict):
        malformed("not an object")
    if document.get("format") != "maxmargin-certificate" or document.get("version") != 1 or document["version"] is True:
        malformed("not this format, or not version 1")
    fields(document, ["format", "version", "problem", "claims", "end"], ordered=True)
    entry = fields(document["problem"], ["network_digest", "data_digest"], ["network", "data"])
    stated = string(entry["network_digest"]), string(entry["data_digest"])
    problem = None
    if ("network" in entry) != ("data" in entry):
        malformed("network and data are embedded together or not at all")
    if "network" in entry:
        problem = Problem(Network(entry["network"]), Data(entry["data"]))
        need(stated == (digest(problem.net), digest(problem.data)), "a digest is not that of the embedded problem")
    if given is not None:
        if stated != (digest(given.net), digest(given.data)):
            raise Fault(3, "the certificate speaks of another model or data set")
        problem = given
    if problem is None:
        malformed("the certificate does not embed its problem")
    claims = []
    for item in listing(document["claims"], lambda v: v):
        fields(item, ["claim", "proof"], ordered=True)
        claim, proof = read_claim(item["claim"], problem.net.depth), item["proof"]
        if not isinstance(proof, dict) or next(iter(proof), None) != "rule" or string(proof["rule"]) not in RULES:
            malformed("a proof begins with a known rule")
        rule, required, more = RULES[proof["rule"]]
        fields(proof, ["rule"] + required, more, ordered=proof["rule"] in ("dual_bound", "local_cover", "layer_cover"))
        need(claim.layer <= problem.net.depth, "there is no such layer")
        need(problem.gamma > 0, "the point does not classify its data")
        rule(problem, claim, proof)
        claims.append(claim)
    if not claims or index(document["end"]) != len(claims):
        malformed("no claims, or a wrong end")
    return claims


# ---------------------------------------------------------------- command line

def described(claim):
    region = f"near:{claim.near}" if claim.region == "near" else claim.region
    return {"kind": claim.kind, "scope": claim.scope, **({"region": region} if region else {}),
            **{key: str(getattr(claim, key)) for key in ("bound", "lo", "hi", "delta", "epsilon") if getattr(claim, key) is not None}}


def read(path):
    return sys.stdin.buffer.read() if path == "-" else open(path, "rb").read()


def unpacked(raw):
    try:
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        malformed(f"not gzip: {error}")


def bounded(raw, seconds, work):
    """`work` on the file within time and memory, where the system can count them."""
    def stop(*_):
        raise Fault(4, "limit: time")

    if signal is not None:
        signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, min(seconds or 45 + len(raw) / 1000, 1e9))
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = 768 * 2 ** 20 + 200 * len(raw)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    try:
        return work(unpacked(raw))
    except MemoryError:
        raise Fault(4, "limit: memory") from None
    finally:
        if signal is not None:
            signal.setitimer(signal.ITIMER_PROF, 0)


def main(words):
    paths, options, as_json, seconds = [], {}, False, None
    words = iter(words)
    for word in words:
        if word in ("--model", "--data"):
            options[word] = next(words, None)
        elif word == "--time-limit":
            try:
                seconds = float(next(words, ""))
            except ValueError:
                seconds = 0
            if not seconds > 0:
                paths = []
                break
        elif word == "--json":
            as_json = True
        elif word.startswith("--"):
            paths = []
            break
        else:
            paths.append(word)
    if not paths or len(options) == 1 or None in options.values():
        print(__doc__, file=sys.stderr)
        return 64
    given = None
    try:
        if options:
            network, data = (parse(unpacked(read(options[word]))) for word in ("--model", "--data"))
            given = Problem(Network(network), Data(data))
    except (Fault, OSError) as fault:
        print(fault, file=sys.stderr)
        return getattr(fault, "code", 2)
    first = 0
    for path in paths:
        try:
            code, reason, claims = 0, "", bounded(read(path), seconds, lambda raw: [described(c) for c in check(raw, given)])
        except Fault as fault:
            code, reason, claims = fault.code, str(fault), []
        except OSError as fault:
            code, reason, claims = 2, str(fault), []
        first = first or code
        if as_json:
            print(json.dumps({"file": path, "exit": code, "reason": reason, "claims": claims}), flush=True)
        elif code:
            print(f"{path}: NOT VERIFIED ({code}): {reason}")
        else:
            print(f"{path}: verified, {len(claims)} claims" + ("" if given else ", about the problem in the file"))
            for claim in claims:
                print("  " + " ".join(f"{key}={value}" for key, value in claim.items()))
    return first


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = main(sys.argv[1:])
    except BaseException:  # exit code 1 would be a verdict
        traceback.print_exc()
        status = 70
    sys.exit(status)
