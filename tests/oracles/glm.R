# Oracles for generalized linear models: R's glm on the data sets of this book.
#
# Run from the root of the project:  Rscript tests/oracles/glm.R
# Writes tests/oracles/glm.json, the same bytes every time: numbers carry 17 significant digits and no date is stored.
#
# Formulas are written so that R and formulaic read them alike; factors take treatment contrasts, with levels in the order
# of the catalogue. R iterates until the deviance is stable (epsilon 1e-14) and then until the coefficients are (`polish`).

suppressPackageStartupMessages(library(jsonlite))
catalogue <- fromJSON("glmref/data/catalogue.json", simplifyVector = FALSE)

read_set <- function(name) {
  columns <- catalogue[[name]]$columns
  is_text <- vapply(columns, function(column) column$type %in% c("category", "text"), NA)
  data <- read.csv(file.path("glmref/data", paste0(name, ".csv")),
                   colClasses = ifelse(is_text, "character", "numeric"), check.names = FALSE)
  for (key in names(columns))
    if (columns[[key]]$type == "category")
      data[[key]] <- factor(data[[key]], levels = unlist(columns[[key]]$levels))
  data
}

# A name of R's as formulaic spells it, component by component between colons:
#   (Intercept) -> Intercept;  sexmale -> sex[T.male], or sex[male] in a term that codes every level (no baseline);
#   I(x/10) -> I(x / 10);  I(x^2) -> I(x ** 2).
formulaic_names <- function(fit, data) {
  factors <- names(data)[vapply(data, is.factor, NA)]
  all_names <- names(coef(fit))
  rename <- function(part, term) {
    if (part == "(Intercept)") return("Intercept")
    for (key in factors) for (level in levels(data[[key]])) if (part == paste0(key, level)) {
      baseline <- paste0(key, levels(data[[key]])[1])
      full <- any(vapply(strsplit(all_names, ":"), function(parts)
        baseline %in% parts && length(parts) == length(term), NA))
      return(paste0(key, if (full) "[" else "[T.", level, "]"))
    }
    if (startsWith(part, "I(")) part <- gsub("^", " ** ", gsub("/", " / ", part, fixed = TRUE), fixed = TRUE)
    part
  }
  vapply(strsplit(all_names, ":"), function(term)
    paste(vapply(term, rename, "", term = term), collapse = ":"), "")
}

# R spells the exponents of power links by numbers, the rest by name; glmref's names on the right.
glmref_link <- c(identity = "identity", log = "log", inverse = "inverse", logit = "logit", probit = "probit",
                 cauchit = "cauchit", cloglog = "cloglog", sqrt = "sqrt", "1/mu^2" = "inverse_squared")
glmref_family <- c(gaussian = "gaussian", binomial = "binomial", poisson = "poisson", Gamma = "gamma",
                   inverse.gaussian = "inverse_gaussian")

# Repeat single Fisher scoring steps until the coefficients no longer move: with a link that is not canonical the
# deviance settles long before they do.
polish <- function(fit, refit) {
  previous <- Inf
  for (step in 1:500) {
    at <- coef(fit)
    again <- refit(replace(at, is.na(at), 0))  # NA: aliased
    move <- max(abs(coef(again) - at)[!is.na(at)] / summary(again)$coefficients[, "Std. Error"])
    fit <- again
    if (is.finite(move) && (move < 1e-15 || (move >= previous && move < 1e-11))) break
    previous <- move
  }
  list(fit = fit, move = move)
}

# Gamma: the log-likelihood at the maximum likelihood dispersion, where
# 2 n {log(shape) - digamma(shape)} = deviance (R evaluates its own at the dispersion deviance/n).
gamma_ml <- function(fit) {
  n <- length(fit$y)
  shape <- uniroot(function(log_shape) 2 * n * (log_shape - digamma(exp(log_shape))) - deviance(fit),
                   c(-10, 20), tol = 1e-15)$root
  shape <- exp(shape)
  for (i in 1:5)  # Newton, to the last digits
    shape <- shape - (log(shape) - digamma(shape) - deviance(fit) / (2 * n)) / (1 / shape - trigamma(shape))
  c(dispersion = 1 / shape, loglik = sum(dgamma(fit$y, shape = shape, scale = fitted(fit) / shape, log = TRUE)))
}

cases <- list()
case <- function(id, dataset, formula, family, link, offset = NULL, weights = NULL, subset = NULL, start = NULL) {
  data <- read_set(dataset)
  if (!is.null(subset)) data <- data[eval(parse(text = subset), data), , drop = FALSE]
  r_link <- if (is.numeric(link)) power(link) else if (link %in% c("sqrt", "inverse", "identity", "cauchit", "1/mu^2"))
    make.link(link) else link
  r_family <- get(family)(link = r_link)
  r_formula <- as.formula(if (is.null(offset)) formula else paste0(formula, " + offset(", offset, ")"))
  # prior weights enter as a column: a formula finds its variables in the data
  if (!is.null(weights)) data$.weights <- eval(parse(text = weights), data)
  run <- function(start, maxit, epsilon = 1e-14) {
    control <- glm.control(epsilon = epsilon, maxit = maxit)
    if (is.null(weights)) glm(r_formula, r_family, data, start = start, control = control)
    else glm(r_formula, r_family, data, weights = .weights, start = start, control = control)
  }
  environment(r_formula) <- environment()
  fit <- suppressWarnings(run(start, 200))
  null_deviance <- fit$null.deviance  # of this fit: the single steps of polish would stop its own iteration short
  polished <- polish(fit, function(beta) suppressWarnings(run(beta, 1, 1e-12)))  # the deviance carries noise of 1e-14
  fit <- polished$fit
  move <- polished$move
  stopifnot(fit$converged, move < 1e-9, all(is.finite(fitted(fit))))
  overview <- summary(fit)
  p <- fit$rank
  n <- nrow(data)
  estimated <- !(family %in% c("binomial", "poisson"))
  loglik <- as.numeric(suppressWarnings(logLik(fit)))
  aic <- AIC(fit)
  bic <- BIC(fit)
  dispersion_ml <- NULL
  if (family == "Gamma") {
    if (is.null(weights)) {
      ml <- gamma_ml(fit)
      dispersion_ml <- ml[["dispersion"]]
      loglik <- ml[["loglik"]]
      aic <- -2 * loglik + 2 * (p + 1)
      bic <- -2 * loglik + log(n) * (p + 1)
    } else loglik <- NA
  }
  if (!is.finite(loglik)) loglik <- aic <- bic <- NULL  # no density: fractions as counts, weighted Gamma
  names <- formulaic_names(fit, data)
  kept <- !is.na(coef(fit))
  se <- rep(NA_real_, length(kept))
  se[kept] <- overview$coefficients[, "Std. Error"]
  at <- head(data, 5)
  linear <- suppressWarnings(predict(fit, at, type = "link", se.fit = TRUE))
  mean <- suppressWarnings(predict(fit, at, type = "response", se.fit = TRUE))
  bare <- function(x) as.list(as.numeric(x))  # a list is written as an array, however short
  cases[[id]] <<- list(
    id = id, dataset = dataset, subset = subset, formula = formula, r_formula = paste(deparse(r_formula, 500), collapse = ""),
    family = glmref_family[[family]],
    link = if (is.numeric(link)) list(power = link) else glmref_link[[link]],
    offset = offset, weights = weights, intercept = "(Intercept)" %in% names(coef(fit)),
    names = as.list(names), coef = bare(coef(fit)), se = bare(se),
    cov = unname(apply(overview$cov.scaled, 1, bare, simplify = FALSE)),
    deviance = deviance(fit), null_deviance = null_deviance,
    pearson_chi2 = sum(residuals(fit, "pearson")^2), dispersion = overview$dispersion, df_resid = fit$df.residual,
    loglik = loglik, aic = aic, bic = bic, dispersion_ml = dispersion_ml,
    fitted = bare(fitted(fit)), linear_predictor = bare(fit$linear.predictors),
    residuals = list(response = bare(residuals(fit, "response")), pearson = bare(residuals(fit, "pearson")),
                     deviance = bare(residuals(fit, "deviance")), working = bare(residuals(fit, "working"))),
    leverage = bare(hatvalues(fit)),
    predict = list(linear = bare(linear$fit), linear_se = bare(linear$se.fit),
                   mean = bare(mean$fit), mean_se = bare(mean$se.fit)))
  cat(sprintf("%-38s n %3d  p %2d  deviance %12.6g  move %.0e%s\n", id, n, p, deviance(fit), move,
              if (all(kept)) "" else "  aliased"))
}

# --- Gaussian -------------------------------------------------------------------------------------------------------
case("gaussian-identity-cars", "cars", "distance ~ speed", "gaussian", "identity")
case("gaussian-identity-longley", "longley", "employed ~ gnp + unemployed", "gaussian", "identity")
case("gaussian-identity-interaction", "warpbreaks", "breaks ~ wool * tension", "gaussian", "identity")
case("gaussian-identity-no-intercept", "insectsprays", "insects ~ 0 + spray", "gaussian", "identity")
case("gaussian-identity-weights", "trees", "volume ~ diameter + height", "gaussian", "identity", weights = "height")
case("gaussian-identity-offset", "cars", "distance ~ speed", "gaussian", "identity", offset = "speed")
case("gaussian-log-trees", "trees", "volume ~ log(diameter) + log(height)", "gaussian", "log")
case("gaussian-inverse-puromycin", "puromycin", "rate ~ state * I(1 / concentration)", "gaussian", "inverse")
case("gaussian-sqrt-cars", "cars", "distance ~ speed", "gaussian", "sqrt")
case("gaussian-power-trees", "trees", "volume ~ diameter + height", "gaussian", 1/3)

# --- Binomial: Bernoulli, then proportions weighted by their trials ---------------------------------------------------
case("binomial-logit-orings-bernoulli", "orings", "distress ~ temperature", "binomial", "logit")
case("binomial-logit-orings-grouped", "orings", "I(damaged / rings) ~ temperature", "binomial", "logit", weights = "rings")
case("binomial-logit-crabs", "crabs", "I(1 * (satellites > 0)) ~ width + color", "binomial", "logit")
case("binomial-probit-crabs", "crabs", "I(1 * (satellites > 0)) ~ width", "binomial", "probit")
for (link in c("logit", "probit", "cauchit", "cloglog"))
  case(paste0("binomial-", link, "-beetles"), "beetles", "I(killed / beetles) ~ log_dose", "binomial", link, weights = "beetles")
case("binomial-cloglog-offset", "beetles", "I(killed / beetles) ~ 1", "binomial", "cloglog", weights = "beetles", offset = "log(dose)")
case("binomial-probit-menarche", "menarche", "I(reached / girls) ~ age", "binomial", "probit", weights = "girls")
case("binomial-logit-budworm", "budworm", "I(killed / moths) ~ sex * log(dose)", "binomial", "logit", weights = "moths")
case("binomial-cloglog-budworm", "budworm", "I(killed / moths) ~ sex + log(dose)", "binomial", "cloglog", weights = "moths")
case("binomial-logit-seeds", "seeds", "I(germinated / seeds) ~ variety * extract", "binomial", "logit", weights = "seeds")
case("binomial-cauchit-seeds-no-intercept", "seeds", "I(germinated / seeds) ~ 0 + extract", "binomial", "cauchit", weights = "seeds")
case("binomial-logit-toxoplasmosis-cubic", "toxoplasmosis",
     "I(positive / tested) ~ I((rainfall - 1900) / 100) + I(((rainfall - 1900) / 100) ** 2) + I(((rainfall - 1900) / 100) ** 3)",
     "binomial", "logit", weights = "tested")
case("binomial-log-toxoplasmosis", "toxoplasmosis", "I(positive / tested) ~ I((rainfall - 1900) / 100)", "binomial", "log", weights = "tested", start = c(-0.5, 0))
case("binomial-identity-toxoplasmosis", "toxoplasmosis", "I(positive / tested) ~ I((rainfall - 1900) / 100)", "binomial", "identity", weights = "tested", start = c(0.5, 0))
case("binomial-logit-berkeley-frequencies", "berkeley", 'I(1 * (decision == "admitted")) ~ department + gender', "binomial", "logit", weights = "applicants")

# --- Poisson ----------------------------------------------------------------------------------------------------------
case("poisson-log-insurance-offset", "insurance", "claims ~ district + engine + age", "poisson", "log", offset = "log(holders)")
case("poisson-log-doctors-offset", "doctors", "deaths ~ age + smoking", "poisson", "log", offset = "log(person_years)")
case("poisson-log-doctors-saturated", "doctors", "deaths ~ age * smoking", "poisson", "log", offset = "log(person_years)")
case("poisson-log-ships", "ships", "incidents ~ type + built + period", "poisson", "log", offset = "log(service)", subset = "service > 0")
case("poisson-log-quine", "quine", "days ~ ethnicity * sex + grade + learner", "poisson", "log")
case("poisson-log-quine-aliased", "quine", "days ~ ethnicity + grade * learner", "poisson", "log")
case("poisson-log-epilepsy", "epilepsy", "seizures ~ log(baseline) + age + treatment", "poisson", "log")
case("poisson-log-warpbreaks", "warpbreaks", "breaks ~ wool * tension", "poisson", "log")
case("poisson-log-fabric-intercept", "fabric", "faults ~ 1", "poisson", "log", offset = "log(length)")
case("poisson-log-crabs-weights", "crabs", "satellites ~ width", "poisson", "log", weights = "weight")
case("poisson-log-rates-as-weights", "insurance", "I(claims / holders) ~ district + engine + age", "poisson", "log", weights = "holders")
case("poisson-identity-fabric", "fabric", "faults ~ length", "poisson", "identity")
case("poisson-identity-no-intercept", "fabric", "faults ~ 0 + length", "poisson", "identity")
case("poisson-sqrt-crabs", "crabs", "satellites ~ width", "poisson", "sqrt")
case("poisson-inverse-insectsprays", "insectsprays", "insects ~ spray", "poisson", "inverse", start = c(1/14, 0, 0.4, 0.1, 0.2, 0))
case("poisson-power-insectsprays", "insectsprays", "insects ~ spray", "poisson", 1/3)

# --- Gamma ------------------------------------------------------------------------------------------------------------
case("gamma-inverse-clotting", "clotting", "time ~ lot * log(concentration)", "Gamma", "inverse")
case("gamma-inverse-no-intercept", "clotting", "time ~ 0 + lot + lot:log(concentration)", "Gamma", "inverse")
case("gamma-inverse-weights", "clotting", "time ~ lot * log(concentration)", "Gamma", "inverse", weights = "concentration")
case("gamma-log-clotting", "clotting", "time ~ lot * log(concentration)", "Gamma", "log")
case("gamma-log-leukaemia", "leukaemia", "survival ~ ag * log(white_cells)", "Gamma", "log")
case("gamma-log-trees-offset", "trees", "volume ~ log(diameter)", "Gamma", "log", offset = "log(height)")
case("gamma-identity-cars", "cars", "distance ~ speed", "Gamma", "identity", start = c(1, 2.8))
case("gamma-sqrt-cars", "cars", "distance ~ speed", "Gamma", "sqrt")
case("gamma-power-trees", "trees", "volume ~ diameter + height", "Gamma", 1/3)
case("gamma-inverse-squared-clotting", "clotting", "time ~ lot + concentration", "Gamma", "1/mu^2")

# --- Inverse Gaussian ---------------------------------------------------------------------------------------------------
case("inverse-gaussian-canonical-clotting", "clotting", "time ~ lot + concentration", "inverse.gaussian", "1/mu^2")
case("inverse-gaussian-canonical-leukaemia", "leukaemia", "survival ~ ag", "inverse.gaussian", "1/mu^2")
case("inverse-gaussian-inverse-clotting", "clotting", "time ~ lot * log(concentration)", "inverse.gaussian", "inverse")
case("inverse-gaussian-log-trees", "trees", "volume ~ log(diameter) + log(height)", "inverse.gaussian", "log")
case("inverse-gaussian-log-puromycin", "puromycin", "rate ~ state * log(concentration)", "inverse.gaussian", "log")
case("inverse-gaussian-identity-cars", "cars", "distance ~ speed", "inverse.gaussian", "identity", start = c(0.5, 2.8))
case("inverse-gaussian-power-trees", "trees", "volume ~ diameter + height", "inverse.gaussian", 1/3)

# jsonlite writes 15 digits at most, and a double needs 17: so the writer is ours.
emit <- function(x) {
  if (is.null(x)) "null"
  else if (is.list(x) && !is.null(names(x)))
    paste0("{", paste0('"', names(x), '": ', vapply(x, emit, ""), collapse = ", "), "}")
  else if (is.list(x)) paste0("[", paste(vapply(x, emit, ""), collapse = ", "), "]")
  else if (is.character(x)) paste0('"', gsub('"', '\\\\"', x), '"')
  else if (is.logical(x) && !is.na(x)) tolower(x)
  else if (is.finite(x)) sprintf("%.17g", x)
  else "null"
}
versions <- list(R = paste(R.version$major, R.version$minor, sep = "."), jsonlite = as.character(packageVersion("jsonlite")))
lines <- vapply(unname(cases), function(one)
  paste0("{", paste0('"', names(one), '": ', vapply(one, emit, ""), collapse = ",\n  "), "}"), "")
writeLines(c('{"made_by": "Rscript tests/oracles/glm.R",', paste0('"versions": ', emit(versions), ","), '"cases": [',
             paste(lines, collapse = ",\n"), "]}"), "tests/oracles/glm.json")
cat(length(cases), "cases\n")
