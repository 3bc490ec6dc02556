"""One module for each command of `crm-hub`, imported when it is called."""
