"""The records of bench/people.py: what eight kinds of systems would hold about a person."""

from __future__ import annotations

import random
from typing import Protocol

import people_odd
from people_words import LANDS, ROLES, SHORT
from people_words_more import MORE_ROLES, MORE_SHORT
from people_world import ALL_LANDS, Home, Job, Person, Variant, plain

COLUMNS = (
    "record_id first_name last_name full_name email email2 phone mobile company job_title street "
    "city postcode country birth_date external_ref source source_id updated_at"
).split()
FREE = "gmail.com"
_SHORTS: dict[str, list[str]] = {}
for _long, _short in SHORT.items():
    _SHORTS.setdefault(_long, []).append(_short)


# Countries that dial no zero before a number.
NO_ZERO = ("39", "34", "48", "351", "420", "45", "47", "30")


class Maker(Protocol):
    """What the writer needs of the world's maker."""

    rng: random.Random
    variant: Variant


class Writer:
    """Writes what each kind of system would hold about a person."""

    def __init__(self, maker: Maker) -> None:
        self.rng = maker.rng
        self.v = maker.variant
        self.kinds = (
            self.crm,
            self.erp,
            self.mailbox,
            self.ads,
            self.form,
            self.phonebook,
            self.shop,
            self.event,
        )

    def about(self, person: Person) -> list[dict[str, str]]:
        rng = self.rng
        count = min(12, 1 + int(rng.expovariate(1 / (self.v.mean_records - 0.45))))
        weights = (5, 4, 4, 1, 3, 3, 1, 3) if person.jobs else (1, 1, 2, 4, 3, 3, 6, 0.3)
        rows = []
        for kind in rng.choices(self.kinds, weights, k=count):
            row = dict.fromkeys(COLUMNS, "")
            kind(person, row)
            if self.v.odd:
                people_odd.rest(row, person, rng, self.v.odd)
            row["source"] = row["source"] or kind.__name__
            row["source_id"] = str(rng.randrange(10**7))
            row["updated_at"] = (
                f"20{rng.randrange(18, 26)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}T08:00:00Z"
            )
            rows.append(row)
        return rows

    # kinds of systems -------------------------------------------------------------------

    def crm(self, p: Person, row: dict[str, str]) -> None:
        job = self.job(p)
        self.name(p, row, split=0.9)
        self.mail(p, row, job, 0.85)
        self.maybe(row, "mobile", self.phone(p, self.rng.choice(p.mobiles)), 0.5)
        if job:
            self.maybe(row, "phone", self.phone(p, job.direct or job.firm.phone), 0.5)
            self.company(row, job, 0.9, 0.7)
            self.maybe(row, "city", job.firm.city, 0.5)
        self.maybe(row, "country", p.land, 0.6)
        self.maybe(row, "external_ref", p.number, 0.1 * self.v.refs)

    def erp(self, p: Person, row: dict[str, str]) -> None:
        job = self.job(p)
        rng = self.rng
        if job:
            if rng.random() < 0.9:
                self.name(p, row, split=0.2)
            self.company(row, job, 0.97, 0.1)
            if rng.random() < 0.25:
                roles = ROLES if job.firm.land in LANDS else MORE_ROLES
                row["email"] = f"{roles[hash_of(job.firm.domain) % len(roles)]}@{job.firm.domain}"
            else:
                self.mail(p, row, job, 0.45)
            self.maybe(row, "phone", self.phone(p, job.firm.phone), 0.8)
            self.address(
                p, row, Home(job.firm.street, job.firm.city, job.firm.postcode, "", ""), 0.95
            )
            self.maybe(
                row, "external_ref", f"K{hash_of(job.firm.domain) % 10**6}", 0.6 * self.v.refs
            )
        else:
            home = rng.choice(p.homes)
            self.name(p, row, split=0.5)
            self.mail(p, row, None, 0.4)
            self.maybe(row, "phone", self.phone(p, home.phone), 0.8)
            self.address(p, row, home, 0.97)
            self.maybe(row, "birth_date", p.born, 0.25 * self.v.births)
            self.maybe(row, "external_ref", p.number, 0.7 * self.v.refs)

    def mailbox(self, p: Person, row: dict[str, str]) -> None:
        job = self.job(p)
        if self.rng.random() < 0.85:
            self.name(p, row, split=0.0)
        self.mail(p, row, job if self.rng.random() < 0.8 else None, 1.0)

    def ads(self, p: Person, row: dict[str, str]) -> None:
        self.name(p, row, split=0.4)
        self.mail(p, row, None, 1.0)
        self.maybe(row, "mobile", self.phone(p, self.rng.choice(p.mobiles)), 0.8)
        self.maybe(row, "city", p.homes[0].city, 0.2)

    def form(self, p: Person, row: dict[str, str]) -> None:
        job = self.job(p)
        self.name(p, row, split=0.6)
        self.mail(p, row, job if self.rng.random() < 0.6 else None, 1.0)
        self.maybe(
            row, "phone", self.phone(p, self.rng.choice([*p.mobiles, p.homes[0].phone])), 0.4
        )
        if job:
            self.company(row, job, 0.6, 0.2)
        self.maybe(row, "country", p.land, 0.3)

    def phonebook(self, p: Person, row: dict[str, str]) -> None:
        job = self.job(p)
        self.name(p, row, split=0.5)
        self.maybe(row, "mobile", self.phone(p, self.rng.choice(p.mobiles)), 0.85)
        self.maybe(row, "phone", self.phone(p, self.rng.choice(p.homes).phone), 0.3)
        self.mail(p, row, job, 0.4)
        if job:
            self.company(row, job, 0.5, 0.2)
        self.maybe(row, "birth_date", p.born, 0.15 * self.v.births)

    def shop(self, p: Person, row: dict[str, str]) -> None:
        home = self.rng.choice(p.homes)
        self.name(p, row, split=0.9)
        if home.mailbox and self.rng.random() < 0.5:
            row["email"] = home.mailbox
        else:
            self.mail(p, row, None, 0.95)
        self.address(p, row, home, 1.0)
        self.maybe(row, "mobile", self.phone(p, self.rng.choice(p.mobiles)), 0.4)
        self.maybe(row, "phone", self.phone(p, home.phone), 0.3)
        self.maybe(row, "birth_date", p.born, 0.3 * self.v.births)
        self.maybe(row, "external_ref", p.number, 0.7 * self.v.refs)

    def event(self, p: Person, row: dict[str, str]) -> None:
        job = self.job(p)
        self.name(p, row, split=0.9)
        self.mail(p, row, job, 0.6)
        if job:
            self.company(row, job, 0.95, 0.7)
        self.maybe(row, "country", p.land, 0.8)

    # columns ----------------------------------------------------------------------------

    def job(self, p: Person) -> Job | None:
        return self.rng.choice(p.jobs) if p.jobs else None

    def maybe(self, row: dict[str, str], column: str, value: str, share: float) -> None:
        if value and self.rng.random() < share:
            row[column] = value

    def name(self, p: Person, row: dict[str, str], split: float) -> None:
        rng = self.rng
        first, last = p.first, p.last
        if p.old_last and rng.random() < 0.35:
            last = p.old_last
        elif p.old_last and rng.random() < 0.1:
            last = f"{p.old_last}-{p.last}"
        if self.v.odd:
            last = people_odd.script(people_odd.surname(p, last, rng), p, rng)
            first = people_odd.script(first, p, rng)
        shorts = _SHORTS if p.land in LANDS else MORE_SHORT
        draw = rng.random()
        if draw < self.v.short_name and first in shorts:
            first = rng.choice(shorts[first])
        elif draw > 1 - self.v.initial:
            first = f"{first[0]}."
        elif rng.random() < 0.04:
            first = f"{first} {rng.choice('ABCDEFGHJKLMPRST')}."
        first, last = self.typed(first), self.typed(last)
        if rng.random() < 0.06:
            first, last = plain_case(first, rng), plain_case(last, rng)
        draw = rng.random()
        if draw < 0.05:
            first, last = first.upper(), last.upper()
        elif draw < 0.09:
            first, last = first.lower(), last.lower()
        suffix = f" {p.suffix}" if p.suffix and rng.random() < 0.8 else ""
        if rng.random() < self.v.odd and people_odd.name(row, p, first, last, suffix, rng):
            return
        if rng.random() < split:
            row["first_name"], row["last_name"] = first, f"{last}{suffix}"
            if rng.random() < 0.015:
                row["first_name"], row["last_name"] = row["last_name"], row["first_name"]
            return
        title = (
            rng.choice(("Dr. ", "Prof. ", "Herr ", "Mr. ", "Mme ", "Ing. "))
            if rng.random() < 0.05
            else ""
        )
        draw = rng.random()
        full = f"{title}{first} {last}{suffix}"
        if draw < 0.12:
            full = f"{last}, {first}{suffix}"
        elif draw < 0.16 and p.jobs:
            full = f"{first} {last} ({p.jobs[0].firm.name})"
        row["full_name"] = full

    def typed(self, text: str) -> str:
        rng = self.rng
        if rng.random() >= self.v.typo or len(text) < 4:
            return text
        at = rng.randrange(1, len(text) - 1)
        kind = rng.randrange(4)
        if kind == 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        if kind == 1:
            return text[:at] + text[at + 1 :]
        if kind == 2:
            return text[:at] + text[at] + text[at:]
        return text[:at] + rng.choice("aeinorst") + text[at + 1 :]

    def mail(self, p: Person, row: dict[str, str], job: Job | None, share: float) -> None:
        rng = self.rng
        if rng.random() >= share:
            return
        address = job.email if job and rng.random() < 0.93 else rng.choice(p.mails)
        local, _, domain = address.partition("@")
        if domain == FREE and rng.random() < 0.06:
            local = f"{local}+{rng.choice(('shop', 'news', 'web'))}"
        row["email"] = f"{self.typed(local) if rng.random() < 0.3 else local}@{domain}"
        if rng.random() < 0.05:
            row["email"] = row["email"].upper() if rng.random() < 0.5 else row["email"].capitalize()
        if rng.random() < 0.06:
            row["email2"] = rng.choice(p.mails)

    def phone(self, p: Person, number: str) -> str:
        if not number:
            return ""
        call = ALL_LANDS[p.land].call
        rest = number[1 + len(call) :] if number.startswith(f"+{call}") else ""
        draw = self.rng.random()
        if not rest or draw < 0.4:
            return number
        cut = " ".join((rest[:3], rest[3:6], rest[6:]))
        if call == "1":
            return f"({rest[:3]}) {rest[3:6]}-{rest[6:]}"
        if draw < 0.6:
            return f"00{call} {cut}"
        if draw < 0.75:
            return f"+{call} ({'' if call in NO_ZERO else '0'}){cut}".replace("()", "")
        return f"{'' if call in NO_ZERO else '0'}{cut}"

    def company(self, row: dict[str, str], job: Job, share: float, title: float) -> None:
        rng = self.rng
        if rng.random() < share:
            name = job.firm.name if rng.random() < 0.4 else f"{job.firm.name} {job.firm.form}"
            row["company"] = self.typed(name.upper() if rng.random() < 0.06 else name)
        if rng.random() < title:
            row["job_title"] = job.title

    def address(self, p: Person, row: dict[str, str], home: Home, share: float) -> None:
        if self.rng.random() < share:
            street = self.typed(home.street)
            if self.rng.random() < 0.2:
                street = (
                    street.replace("Street", "St.")
                    .replace("straße", "str.")
                    .replace("Avenue", "Ave")
                    .replace("rue", "r.")
                    .replace("Road", "Rd")
                )
            row |= {
                "street": street,
                "city": self.typed(home.city),
                "postcode": home.postcode,
                "country": p.land,
            }


def plain_case(text: str, rng: random.Random) -> str:
    """Return text without its accents, in one of the two ways people write them."""
    umlauts = rng.random() < 0.5
    return " ".join(w.capitalize() for w in (plain(one, umlauts) for one in text.split()) if w)


def hash_of(text: str) -> int:
    """Return a number that is the same in every process."""
    return int.from_bytes(text.encode()[-6:], "big") * 2_654_435_761 % 2**32
