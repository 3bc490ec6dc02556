"""Files and folders: mailboxes, calendars, address books, tables and JSON."""
