"""`python -m crm_hub.cli` is the crm-hub command."""

from crm_hub.cli.main import run

run()
