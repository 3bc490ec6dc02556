"""Contacts of people who do not exist, as eight kinds of systems would hold them, and who is who.

    python bench/people.py 20000 --seed 7 -o contacts.csv --truth truth.csv

For bench/identity.py. A world is drawn first (households, firms, people with jobs that change,
mailboxes, numbers), then records are written about it: each kind of system fills other columns,
and people mistype. Some records of one person share nothing strong, and cannot be found.

Traps are pairs of different people who look alike: a household, a father and a son of one name, a
firm's switchboard and role mailbox, a mailbox or number that was given to somebody else, namesakes
in one firm. `World.traps` names them.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from itertools import accumulate, combinations
from pathlib import Path

from people_land import Land
from people_records import COLUMNS, Writer
from people_words import FIRM_HEADS, FIRM_TAILS, HOBBIES, LANDS, ROLES, TITLES
from people_words_more import (
    MORE_FIRM_HEADS,
    MORE_FIRM_TAILS,
    MORE_HOBBIES,
    MORE_ROLES,
    MORE_TITLES,
    TWO_SURNAMES,
)
from people_world import ALL_LANDS, VARIANTS, Firm, Home, Job, Person, Variant, World, plain


class _Zipf:
    def __init__(self, words: list[str], power: float) -> None:
        self.words = words
        self.sums = list(accumulate(1 / (i + 4) ** power for i in range(len(words))))

    def draw(self, rng: random.Random) -> str:
        return rng.choices(self.words, cum_weights=self.sums)[0]


_MOBILE_DIGITS = {
    "49": 9, "33": 8, "39": 9, "44": 9, "34": 8, "31": 8, "46": 8, "48": 8, "43": 7, "41": 7, "351": 7,
    "55": 8, "420": 7, "90": 8, "45": 7, "358": 7, "36": 7, "40": 7, "47": 7, "30": 8,
}  # fmt: skip


_DESKS = frozenset((*ROLES, *MORE_ROLES))


class _Maker:
    def __init__(self, size: int, seed: int, variant: Variant) -> None:
        self.rng = random.Random(f"people {seed} {variant}")
        self.variant = variant
        self.people: list[Person] = []
        self.traps: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.size = size
        self.used: dict[str, int] = {}
        self.names = {}
        for code in variant.lands:
            land = ALL_LANDS[code]
            tail = sorted({h + t for h in land.heads for t in land.tails if h[-1] != t[0]})
            random.Random(code).shuffle(tail)
            self.names[code] = (
                _Zipf(land.women, 0.8), _Zipf(land.men, 0.8), _Zipf(land.surnames + tail, 0.85),
            )  # fmt: skip

    def world(self) -> World:
        wanted = int(self.size / self.variant.mean_records)
        self.firms = [self._firm() for _ in range(max(4, wanted // 18))]
        self.firm_sums = list(accumulate(1 / (i + 3) ** 0.7 for i in range(len(self.firms))))
        while len(self.people) < wanted:
            self._household()
        self._recycle()
        self._namesakes()
        self._meet()
        writer = Writer(self)
        rows = []
        for person in self.people:
            rows.extend((row, person.id) for row in writer.about(person))
        self.rng.shuffle(rows)
        rows = rows[: self.size] if len(rows) > self.size else rows
        for index, (row, _) in enumerate(rows):
            row["record_id"] = f"r{index:07d}"
        self._desks(rows)
        return World([row for row, _ in rows], [who for _, who in rows], dict(self.traps))

    def _desks(self, rows: list[tuple[dict[str, str], int]]) -> None:
        """Note who is recorded under one and the same role mailbox of a firm."""
        at_desk: dict[str, set[int]] = defaultdict(set)
        for row, who in rows:
            if row["email"].partition("@")[0] in _DESKS:
                at_desk[row["email"]].add(who)
        for people_there in at_desk.values():
            for a, b in combinations(sorted(people_there)[:12], 2):
                if self.people[a].first != self.people[b].first:
                    self.traps["role mailbox"].append((a, b))

    # the world --------------------------------------------------------------------------

    def _firm(self) -> Firm:
        rng, code = self.rng, self.rng.choice(self.variant.lands)
        land = ALL_LANDS[code]
        if rng.random() < 0.4:
            last = self.names[code][2].draw(rng).replace("\u00a0", " ")
            name = (
                f"{last} {rng.choice(self._words(code, FIRM_TAILS, MORE_FIRM_TAILS))}"
                if rng.random() < 0.7
                else f"{last} & {self.names[code][2].draw(rng)}"
            )
        else:
            head = rng.choice(self._words(code, FIRM_HEADS, MORE_FIRM_HEADS))
            name = f"{head} {rng.choice(self._words(code, FIRM_TAILS, MORE_FIRM_TAILS))}"
        domain = self._unique(
            "-".join(plain(w, True) for w in name.split() if w != "&")
            if rng.random() < 0.5
            else plain(name, True)
        )
        domain += (
            ".example"
            if rng.random() < 0.02
            else f"-{rng.randrange(100)}.{land.tld}"
            if rng.random() < 0.05
            else f".{land.tld}"
        )
        place = self._home(code, family=False)
        phone = self._landline(land)
        return Firm(
            code,
            name,
            domain,
            rng.choice(land.forms),
            phone,
            place.street,
            place.city,
            place.postcode,
            rng.choice((0, 0, 0, 1, 1, 2, 3)),
        )

    def _words(self, code: str, usual: list[str], held_out: list[str]) -> list[str]:
        return usual if code in LANDS else held_out

    def _unique(self, text: str) -> str:
        count = self.used.get(text, 0)
        self.used[text] = count + 1
        return f"{text}{count + 1}" if count else text

    def _landline(self, land: Land) -> str:
        area = self.rng.choice(land.area)
        return f"+{land.call}{area.lstrip('0') if land.call != '39' else area}{self.rng.randrange(2, 9)}{self.rng.randrange(10 ** (land.digits - 1)):0{land.digits - 1}d}"

    def _mobile(self, land: Land) -> str:
        if land.call == "1":
            return self._landline(land)
        size = _MOBILE_DIGITS[land.call]
        return f"+{land.call}{land.mobile}{self.rng.randrange(10**size):0{size}d}"

    def _home(self, code: str, family: bool = True, last: str = "") -> Home:
        rng, land = self.rng, ALL_LANDS[code]
        city = rng.choice(land.cities)
        number = rng.randrange(1, 120)
        street = rng.choice(land.streets)
        street = f"{number} {street}" if code in ("US", "GB", "FR") else f"{street} {number}"
        zone = sum(map(ord, city)) % 90 + 10
        code_of = {
            "GB": f"{city[0]}{zone % 20 + 1} {rng.randrange(1, 9)}{rng.choice('ABDEFG')}{rng.choice('HJLNPQ')}",
            "NL": f"{zone}{rng.randrange(100):02d} {rng.choice('ABCDE')}{rng.choice('ABCDE')}",
            "PL": f"{zone}-{rng.randrange(999):03d}",
            "SE": f"{zone}{rng.randrange(9)} {rng.randrange(100):02d}",
        }
        postcode = code_of.get(code) or f"{zone}{rng.randrange(200):03d}"
        mailbox = ""
        if family and rng.random() < 0.15:
            word = {
                "DE": "familie",
                "FR": "famille",
                "ES": "familia",
                "IT": "famiglia",
                "NL": "familie",
            }.get(code, "family")
            mailbox = self._mailbox(f"{word}.{plain(last, True)}", land)
        return Home(street, city, postcode, self._landline(land), mailbox)

    def _mailbox(self, local: str, land: Land) -> str:
        domain = self.rng.choice(land.free)
        count = self.used.get(f"{local}@{domain}", 0)
        self.used[f"{local}@{domain}"] = count + 1
        return (
            f"{local}{self.rng.randrange(2, 99) + count * 100}@{domain}"
            if count
            else f"{local}@{domain}"
        )

    def _household(self) -> None:
        rng = self.rng
        code = rng.choice(self.variant.lands)
        women, men, lasts = self.names[code]
        last = lasts.draw(rng)
        if ALL_LANDS[code].particles and rng.random() < (0.35 if code == "NL" else 0.04):
            last = f"{rng.choice(ALL_LANDS[code].particles)} {last}"
        last = last.replace("\u00a0", " ")
        home = self._home(code, last=last)
        size = rng.choice((2, 2, 3, 4)) if rng.random() < self.variant.households else 1
        members: list[Person] = []
        for place in range(size):
            woman = rng.random() < 0.5
            first = (women if woman else men).draw(rng)
            while any(m.first == first for m in members):
                first = (women if woman else men).draw(rng)
            year = rng.randrange(1945, 1985) if place < 2 else rng.randrange(1985, 2006)
            own = (
                last if place != 1 or rng.random() < 0.8 else lasts.draw(rng).replace("\u00a0", " ")
            )
            old = (
                lasts.draw(rng).replace("\u00a0", " ")
                if woman and place < 2 and rng.random() < 0.2
                else ""
            )
            members.append(self._person(code, first, own, old, home, year))
        for a, b in combinations(members, 2):
            self.traps["household"].append((a.id, b.id))
        if size > 1 and rng.random() < 0.06 and not any(m.old_last for m in members):
            father = members[0]
            son = self._person(
                code,
                father.first,
                father.last,
                "",
                home,
                int(father.born[:4]) + rng.randrange(22, 35),
            )
            if rng.random() < 0.75:
                son.suffix = "Jr." if code in ("US", "GB") else "jun." if code == "DE" else "junior"
                if rng.random() < 0.5:
                    father.suffix = (
                        "Sr." if code in ("US", "GB") else "sen." if code == "DE" else "senior"
                    )
            self.traps["junior and senior"].append((father.id, son.id))

    def _person(self, code: str, first: str, last: str, old: str, home: Home, year: int) -> Person:
        rng, land = self.rng, ALL_LANDS[code]
        person = Person(
            len(self.people), code, first, last, old, "",
            f"{year}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}", [], [self._mobile(land)], [home], [], "",
        )  # fmt: skip
        if code in TWO_SURNAMES and self.variant.odd:
            person.second = self.names[code][2].draw(rng).replace("\u00a0", " ")
        self.people.append(person)
        person.number = f"C{100_000 + person.id}"
        for _ in range(1 + (rng.random() < 0.3)):
            person.mails.append(self._private(person, year))
        if rng.random() < 0.15:
            person.mobiles.append(self._mobile(land))
        if rng.random() < 0.15:
            person.homes.append(self._home(code, last=last))
        if rng.random() < self.variant.b2b:
            for _ in range(1 + (rng.random() < 0.25)):
                self._hire(person)
        return person

    def _private(self, person: Person, year: int) -> str:
        rng, land = self.rng, ALL_LANDS[person.land]
        first, last = (
            plain(person.first, True),
            plain(person.old_last or person.last, True).replace("-", ""),
        )
        fun = self._words(person.land, HOBBIES, MORE_HOBBIES)
        locals_ = (
            f"{first}.{last}", f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{first}_{last}", f"{last}.{first}",
            f"{first}{year % 100}", f"{first}.{last}{year % 100}", f"{last}{rng.randrange(1000)}",
            f"{rng.choice(fun)}{rng.choice(fun)}{rng.randrange(100)}", f"{rng.choice(fun)}.{first}",
        )  # fmt: skip
        return self._mailbox(rng.choice(locals_), land)

    def _hire(self, person: Person) -> None:
        rng = self.rng
        firm = rng.choices(self.firms, cum_weights=self.firm_sums)[0]
        for _ in range(6):
            if firm.land == person.land:
                break
            firm = rng.choices(self.firms, cum_weights=self.firm_sums)[0]
        self._employ(person, firm)

    def _employ(self, person: Person, firm: Firm) -> None:
        rng = self.rng
        first, last = plain(person.first, True), plain(person.last, True).replace("-", "")
        local = (f"{first}.{last}", f"{first[0]}.{last}", f"{first[0]}{last}", first)[firm.pattern]
        count = firm.boxes.get(local, 0)
        firm.boxes[local] = count + 1
        local = f"{local}{count + 1}" if count else local
        direct = firm.phone[:-2] + f"{rng.randrange(10, 99)}" if rng.random() < 0.35 else ""
        person.jobs.append(
            Job(
                firm,
                f"{local}@{firm.domain}",
                rng.choice(self._words(person.land, TITLES, MORE_TITLES)),
                direct,
            )
        )
        firm.people.append(person.id)

    def _recycle(self) -> None:
        """Give some mailboxes and numbers of one person to another one later."""
        rng, people = self.rng, self.people
        for _ in range(len(people) // 60):
            old = rng.choice(people)
            if old.jobs and rng.random() < 0.7:
                mates = old.jobs[0].firm.people
                new = people[rng.choice(mates)]
                if new is not old and new.last != old.last and new.first != old.first:
                    job = next((j for j in new.jobs if j.firm is old.jobs[0].firm), None)
                    if job is not None:
                        job.email = old.jobs[0].email
                        self.traps["recycled mailbox"].append((old.id, new.id))
                continue
            new = rng.choice(people)
            if new.land == old.land and new.last != old.last and new.first != old.first:
                new.mobiles[0] = old.mobiles[0]
                self.traps["recycled number"].append((old.id, new.id))

    def _namesakes(self) -> None:
        rng = self.rng
        for firm in self.firms:
            if len(firm.people) > 3 and rng.random() < 0.15:
                old = self.people[rng.choice(firm.people)]
                home = self._home(old.land, last=old.last)
                new = self._person(
                    old.land, old.first, old.last, "", home, rng.randrange(1950, 2000)
                )
                new.jobs.clear()
                self._employ(new, firm)
                self.traps["namesakes in a firm"].append((old.id, new.id))

    def _meet(self) -> None:
        for firm in self.firms:
            staff = sorted(set(firm.people))
            for a, b in combinations(staff[:12], 2):
                if self.people[a].first != self.people[b].first:
                    self.traps["switchboard"].append((a, b))


def people(records: int, seed: int = 1, variant: str = "tuned") -> World:
    """Return about so many records; the same arguments give the same world."""
    return _Maker(records, seed, VARIANTS[variant]).world()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("records", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--variant", choices=VARIANTS, default="tuned")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    args = parser.parse_args()
    world = people(args.records, args.seed, args.variant)
    with args.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(world.rows)
    with args.truth.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                ("record_id", "person"),
                *((r["record_id"], t) for r, t in zip(world.rows, world.truth, strict=True)),
            ]
        )


if __name__ == "__main__":
    main()
