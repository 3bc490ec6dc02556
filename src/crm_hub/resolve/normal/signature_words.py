"""The words that open a signature and those that name a job; folded, in the languages of mail here.

English, German, French, Spanish, Italian, Dutch, Portuguese, Swedish, Danish, Norwegian, Finnish,
Polish and Czech.
"""

from __future__ import annotations

import re

# A line that begins so ends a letter: what stands below it is the writer's name.
CLOSINGS = tuple(
    """kind regards|best regards|regards|warm regards|warmest regards|with kind|with best
    |best wishes|best,|all the best|sincerely|yours sincerely|yours faithfully|yours truly|cheers
    |thanks|thank you|many thanks|cordially
    |mit freundlich|freundlich|viele gru|beste gru|herzliche gru|liebe gru|schone gru
    |mit besten gru|mit herzlich|mfg|hochachtungsvoll|gruss|grusse|vg|lg
    |cordialement|bien cordialement|bien a vous|amicalement|salutations|sinceres salutations
    |meilleures salutations|respectueusement|veuillez agreer
    |saludos|un saludo|un cordial saludo|cordiales saludos|atentamente|cordialmente|reciba un
    |cordiali saluti|distinti saluti|saluti|un saluto|in fede
    |met vriendelijke groet|vriendelijke groet|hartelijke groet|groeten|groet|mvg
    |atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|saudacoes
    |med vanliga halsningar|vanliga halsningar|basta halsningar|halsningar|mvh|med venlig hilsen
    |venlig hilsen|med vennlig hilsen|vennlig hilsen|hilsen
    |ystavallisin terveisin|terveisin
    |z powazaniem|pozdrawiam|z pozdrowieniami|serdecznie
    |s pozdravem|s pratelskym pozdravem""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)

# Signed for somebody: "i. A. Ann Lee", "ppa. Ann Lee".
PROXIES = frozenset("ia iv ppa pp po pa".split())

_LONG = """manager|director|direttor|direttric|directeur|directric|president|leiter|engineer
|ingenieur|ingegner|ingenier|engenheir|berater|consultan|consulent|consultor|assist[ae]nt|asistente|referent
|geschaftsfuhr|geschaeftsfuehr|vorstand|inhaber|prokurist|gesellschafter|einkaufer|einkaeufer
|verkaufer|verkaeufer|buchhalter|sachbearbeit|techniker|technician|tecnico|technicien|tekniker
|entwickler|developer|architekt|architect|architett|arquitect|analyst|accountant|comptable|contable
|contabile|controller|controleur|[ck]oordinat|coordonna|coordinador|speciali[sz]|speziali
|especialista|responsa|gerente|jef[ea] de|charge[e]? d|acheteu|comprador|vendedor|vendeu|venditor
|founder|fondat|fundador|grunder|proprietor|titolare|propietari|gerant|secretar|sekretar|segretar
|supervis|superviseur|administra|amministra|verwalter|kaufmann|kauffrau|inkoper|verkoper|hoofd
|adviseur|medewerker|ansvarig|inkopare|saljare|kierownik|dyrektor|prezes|specjalist|handlowiec
|reditel|vedouci|nakupci|obchodnik|johtaja|paallikko|officer|executive|representative|reprasentant
|attorney|rechtsanwalt|avocat|abogad|avvocat|advocaat|advogad|scientist|disponent|superintendent
|foreman|clerk|teamlead|mitarbeiter|beauftragte|vertreter|diretor|coordenador|impiegat"""
_SHORT = """ceo|cto|cfo|coo|cio|cmo|cso|vp|head|chief|chef|cheffe|buyer|owner|agent|planner
|purchaser|leder|sjef|chair|chairman|chairwoman|socio|socia|jurist|meister"""
_ALONE = r"\A(?:(?:managing|senior|junior|equity) )?partner(?:in)?\Z"
_ANY = f"(?:{_LONG})|\\b(?:{_SHORT})\\b|{_ALONE}"
JOB = re.compile(_ANY.replace("\n", ""))
"""Finds a word for what somebody does; departments alone ("Sales") are none."""

SLOGAN_STARTS = frozenset(
    "the your our we a an der die das ihr ihre dein unser unsere wir votre vos notre nos le la les "
    "nous su sus tu nuestro nuestra el los las il lo la i gli la tua vostro nostro uw jouw ons "
    "onze de het wij din ditt vi en ett seu sua nosso nossa o os as twoj nasz vas nas".split()
)
"""What a slogan begins with ("Your partner for water"), and no title."""

# Sites where anybody has a page: no sign of whose firm it is.
SITES_OF_ALL = frozenset(
    "linkedin.com xing.com facebook.com fb.com instagram.com twitter.com x.com youtube.com "
    "youtu.be tiktok.com pinterest.com github.com wa.me whatsapp.com t.me calendly.com zoom.us "
    "google.com maps.google.com goo.gl bit.ly microsoft.com office.com outlook.com teams.live.com "
    "apple.com medium.com vimeo.com threads.net bsky.app mastodon.social skype.com "
    "aka.ms trustpilot.com avast.com avg.com norton.com mailchimp.com".split()
)
