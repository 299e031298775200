"""The command: its parts, and how it ends."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import cyclopts
from cyclopts import App

from ..errors import ConfigError, DataStreamError
from ..flow.supervise import leaves
from ..version import __version__
from .looking import check_config, import_recordings, inspect, query, try_sources
from .watching import record, replay, run, run_demo
from .words import OutputFailed, complain, let_go

app = App(
    name="trio_mev",
    help="Watch MEV as it happens. Without a command: a demo that needs no network.",
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `main` answers with a code
)
app.default(run_demo)
for _command in (run, record, replay, inspect, query, check_config):
    app.command(_command)
app.command(import_recordings, name="import")
app.command(try_sources, name="sources")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code: 0, 1 a bug or a required source lost, 2 bad input."""
    try:
        code = app(
            list(sys.argv[1:] if argv is None else argv),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except cyclopts.UnusedCliTokensError as error:
        return _unusable(f"unknown: {' '.join(error.unused_tokens or ())}; see --help")
    except cyclopts.CycloptsError as error:
        return _unusable(str(error))
    except ConfigError as error:
        return _unusable(*error.problems)
    except KeyboardInterrupt:
        return 130
    except (OSError, OutputFailed) as error:
        let_go()
        return _unusable(_reason(error), code=1)
    except (DataStreamError, BaseExceptionGroup) as error:
        return _several(error)
    return code if isinstance(code, int) else 0


def _several(error: BaseException) -> int:
    """What came of a run whose tasks failed, or were interrupted."""
    every = list(leaves(error))
    if any(isinstance(e, KeyboardInterrupt) for e in every):
        return 130
    if all(isinstance(e, OutputFailed) for e in every):
        return _unusable(str(every[0]), code=1)
    problems = [e for e in every if isinstance(e, ConfigError)]
    if problems and len(problems) == len(every):
        return _unusable(*(line for problem in problems for line in problem.problems))
    complain("".join(traceback.format_exception(error)).rstrip("\n"))
    return 1


def _reason(error: Exception) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def _unusable(*problems: str, code: int = 2) -> int:
    complain(*(" ".join(f"trio_mev: {problem}".split()) for problem in problems))
    return code
