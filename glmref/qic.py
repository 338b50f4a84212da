"""Criteria for choosing a working correlation or a set of covariates, without a likelihood.

Pan (2001), Akaike's information criterion in generalized estimating equations, compares models by the quasi-likelihood
under independence, Q = sum w int_y^mu (y - t) / (phi V(t)) dt, at the coefficients of the fit. The integral from y makes it
-deviance / (2 phi): zero for a perfect fit, with no constant left that depends on the data alone. phi is that of the fit;
two fits are comparable if they use the same (pass dispersion= to make sure). Omega is the model-based information of the
independence model at the same coefficients, V_R the robust covariance.

    CIC  = tr(Omega V_R)       the price of the parameters; best for choosing a correlation (Hin and Wang 2009)
    QIC  = -2 Q + 2 CIC
    QICu = -2 Q + 2 p          for choosing covariates only
"""

from functools import partial

import numpy as np

from .streaming import panel as portions


def quasi_deviance(panel, beta):
    """-2 phi Q: the deviance of the family at beta."""
    of = partial(portions.quasi_deviance, beta)
    return of(panel) if panel.in_memory else panel.sum(of)


def cic(panel, beta, robust, phi):
    """tr(Omega V_R), Omega = sum D'A^-1 D / phi at beta; robust: V_R (p x p)."""
    of = partial(portions.independence_information, beta)
    return float(np.sum((of(panel) if panel.in_memory else panel.sum(of)) * robust) / phi)
