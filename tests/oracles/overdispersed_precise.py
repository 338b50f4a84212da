"""Forty digits: the negative binomial's joint maximum likelihood estimate, and Tweedie densities by their textbook series.

Run from the root of the project:  python tests/oracles/overdispersed_precise.py
Writes overdispersed_precise.json. Nothing of glmref is used: data from the CSV files, textbook formulas in mpmath; Newton's
method on coefficients and alpha together, from R's estimate. The Tweedie series are Dunn and Smyth's (2005), as printed.
"""

import csv
import json
from pathlib import Path

import mpmath as mp

mp.mp.dps = 80
DIGITS = 40
ROOT = Path(__file__).parents[2]
R = {case["id"]: case for case in json.loads((ROOT / "tests/oracles/overdispersed.json").read_text(encoding="utf-8"))["cases"]}


def text(x):
    return mp.nstr(x, DIGITS)


def rows_of(name):
    with open(ROOT / "glmref" / "data" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def negative_binomial(y, X, beta, alpha):
    """log link: beta, alpha, standard errors (expected information for beta, observed for alpha), log-likelihood, deviance."""
    p = X.cols

    def parts(beta, a):
        mu = [mp.exp(t) for t in X * beta]
        k = 1 / a
        u = [(t - m) / (1 + a * m) for t, m in zip(y, mu)]
        u_alpha = mp.fsum(
            (mp.log(1 + a * m) - mp.psi(0, t + k) + mp.psi(0, k)) / a**2 + (t - m) / (a * (1 + a * m)) for t, m in zip(y, mu)
        )
        h_alpha = mp.fsum(
            -2 * (mp.log(1 + a * m) - mp.psi(0, t + k) + mp.psi(0, k)) / a**3
            + (m / (1 + a * m) + (mp.psi(1, t + k) - mp.psi(1, k)) / a**2) / a**2
            - (t - m) * (1 + 2 * a * m) / (a * (1 + a * m)) ** 2
            for t, m in zip(y, mu)
        )
        U = mp.matrix(list(X.T * mp.matrix(u)) + [u_alpha])
        H = mp.zeros(p + 1)
        H[:p, :p] = -(X.T * mp.diag([m * (1 + a * t) / (1 + a * m) ** 2 for t, m in zip(y, mu)]) * X)
        cross = -(X.T * mp.matrix([m * (t - m) / (1 + a * m) ** 2 for t, m in zip(y, mu)]))
        for j in range(p):
            H[j, p] = H[p, j] = cross[j]
        H[p, p] = h_alpha
        return mu, U, H

    beta, alpha = mp.matrix(beta), mp.mpf(alpha)
    for _ in range(12):
        mu, U, H = parts(beta, alpha)
        step = mp.lu_solve(H, -U)
        beta, alpha = beta + step[:p], alpha + step[p]
    mu, U, H = parts(beta, alpha)
    assert max(abs(u) for u in U) < mp.mpf(10) ** -60, "the score is not zero"
    k = 1 / alpha
    expected = X.T * mp.diag([m / (1 + alpha * m) for m in mu]) * X
    inverse = expected**-1
    loglik = mp.fsum(
        mp.loggamma(t + k)
        - mp.loggamma(k)
        - mp.loggamma(t + 1)
        + (t * mp.log(alpha * m) if t else 0)
        - (t + k) * mp.log(1 + alpha * m)
        for t, m in zip(y, mu)
    )
    deviance = 2 * mp.fsum(
        (t * mp.log(t / m) if t else 0) - (t + k) * mp.log((1 + alpha * t) / (1 + alpha * m)) for t, m in zip(y, mu)
    )
    return {
        "coef": [text(b) for b in beta],
        "se": [text(mp.sqrt(inverse[j, j])) for j in range(p)],
        "alpha": text(alpha),
        "alpha_se": text(mp.sqrt(-1 / H[p, p])),
        "loglik": text(loglik),
        "deviance": text(deviance),
    }


def tweedie(y, mu, phi, p):
    """log f(y) for y > 0: a(y, phi) exp{[y mu^(1-p) / (1-p) - mu^(2-p) / (2-p)] / phi}, a by its series; log P(0) for y = 0."""
    y, mu, phi, p = map(mp.mpf, (y, mu, phi, p))
    if y == 0:
        return -(mu ** (2 - p)) / (phi * (2 - p))
    alpha = (2 - p) / (1 - p)
    tilt = (y * mu ** (1 - p) / (1 - p) - mu ** (2 - p) / (2 - p)) / phi
    if p < 2:
        log_z = -alpha * mp.log(y) + alpha * mp.log(p - 1) - (1 - alpha) * mp.log(phi) - mp.log(2 - p)
        terms, j, peak = [], 1, y ** (2 - p) / (phi * (2 - p))
        while j < peak + 20 or terms[-1] > max(terms) - 120:
            terms.append(j * log_z - mp.loggamma(1 + j) - mp.loggamma(-alpha * j))
            j += 1
        return mp.log(mp.fsum(map(mp.exp, terms))) - mp.log(y) + tilt
    with mp.workdps(500):
        total, size, small, k = mp.mpf(0), mp.mpf(0), 0, 1
        while small < 30:
            log_term = mp.loggamma(1 + alpha * k) + k * (alpha - 1) * mp.log(phi) + alpha * k * mp.log(p - 1)
            log_term += -mp.loggamma(1 + k) - k * mp.log(p - 2) - alpha * k * mp.log(y)
            term = mp.exp(log_term)
            size = max(size, term)
            total += (-1) ** k * mp.sin(-k * mp.pi * alpha) * term
            small = small + 1 if term < size * mp.mpf(10) ** -480 else 0
            k += 1
        return mp.log(total / (mp.pi * y)) + tilt


GRID = [
    (y, mu, phi, p)
    for p, responses in (
        (1.02, (0, 0.1, 1.0, 3.7)),
        (1.2, (0, 1e-6, 0.1, 1.0, 3.7, 40.0)),
        (1.5, (0, 1e-6, 0.1, 1.0, 3.7, 40.0)),
        (1.8, (0, 1e-6, 0.1, 1.0, 3.7, 40.0)),
        (1.98, (0, 0.1, 1.0, 3.7)),
        (2.1, (0.1, 1.0, 3.7)),
        (2.6, (0.1, 1.0, 3.7, 40.0)),
        (4.0, (0.1, 1.0, 3.7, 40.0)),
        (7.5, (0.6, 1.0, 3.7)),
    )
    for y in responses
    for mu, phi in ((0.3, 2.0), (1.6, 0.4), (5.0, 30.0))
]

if __name__ == "__main__":
    quine, crabs = rows_of("quine"), rows_of("crabs")
    is_ = lambda row, column, level: mp.mpf(row[column] == level)
    designs = {
        "nb-log-quine": (
            [mp.mpf(row["days"]) for row in quine],
            [
                [
                    1,
                    is_(row, "ethnicity", "non-aboriginal"),
                    is_(row, "sex", "male"),
                    *(is_(row, "grade", level) for level in ("first", "second", "third")),
                    is_(row, "learner", "slow"),
                ]
                for row in quine
            ],
        ),
        "nb-log-crabs": ([mp.mpf(row["satellites"]) for row in crabs], [[1, mp.mpf(row["width"])] for row in crabs]),
    }
    fits = {key: negative_binomial(y, mp.matrix(X), R[key]["coef"], R[key]["alpha"]) for key, (y, X) in designs.items()}
    densities = [[*point, text(tweedie(*point))] for point in GRID]
    out = {
        "made_by": "python tests/oracles/overdispersed_precise.py",
        "mpmath": mp.__version__,
        "negative_binomial": fits,
        "tweedie": densities,
    }
    (ROOT / "tests" / "oracles" / "overdispersed_precise.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
    for key, fit in fits.items():
        far = lambda what: mp.nstr(abs(mp.mpf(R[key][what]) / mp.mpf(fit[what]) - 1), 2)
        print(key, "distance of R:", *(f"{what} {far(what)}" for what in ("alpha", "alpha_se", "loglik", "deviance")))
    print(len(densities), "densities")
