# Oracles for the negative binomial (MASS), the quasi-families and the Tweedie family (statmod) on the data sets of this book.
#
# Run from the root of the project:  Rscript tests/oracles/overdispersed.R
# Writes tests/oracles/overdispersed.json, the same bytes every time. The reading of data, the names of coefficients, the
# polishing of fits and the writer are those of glm.R, whose functions are taken from there.
#
# Where theta = 1/alpha is estimated, theta.ml and glm alternate until neither moves: glm.nb itself stops theta.ml early.

suppressPackageStartupMessages({library(jsonlite); library(MASS); library(statmod)})
for (expression in as.list(parse("tests/oracles/glm.R")))
  if (identical(expression[[1]], as.name("<-")) && is.name(expression[[2]]) &&
      (identical(expression[[3]][[1]], as.name("function")) || as.character(expression[[2]]) %in% c("catalogue", "glmref_link")))
    eval(expression)

cases <- list()
# kind: "nb" (theta: a number, or NULL to estimate it), "quasipoisson", "quasibinomial", "tweedie" (power p)
case <- function(id, dataset, formula, kind, link, offset = NULL, weights = NULL, subset = NULL, start = NULL,
                 theta = NULL, p = NULL, smaller = NULL) {
  data <- read_set(dataset)
  if (!is.null(subset)) data <- data[eval(parse(text = subset), data), , drop = FALSE]
  data$.weights <- if (is.null(weights)) 1 else eval(parse(text = weights), data)
  with_offset <- function(text) {
    f <- as.formula(if (is.null(offset)) text else paste0(text, " + offset(", offset, ")"))
    environment(f) <- environment()
    f
  }
  family_at <- function(theta) switch(kind,
    nb = { f <- negative.binomial(theta); f_link <- make.link(link)  # its own link argument is not evaluated
           f$link <- f_link$name; f$linkfun <- f_link$linkfun; f$linkinv <- f_link$linkinv; f$mu.eta <- f_link$mu.eta
           f$valideta <- f_link$valideta; f },
    quasipoisson = quasipoisson(link = make.link(link)), quasibinomial = quasibinomial(link = make.link(link)),
    tweedie = tweedie(var.power = p, link.power = link))
  fit_all <- function(text, start) {
    r_formula <- with_offset(text)
    environment(r_formula) <- environment()
    run <- function(theta, start, maxit, epsilon = 1e-14) glm(r_formula, family_at(theta), data, weights = .weights, start = start,
                                               control = glm.control(epsilon = epsilon, maxit = maxit))
    estimated <- kind == "nb" && is.null(theta)
    th <- if (is.null(theta)) 1 else theta
    fit <- suppressWarnings(run(th, start, 200))
    se_theta <- NULL
    null_deviance <- fit$null.deviance
    if (estimated) for (i in 1:200) {
      # the step that theta.ml stops at is never quite 0: its warning that it reached the limit is no news
      new <- suppressWarnings(theta.ml(fit$y, fitted(fit), sum(data$.weights), data$.weights, limit = 60, eps = 1e-14))
      moved <- abs(new / th - 1)
      th <- as.numeric(new); se_theta <- attr(new, "SE")
      fit <- suppressWarnings(run(th, coef(fit), 200))
      null_deviance <- fit$null.deviance
      if (moved < 1e-14) break
    }
    polished <- polish(fit, function(beta) suppressWarnings(run(th, beta, 1, 1e-12)))
    fit <- polished$fit
    stopifnot(polished$move < 1e-9)
    loglik <- if (kind == "nb") sum(data$.weights * dnbinom(fit$y, size = th, mu = fitted(fit), log = TRUE)) else NULL
    list(fit = fit, theta = th, se_theta = se_theta, loglik = loglik, null_deviance = null_deviance, estimated = estimated,
         move = polished$move, r_formula = paste(deparse(r_formula, 500), collapse = ""))
  }
  one <- fit_all(formula, start)
  fit <- one$fit
  phi <- if (kind == "nb") 1 else NULL
  overview <- summary(fit, dispersion = phi)
  n <- nrow(data)
  parameters <- fit$rank + one$estimated
  drop <- if (is.null(smaller)) NULL else 2 * (one$loglik - fit_all(smaller, NULL)$loglik)
  bare <- function(x) as.list(as.numeric(x))
  chi2 <- sum(residuals(fit, "pearson")^2)
  cases[[id]] <<- list(
    id = id, dataset = dataset, subset = subset, formula = formula, r_formula = one$r_formula,
    family = if (kind == "nb") "negative_binomial" else kind,
    alpha_given = if (kind == "nb" && !one$estimated) 1 / one$theta else NULL, power = p,
    link = if (kind != "tweedie") glmref_link[[link]] else if (link == 0) "log" else list(power = link),
    offset = offset, weights = weights, smaller = smaller, lr = drop, intercept = "(Intercept)" %in% names(coef(fit)),
    names = as.list(formulaic_names(fit, data)), coef = bare(coef(fit)), se = bare(overview$coefficients[, "Std. Error"]),
    cov = unname(apply(overview$cov.scaled, 1, bare, simplify = FALSE)),
    alpha = if (kind == "nb") 1 / one$theta else NULL, alpha_se = if (one$estimated) one$se_theta / one$theta^2 else NULL,
    deviance = deviance(fit), null_deviance = one$null_deviance, pearson_chi2 = chi2,
    dispersion = if (kind == "nb") 1 else chi2 / fit$df.residual, df_resid = fit$df.residual,
    loglik = one$loglik, aic = if (is.null(one$loglik)) NULL else -2 * one$loglik + 2 * parameters,
    bic = if (is.null(one$loglik)) NULL else -2 * one$loglik + log(n) * parameters,
    fitted = bare(fitted(fit)), linear_predictor = bare(fit$linear.predictors),
    residuals = list(response = bare(residuals(fit, "response")), pearson = bare(residuals(fit, "pearson")),
                     deviance = bare(residuals(fit, "deviance")), working = bare(residuals(fit, "working"))),
    leverage = bare(hatvalues(fit)))
  cat(sprintf("%-40s n %3d  p %2d  deviance %12.6g  alpha %8.4g  move %.0e\n", id, n, fit$rank, deviance(fit),
              if (kind == "nb") 1 / one$theta else NA, one$move))
}

# --- negative binomial, theta estimated ---------------------------------------------------------------------------------
full <- "days ~ ethnicity + sex + grade + learner"
case("nb-log-quine", "quine", full, "nb", "log", smaller = "days ~ ethnicity + grade")
case("nb-log-quine-interaction", "quine", "days ~ ethnicity * sex + grade", "nb", "log", smaller = "days ~ ethnicity + sex + grade")
case("nb-sqrt-quine", "quine", full, "nb", "sqrt", start = c(4, 0, 0, 0, 0, 0, 0))
case("nb-log-crabs", "crabs", "satellites ~ width", "nb", "log", smaller = "satellites ~ 1")
case("nb-identity-quine", "quine", "days ~ ethnicity + learner", "nb", "identity", start = c(20, 0, 0))
case("nb-log-crabs-weights", "crabs", "satellites ~ width + color", "nb", "log", weights = "weight")
case("nb-log-fabric", "fabric", "faults ~ log(length)", "nb", "log")
case("nb-identity-fabric", "fabric", "faults ~ length", "nb", "identity", start = c(1, 0.01))
case("nb-log-ships-offset", "ships", "incidents ~ type + built", "nb", "log", offset = "log(service)", subset = "service > 0")
case("nb-log-epilepsy-offset", "epilepsy", "seizures ~ treatment + age", "nb", "log", offset = "log(baseline)")
case("nb-sqrt-warpbreaks", "warpbreaks", "breaks ~ wool * tension", "nb", "sqrt")
case("nb-log-warpbreaks-no-intercept", "warpbreaks", "breaks ~ 0 + tension + wool", "nb", "log")
case("nb-log-insectsprays", "insectsprays", "insects ~ spray", "nb", "log")

# --- negative binomial, theta given -------------------------------------------------------------------------------------
case("nb-given-log-quine", "quine", full, "nb", "log", theta = 2)
case("nb-given-identity-warpbreaks", "warpbreaks", "breaks ~ wool + tension", "nb", "identity", theta = 0.5, start = c(30, 0, 0, 0))
case("nb-given-sqrt-warpbreaks", "warpbreaks", "breaks ~ wool * tension", "nb", "sqrt", theta = 8)
case("nb-given-log-insurance-offset", "insurance", "claims ~ district + engine + age", "nb", "log", offset = "log(holders)", theta = 40)

# --- quasi ----------------------------------------------------------------------------------------------------------------
case("quasipoisson-log-ships-offset", "ships", "incidents ~ type + built + period", "quasipoisson", "log",
     offset = "log(service)", subset = "service > 0")
case("quasipoisson-log-quine", "quine", full, "quasipoisson", "log")
case("quasipoisson-sqrt-insectsprays", "insectsprays", "insects ~ spray", "quasipoisson", "sqrt")
case("quasipoisson-identity-fabric-weights", "fabric", "faults ~ length", "quasipoisson", "identity", weights = "length", start = c(1, 0.01))
case("quasibinomial-logit-seeds", "seeds", "I(germinated/seeds) ~ variety * extract", "quasibinomial", "logit", weights = "seeds")
case("quasibinomial-probit-seeds", "seeds", "I(germinated/seeds) ~ variety * extract", "quasibinomial", "probit", weights = "seeds")
case("quasibinomial-cloglog-toxoplasmosis", "toxoplasmosis", "I(positive/tested) ~ rainfall", "quasibinomial", "cloglog", weights = "tested")
case("quasibinomial-cauchit-beetles", "beetles", "I(killed/beetles) ~ log_dose", "quasibinomial", "cauchit", weights = "beetles")
case("quasibinomial-logit-leafblotch", "leafblotch", "affected ~ site + variety", "quasibinomial", "logit")

# --- Tweedie: link 0 is the logarithm, otherwise a power -------------------------------------------------------------------
case("tweedie-1.5-log-leafblotch", "leafblotch", "affected ~ site", "tweedie", 0, p = 1.5)
case("tweedie-1.2-log-quine", "quine", full, "tweedie", 0, p = 1.2)
case("tweedie-1.7-canonical-crabs", "crabs", "satellites ~ color", "tweedie", 1 - 1.7, p = 1.7)
case("tweedie-1.6-log-ships-offset", "ships", "incidents ~ type + built", "tweedie", 0, p = 1.6, offset = "log(service)", subset = "service > 0")
case("tweedie-1.4-sqrt-crabs-weights", "crabs", "satellites ~ width", "tweedie", 0.5, p = 1.4, weights = "weight")
case("tweedie-2.5-log-trees", "trees", "volume ~ log(diameter) + log(height)", "tweedie", 0, p = 2.5)
case("tweedie-4-log-clotting", "clotting", "time ~ lot * log(concentration)", "tweedie", 0, p = 4)

versions <- list(R = paste(R.version$major, R.version$minor, sep = "."), MASS = as.character(packageVersion("MASS")),
                 statmod = as.character(packageVersion("statmod")))
lines <- vapply(unname(cases), function(one)
  paste0("{", paste0('"', names(one), '": ', vapply(one, emit, ""), collapse = ",\n  "), "}"), "")
writeLines(c('{"made_by": "Rscript tests/oracles/overdispersed.R",', paste0('"versions": ', emit(versions), ","), '"cases": [',
             paste(lines, collapse = ",\n"), "]}"), "tests/oracles/overdispersed.json")
cat(length(cases), "cases\n")
