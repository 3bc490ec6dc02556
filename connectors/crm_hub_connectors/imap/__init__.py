"""Reads mailboxes over IMAP."""
