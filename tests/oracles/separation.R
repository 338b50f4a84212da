# Which coefficients of binary regressions are infinite, by the linear program of Konis (2007) in R's lpSolve.
# Run from the project's root: Rscript tests/oracles/separation.R
#
# Writes tests/oracles/separation.json. The endometrial cancer data of Heinze & Schemper (2002) are those of brglm2.
# Konis: maximize sum_i s_i x_i'g subject to s_i x_i'g >= 0 and -1 <= g <= 1 (s_i = +1 where y = 1, -1 where y = 0). The
# estimate is finite if the maximum is 0. Coefficient j is finite if g_j is 0 throughout that region; else infinite, with the
# sign that g_j has there: the largest and the smallest g_j say which (stored: 1, -1, or 0.5 where both occur).
suppressPackageStartupMessages({library(lpSolve); library(jsonlite); library(brglm2)})
data(endometrial)
numbers <- function(data) lapply(as.list(data), as.numeric)
sets <- list(
  endometrial = endometrial,
  mtcars = mtcars[c("am", "vs", "wt", "hp", "gear", "qsec")],
  infert = infert[c("case", "spontaneous", "induced", "age")],
  iris = with(subset(iris, Species != "virginica"),
              data.frame(setosa = as.numeric(Species == "setosa"), length = Sepal.Length, width = Sepal.Width, petal = Petal.Length)))
cases <- list(
  c("endometrial", "HG ~ NV + PI + EH"), c("endometrial", "HG ~ PI + EH"), c("endometrial", "HG ~ NV"),
  c("endometrial", "HG ~ 0 + NV + PI"), c("mtcars", "am ~ wt"), c("mtcars", "am ~ gear"), c("mtcars", "am ~ wt + hp"),
  c("mtcars", "am ~ wt + qsec + hp"), c("mtcars", "vs ~ qsec"), c("mtcars", "vs ~ qsec + hp + wt"),
  c("infert", "case ~ spontaneous + induced + age"), c("iris", "setosa ~ petal"), c("iris", "setosa ~ width"),
  c("iris", "setosa ~ length + width"))

extreme <- function(objective, A, way) {  # the largest or smallest objective'g over A g >= 0, |g| <= 1; g = u - 1, u in [0, 2]
  p <- ncol(A)
  found <- lp(way, objective, rbind(A, diag(p)), c(rep(">=", nrow(A)), rep("<=", p)), c(rowSums(A), rep(2, p)))
  found$objval - sum(objective)
}
limits <- function(formula, data) {
  X <- model.matrix(formula, data)
  X <- sweep(X, 2, apply(abs(X), 2, max), "/")
  A <- (2 * model.response(model.frame(formula, data)) - 1) * X
  separated <- extreme(colSums(A), A, "max") > 1e-7
  signs <- sapply(seq_len(ncol(X)), function(j) {
    e <- as.numeric(seq_len(ncol(X)) == j)
    up <- extreme(e, A, "max") > 1e-7
    down <- extreme(e, A, "min") < -1e-7
    if (up && down) 0.5 else up - down
  })
  names(signs) <- sub("(Intercept)", "Intercept", colnames(X), fixed = TRUE)
  list(separation = separated, coefficients = as.list(signs))
}
out <- list(
  versions = list(R = as.character(getRversion()), lpSolve = as.character(packageVersion("lpSolve")),
                  brglm2 = as.character(packageVersion("brglm2"))),
  data = lapply(sets, numbers),
  cases = lapply(cases, function(case) c(list(data = case[1], formula = case[2]), limits(as.formula(case[2]), sets[[case[1]]]))))
writeLines(toJSON(out, auto_unbox = TRUE, digits = I(17), pretty = FALSE), "tests/oracles/separation.json")
