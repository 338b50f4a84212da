# A logistic regression with a random intercept, by R's lme4: the mixed model of chapter 12.
#
# Run from the root of the project:  Rscript tests/oracles/mixed.R
# Writes tests/oracles/mixed.json, the same bytes every time: numbers carry 17 significant digits and no date is stored.
#
# nAGQ is the number of nodes of the adaptive Gauss-Hermite quadrature. As glmer stops by itself, the fourth digit is open, so its
# inner rounds and its optimizer are told to go on; the standard errors are those of vcov(), from the Hessian of the deviance
# by differences.

suppressPackageStartupMessages({library(jsonlite); library(lme4)})
trial <- read.csv("glmref/data/respiratory.csv")
trial$treatment <- factor(trial$treatment, c("placebo", "active"))
trial$centre <- factor(trial$centre)
trial$sex <- factor(trial$sex, c("male", "female"))
tight <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhobeg = 0.02, rhoend = 1e-8, maxfun = 1e5))

case <- function(nodes) {
  fit <- glmer(good ~ treatment + centre + sex + age + baseline + (1 | patient), trial, binomial, nAGQ = nodes, control = tight)
  list(id = paste0("respiratory-", nodes), dataset = "respiratory", nodes = nodes, loglik = as.numeric(logLik(fit)),
       coef = unname(fixef(fit)), se = unname(sqrt(diag(as.matrix(vcov(fit, use.hessian = TRUE))))), sigma = unname(getME(fit, "theta")))
}
out <- list(
  made_by = "Rscript tests/oracles/mixed.R",
  versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")), jsonlite = as.character(packageVersion("jsonlite"))),
  cases = list(case(25)))
writeLines(toJSON(out, auto_unbox = TRUE, digits = I(17), pretty = TRUE), "tests/oracles/mixed.json")
