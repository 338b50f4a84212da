"""Oracles for generalized estimating equations: statsmodels on the data sets of this book.

Run from the root of the project:  python tests/oracles/gee_statsmodels.py
Writes tests/oracles/gee_statsmodels.json. Unweighted cases only: its weighted estimators index rows by cluster. AR(1) on
complete waves only: its matrix counts positions. Unstructured with missing waves on ohio only: on the
small sets its matrix is not positive definite. Its default AR(1) is minimized by comparing values, so alpha has eight
digits there. Its own criterion stops early; the rounds here go on to rounding (minutes).
"""

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from statsmodels.genmod import cov_struct, families

from glmref import datasets

HERE = Path(__file__).parent
MODELS = {
    "ohio": ("wheeze ~ age + smoking", "child", "age - 6", "binomial", "logit"),
    "dental": ("distance ~ age * sex", "child", "(age - 6) / 2", "gaussian", "identity"),
    "epilepsy": ("seizures ~ log(baseline) + age + treatment", "patient", "visit * 1", "poisson", "log"),
}
FAMILIES = {
    "binomial": families.Binomial,
    "gaussian": families.Gaussian,
    "poisson": families.Poisson,
    "gamma": families.Gamma,
    "inverse_gaussian": families.InverseGaussian,
}
LINKS = {"logit": families.links.Logit, "identity": families.links.Identity, "log": families.links.Log}
SOME = "(row * 7) % 11 > 2"


def structure(name, m):
    if name in ("toeplitz", "mdependent"):
        return cov_struct.Stationary(max_lag=m, grid=False)
    return {
        "independence": cov_struct.Independence,
        "exchangeable": cov_struct.Exchangeable,
        "unstructured": cov_struct.Unstructured,
        "ar1": lambda: cov_struct.Autoregressive(grid=True),
        "ar1-forecasts": lambda: cov_struct.Autoregressive(grid=False),
    }[name]()


def alpha(cov, name, q):
    if name == "independence":
        return []
    if name == "unstructured":
        return cov.dep_params[np.triu_indices(q, 1)].tolist()
    return cov.dep_params[1:].tolist() if name in ("toeplitz", "mdependent") else [float(cov.dep_params)]


def design(formula, frame):
    """The columns by glmref's own door, which other oracles hold to R's: the comparison is of the equations."""
    from glmref.design import from_formula

    built = from_formula(formula, frame)
    return built.X, built.y, built.names


def case(name, dataset, correlation, *, m=None, subset=None, family=None, link=None, test=None):
    formula, cluster, time, default_family, default_link = MODELS[dataset]
    family, link = family or default_family, link or default_link
    frame = datasets.load(dataset)
    frame["row"] = np.arange(1, len(frame) + 1)
    frame["wave"] = frame.eval(time)
    if subset:
        frame = frame[frame.eval(subset)]
    X, y, names = design(formula, frame)
    groups = frame[cluster].astype("category").cat.codes.to_numpy()
    waves = (frame["wave"] - 1).astype(int).to_numpy()

    def fitted(columns, cov_type="robust"):
        model = sm.GEE(
            y,
            X[:, columns],
            groups=groups,
            time=waves,
            family=FAMILIES[family](LINKS[link]()),
            cov_struct=structure(correlation, m),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model, model.fit(ctol=1e-13, maxiter=300, cov_type=cov_type)

    model, fit = fitted(range(X.shape[1]))
    one = {
        "id": name, "dataset": dataset, "subset": subset, "formula": formula, "cluster": cluster, "time": time, "family": family,
        "link": link, "correlation": correlation, "m": m, "R": None, "offset": None, "weights": None, "dispersion_given": None,
        "coef": fit.params.tolist(), "robust": fit.cov_robust.tolist(), "model": fit.cov_naive.tolist(),
        "bias_reduced": fitted(range(X.shape[1]), "bias_reduced")[1].cov_robust_bc.tolist(),
        "alpha": alpha(model.cov_struct, correlation, waves.max() + 1), "dispersion": float(fit.scale), "clusters": model.num_group,
    }  # fmt: skip
    if test is not None:
        at = [names.index(column) for column in test]
        small = fitted([j for j in range(len(names)) if j not in at])[1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = fitted(range(len(names)))[0].compare_score_test(small)
        one["score_test"] = {"hypothesis": test, "statistic": float(found["statistic"]), "df": int(found["df"])}
    return one


CASES = [
    case(f"{dataset}-{correlation}{'-missing' if subset else ''}", dataset, correlation, subset=subset,
         m=3 if correlation == "toeplitz" else None)
    for dataset in MODELS
    for correlation in ("independence", "exchangeable", "ar1", "unstructured", "toeplitz")
    for subset in (None, SOME)
    if not (subset and (correlation == "ar1" or (correlation == "unstructured" and dataset != "ohio")))
] + [
    case("ohio-1-dependent", "ohio", "mdependent", m=1),
    case("ohio-2-dependent-missing", "ohio", "mdependent", m=2, subset=SOME),
    case("dental-gamma", "dental", "exchangeable", family="gamma", link="log", subset=SOME),
    case("dental-gamma-ar1", "dental", "ar1", family="gamma", link="log"),
    case("dental-inverse-gaussian", "dental", "exchangeable", family="inverse_gaussian", link="log", subset=SOME),
    case("dental-inverse-gaussian-unstructured", "dental", "unstructured", family="inverse_gaussian", link="log"),
    case("dental-ar1-forecasts", "dental", "ar1-forecasts"),
    case("epilepsy-ar1-forecasts", "epilepsy", "ar1-forecasts"),
    case("ohio-score", "ohio", "exchangeable", test=["age"]),
    case("dental-score", "dental", "exchangeable", test=["sex[T.male]", "age:sex[T.male]"]),
    case("epilepsy-score", "epilepsy", "independence", test=["age", "treatment[T.progabide]"]),
]  # fmt: skip
document = {
    "made_by": "python tests/oracles/gee_statsmodels.py",
    "versions": {"statsmodels": version("statsmodels")},
    "cases": CASES,
}
(HERE / "gee_statsmodels.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")
print(len(CASES), "cases")
