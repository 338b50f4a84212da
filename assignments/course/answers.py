"""The far end of marking, inside the sandbox: hands out what the submission holds, as JSON. It knows no test and no secret.

A submission can make this file lie, but only about its own answers.
"""
import json

MOST = 2_000_000  # characters of one answer


def plain(value):
    """A value as JSON can hold it: {"kind": ..., "value": ...}."""
    import numpy as np

    if value is None or isinstance(value, (bool, str)):
        return {"kind": type(value).__name__, "value": value}
    if isinstance(value, (int, float, np.number)):
        return {"kind": "number", "value": float(value)}
    module = type(value).__module__.split(".")[0]
    if module == "sympy":
        return {"kind": "expression", "value": str(value)}
    if module == "matplotlib" or (isinstance(value, np.ndarray) and value.size and hasattr(value.flat[0], "get_figure")):
        return {"kind": "figure", "value": picture(value)}
    if isinstance(value, dict):
        return {"kind": "dict", "value": {str(key): plain(each) for key, each in value.items()}}
    if callable(value) and not hasattr(value, "__array__"):
        return {"kind": "function", "value": getattr(value, "__name__", "")}
    if isinstance(value, (list, tuple)) and any(type(each).__module__.split(".")[0] == "sympy" for each in value):
        return {"kind": "list", "value": [plain(each) for each in value]}
    if isinstance(value, (list, tuple)) and len({np.shape(each) for each in value}) > 1:
        return {"kind": "list", "value": [plain(each) for each in value]}
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        return {"kind": "array", "value": [str(each) if isinstance(each, str) else float(each) for each in array.ravel()]}
    return {"kind": "array", "value": array.astype(float).tolist()}


def picture(thing):
    """What a figure shows: the labels and the points of each of its axes."""
    import numpy as np

    if isinstance(thing, np.ndarray):
        thing = thing.flat[0]
    figure = thing if hasattr(thing, "axes") and isinstance(thing.axes, list) else thing.figure
    described = []
    for axes in figure.axes:
        series = [np.column_stack([line.get_xdata(orig=False), line.get_ydata(orig=False)]) for line in axes.lines]
        series += [np.ma.filled(np.ma.asarray(group.get_offsets(), float), np.nan) for group in axes.collections if np.size(group.get_offsets()) > 2]
        described.append({"xlabel": axes.get_xlabel(), "ylabel": axes.get_ylabel(), "title": axes.get_title(),
                          "series": [np.asarray(each, float)[:3000].tolist() for each in series], "bars": len(axes.patches)})
    return described


def rebuilt(argument):
    """An argument of a call, as the marker packed it."""
    import numpy as np
    import pandas as pd

    if isinstance(argument, dict) and "array" in argument:
        return np.array(argument["array"], dtype=argument["dtype"])
    if isinstance(argument, dict) and "frame" in argument:
        return pd.DataFrame(argument["frame"])
    return argument


def publish(answer):
    from IPython.display import display

    text = json.dumps(answer)
    if len(text) > MOST:
        text = json.dumps({"kind": "failure", "value": "the answer is too long"})
    display({"application/x-course": text}, raw=True)


def guarded(compute):
    try:
        publish(plain(compute()))
    except BaseException as trouble:
        publish({"kind": "failure", "value": f"{type(trouble).__name__}: {str(trouble)[:300]}"})


def names():
    from IPython import get_ipython

    return get_ipython().user_ns


def tell(name):
    guarded(lambda: names()[name])


def call(name, arguments):
    guarded(lambda: names()[name](*[rebuilt(each) for each in json.loads(arguments)]))
