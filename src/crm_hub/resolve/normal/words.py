"""The words that a name is cleaned of, and the short forms of given names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from crm_hub.data import data_folder
from crm_hub.resolve.normal.text import joined_umlauts

HONORIFICS = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev hon herr frau herrn hr fr mme mlle "
    "monsieur madame mademoiselle sr sra srta senor senora don dona senhor senhora sig sigra "
    "signor signora dott dottssa avv dhr mevr mevrouw meneer heer fru froken pan pani ing "
    "dipl dipling mag msc bsc mba llm phd md dds cpa rn jd esq maitre ir drs mgr bc ingr dra arq "
    "lic gospodin attn kommr".split()
)
# Before a word that stands alone: its bearer's surname ("Frau Berg").
SALUTATIONS = frozenset(
    "mr mrs ms miss mx dr prof professor herr frau hr mme mlle monsieur madame mademoiselle sr sra "
    "srta senor senora senhor senhora sig sigra signor signora dott dottssa dhr mevr mevrouw "
    "meneer heer fru froken pani".split()
)
# In a name field of its own: that nobody knows the name.
NOBODY = frozenset(
    "n/a n.a. #n/a null none unknown anonymous undefined unbekannt anonym inconnu anonyme "
    "desconocido anonimo desconhecido sconosciuto onbekend anoniem nieznany okand ukendt ukjent "
    "neznamy ismeretlen nn n.n. tba tbd".split()
)
# Before the surname somebody was born with.
BORN = frozenset("nee ne geb geborene geboren born nata rozena roz fodd fodt szul nascuta".split())
# Behind "Dr.", or behind a comma: a degree and no name.
DEGREES = frozenset(
    "fh univ med rer nat phil jur iur dent vet habil oec pol theol pharm hc techn mba phd msc bsc "
    "llm md dds meng beng external extern externe freelance contractor".split()
)
# Before a surname: a household and nobody in it.
HOUSEHOLD = frozenset(
    "familie family famille familia famiglia familien familjen rodina rodzina perhe csalad ailesi "
    "eheleute fam".split()
)
PARTICLES = frozenset(
    "van von vom vd zu zum zur der den de la le les du da di do dos das del della delle dello "
    "dei degli el al bin ibn ter ten te af av y e i het op in t und o san".split()
)
GENERATIONS = {
    "jr": "jr", "jun": "jr", "junior": "jr", "jnr": "jr", "fils": "jr", "figlio": "jr",
    "hijo": "jr", "filho": "jr", "ml": "jr", "mladsi": "jr", "mlodszy": "jr", "zoon": "jr",
    "sr": "sr", "sen": "sr", "senior": "sr", "snr": "sr", "pere": "sr", "padre": "sr",
    "pai": "sr", "st": "sr", "starsi": "sr", "starszy": "sr", "vader": "sr",
    "ii": "ii", "iii": "iii", "iv": "iv", "neto": "iii", "2nd": "ii", "3rd": "iii", "4th": "iv",
    "yngre": "jr", "aldre": "sr", "aeldre": "sr", "eldre": "sr", "nuorempi": "jr",
    "vanhempi": "sr", "ifj": "jr", "ifjabb": "jr", "idosb": "sr", "idosebb": "sr",
}  # fmt: skip
# Marks that stand before a whole name ("ifj. Nagy Anna") or between its parts ("Ann Jr. Berg").
MARKS_ANYWHERE = frozenset("jr jnr sr snr ifj ifjabb idosb idosebb".split())
# What marks a generation in brackets alone, or in a field of its own.
IN_BRACKETS = GENERATIONS | {
    "younger": "jr", "elder": "sr", "jungere": "jr", "juengere": "jr", "altere": "sr",
    "aeltere": "sr", "sohn": "jr", "tochter": "jr", "son": "jr", "daughter": "jr", "syn": "jr",
    "h": "jr",
    "vater": "sr", "mutter": "sr", "father": "sr", "mother": "sr", "ojciec": "sr", "otec": "sr",
}  # fmt: skip
LEGAL_FORMS = frozenset(
    "inc incorporated llc llp lp ltd limited plc corp corporation co company gmbh ggmbh mbh "
    "ag kg kgaa ug ohg gbr ev eg ek ekfr ekfm eu haftungsbeschrankt partg partgmbb se sa sas "
    "sasu sarl eurl snc sci scop sl slu sll sau sc coop spa srl srls sas ss sapa bv nv vof cv "
    "bvba vzw cvba ab hb kb publ oy oyj ky ay as asa ans da aps is ivs amba kft bt zrt nyrt "
    "doo dd ad ood eood sro spol vos ks zoo sp spj spk spzoo sk pty pte ltda eireli me lda "
    "unipessoal sagl gesmbh og".split()
)
# Two letters of these are words of names too ("De Groot & Co", "AS Roma"), and some are names
# (Åsa, Ans, Vos, Sas, Sau): as a person's name they prove no company.
CLEAR_FORMS = LEGAL_FORMS - frozenset(
    "se sa as is da eu me ad ay co ag ab eg ek ev cv sc ss bt ks sl sk sp hb kb ky dd coop og "
    "asa ans vos sas sau".split()
)
# The lands a legal form is one of; those that are written everywhere (Ltd, Inc, SA) tell none.
# One form in two languages of a land has that land: BV and SRL in Belgium, GmbH and Srl in Italy.
_FORMS_OF = {
    "AT CH DE IT LI LU": "gmbh mbh ag kg",
    "AT DE": "ggmbh kgaa ohg og gesmbh ekfr ekfm ug partg partgmbb gbr haftungsbeschrankt",
    "BE NL": "bv nv bvba vof vzw cvba",
    "BE CH FR LU": "sarl sasu eurl snc sas scop",
    "CH": "sagl",
    "BE ES IT RO": "srl",
    "IT": "spa sapa srls",
    "ES": "slu sll sau",
    "PT": "lda unipessoal",
    "BR PT": "ltda eireli",
    "FI SE": "ab oy oyj ky",
    "DK": "aps ivs amba",
    "NO": "asa ans",
    "CZ DK EE NO SK TR": "as",
    "HU": "kft zrt nyrt",
    "BA BG HR ME MK RS SI": "doo dd ood eood",
    "CZ SK": "sro spol vos",
    "PL": "zoo spj spk spzoo",
}
LANDS_OF_FORM = {
    form: frozenset(lands.split()) for lands, forms in _FORMS_OF.items() for form in forms.split()
}
# Behind a firm's name, what makes it another firm of the same house.
PARTS_OF_A_HOUSE = frozenset(
    "international logistik logistics logistique logistica spedition service services servicios "
    "immobilien immobiliare immobiliere inmobiliaria properties estate leasing finance finanz "
    "capital beteiligungs beteiligungen verwaltungs verwaltung vermogensverwaltung handels trading "
    "export import vertriebs versand onlineshop academy akademie stiftung foundation fondation "
    "fundacion fondazione ventures niederlassung filiale filial succursale sucursal branch".split()
)
FIRM_STOPWORDS = frozenset("the and und et y e i og och en de the of holding group gruppe".split())


def load_short_forms(path: Path | None = None) -> dict[str, frozenset[str]]:
    """Return given name → the names it may stand for, itself included, all umlauts joined.

    Two given names may be one person's when their sets meet: `bill` and `will` meet in william;
    `dan` meets daniel and danielle, which do not meet each other.
    """
    path = path or data_folder("mappings") / "nicknames.txt"
    found: dict[str, set[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        head, colon, shorts = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        full = joined_umlauts(head.strip())
        found.setdefault(full, {full})
        for word in shorts.split():
            short = joined_umlauts(word)
            found.setdefault(short, {short}).add(full)
    return {short: frozenset(fulls) for short, fulls in found.items()}


@lru_cache(1)
def short_forms() -> dict[str, frozenset[str]]:
    """Return the short forms that ship with the hub, read once."""
    return load_short_forms()


@lru_cache(1)
def known_given_names() -> frozenset[str]:
    """Return every given name and short form that ships with the hub."""
    forms = short_forms()
    return frozenset(forms) | frozenset(full for fulls in forms.values() for full in fulls)
