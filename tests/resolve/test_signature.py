"""What somebody's own signature tells, and what only looks like one tells nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_hub.resolve.signature import Signed, read_signature
from crm_hub.sdk.formats.mailtext import own_lines, reply_text

ANN = "Ann Lindqvist"


def _mail(signature: str, *, before: str = "Ten pumps, please.", after: str = "") -> str:
    return f"Hello\n\n{before}\n\n{signature}\n{after}"


@pytest.mark.parametrize(
    ("name", "signature", "title", "firm"),
    [
        (ANN, "Kind regards,\nAnn Lindqvist\nHead of Purchasing\nOak Pumps Ltd", "Head of Purchasing",
         "oak pumps"),
        (ANN, "-- \nAnn Lindqvist\nBuyer at Oak Pumps", "Buyer", "oak pumps"),
        ("Lindqvist, Ann", "Mit freundlichen Grüßen\n\ni. A. Dr. Ann Lindqvist\nEinkaufsleiterin\n\n"
         "Müller & Söhne GmbH & Co. KG\nTel. 030 123456", "Einkaufsleiterin", "muller sohne"),
        ("Jörg Müller", "MfG\nJörg Müller, Dipl.-Ing.\nProjektleiter | Eiche Pumpen AG",
         "Projektleiter", "eiche pumpen"),
        ("Zoé Lefèvre", "Cordialement,\nZoé LEFÈVRE\nResponsable achats\nSociété Chêne SARL",
         "Responsable achats", "societe chene"),
        ("Inés Núñez", "Un cordial saludo\nInés Núñez\nJefa de compras\nRoble Norte, S.L.",
         "Jefa de compras", "roble norte"),
        ("Luca Rossi", "Cordiali saluti\nLuca Rossi\nResponsabile acquisti\nQuercia Pompe S.r.l.",
         "Responsabile acquisti", "quercia pompe"),
        ("Sanne de Vries", "Met vriendelijke groet,\nSanne de Vries\nInkoper bij Eik Pompen B.V.",
         "Inkoper", "eik pompen"),
        ("Rui Costa", "Atenciosamente\nRui Costa\nGerente de compras\nCarvalho Bombas Ltda",
         "Gerente de compras", "carvalho bombas"),
        ("Åsa Öberg", "Med vänliga hälsningar\nÅsa Öberg\nInköpare\nEk Pumpar AB", "Inköpare",
         "ek pumpar"),
        ("Ewa Nowak", "Z poważaniem\nEwa Nowak\nSpecjalista ds. zakupów\nDąb Pompy Sp. z o.o.",
         "Specjalista ds. zakupów", "dab pompy"),
    ],
)  # fmt: skip
def test_a_signature_tells_title_and_firm_in_many_languages(
    name: str, signature: str, title: str, firm: str
) -> None:
    told = read_signature(_mail(signature), name)
    assert told is not None
    assert told.title == title
    assert any(one == firm or one.startswith(f"{firm} ") for one in told.firms), told.firms


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        (ANN, "Ann Lindqvist\nBuyer\nOak Pumps Ltd"),  # nothing opens it
        (ANN, "Kind regards,\nBen Marsh\nBuyer\nOak Pumps Ltd"),  # somebody else
        (ANN, "> Kind regards,\n> Ann Lindqvist\n> Buyer\n> Oak Pumps Ltd"),  # quoted
        (ANN, "On Mon, Ben wrote:\n\nKind regards,\nAnn Lindqvist\nBuyer\nOak Pumps Ltd"),
        (ANN, "-----Original Message-----\nFrom: x\nKind regards,\nAnn Lindqvist\nBuyer"),
        ("Ann", "Kind regards,\nAnn\nBuyer\nOak Pumps Ltd"),  # no whole name
        ("", "-- \nAnn Lindqvist\nBuyer\nOak Pumps Ltd"),
        (ANN, "Kind regards,\nAnn Lindqvist"),
        (ANN, "Kind regards,\nAnn Lindqvist and Ben Marsh\nOak Pumps Ltd"),
    ],
)
def test_what_is_not_the_sender_s_own_signature_tells_nothing(name: str, signature: str) -> None:
    assert read_signature(_mail(signature), name) is None


@pytest.mark.parametrize(
    "line",
    [
        "Your partner for water", "We engineer the future", "+44 113 496 0000", "www.oak.example",
        "manager@oak.example", "12 Director Street", "Sales", "Manager of the year 2026!",
        "Oak Managers Ltd", "The water specialists", "",
    ],
)  # fmt: skip
def test_a_title_is_no_slogan_number_address_or_firm(line: str) -> None:
    told = read_signature(_mail(f"Regards\nAnn Lindqvist\n{line}\nOak Pumps Ltd"), ANN)
    assert told is not None
    assert told.title == ""


def test_sites_are_those_of_the_firm_and_a_usual_word_is_vague() -> None:
    signature = (
        "-- \nAnn Lindqvist\nBuyer\nOak\nLeeds\nTel +44 113 496 0000\n"
        "ann@oak.example | www.oak.example/en | https://www.linkedin.com/in/ann"
    )
    assert read_signature(_mail(signature), ANN) == Signed(
        "Buyer", ["oak", "leeds"], ["oak", "leeds"], ["oak.example"]
    )


def test_an_answer_s_own_signature_counts_above_and_below_what_it_quotes() -> None:
    signature = "-- \nAnn Lindqvist\nBuyer\nOak Pumps Ltd"
    quoted = "On Mon, Ben Marsh wrote:\n> Kind regards,\n> Ben Marsh\n> Head of Sales, Elm Inc"
    above = read_signature(_mail(signature, after=f"\n{quoted}"), ANN)
    below = read_signature(_mail(signature, before=quoted + "\n\nYes."), ANN)
    assert above == below == Signed("Buyer", ["oak pumps"], [], [])
    outlook = "\nVon: Ben Marsh\nGesendet: Montag\n\nElm Tools Inc\nwww.elm.example"
    assert read_signature(_mail(signature, after=outlook), ANN) == above


def test_a_reply_s_text_is_still_without_its_signature() -> None:
    text = _mail("-- \nAnn Lindqvist\nBuyer", after="\nOn Mon, Ben wrote:\n> x")
    assert reply_text(text) == "Hello\n\nTen pumps, please."
    assert own_lines(text)[-4:] == ["-- ", "Ann Lindqvist", "Buyer", ""]


@given(st.text(max_size=300), st.text(alphabet="İıßAnn Lindqvist,.\n->|", max_size=300))
def test_nothing_that_is_written_breaks_the_reading(a: str, b: str) -> None:
    for text in (a, b, f"Regards\nAnn Lindqvist\n{a}", f"{b}\n-- \nAnn Lindqvist\n{b}"):
        read_signature(text, ANN)
        read_signature(text, b)
