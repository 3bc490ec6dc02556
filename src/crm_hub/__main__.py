"""`python -m crm_hub`: the command where no script is on the path."""

from crm_hub.cli.main import main

if __name__ == "__main__":
    main()
