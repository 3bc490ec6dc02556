"""The names that Windows gives time zones, with the IANA zones they stand for.

Source: Unicode CLDR windowsZones, and names of Windows versions before it.
"""

from __future__ import annotations

# Lower case, and without the "Standard Time" that most of them end with.
_PAIRS = """
e. africa = Africa/Nairobi; egypt = Africa/Cairo; greenwich = Africa/Abidjan
libya = Africa/Tripoli; morocco = Africa/Casablanca; namibia = Africa/Windhoek
sao tome = Africa/Sao_Tome; south africa = Africa/Johannesburg; south sudan = Africa/Juba
sudan = Africa/Khartoum; w. central africa = Africa/Lagos; alaskan = America/Anchorage
aleutian = America/Adak; argentina = America/Argentina/Buenos_Aires; atlantic = America/Halifax
bahia = America/Bahia; canada central = America/Regina; central america = America/Guatemala
central brazilian = America/Cuiaba; central = America/Chicago
central standard time (mexico) = America/Mexico_City; cuba = America/Havana
e. south america = America/Sao_Paulo; eastern = America/New_York
eastern standard time (mexico) = America/Cancun; greenland = America/Nuuk
haiti = America/Port-au-Prince; magallanes = America/Punta_Arenas; mexico = America/Mexico_City
mexico standard time 2 = America/Mazatlan; montevideo = America/Montevideo
mountain = America/Denver; mountain standard time (mexico) = America/Mazatlan
newfoundland = America/St_Johns; pacific sa = America/Santiago; pacific = America/Los_Angeles
pacific standard time (mexico) = America/Tijuana; paraguay = America/Asuncion
sa eastern = America/Cayenne; sa pacific = America/Bogota; sa western = America/La_Paz
saint pierre = America/Miquelon; tocantins = America/Araguaina
turks and caicos = America/Grand_Turk; us eastern = America/Indiana/Indianapolis
us mountain = America/Phoenix; venezuela = America/Caracas; yukon = America/Whitehorse
afghanistan = Asia/Kabul; altai = Asia/Barnaul; arab = Asia/Riyadh; arabian = Asia/Dubai
arabic = Asia/Baghdad; armenian = Asia/Yerevan; azerbaijan = Asia/Baku; bangladesh = Asia/Dhaka
caucasus = Asia/Yerevan; central asia = Asia/Bishkek; china = Asia/Shanghai
ekaterinburg = Asia/Yekaterinburg; georgian = Asia/Tbilisi; india = Asia/Kolkata
iran = Asia/Tehran; israel = Asia/Jerusalem; jordan = Asia/Amman; kamchatka = Asia/Kamchatka
korea = Asia/Seoul; magadan = Asia/Magadan; middle east = Asia/Beirut; myanmar = Asia/Yangon
n. central asia = Asia/Novosibirsk; nepal = Asia/Kathmandu; north asia east = Asia/Irkutsk
north asia = Asia/Krasnoyarsk; north korea = Asia/Pyongyang; omsk = Asia/Omsk
pakistan = Asia/Karachi; qyzylorda = Asia/Qyzylorda; russia time zone 10 = Asia/Srednekolymsk
russia time zone 11 = Asia/Kamchatka; sakhalin = Asia/Sakhalin; se asia = Asia/Bangkok
singapore = Asia/Singapore; sri lanka = Asia/Colombo; syria = Asia/Damascus
taipei = Asia/Taipei; tokyo = Asia/Tokyo; tomsk = Asia/Tomsk; transbaikal = Asia/Chita
ulaanbaatar = Asia/Ulaanbaatar; vladivostok = Asia/Vladivostok; w. mongolia = Asia/Hovd
west asia = Asia/Tashkent; west bank = Asia/Hebron; yakutsk = Asia/Yakutsk
azores = Atlantic/Azores; cape verde = Atlantic/Cape_Verde; aus central = Australia/Darwin
aus central w. = Australia/Eucla; aus eastern = Australia/Sydney
cen. australia = Australia/Adelaide; e. australia = Australia/Brisbane
lord howe = Australia/Lord_Howe; tasmania = Australia/Hobart; w. australia = Australia/Perth
dateline = Etc/GMT+12; mid-atlantic = Etc/GMT+2; astrakhan = Europe/Astrakhan
belarus = Europe/Minsk; central europe = Europe/Budapest; central european = Europe/Warsaw
e. europe = Europe/Chisinau; fle = Europe/Kiev; gmt = Europe/London; gtb = Europe/Bucharest
kaliningrad = Europe/Kaliningrad; romance = Europe/Paris; russia time zone 3 = Europe/Samara
russian = Europe/Moscow; saratov = Europe/Saratov; turkey = Europe/Istanbul
volgograd = Europe/Volgograd; w. europe = Europe/Berlin; mauritius = Indian/Mauritius
bougainville = Pacific/Bougainville; central pacific = Pacific/Guadalcanal
chatham islands = Pacific/Chatham; easter island = Pacific/Easter; fiji = Pacific/Fiji
hawaiian = Pacific/Honolulu; line islands = Pacific/Kiritimati; marquesas = Pacific/Marquesas
new zealand = Pacific/Auckland; norfolk = Pacific/Norfolk; samoa = Pacific/Apia
tonga = Pacific/Tongatapu; west pacific = Pacific/Port_Moresby
"""
_SUFFIX = " standard time"


def _spelled(pair: str) -> tuple[str, str]:
    name, _, zone = pair.strip().partition(" = ")
    return (name if " time " in name else name + _SUFFIX), zone


_ZONES = dict(_spelled(pair) for pair in _PAIRS.strip().replace("\n", ";").split(";"))


def windows_zone(name: str) -> str:
    """Return the IANA name of the zone that Windows calls so, "" for none."""
    return _ZONES.get(name.lower(), "")
