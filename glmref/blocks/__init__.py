"""Where rows come from, and who adds.

IRLS needs of the data only sums over rows. So a fit asks its rows for one thing, `sum(summarize)`, and does not care where they
are: in memory (`ArrayRows`), in a file that is read portion by portion (`Parquet`), or on the workers of a Dask cluster (`Dask`).
A source hands out portions of a table and adds up whatever is computed from each; `glmref.streaming` makes rows of them.

>>> from glmref import blocks
"""

from .arrays import BLOCK_ROWS, NOTHING, SAMPLE_ROWS, ArrayRows, Block, add_all, is_constant, repeated
from .parquet import Parquet
from .partitions import Dask
from .source import Portion, as_source, is_dask, is_source

__all__ = [
    "BLOCK_ROWS", "NOTHING", "SAMPLE_ROWS", "ArrayRows", "Block", "Dask", "Parquet", "Portion", "add_all", "as_source", "is_constant",
    "is_dask", "is_source", "repeated",
]  # fmt: skip
