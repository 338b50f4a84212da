# Oracles for generalized estimating equations: R's geepack on the data sets of this book.
#
# Run from the root of the project:  Rscript tests/oracles/gee.R
# Writes tests/oracles/gee.json, the same bytes every time: numbers carry 17 significant digits and no date is stored.
#
# Every table gets a column `row`, 1 to n, from which subsets and weights are made; `time` counts waves from 1 without gaps.
# geepack 1.3.9 crashes on corstr = "unstructured" with missing waves, and has no Toeplitz or m-dependent structure: those
# are written as user-defined regressions of pair products on indicators, to which they are equal. Its scale.fix ignores
# the value it is given, so a fixed scale goes to geese.fit as gm.

suppressPackageStartupMessages({library(jsonlite); library(geepack)})
catalogue <- fromJSON("glmref/data/catalogue.json", simplifyVector = FALSE)
read_set <- function(name) {
  columns <- catalogue[[name]]$columns
  is_text <- vapply(columns, function(column) column$type %in% c("category", "text"), NA)
  data <- read.csv(file.path("glmref/data", paste0(name, ".csv")), colClasses = ifelse(is_text, "character", "numeric"))
  for (key in names(columns))
    if (columns[[key]]$type == "category")
      data[[key]] <- factor(data[[key]], levels = unlist(columns[[key]]$levels))
  data$row <- seq_len(nrow(data))
  data
}

# One row for each pair of rows of a cluster, in geepack's order; `columns(j, k)` are the indicators of a pair of waves.
pair_design <- function(id, waves, columns) {
  rows <- split(waves, factor(id, levels = unique(id)))
  do.call(rbind, lapply(rows, function(w) {
    if (length(w) < 2) return(NULL)
    pairs <- combn(length(w), 2)
    do.call(rbind, lapply(seq_len(ncol(pairs)), function(c) columns(w[pairs[1, c]], w[pairs[2, c]])))
  }))
}

cases <- list()
case <- function(id, dataset, formula, cluster, time, family, link, corr, m = NULL, R = NULL, offset = NULL, weights = NULL,
                 subset = NULL, phi = NULL, jackknife = FALSE) {
  data <- read_set(dataset)
  data$.time <- eval(parse(text = time), data)
  if (!is.null(subset)) data <- data[eval(parse(text = gsub("%", "%%", subset, fixed = TRUE)), data), , drop = FALSE]
  data$.id <- match(data[[cluster]], unique(data[[cluster]]))
  data <- data[order(data$.id, data$.time), ]
  waves <- data$.time
  T <- max(waves)
  frame <- model.frame(as.formula(formula), data)
  X <- model.matrix(as.formula(formula), frame)
  y <- as.numeric(model.response(frame))
  o <- if (is.null(offset)) rep(0, nrow(X)) else eval(parse(text = offset), data)
  w <- if (is.null(weights)) rep(1, nrow(X)) else eval(parse(text = gsub("%", "%%", weights, fixed = TRUE)), data)
  complete <- all(table(data$.id) == T)
  lag_columns <- function(most) function(j, k) as.numeric(seq_len(most) == abs(j - k))
  wave_pairs <- combn(T, 2)
  zcor <- switch(corr,
    toeplitz = pair_design(data$.id, waves, lag_columns(T - 1)),
    mdependent = pair_design(data$.id, waves, lag_columns(m)),
    unstructured = if (!complete) pair_design(data$.id, waves, function(j, k)
      as.numeric(wave_pairs[1, ] == min(j, k) & wave_pairs[2, ] == max(j, k))),
    fixed = pair_design(data$.id, waves, function(j, k) R[j, k]))
  corstr <- if (is.null(zcor)) corr else if (corr == "fixed") "fixed" else "userdefined"
  r_family <- get(family)(link = link)
  start <- suppressWarnings(glm.fit(X, y, weights = w, offset = o, family = r_family, control = glm.control(1e-10, 100)))
  for (epsilon in c(1e-13, 1e-12, 1e-11)) {  # the smallest change that rounding lets the rounds reach
    fit <- geese.fit(X, y, data$.id, offset = o, weights = w, waves = if (corr == "ar1") waves else NULL, zcor = zcor,
                     control = geese.control(epsilon = epsilon, maxit = 500, jack = jackknife, fij = jackknife),
                     b = coef(start), gm = phi, family = r_family, corstr = corstr, scale.fix = !is.null(phi))
    if (fit$error == 0) break
  }
  if (fit$error != 0) stop("geepack did not converge in ", id)
  stopifnot(nrow(X) == sum(fit$clusz))
  bare <- function(x) as.list(as.numeric(x))
  square <- function(M) if (is.null(M)) NULL else unname(apply(M, 1, bare, simplify = FALSE))
  cases[[id]] <<- list(
    id = id, dataset = dataset, subset = subset, formula = formula, cluster = cluster, time = time,
    family = c(gaussian = "gaussian", binomial = "binomial", poisson = "poisson", Gamma = "gamma")[[family]], link = link,
    correlation = corr, m = m, R = if (is.null(R)) NULL else square(R), offset = offset, weights = weights,
    dispersion_given = phi, coef = bare(fit$beta), robust = square(fit$vbeta), model = square(fit$vbeta.naiv),
    alpha = bare(if (corr == "fixed") NULL else fit$alpha), dispersion = as.numeric(fit$gamma),
    clusters = length(fit$clusz), ajs = if (jackknife) square(fit$vbeta.ajs), fij = if (jackknife) square(fit$vbeta.fij))
  cat(sprintf("%-40s K %3d  n %4d  alpha %s\n", id, length(fit$clusz), nrow(X), paste(format(fit$alpha, digits = 4), collapse = " ")))
}

ohio <- function(id, corr, ..., link = "logit")
  case(paste0("ohio-", id), "ohio", "wheeze ~ age + smoking", "child", "age - 6", "binomial", link, corr, ...)
dental <- function(id, corr, ..., family = "gaussian", link = "identity")
  case(paste0("dental-", id), "dental", "distance ~ age * sex", "child", "(age - 6) / 2", family, link, corr, ...)
epilepsy <- function(id, corr, ..., family = "poisson", link = "log", formula = "seizures ~ log(baseline) + age + treatment")
  case(paste0("epilepsy-", id), "epilepsy", formula, "patient", "visit", family, link, corr, ...)
structure <- matrix(c(1, .4, .3, .2, .4, 1, .4, .3, .3, .4, 1, .4, .2, .3, .4, 1), 4)
some <- "(row * 7) % 11 > 2"  # loses three rows of eleven: every pattern of missing waves, unequal clusters, some of one row

for (corr in c("independence", "exchangeable", "ar1", "unstructured", "toeplitz")) {
  ohio(corr, corr)
  ohio(paste0(corr, "-missing"), corr, subset = some)
  dental(corr, corr, jackknife = corr %in% c("independence", "exchangeable", "ar1"))
  # unstructured: geepack does not converge where R is not positive definite, and so with fewer rows of so few children
  dental(paste0(corr, "-missing"), corr, subset = if (corr == "unstructured") "(row * 7) % 11 > 0" else some)
  epilepsy(corr, corr)
  epilepsy(paste0(corr, "-missing"), corr, subset = some)
}
for (m in 1:2) {
  ohio(paste0(m, "-dependent"), "mdependent", m = m)
  ohio(paste0(m, "-dependent-missing"), "mdependent", m = m, subset = some)
}
dental("1-dependent-missing", "mdependent", m = 1, subset = some)
ohio("fixed", "fixed", R = structure)
dental("fixed-missing", "fixed", R = structure, subset = some)
epilepsy("fixed-missing", "fixed", R = structure, subset = some)
ohio("probit", "exchangeable", link = "probit")
ohio("cloglog-missing", "ar1", link = "cloglog", subset = some)
dental("gamma-inverse", "exchangeable", family = "Gamma", link = "inverse")
dental("gamma-log-missing", "ar1", family = "Gamma", link = "log", subset = some)
dental("gamma-unstructured", "unstructured", family = "Gamma", link = "log")
dental("gaussian-log", "exchangeable", link = "log", subset = some)
epilepsy("gamma-log", "toeplitz", family = "Gamma", formula = "I(seizures + 1) ~ log(baseline) + treatment")
epilepsy("offset", "exchangeable", formula = "seizures ~ age + treatment", offset = "log(baseline / 4)")
epilepsy("offset-ar1-missing", "ar1", formula = "seizures ~ age + treatment", offset = "log(baseline / 4)", subset = some)
epilepsy("jackknife", "exchangeable", jackknife = TRUE)
dental("weights-independence", "independence", weights = "1 + row % 3")
dental("weights-exchangeable", "exchangeable", weights = "1 + row % 3")
dental("weights-exchangeable-missing", "exchangeable", weights = "1 + row % 3", subset = some)
dental("weights-ar1", "ar1", weights = "1 + row % 3")
epilepsy("weights-exchangeable", "exchangeable", weights = "1 + row % 3")
dental("scale-fixed-independence", "independence", phi = 5)
dental("scale-fixed", "exchangeable", phi = 6)
epilepsy("scale-fixed-missing", "exchangeable", phi = 6, subset = some)
ohio("scale-fixed", "ar1", phi = 1.2)

emit <- function(x) {
  if (is.null(x)) "null"
  else if (is.list(x) && !is.null(names(x)))
    paste0("{", paste0('"', names(x), '": ', vapply(x, emit, ""), collapse = ", "), "}")
  else if (is.list(x)) paste0("[", paste(vapply(x, emit, ""), collapse = ", "), "]")
  else if (is.character(x)) paste0('"', gsub('"', '\\\\"', x), '"')
  else if (is.finite(x)) sprintf("%.17g", x)
  else "null"
}
versions <- list(R = paste(R.version$major, R.version$minor, sep = "."), geepack = as.character(packageVersion("geepack")))
lines <- vapply(unname(cases), function(one)
  paste0("{", paste0('"', names(one), '": ', vapply(one, emit, ""), collapse = ",\n  "), "}"), "")
writeLines(c('{"made_by": "Rscript tests/oracles/gee.R",', paste0('"versions": ', emit(versions), ","), '"cases": [',
             paste(lines, collapse = ",\n"), "]}"), "tests/oracles/gee.json")
cat(length(cases), "cases\n")
