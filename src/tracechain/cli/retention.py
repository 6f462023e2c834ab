"""`tracechain retention`: what has to stay, what may go and why; the policy that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.keyfiles import key_options, open_to_write
from tracechain.cli.moments import as_of_option, asked_day
from tracechain.cli.output import bar, complain, json_option, plain, print_json, say, styled
from tracechain.errors import InputError

__all__ = ["retention"]


class _PlanFirst(click.Group):
    """Takes `retention LEDGER ...` for `retention plan LEDGER ...`: a ledger in a folder of a command's name is told by
    its path (./show)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `plan` in front of what begins with no command."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["plan", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both ways to call it."""
        formatter.write_usage(ctx.command_path, "LEDGER [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", " " * 7)


@click.group(cls=_PlanFirst, short_help="Show what has to stay, what may go, and why.")
def retention() -> None:
    """Show the plan of LEDGER: what may go and what has to stay, by reason and year. See `retention plan --help`."""


def _ledger(command: Any) -> Any:
    return click.argument("ledger", type=click.Path(path_type=Path))(command)


# ---- the plan ------------------------------------------------------------------------------------


@retention.command("plan", short_help="Show what may go and what has to stay, and why (the default).")
@_ledger
@as_of_option
@click.option(
    "--policy", "wanted", metavar="NAME|FILE", help="Plan by this policy instead of the one in force: see `set`."
)
@click.option("--decisions", is_flag=True, help="With --json: the decision on every part, in runs of entries.")
@json_option
def show_plan(ledger: Path, as_of: str | None, wanted: str | None, decisions: bool, as_json: bool) -> None:
    """Show what of LEDGER may go on a day and what has to stay, by reason and by year of receipt. Writes nothing.

    --as-of is the day on which it would go: DATE may lie ahead. Holds, recalls and cases are those of today.
    """
    from tracechain.cli.plan_words import plan_json, tell_plan
    from tracechain.cli.policies import find_policy, in_force
    from tracechain.ledger import Ledger
    from tracechain.retention.dates import day_of
    from tracechain.retention.plan import plan

    policy = None if wanted is None else find_policy(wanted)
    asked = asked_day(as_of, clock()())
    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        with bar("planning") as shown:
            found = plan(snapshot, policy, as_of=day_of(asked.day), progress=shown.update)
        standing = in_force(snapshot)
    if policy is None and standing is not None:
        policy = standing.policy
    if as_json:
        print_json({"ledger": str(ledger), **plan_json(found, policy, decisions=decisions)})
    else:
        tell_plan(found, policy, in_force=wanted is None)


# ---- the policy ----------------------------------------------------------------------------------


@retention.command("set", short_help="Put a policy in force.")
@_ledger
@click.argument("wanted", metavar="NAME|FILE")
@click.option("--wait", type=click.IntRange(1, 3660), metavar="DAYS", help="How long a pruning stands announced.")
@key_options
@json_option
def set_policy(
    ledger: Path, wanted: str, wait: int | None, keys: Path | None, passphrase_file: Path | None, as_json: bool
) -> int:
    """Put a policy in force in LEDGER: a TOML file (see `template`), or a table that comes with the program.

    NAME is pilot (with personal fields), dscsa, eu-fmd, eu-tobacco or pipl, or several of them joined by +. From the
    next entries on, headers carry the day until which they have to be kept.
    """
    from tracechain.cli.policies import find_policy, rules_json, tell_policy

    try:
        policy = find_policy(wanted, wait)
    except InputError as error:
        for line in str(error).split("\n"):  # one for each rule that is wrong
            complain(line)
        return 2
    with open_to_write(ledger, keys, passphrase_file) as opened:
        receipt = opened.retain(policy)
    if as_json:
        print_json(
            {"ledger": str(ledger), "entry": receipt.first, "receipt_time_ms": receipt.time, **rules_json(policy)}
        )  # fmt: skip
        return 0
    say(f"{styled('✓', 'good')} retention policy {plain(policy.name)} is in force from the next entries on")
    tell_policy(policy, receipt.first, None)
    return 0


@retention.command("show", short_help="Show the policy in force.")
@_ledger
@click.option("--toml", "as_toml", is_flag=True, help="As the file that `set` takes.")
@json_option
def show_policy(ledger: Path, as_toml: bool, as_json: bool) -> int:
    """Show the retention policy that is in force in LEDGER. Exits with 1 if there is none."""
    from tracechain.cli.policies import in_force, rules_json, tell_policy
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        found = in_force(snapshot)
    if found is None:
        if as_json:
            print_json({"ledger": str(ledger), "policy": None})
        else:
            say(f"{styled('?', 'warn')} no retention policy is in force: nothing may go. `tracechain retention set`")
        return 1
    if as_json:
        said = {"ledger": str(ledger), "entry": found.index, "receipt_time_ms": found.time}
        print_json(said | rules_json(found.policy))
    elif as_toml:
        click.echo(found.policy.to_toml(), nl=False)
    else:
        tell_policy(found.policy, found.index, found.time)
    return 0


@retention.command("template", short_help="Print a policy as a file, to be changed.")
@click.argument("wanted", metavar="[NAME]", default="pilot")
@json_option
def template(wanted: str, as_json: bool) -> None:
    """Print the TOML file of a policy that comes with the program [pilot], with what each key means."""
    from tracechain.cli.policies import find_policy

    text = find_policy(wanted).to_toml()
    if as_json:
        print_json({"policy": wanted, "template": text})
    else:
        click.echo(text, nl=False)
