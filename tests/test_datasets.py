"""The data sets are what their sources say: files match the catalogue, and published numbers come out of them."""

import csv
import dataclasses
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from published import reproduces
from scipy import optimize, special, stats

from glmref import datasets, gee, glm
from glmref.errors import InputError

DATA = Path(datasets.__file__).parent / "data"
CATALOGUE = json.loads((DATA / "catalogue.json").read_text(encoding="utf-8"))
NIST = json.loads((Path(__file__).parent / "oracles" / "nist.json").read_text(encoding="utf-8"))["sets"]


# --- the catalogue and the files ---------------------------------------------------------------------------------------
def test_one_file_per_entry():
    assert sorted(path.stem for path in DATA.glob("*.csv")) == sorted(CATALOGUE) == datasets.names()


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_set_matches_its_entry(name):
    entry, about, frame = CATALOGUE[name], datasets.describe(name), datasets.load(name)
    text = (DATA / f"{name}.csv").read_bytes()
    assert b"\r" not in text and text.endswith(b"\n")
    assert list(frame) == list(about.columns) == list(entry["columns"])
    assert len(frame) == about.nrows == entry["rows"]
    assert not frame.isna().any().any()  # a value outside the levels would show up here too
    assert frame.attrs == {"title": about.title, "citation": about.citation}
    assert entry["citation"]["authors"] and entry["citation"]["title"] and entry["citation"]["where"]
    assert all(about.__getattribute__(field) for field in ("title", "description", "citation", "licence"))
    for key, column in about.columns.items():
        assert column.description and key.isidentifier() and key == key.lower()
        dtype = frame[key].dtype
        match column.type:
            case "integer":
                assert dtype == np.int64
            case "number":
                assert dtype == np.float64 and np.isfinite(frame[key]).all()
            case "category":
                assert dtype.ordered and list(dtype.categories) == list(column.levels) and len(column.levels) > 1
                assert set(frame[key]) == set(column.levels)
            case "text":
                assert all(isinstance(value, str) and value for value in frame[key])
            case other:
                pytest.fail(f"{name}.{key}: unknown type {other!r}")


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_description_renders(name):
    about = datasets.describe(name)
    for text in (repr(about), about._repr_html_(), about._repr_markdown_()):
        assert about.name in text and all(key in text for key in about.columns)
    assert "<1" not in about._repr_html_() + about._repr_markdown_()  # levels such as "<1 l" are escaped


def test_each_load_is_a_new_table():
    first = datasets.load("cars")
    first.loc[0, "speed"] = -1
    assert datasets.load("cars").loc[0, "speed"] == 4


def test_descriptions_are_frozen():
    about = datasets.describe("cars")
    with pytest.raises(dataclasses.FrozenInstanceError):
        about.title = "other"
    with pytest.raises(TypeError):
        about.columns["speed"] = None


@pytest.mark.parametrize("call", [datasets.load, datasets.describe])
@pytest.mark.parametrize("name", ["oring", "", "../errors", None, 3])
def test_unknown_name_lists_the_known(call, name):
    with pytest.raises(InputError, match="warpbreaks") as error:
        call(name)
    assert repr(name) in str(error.value)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'orings'"):
        datasets.load("Oring")


# --- published numbers, by plain numpy -----------------------------------------------------------------------------------
def design(*columns):
    return np.column_stack([np.ones(len(columns[0])), *columns]).astype(float)


def dummies(*factors):
    return [column for factor in factors for column in pd.get_dummies(factor, drop_first=True).to_numpy(float).T]


LINKS = {"logit": (lambda e: 1 / (1 + np.exp(-e)), lambda m: m * (1 - m)), "log": (np.exp, lambda m: m),
         "inverse": (lambda e: 1 / e, lambda m: -(m**2))}
VARIANCES = {"binomial": lambda m: m * (1 - m), "poisson": lambda m: m, "gamma": lambda m: m**2, "gaussian": np.ones_like}


def scoring(X, y, family, link, weights=1.0, offset=0.0):
    """A fit that owes nothing to the package: Fisher scoring from (y + mean)/2. Returns coefficients and means."""
    y, weights, offset = (np.asarray(values, dtype=float) for values in (y, weights, offset))
    inverse, slope = LINKS[link]
    g = {"logit": lambda m: np.log(m / (1 - m)), "log": np.log, "inverse": lambda m: 1 / m}[link]
    mu = (y + np.average(y, weights=np.broadcast_to(weights, y.shape))) / 2
    eta = g(mu)
    for _ in range(100):
        mu = inverse(eta)
        w = np.sqrt(weights * slope(mu) ** 2 / VARIANCES[family](mu))
        z = eta - offset + (y - mu) / slope(mu)
        beta = np.linalg.lstsq(X * w[:, None], z * w, rcond=None)[0]
        eta = X @ beta + offset
    return beta, inverse(eta)


def poisson_deviance(y, mu):
    return 2 * np.sum(np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mu), 0) - (y - mu))


def binomial_deviance(share, mu, trials):
    part = lambda a, b: np.where(a > 0, a * np.log(np.where(a > 0, a, 1) / b), 0)  # noqa: E731
    return 2 * np.sum(trials * (part(share, mu) + part(1 - share, 1 - mu)))


def close(got, published, digits):
    """Equal to the printed numbers, in the decimals printed (one count for all, or one each)."""
    scale = 10.0 ** np.array(digits)
    np.testing.assert_allclose(np.asarray(got) * scale, np.asarray(published) * scale, atol=0.5000001, rtol=0)


def test_orings():
    d = datasets.load("orings")
    assert (len(d), d.damaged.sum(), d.distress.sum()) == (23, 9, 7) and (d.distress == (d.damaged > 0)).all()
    X, share = design(d.temperature), d.damaged / d.rings
    beta, mu = scoring(X, share, "binomial", "logit", d.rings)
    se = np.sqrt(np.diag(np.linalg.inv((X.T * (d.rings * mu * (1 - mu)).to_numpy()) @ X)))
    reproduces("orings-shares", [*beta, *se, binomial_deviance(share, mu, d.rings)])
    reproduces("orings-flights", scoring(X, d.distress, "binomial", "logit")[0])


def test_beetles():
    d = datasets.load("beetles")
    assert (d.beetles.sum(), d.killed.sum()) == (481, 291)
    close(np.log10(d.dose), d.log_dose, 4)
    share = d.killed / d.beetles
    beta, mu = scoring(design(d.log_dose), share, "binomial", "logit", d.beetles)
    reproduces("beetles-logit", beta)
    by_link = [glm("I(killed / beetles) ~ log_dose", d, "binomial", link=link, weights="beetles") for link in ("probit", "cloglog")]
    reproduces("beetles-deviances", [binomial_deviance(share, mu, d.beetles), *(fit.deviance for fit in by_link)])


def test_horsekicks():
    d = datasets.load("horsekicks")
    assert d.deaths.value_counts().sort_index().tolist() == [144, 91, 32, 11, 2] and d.deaths.sum() == 196
    ten = d[~d.corps.isin(["G", "I", "VI", "XI"])]  # the famous 200 corps-years
    assert ten.deaths.value_counts().sort_index().tolist() == [109, 65, 22, 3, 1] and ten.deaths.sum() == 122
    assert d.groupby("corps", observed=True).year.apply(list).map(lambda years: years == [*range(1875, 1895)]).all()


def test_clotting():
    d = datasets.load("clotting")
    lots = [d[d.lot == lot] for lot in ("one", "two")]
    by_hand = [scoring(design(np.log(one.concentration)), one.time, "gamma", "inverse")[0] for one in lots]
    reproduces("clotting-inverse", np.ravel(by_hand))
    fits = [glm("time ~ log(concentration)", one, "gamma") for one in lots]
    reproduces("clotting-slopes", np.ravel([[fit.coef.iloc[1], fit.se.iloc[1]] for fit in fits]))


def test_cars():
    d = datasets.load("cars")
    close(np.linalg.lstsq(design(d.speed), d.distance, rcond=None)[0], [-17.5791, 3.9324], 4)


def test_insectsprays():
    d = datasets.load("insectsprays")
    assert (d.groupby("spray", observed=True).insects.size() == 12).all()
    assert d.groupby("spray", observed=True).insects.sum().tolist() == [174, 184, 25, 59, 42, 200]


def test_warpbreaks():
    means = datasets.load("warpbreaks").groupby(["wool", "tension"], observed=True).breaks.mean()
    close(means, [44.56, 24.00, 24.56, 28.22, 28.78, 18.78], 2)


def test_doctors():
    totals = datasets.load("doctors").groupby("smoking", observed=True)[["person_years", "deaths"]].sum()
    assert totals.loc["smoker"].tolist() == [142_247, 630]
    assert totals.loc["non-smoker"].tolist() == [39_220, 101]
    d = datasets.load("doctors")
    d["group"], d["smokes"] = d.age.cat.codes + 1.0, 1.0 * (d.smoking == "smoker")
    fit = glm("deaths ~ group + I(group ** 2) + smokes + smokes:group", d, "poisson", offset="log(person_years)")
    terms = ["group", "I(group ** 2)", "smokes", "smokes:group"]
    reproduces("doctors-smoking", [*fit.coef[terms], *fit.se[terms], fit.deviance])


def test_ships():
    d = datasets.load("ships")
    assert len(d) == 40 and d.incidents.sum() == 356 and (d.service == 0).sum() == 6 and d.incidents[d.service == 0].sum() == 0
    d = d[d.service > 0]
    X = design(*dummies(d.type, d.built, d.period))
    beta, mu = scoring(X, d.incidents, "poisson", "log", offset=np.log(d.service))
    reproduces("ships", beta)
    reproduces("ships-dispersion", [poisson_deviance(d.incidents, mu), np.sum((d.incidents - mu) ** 2 / mu) / 25])  # on 25


def test_insurance():
    d = datasets.load("insurance")
    assert (len(d), d.holders.sum(), d.claims.sum()) == (64, 23_359, 3_151)
    X = design(*dummies(d.district, d.engine, d.age))
    _, mu = scoring(X, d.claims, "poisson", "log", offset=np.log(d.holders))
    reproduces("insurance", poisson_deviance(d.claims, mu))


def test_berkeley():
    d = datasets.load("berkeley")
    assert len(d) == 24 and d.applicants.sum() == 4526
    table = d.pivot_table(values="applicants", index="gender", columns="decision", aggfunc="sum", observed=True)
    assert table.loc["male"].tolist() == [1493, 1198] and table.loc["female"].tolist() == [1278, 557]


def test_quine():
    d = datasets.load("quine")
    assert (len(d), d.days.sum(), d.days.max(), (d.ethnicity == "aboriginal").sum()) == (146, 2403, 81, 69)
    assert ((d.grade == "third") & (d.learner == "slow")).sum() == 0  # the empty cells that alias an interaction
    d["kind"] = d[["ethnicity", "sex", "grade", "learner"]].astype(str).agg(" ".join, axis=1)
    fit = glm("days ~ kind", d, "negative_binomial")
    theta, se = 1 / fit.alpha, fit.alpha_se / fit.alpha**2
    reproduces("quine-negative-binomial", [theta, se, 2 * fit.loglik, fit.deviance])


def test_leafblotch():
    d = datasets.load("leafblotch")
    X = design(*dummies(d.site, d.variety))
    y, eta = d.affected.to_numpy(), np.zeros(90)
    for _ in range(200):  # quasi-likelihood with V = mu (1 - mu), started from y = 1/2: zeros are allowed
        mu = 1 / (1 + np.exp(-eta))
        w = np.sqrt(mu * (1 - mu))
        eta = X @ np.linalg.lstsq(X * w[:, None], w * (eta + (y - mu) / w**2), rcond=None)[0]
    reproduces("leafblotch", [np.sum((y - mu) ** 2 / (mu * (1 - mu))), binomial_deviance(y, mu, 1.0)])


def test_fabric():
    d = datasets.load("fabric")
    assert (len(d), d.faults.sum()) == (32, 284)
    beta, mu = scoring(design(np.log(d.length)), d.faults, "poisson", "log")
    reproduces("fabric", [*beta, poisson_deviance(d.faults, mu)])


def test_toxoplasmosis():
    d = datasets.load("toxoplasmosis")
    assert (len(d), d.tested.sum(), d.positive.sum()) == (34, 697, 356)
    z, share = (d.rainfall - 1900) / 100, d.positive / d.tested
    _, mu = scoring(design(z, z**2, z**3), share, "binomial", "logit", d.tested)
    reproduces("toxoplasmosis", binomial_deviance(share, mu, d.tested))  # on 30 degrees of freedom


def test_menarche():
    d = datasets.load("menarche")
    assert (len(d), d.girls.sum()) == (25, 3918)
    beta, _ = scoring(design(d.age), d.reached / d.girls, "binomial", "logit", d.girls)
    reproduces("menarche", [*beta, -beta[0] / beta[1]])
    reproduces("menarche-glm", beta)


def test_leukaemia():
    groups = datasets.load("leukaemia").groupby("ag", observed=True).survival
    assert groups.size().to_dict() == {"absent": 16, "present": 17}
    reproduces("leukaemia", groups.mean())


def test_trees():
    d = datasets.load("trees")
    beta = np.linalg.lstsq(design(np.log(d.diameter), np.log(d.height)), np.log(d.volume), rcond=None)[0]
    close(beta, [-6.632, 1.983, 1.117], 3)


def test_puromycin():
    d = datasets.load("puromycin")
    d = d[d.state == "treated"]
    beta, _ = scoring(design(1 / d.concentration), d.rate, "gaussian", "inverse")
    reproduces("puromycin", [1 / beta[0], beta[1] / beta[0]])


def test_crabs():
    d = datasets.load("crabs")
    assert (len(d), d.satellites.sum(), (d.satellites == 0).sum()) == (173, 505, 62)
    assert d.color.value_counts(sort=False).tolist() == [12, 95, 44, 22]
    reproduces("crabs-poisson", scoring(design(d.width), d.satellites, "poisson", "log")[0])
    reproduces("crabs-logit", scoring(design(d.width), 1.0 * (d.satellites > 0), "binomial", "logit")[0])


def test_epilepsy():
    d = datasets.load("epilepsy")
    assert d.groupby("patient").size().tolist() == [4] * 59
    first = d[d.visit == 1]
    assert first.treatment.value_counts(sort=False).tolist() == [28, 31]
    means = d.groupby(["treatment", "visit"], observed=True).seizures.mean()
    reproduces("epilepsy-means", [*means, *first.groupby("treatment", observed=True).baseline.mean()])


def test_ohio():
    d = datasets.load("ohio")
    patterns = d.pivot(index=["child", "smoking"], columns="age", values="wheeze").astype(str).agg("".join, axis=1)
    counts = patterns.groupby(level="smoking", observed=True).value_counts().unstack(0).sort_index()
    reproduces("ohio-patterns", [*counts["non-smoker"], *counts["smoker"]])  # 0000, 0001, ..., 1111
    d["age9"] = d.age - 9
    fit = gee("wheeze ~ age9 * smoking", d, "child", "binomial", correlation="exchangeable", dispersion=1.0, convention="geepack")
    terms = sorted(fit.coef.index, key=lambda term: (":" in term, "smoking" in term, term != "Intercept"))
    reproduces("ohio-geepack", [*fit.coef[terms], *fit.se[terms]])


def test_seeds():
    d = datasets.load("seeds")
    assert (len(d), d.seeds.sum()) == (21, 831)
    v, e = dummies(d.variety, d.extract)
    share = d.germinated / d.seeds
    beta, mu = scoring(design(v, e, v * e), share, "binomial", "logit", d.seeds)
    reproduces("seeds", [*beta, binomial_deviance(share, mu, d.seeds)])
    X = design(v, e, v * e)
    se = np.sqrt(np.diag(np.linalg.inv((X.T * (d.seeds * mu * (1 - mu)).to_numpy()) @ X)))
    reproduces("seeds-bugs", [*beta, *se])


def test_budworm():
    d = datasets.load("budworm")
    male, share = (d.sex == "male").to_numpy(float), d.killed / d.moths
    beta, mu = scoring(design(male, np.log2(d.dose)), share, "binomial", "logit", d.moths)
    reproduces("budworm", [*beta, binomial_deviance(share, mu, d.moths)])
    fit = glm("I(killed / moths) ~ 0 + sex + log2(dose)", d, "binomial", weights="moths")
    pair = ["sex[female]", "log2(dose)"]
    (a, b), cov = fit.coef[pair], fit.cov.loc[pair, pair].to_numpy()
    doses = [(np.log(share / (1 - share)) - a) / b for share in (0.25, 0.5, 0.75)]
    reproduces("budworm-doses", [*doses, *(np.sqrt([1, dose] @ cov @ [1, dose]) / b for dose in doses)])


def test_endometrial():
    d = datasets.load("endometrial")
    assert pd.crosstab(d.new_vessels, d.high_grade).to_numpy().tolist() == [[49, 17], [0, 13]]
    X, y = design(d.new_vessels, d.pulsatility, d.height), d.high_grade.to_numpy(float)
    beta = np.zeros(4)
    for _ in range(100):  # Firth (1993): the score with each response moved by its leverage times 1/2 - mu
        mu = 1 / (1 + np.exp(-X @ beta))
        w = mu * (1 - mu)
        inverse = np.linalg.inv((X.T * w) @ X)
        leverage = w * np.sum(X @ inverse * X, axis=1)
        beta = beta + inverse @ X.T @ (y - mu + leverage * (0.5 - mu))
    reproduces("endometrial-firth", beta)
    d = d[d.new_vessels == 0]  # the finite coefficients are those of the rows without new vessels
    reproduces("endometrial-glm", scoring(design(d.pulsatility, d.height), d.high_grade, "binomial", "logit")[0])


def test_dental():
    d = datasets.load("dental")
    assert d.groupby("child").size().tolist() == [4] * 27
    lines = [np.linalg.lstsq(design(one.age), one.distance, rcond=None)[0] for one in (d[d.sex == "female"], d[d.sex == "male"])]
    reproduces("dental", np.ravel(lines))


def test_respiratory():
    d = datasets.load("respiratory")
    assert d.groupby("patient").size().tolist() == [4] * 111
    assert d[d.visit == 1].groupby(["centre", "treatment"], observed=True).size().tolist() == [29, 27, 28, 27]
    model = "good ~ C(treatment) + C(centre) + C(sex, contr.treatment('male')) + age + baseline"
    fit = gee(model, d, groups="patient", time="visit", family="binomial", correlation="unstructured")
    reproduces("respiratory", fit.coef)
    reproduces("respiratory-errors", fit.se)


def test_muscatine():
    d = datasets.load("muscatine")
    reproduces("muscatine", d.children.sum())
    assert d[d.age == 8].children.sum() == 1014  # the cohort of Fitzmaurice, Laird and Lipsitz (1994)
    assert not ((d["first"] == "missing") & (d.second == "missing") & (d.third == "missing")).any()
    d = d.loc[d.index.repeat(d.children)].assign(child=lambda t: np.arange(len(t)))
    d = d.melt(["sex", "age", "child"], ["first", "second", "third"], "survey", "answer").query("answer != 'missing'")
    d["age"] += 2.0 * d.survey.map({"first": 0, "second": 1, "third": 2}) - 12
    X, y = design(d.sex == "female", d.age, d.age**2, *((d.sex == "female") * d.age**k for k in (1, 2))), (d.answer == "yes").to_numpy(float)
    beta, mu = scoring(X, y, "binomial", "logit")
    bread = np.linalg.inv((X.T * (mu * (1 - mu))) @ X)
    scores = pd.DataFrame(X * (y - mu)[:, None]).groupby(d.child.to_numpy()).sum().to_numpy() @ bread
    reproduces("muscatine-geepack", [*beta, *np.sqrt((scores**2).sum(axis=0))])


def test_spruce():
    d = datasets.load("spruce")
    assert d.groupby("tree").size().tolist() == [13] * 79
    trees = d[d.day == 152]
    reproduces("spruce", trees.ozone.value_counts()[["enriched", "normal"]])
    assert trees.groupby("chamber").ozone.nunique().tolist() == [1, 1, 1, 1]


def test_cattle():
    d = datasets.load("cattle")
    assert d.herd.nunique() == 15 and (d.cases <= d.cattle).all() and not d.duplicated(["herd", "period"]).any()
    assert (d.cases.sum(), d.cattle.sum()) == (99, 842)
    X, (node, weight) = design(*dummies(d.period)), np.polynomial.hermite_e.hermegauss(40)

    def deviance(theta):  # the herd's likelihood given its intercept, averaged over a normal one
        mu = special.expit((X @ theta[:4])[:, None] + np.exp(theta[4]) * node)
        joint = pd.DataFrame(stats.binom.logpmf(d[["cases"]], d[["cattle"]], mu)).groupby(d.herd).sum()
        return -2 * np.log(np.exp(joint) @ (weight / weight.sum())).sum()

    theta = optimize.minimize(deviance, [-1.3, -1, -1, -1.5, -0.5], tol=1e-8).x
    reproduces("cattle-glmer", [*theta[:4], np.exp(theta[4])])


@pytest.mark.parametrize("name", sorted(NIST))
def test_certified_by_nist(name):
    """The certified coefficients solve the normal equations of our file: in exact fractions, nothing rounded."""
    certified = NIST[name]
    with open(DATA / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = [{key: Fraction(value) for key, value in row.items()} for row in csv.DictReader(file)]

    def value(row, term):
        base, _, power = term.partition("^")
        return Fraction(1) if term == "Intercept" else row[base] ** int(power or 1)

    X = [[value(row, term) for term in certified["terms"]] for row in rows]
    y = [row[certified["response"]] for row in rows]
    p = len(X[0])
    system = [[sum(a[i] * a[j] for a in X) for j in range(p)] + [sum(a[i] * b for a, b in zip(X, y))] for i in range(p)]
    for i in range(p):  # Gauss and Jordan
        system[i] = [v / system[i][i] for v in system[i]]
        for j in set(range(p)) - {i}:
            system[j] = [a - system[j][i] * b for a, b in zip(system[j], system[i])]
    beta = [row[-1] for row in system]
    rss = sum((b - sum(c * v for c, v in zip(beta, a))) ** 2 for a, b in zip(X, y))
    assert len(y) - p == certified["df_resid"]
    for got, text in zip([*beta, rss], [*certified["estimate"], certified["residual_ss"]]):
        assert abs(got - Fraction(text)) <= abs(Fraction(text)) * Fraction(1, 10**14), text


def test_insurance_in_polynomials():
    d = datasets.load("insurance")
    fit = glm("claims ~ district + engine + age", d, "poisson", offset="np.log(holders)")
    trend = np.linalg.qr(np.vander(np.arange(4.0), increasing=True))[0][:, 1:]
    trend *= np.sign(trend[-1])
    steps = [np.r_[0, fit.coef.filter(like=name)] for name in ("engine", "age")]
    level = fit.coef.iloc[0] + sum(step.mean() for step in steps)
    curves = np.concatenate([trend.T @ step for step in steps])
    reproduces("insurance-polynomials", [level, *fit.coef.filter(like="district"), *curves, fit.null_deviance])


def test_carclaims():
    d = datasets.load("carclaims")
    assert d.claims.sum() == 8942 and (d.claims > 0).all()
    odd = (d.age == "35-39") & (d.car == "C") & (d.vehicle_age == "8-9")
    d.loc[odd, "cost"] += 1
    fit = glm("cost ~ age + car + vehicle_age", d, "gamma", link="inverse", weights="claims")
    assert fit.df_resid == 109
    reproduces("carclaims", [fit.deviance])


def test_epilepsy_gee():
    d = datasets.load("epilepsy")
    start = d[d.visit == 1].assign(visit=0, seizures=lambda t: t.baseline)
    d = pd.concat([start, d]).assign(after=lambda t: (t.visit > 0) * 1, weeks=lambda t: np.where(t.visit > 0, 2, 8))
    got = []
    for part in (d, d[d.patient != 49]):
        fit = gee("seizures ~ after + treatment + after:treatment", part, "patient", "poisson", time="visit",
                  correlation="exchangeable", offset="np.log(weeks)", convention="geepack")
        got += [*fit.coef, *fit.se, fit.alpha, fit.dispersion]
    reproduces("epilepsy-gee", got)


def test_epilepsy_poisson():
    d = datasets.load("epilepsy")
    treated = (d.treatment == "progabide").to_numpy(float)
    base = np.log(d.baseline / 4)
    X = design(base, treated, base * treated, np.log(d.age), d.visit == 4)
    beta, mu = scoring(X, d.seizures, "poisson", "log")
    reproduces("epilepsy-poisson", [*beta, *np.sqrt(np.diag(np.linalg.inv(X.T @ (X * mu[:, None]))))])


def test_ships_exposure_as_a_covariate():
    d = datasets.load("ships").query("service > 0")
    fit = glm("incidents ~ type + built + period + np.log(service)", d, "quasipoisson")
    reproduces("ships-exposure", [fit.coef.iloc[-1], fit.se.iloc[-1]])
