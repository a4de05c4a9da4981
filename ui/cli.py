"""The command line: `rag index|ask|chat|serve|mcp|keys|eval|doctor|backup|restore`.

Who may use a data directory: `rag index` and `rag serve` change it and own it while they run. `rag ask`, `rag
chat` and `rag doctor` only read and take nothing, so any number of them run side by side: the catalogue lets readers
see a committed state whatever a writer does, and a Chroma version never changes. Where a server owns the directory,
`ask` and `chat` work through it, which also saves them loading the model; while `rag index` owns it they say so at
once. The one thing a reader may change, a damaged Chroma version that it rebuilds, it takes the directory for.

A command's module is imported when it is called: `rag --help` answers at once.
Exit codes: 0 done, 1 the work failed, 2 wrong usage, 130 stopped by Ctrl-C. Where the next run goes on with what is
done (`rag index`, `rag eval`), being stopped is work that failed: 1.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.metadata
import sys
import traceback
from typing import Any

import click

from index.errors import PolyciteError, UsageError
from ui.quiet import quiet_libraries

# In the order in which a new user needs them: where each is, and what `rag --help` says of it.
_COMMANDS = {
    "index": ("ui.commands.index:index", "Make the index equal to the folder PATH."),
    "ask": ("ui.commands.answers:ask", "Answer QUESTION from the documents, with citations."),
    "chat": ("ui.commands.answers:chat", "Ask question after question."),
    "serve": ("ui.commands.serve:serve", "Serve the chat page and the HTTP API."),
    "mcp": ("ui.commands.mcp:mcp", "Serve the assistant to MCP clients, which start it themselves."),
    "keys": ("ui.commands.keys:keys", "Make, list and revoke API keys."),
    "eval": ("ui.commands.evaluation:evaluate", "Measure the assistant: on the gold set, or on public data."),
    "backup": ("ui.commands.backup:backup", "Write index, uploads, keys and ratings to FILE."),
    "restore": ("ui.commands.backup:restore", "Bring the data directory to what FILE holds."),
    "doctor": ("ui.commands.doctor:doctor", "Check the installation and the index."),
}
_STOPPED = 130  # as shells have it: 128 and the number of the signal


class _Commands(click.Group):
    """Imports the command that is called, and turns errors into one line on stderr and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with a name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in _COMMANDS.items()])

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the options that stand before the command."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            click.echo(_usage(error), err=True)
            raise click.exceptions.Exit(2) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        result: object = None
        try:
            result = super().invoke(ctx)
        except click.UsageError as error:
            click.echo(_usage(error), err=True)
            ctx.exit(2)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise  # click's own ways to end
        except KeyboardInterrupt:
            _fail(ctx, "stopped", code=_STOPPED)
        except PolyciteError as error:
            _fail(ctx, _with_full_disk(error), code=2 if isinstance(error, UsageError) else 1)
        # The last stop: whatever else is raised is a fault of this program, and still one line.
        except Exception as error:  # noqa: BLE001
            told = f"internal error: {error!r}; `rag --debug ...` shows where"
            _fail(ctx, _DISK_FULL if _is_full_disk(error) else told, code=1)
        return result


_DISK_FULL = "the disk is full: free some space and run the command again"


def _with_full_disk(error: BaseException) -> str:
    """An error in words, which name a full disk where one is its cause."""
    told = str(error)
    return told if "is full" in told or not _is_full_disk(error) else f"{told}; {_DISK_FULL}"


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def _fail(ctx: click.Context, message: str, *, code: int) -> None:
    if ctx.params.get("debug"):
        click.echo(traceback.format_exc(), err=True, nl=False)
    click.echo(f"rag: {' '.join(message.split())}", err=True)
    ctx.exit(code)


def _usage(error: click.UsageError) -> str:
    """A wrong call in one line, where click would write four."""
    path = "rag" if error.ctx is None else error.ctx.command_path
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"rag: {message}: `{path} --help` shows what is allowed"


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        try:
            version = importlib.metadata.version("polycite")
        except importlib.metadata.PackageNotFoundError:  # run from a folder that was never installed
            version = "(not installed)"
        click.echo(f"polycite {version}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks and what the libraries log.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Answers questions from your documents, in any language, with the words they rest on.

    Settings come from the environment and .env (RAG_...); `rag doctor --settings` lists them.
    """
    ctx.with_resource(quiet_libraries(debug=debug, server=ctx.invoked_subcommand == "serve"))


def main() -> None:
    """The `rag` program."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        # Texts come in every script: one that the terminal cannot show is no reason to fail.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    cli(prog_name="rag")


if __name__ == "__main__":
    main()
