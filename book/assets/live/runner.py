"""Runs the cells of one page in Pyodide and says what each shows, as a notebook would. `emit(kind, data)` comes from session.mjs."""
import base64
import builtins
import io
import logging
import os
import sys
import time
import traceback
import types

os.environ["MPLBACKEND"] = "module://page_backend"
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # "building the font cache; this may take a moment"

time.process_time = time.perf_counter  # a browser has no clock of the processor's time: the true one stands still

KINDS = [("html", "_repr_html_"), ("markdown", "_repr_markdown_"), ("latex", "_repr_latex_")]
variables = {"__name__": "__main__"}


def show_figures(*_, **__):
    """The open figures, each once; a cell that draws nothing does not load matplotlib."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else ():
        picture = io.BytesIO()
        pyplot.figure(number).savefig(picture, format="png", bbox_inches="tight")
        emit("png", base64.b64encode(picture.getvalue()).decode())  # noqa: F821
    if pyplot:
        pyplot.close("all")


def display(*things, **_):
    for thing in things:
        show_figures()
        if is_figure(thing):
            continue
        for kind, method in KINDS:
            say = getattr(thing, method, None)
            said = say() if callable(say) and not isinstance(thing, type) else None
            if said:
                emit(kind, said)  # noqa: F821
                break
        else:
            emit("text", repr(thing))  # noqa: F821


def is_figure(thing):
    """What matplotlib's calls return: it is drawn, not printed."""
    first = thing[0] if isinstance(thing, list | tuple) and thing else thing
    return type(first).__module__.startswith("matplotlib")


def offer_ipython():
    """`from IPython.display import ...` without IPython, which would take seconds to load."""
    def shown_as(method, around="{}"):
        def __init__(self, data=""):
            self.data = data
        return type("Shown", (), {"__init__": __init__, method: lambda self: around.format(self.data)})

    module, package = types.ModuleType("IPython.display"), types.ModuleType("IPython")
    module.show_figures = show_figures
    module.display, module.HTML, module.Markdown = display, shown_as("_repr_html_"), shown_as("_repr_markdown_")
    module.Latex, module.Math = shown_as("_repr_latex_"), shown_as("_repr_latex_", "$\\displaystyle {}$")
    package.display, package.get_ipython = module, lambda: None
    sys.modules |= {"IPython": package, "IPython.display": module}
    builtins.display = display


def offer_backend():
    """Matplotlib's own drawing in memory, but plt.show() puts the figures on the page. A file, so that it is read when it is needed."""
    with open("page_backend.py", "w") as module:
        module.write("from matplotlib.backends.backend_agg import *\n"
                     "from matplotlib.backends.backend_agg import FigureCanvas\n"
                     "from IPython.display import show_figures as show\n")


async def run_cell(source):
    """True if the cell ran; else its error is shown, from the cell's own lines on."""
    from pyodide.code import eval_code_async
    ok = True
    try:
        value = await eval_code_async(source, globals=variables, filename="<cell>")
        show_figures()
        if value is not None and not is_figure(value):
            display(value)
    except BaseException as error:
        show_figures()
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename != "<cell>":
            trace = trace.tb_next
        emit("error", "".join(traceback.format_exception(type(error), error, trace)))  # noqa: F821
        ok = False
    sys.stdout.flush()
    sys.stderr.flush()
    return ok


offer_ipython()
offer_backend()
