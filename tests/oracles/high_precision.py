"""Oracles at forty digits: the maximum likelihood estimates of some cases of glm.json, by Newton's method in mpmath.

Run from the root of the project:  python tests/oracles/high_precision.py
Writes tests/oracles/high_precision.json (30 digits, as strings). Nothing is shared with glmref or with R: designs are
spelled out below as functions of a row, links and families by their textbook formulas, and the data are read as decimals,
so that even log(7.1) is the logarithm of 7.1 and not of a double nearby.
"""

import csv
import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 50
ROOT = Path(__file__).resolve().parents[2]
DIGITS = 30

# link: h, h', h'' as functions of eta, and g for the start
LINKS = {
    "identity": (lambda e: e, lambda e: mp.mpf(1), lambda e: mp.mpf(0), lambda m: m),
    "log": (mp.exp, mp.exp, mp.exp, mp.log),
    "logit": (lambda e: 1 / (1 + mp.exp(-e)), lambda e: mp.exp(-e) / (1 + mp.exp(-e)) ** 2,
              lambda e: mp.exp(-e) * (mp.exp(-e) - 1) / (1 + mp.exp(-e)) ** 3, lambda m: mp.log(m / (1 - m))),
    "probit": (mp.ncdf, mp.npdf, lambda e: -e * mp.npdf(e), lambda m: mp.sqrt(2) * mp.erfinv(2 * m - 1)),
    "cauchit": (lambda e: mp.mpf(1) / 2 + mp.atan(e) / mp.pi, lambda e: 1 / (mp.pi * (1 + e**2)),
                lambda e: -2 * e / (mp.pi * (1 + e**2) ** 2), lambda m: mp.tan(mp.pi * (m - mp.mpf(1) / 2))),
    "cloglog": (lambda e: -mp.expm1(-mp.exp(e)), lambda e: mp.exp(e - mp.exp(e)),
                lambda e: mp.exp(e - mp.exp(e)) * (1 - mp.exp(e)), lambda m: mp.log(-mp.log(1 - m))),
    "sqrt": (lambda e: e**2, lambda e: 2 * e, lambda e: mp.mpf(2), mp.sqrt),
    "inverse": (lambda e: 1 / e, lambda e: -1 / e**2, lambda e: 2 / e**3, lambda m: 1 / m),
    "inverse_squared": (lambda e: e ** mp.mpf("-0.5"), lambda e: e ** mp.mpf("-1.5") / -2, lambda e: e ** mp.mpf("-2.5") * 3 / 4,
                        lambda m: 1 / m**2),
}


def xlogx(y, mu):
    return y * mp.log(y / mu) if y else mp.mpf(0)


# family: V, V', unit deviance
FAMILIES = {
    "gaussian": (lambda m: mp.mpf(1), lambda m: mp.mpf(0), lambda y, m: (y - m) ** 2),
    "binomial": (lambda m: m * (1 - m), lambda m: 1 - 2 * m, lambda y, m: 2 * (xlogx(y, m) + xlogx(1 - y, 1 - m))),
    "poisson": (lambda m: m, lambda m: mp.mpf(1), lambda y, m: 2 * (xlogx(y, m) - (y - m))),
    "gamma": (lambda m: m**2, lambda m: 2 * m, lambda y, m: 2 * (y / m - 1 - mp.log(y / m))),
    "inverse_gaussian": (lambda m: m**3, lambda m: 3 * m**2, lambda y, m: (y - m) ** 2 / (y * m**2)),
}


def log_likelihood(family, y, mu, w, deviance):
    """At the maximum likelihood dispersion where there is one to estimate."""
    n = len(y)
    if family == "gaussian":
        return -n * (mp.log(2 * mp.pi * deviance / n) + 1) / 2 + mp.fsum(map(mp.log, w)) / 2
    if family == "binomial":
        return mp.fsum(mp.log(mp.binomial(k, k * a)) + k * a * mp.log(m) + k * (1 - a) * mp.log(1 - m)
                       for a, m, k in zip(y, mu, w))
    if family == "poisson":
        return mp.fsum(k * (a * mp.log(m) - m - mp.loggamma(a + 1)) for a, m, k in zip(y, mu, w))
    if family == "gamma":
        shape = mp.findroot(lambda s: 2 * n * (mp.log(s) - mp.psi(0, s)) - deviance, n / deviance)
        return mp.fsum(shape * mp.log(shape * a / m) - shape * a / m - mp.log(a) - mp.loggamma(shape) for a, m in zip(y, mu))
    phi = deviance / n
    return mp.fsum(-mp.log(2 * mp.pi * phi * a**3) / 2 for a in y) - mp.mpf(n) / 2


def is_(column, *levels):
    """Treatment dummies, one function of a row per level."""
    return [lambda row, level=level: mp.mpf(row[column] == level) for level in levels]


def col(name, transform=lambda x: x):
    return lambda row: transform(mp.mpf(row[name]))


def times(a, b):
    return lambda row: a(row) * b(row)


one = lambda row: mp.mpf(1)  # noqa: E731
share = lambda part, whole: lambda row: mp.mpf(row[part]) / mp.mpf(row[whole])  # noqa: E731
[two], log_u = is_("lot", "two"), col("concentration", mp.log)
[untreated], per_c = is_("state", "untreated"), col("concentration", lambda c: 1 / c)
beetles = ("beetles", share("killed", "beetles"), [one, col("log_dose")], col("beetles"), None)
clotting = ("clotting", col("time"), [one, two, log_u, times(two, log_u)], None, None)
trees = ("trees", col("volume"), [one, col("diameter", mp.log), col("height", mp.log)], None, None)

# id in glm.json: (data set, response, columns in the order of glm.json, weights, offset), family, link
CASES = {
    "binomial-logit-beetles": (beetles, "binomial", "logit"),
    "binomial-probit-beetles": (beetles, "binomial", "probit"),
    "binomial-cauchit-beetles": (beetles, "binomial", "cauchit"),
    "binomial-cloglog-beetles": (beetles, "binomial", "cloglog"),
    "binomial-logit-orings-bernoulli": (("orings", col("distress"), [one, col("temperature")], None, None), "binomial", "logit"),
    "gaussian-inverse-puromycin": (("puromycin", col("rate"), [one, untreated, per_c, times(untreated, per_c)], None, None),
                                   "gaussian", "inverse"),
    "poisson-log-doctors-offset": (("doctors", col("deaths"), [one, *is_("age", "45-54", "55-64", "65-74", "75-84"),
                                    *is_("smoking", "smoker")], None, col("person_years", mp.log)), "poisson", "log"),
    "poisson-log-ships": (("ships", col("incidents"), [one, *is_("type", *"BCDE"), *is_("built", "1965-69", "1970-74", "1975-79"),
                           *is_("period", "1975-79")], None, col("service", mp.log)), "poisson", "log"),
    "poisson-sqrt-crabs": (("crabs", col("satellites"), [one, col("width")], None, None), "poisson", "sqrt"),
    "gamma-inverse-clotting": (clotting, "gamma", "inverse"),
    "gamma-log-clotting": (clotting, "gamma", "log"),
    "gamma-log-leukaemia": (("leukaemia", col("survival"), [one, *is_("ag", "present"), col("white_cells", mp.log),
                             times(is_("ag", "present")[0], col("white_cells", mp.log))], None, None), "gamma", "log"),
    "inverse-gaussian-canonical-clotting": (("clotting", col("time"), [one, two, col("concentration")], None, None),
                                            "inverse_gaussian", "inverse_squared"),
    "inverse-gaussian-log-trees": (trees, "inverse_gaussian", "log"),
    "inverse-gaussian-identity-cars": (("cars", col("distance"), [one, col("speed")], None, None), "inverse_gaussian", "identity"),
}


def solve(model, family, link):
    name, response, columns, weights, offset = model
    with open(ROOT / "glmref" / "data" / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if name == "ships":  # cells without service have no rate
        rows = [row for row in rows if row["service"] != "0"]
    X = mp.matrix([[column(row) for column in columns] for row in rows])
    y = [response(row) for row in rows]
    w = [weights(row) if weights else mp.mpf(1) for row in rows]
    o = [offset(row) if offset else mp.mpf(0) for row in rows]
    n, p = X.rows, X.cols
    h, h1, h2, g = LINKS[link]
    V, V1, unit = FAMILIES[family]

    def state(beta):
        eta = [t + s for t, s in zip(X * beta, o)]
        mu = [h(t) for t in eta]
        inside = all(isinstance(m, mp.mpf) and (family == "gaussian" or m > 0) and (family != "binomial" or m < 1) for m in mu)
        return eta, mu, mp.fsum(k * unit(a, m) for k, a, m in zip(w, y, mu)) if inside else mp.inf

    def system(eta, mu, observed):
        score = [k * (a - m) * h1(t) / V(m) for k, a, m, t in zip(w, y, mu, eta)]
        weight = [k * (h1(t) ** 2 / V(m) - observed * (a - m) * (h2(t) / V(m) - h1(t) ** 2 * V1(m) / V(m) ** 2))
                  for k, a, m, t in zip(w, y, mu, eta)]
        return X.T * mp.matrix(score), X.T * mp.diag(weight) * X

    # Fisher scoring with halving from the mean until the step is small, then Newton
    mean = mp.fsum(k * a for k, a in zip(w, y)) / mp.fsum(w)
    beta = mp.matrix([g(mean) - (mp.fsum(o) / n if offset else 0)] + [0] * (p - 1))
    eta, mu, deviance = state(beta)
    for _ in range(500):
        U, A = system(eta, mu, observed=0)
        step, size = mp.lu_solve(A, U), mp.mpf(1)
        while state(beta + size * step)[2] > deviance:
            size /= 2
        beta = beta + size * step
        eta, mu, deviance = state(beta)
        if size == 1 and (step.T * U)[0] < mp.mpf(10) ** -10 * (deviance + 1):
            break
    for _ in range(20):
        U, A = system(eta, mu, observed=1)
        step = mp.lu_solve(A, U)
        beta = beta + step
        eta, mu, deviance = state(beta)
        if abs((step.T * U)[0]) < mp.mpf(10) ** -85:
            break
    U, A = system(eta, mu, observed=0)
    assert abs((U.T * mp.lu_solve(A, U))[0]) < mp.mpf(10) ** -75, "the score is not zero"
    chi2 = mp.fsum(k * (a - m) ** 2 / V(m) for k, a, m in zip(w, y, mu))
    dispersion = mp.mpf(1) if family in ("binomial", "poisson") else chi2 / (n - p)
    inverse = A**-1
    text = lambda x: mp.nstr(x, DIGITS)  # noqa: E731
    return {"coef": [text(b) for b in beta], "se": [text(mp.sqrt(dispersion * inverse[j, j])) for j in range(p)],
            "deviance": text(deviance), "pearson_chi2": text(chi2), "dispersion": text(dispersion),
            "loglik": text(log_likelihood(family, y, mu, w, deviance))}


if __name__ == "__main__":
    solutions = {key: solve(*case) for key, case in CASES.items()}
    out = {"made_by": "python tests/oracles/high_precision.py", "mpmath": mp.__version__, "cases": solutions}
    (ROOT / "tests" / "oracles" / "high_precision.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
    R = {case["id"]: case for case in json.loads((ROOT / "tests" / "oracles" / "glm.json").read_text())["cases"]}
    print("distance of R, relative (coefficients in standard errors)")
    for key, s in solutions.items():
        r, f = R[key], mp.mpf
        coef = max(abs(f(a) - f(b)) / f(c) for a, b, c in zip(r["coef"], s["coef"], s["se"]))
        se = max(abs(f(a) / f(b) - 1) for a, b in zip(r["se"], s["se"]))
        rest = {k: abs(f(r[k]) / f(s[k]) - 1) for k in ("deviance", "pearson_chi2", "loglik")}
        print(f"{key:38s} coef {mp.nstr(coef, 2):8s} se {mp.nstr(se, 2):8s}", *(f"{k} {mp.nstr(v, 2)}" for k, v in rest.items()))
