"""Readers of the formats that several systems speak: mail, iCalendar, vCard.

Bytes become payloads of the shapes `mail`, `calendar` and `contacts`, bounded in time and
memory whatever is in them, so that the same mail or meeting is one event wherever it comes from.
"""
