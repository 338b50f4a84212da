# Robust covariances of R's sandwich package for fits of R's glm on the book's data.
# Run from the project's root: Rscript tests/oracles/sandwich.R
library(sandwich)
number <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ", "), "]")
tight <- glm.control(epsilon = 1e-14, maxit = 500)
read <- function(name) read.csv(file.path("glmref", "data", paste0(name, ".csv")))
fits <- list(
  "orings-logit" = list(glm(distress ~ temperature, binomial, read("orings"), control = tight), NULL),
  "beetles-cloglog" = list(glm(killed / beetles ~ log_dose, binomial("cloglog"), read("beetles"), weights = beetles, control = tight), NULL),
  "doctors-log" = list(glm(deaths ~ smoking + age, poisson, read("doctors"), offset = log(person_years), control = tight), "age"),
  "sprays-sqrt" = list(glm(insects ~ spray, poisson("sqrt"), read("insectsprays"), control = tight), NULL),
  "clotting-inverse" = list(glm(time ~ log(concentration), Gamma, read("clotting"), control = tight), "concentration"),
  "clotting-log" = list(glm(time ~ log(concentration) + lot, Gamma("log"), read("clotting"), control = tight), "concentration"),
  "cars-identity" = list(glm(distance ~ speed, gaussian, read("cars"), control = tight), "speed"),
  "crabs-log" = list(glm(satellites ~ width, poisson, read("crabs"), control = tight), "color"))
cat("{\n")
cat(sprintf('"versions": {"R": "%s", "sandwich": "%s"},\n"cases": {\n', getRversion(), packageVersion("sandwich")))
for (name in names(fits)) {
  # R stops when the deviance stops; single steps from there bring the coefficients to their last digits
  fit <- fits[[name]][[1]]
  for (k in 1:8) fit <- suppressWarnings(update(fit, start = coef(fit), control = glm.control(epsilon = 1e-300, maxit = 1)))
  groups <- fits[[name]][[2]]
  cat(sprintf('"%s": {', name))
  for (kind in c("HC0", "HC1", "HC2", "HC3")) cat(sprintf('"%s": %s, ', kind, number(vcovHC(fit, type = kind))))
  cluster <- if (is.null(groups)) "null" else
    number(vcovCL(fit, cluster = fit$data[[groups]], type = "HC0", cadjust = FALSE))
  cat(sprintf('"groups": %s, "cluster": %s}%s\n', if (is.null(groups)) "null" else paste0('"', groups, '"'), cluster,
              if (name == tail(names(fits), 1)) "" else ","))
}
cat("}}\n")
