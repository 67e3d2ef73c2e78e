"""Which names stand for a state, which do not, and what a party's country is."""

import time
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.facts.party import Party, country_of, mentions

# One state to a line: its code, then names of every kind.
STATES = """
USA | US | U.S. | USA | U.S.A. | United States | the United States | United States of America | America | American | Americans | Washington | Washington, D.C. | the White House | the Pentagon | Pentagon | US's | Estados Unidos | Los Estados Unidos | États-Unis | Vereinigte Staaten | США | Сполучених Штатів | EE.UU.
GBR | UK | U.K. | Britain | Great Britain | United Kingdom | British | Britons | London | Westminster | Downing Street | Whitehall | Royaume-Uni | Великобритании
UKR | Ukraine | ukraine | UKRAINE | Ukrainian | Ukrainians | Kiev | Kyiv | Ukraine's | Украина | Украины | Україною | Києва
RUS | Russia | Russian Federation | Russians | Moscow | the Kremlin | Kremlin | Россия | России | Росії | Russland | Russie | Rusia | Кремля
DEU | Germany | Federal Republic of Germany | German | Berlin | Deutschland | Deutschlands | Allemagne | L'Allemagne | Alemania | Німеччина | Германия | Германии | Німеччиною | the Bundeswehr
FRA | France | French | Paris | the Élysée | Elysee | Frankreich | Francia | Франции
NOR | Norway | Norwegian | Norwegians | Oslo | Kingdom of Norway | Norwegen | Norvège | Noruega | Норвегії
NLD | Netherlands | The Netherlands | the Netherlands | Dutch | Holland | Niederlande | Die Niederlande | Pays-Bas | Les Pays-Bas
TUR | Turkey | Türkiye | Turkiye | TÜRKİYE | Turkish | Turks | Ankara | Türkei
CHN | China | PRC | People's Republic of China | Chinese | Beijing | Peking | Китая | Китаєм
TWN | Taiwan | Taiwanese | Taipei | Republic of China
CIV | Ivory Coast | Côte d'Ivoire | Cote d’Ivoire | Ivorian | Elfenbeinküste
MMR | Burma | Myanmar | Burmese
CZE | Czechia | Czech Republic | Czech | Prague | Tschechien
COD | DR Congo | Democratic Republic of the Congo | the Democratic Republic of Congo | DRC | Kinshasa | Congo-Kinshasa
COG | Republic of the Congo | Congo-Brazzaville | Brazzaville
KOR | South Korea | South Korean | Republic of Korea | Seoul | Südkorea | Южной Кореи
PRK | North Korea | North Koreans | DPRK | Pyongyang
NER | Niger | Nigerien | Niamey
NGA | Nigeria | Nigerian | Nigerians | Abuja
GIN | Guinea | Guinean | Conakry
GNQ | Equatorial Guinea | Equatorial Guinean
GNB | Guinea-Bissau | Guinea Bissau
PNG | Papua New Guinea
SDN | Sudan | Sudanese | Khartoum
SSD | South Sudan | South Sudanese | Juba
GEO | Georgia | Georgian | Tbilisi | Republic of Georgia
JOR | Jordan | Jordanian | Amman
TCD | Chad | Chadian | Republic of Chad
IRL | Ireland | Irish | Republic of Ireland | Dublin
ISR | Israel | Israeli | Israelis | Tel Aviv | Knesset
PSE | Palestine | Palestinian | Ramallah | Palestinian Authority
XKX | Kosovo | Kosovar | Pristina
VAT | Vatican | Holy See | the Vatican
SAU | Saudi Arabia | Saudi | Saudis | Riyadh
ARE | United Arab Emirates | UAE | U.A.E. | Emirati | Abu Dhabi | ОАЭ
IRN | Iran | Iranian | Tehran | Islamic Republic of Iran | Ірану
POL | Poland | Polish | Poles | Warsaw | Polen | Польши | Польщею
MKD | North Macedonia | Macedonia | Macedonians
SWZ | Eswatini | Swaziland
CPV | Cape Verde | Cabo Verde
TLS | East Timor | Timor-Leste
LCA | Saint Lucia | St. Lucia | St Lucia
STP | São Tomé and Príncipe | Sao Tome and Principe
BIH | Bosnia | Bosnia and Herzegovina | Bosnian | Sarajevo
MEX | Mexico | Mexican | Mexico City | Estados Unidos Mexicanos
"""
NO_STATE = """
us | Us | Congo | Congolese | Korea | Korean | Soviet Union | USSR | Yugoslavia | Czechoslovakia | East Germany | Crimea | Donetsk People's Republic | Northern Ireland
US state of Georgia | the US state of Georgia | state of Georgia | New Mexico | Latin American | South America | European Union | EU | the EU | NATO | UN | United Nations | OSCE | Brussels
Hague | Jordan Smith | Chad Smith | Georgia Meloni | Israel Katz | Hong Kong | Greenland | Kurdistan | Dominican | Vladimir Putin | Zelensky | Rheinmetall | Air France | Bank of America
Russian Helicopters | Turkish Aerospace | Norwegian Air | Ukrainian Defense Industry | Israel Aerospace Industries | Royal Dutch Shell | British Airways | Korea Aerospace Industries
American Red Cross | Free Syrian Army | Libyan National Army | Syrian National Army | Lebanese Forces | Irish Republican Army | Indian National Congress | Islamic State | Islamic State in Iraq
US-led coalition | Germany and France | Embassy of Norway in Ukraine | German and French governments | the German and French government | Government of Norway and Sweden | European states | Russian opposition | Western officials | Ministry of Defence
Government | army | No | no | in | the | '' | 's | . | , | IS | Who | May | Polish Armaments Group | Victoria | Georgetown | male | nice | Texas | California | London Stock Exchange | Gaza | Hamas | Hezbollah | Wagner
"""
BODIES = """
the Ukrainian government | UKR
Government of Norway | NOR
the government of the Netherlands | NLD
Norwegian Ministry of Defence | NOR
Ministry of Defence of Ukraine | UKR
Ministry of Foreign Affairs of the Russian Federation | RUS
Russia's foreign ministry | RUS
Russia’s Defense Ministry | RUS
the German defence ministry | DEU
German Federal Ministry for Economic Cooperation and Development | DEU
U.S. State Department | USA
US Department of Defense | USA
US Senate | USA
U.S. House of Representatives | USA
Royal Norwegian Air Force | NOR
Ukrainian Armed Forces | UKR
Armed Forces of Ukraine | UKR
General Staff of Ukraine | UKR
Security Service of Ukraine | UKR
Israel Defense Forces | ISR
Swedish Defence Materiel Administration | SWE
Polish parliament | POL
Danish Parliament | DNK
Swiss Federal Council and government | CHE
President of Ukraine | UKR
Prime Minister of Pakistan | PAK
Norwegian Prime Minister | NOR
Turkish Foreign Ministry | TUR
Chinese embassy | CHN
Iranian authorities | IRN
Indian Navy | IND
British Army | GBR
South Korean Ministry of National Defense | KOR
Trump administration | USA
Kyiv authorities | UKR
Russian Central Bank | RUS
Finnish Border Guard | FIN
"""


def cells(line):
    """What stands between the bars."""
    return [cell.strip() for cell in line.split("|")]


NAMES = [(name, code) for line in STATES.strip().splitlines() for code, *names in [cells(line)] for name in names]
NONE = [name for line in NO_STATE.strip().splitlines() for name in cells(line)]


@pytest.mark.parametrize(("name", "code"), NAMES)
def test_a_state_is_known_by_all_its_names(name, code):
    """Names, variants, demonyms, capitals and names in other languages stand for their state, whatever the diacritics."""
    assert country_of(name) == code


@pytest.mark.parametrize("name", NONE)
def test_unknown_stays_unknown(name):
    """Ambiguous, historic and disputed names, parts and groups of states, companies, persons and rebel armies are no state."""
    assert country_of(name) is None


@pytest.mark.parametrize(("name", "code"), [tuple(cells(line)) for line in BODIES.strip().splitlines()])
def test_a_government_body_belongs_to_the_one_state_it_names(name, code):
    """A body of government with exactly one state in its name is that state's."""
    assert country_of(name) == code


@pytest.mark.parametrize(
    ("kind", "name", "on_behalf_of", "code"),
    [
        ("state", "Netherlands", None, "NLD"),
        ("state", "Moscow", None, "RUS"),
        ("state", "Soviet Union", None, None),
        ("state", None, None, None),
        ("government_body", "Norwegian Ministry of Defence", None, "NOR"),
        ("government_body", "Ministry of Defence", "Norway", "NOR"),
        ("government_body", "Ministry of Defence", None, None),
        ("government_body", "Norwegian officials", "NATO", None),
        ("government_body", "Russian Helicopters", None, None),
        ("person", "Rustem Umerov", "Ukraine", "UKR"),
        ("person", "Donald Trump", "the United States", "USA"),
        ("person", "Paris Jackson", None, None),
        ("person", "Jordan", None, None),
        ("person", "Armin Papperger", "Rheinmetall", None),
        ("company", "Norway", None, None),
        ("company", "Rheinmetall", "Germany", None),
        ("armed_group", "Russian Volunteer Corps", "Ukraine", None),
        ("intergovernmental", "NATO", None, None),
        ("group_of_states", "European states", None, None),
        ("other", "Berlin", None, None),
        ("unknown", None, None, None),
    ],
)
def test_only_states_and_those_who_act_for_them_have_a_country(kind, name, on_behalf_of, code):
    """A state is its own, bodies and persons are those they act for, and everyone else is nobody's."""
    assert Party(name=name, kind=kind, on_behalf_of=on_behalf_of).country() == code


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Two from Germany and one from Norway.", {"DEU", "NOR"}),
        ("The Dutch minister met Kiev's envoy; U.S.-made systems.", {"NLD", "UKR", "USA"}),
        ("Washington and Kiev had agreed.", {"USA", "UKR"}),
        ("They told us to polish the turkey in a china cup.", set()),
        ("It was US weaponry.", {"USA"}),
        ("A state in New Mexico and Latin American friends of the Soviet Union.", set()),
        ("South Sudan is not Sudan.", {"SSD", "SDN"}),
        ("In South Sudan, Equatorial Guinea and Papua New Guinea.", {"SSD", "GNQ", "PNG"}),
        ("In Guinea. Bissau is elsewhere.", {"GIN", "GNB"}),
        ("Jordan Smith spoke.", set()),
        ("Jordan's king spoke to Jordan.", {"JOR"}),
        ("Nigeria is not near.", {"NGA"}),
        ("Russia-Ukraine talks", {"RUS", "UKR"}),
        ("Президент Украины прибыл в Москву", {"UKR", "RUS"}),
        ("Indonesia's Romanians, not Omani or Roman ones", {"IDN", "ROU", "OMN"}),
        ("The Democratic Republic of Congo and the Congo basin", {"COD"}),
        ("UKRAINE AND RUSSIA MEET", {"UKR", "RUS"}),
        ("Of the Turkiye deal: Cote d\u2019Ivoire, Co\u0302te d'Ivoire", {"TUR", "CIV"}),
        ("", set()),
    ],
)
def test_mentions_are_whole_names_with_a_capital(text, codes):
    """A text mentions the states named in it, at word boundaries, and none that its words only contain."""
    assert mentions(text) == codes


def table():
    """The table as it is shipped."""
    return tomllib.loads(files("extractor.facts").joinpath("countries.toml").read_text(encoding="utf-8"))


def test_every_name_in_the_table_stands_for_its_own_state():
    """No alias belongs to two states, is shadowed by another rule, or goes unread; each is found in running text as well."""
    for code, entry in table()["states"].items():
        assert len(code) == 3
        assert set(entry) == {"names", "demonyms", "seats", "other_languages"}
        assert entry["names"]
        for name in [name for names in entry.values() for name in names]:
            assert country_of(name) == code, name
            assert code in mentions(f"so said {name}, at last"), name
    for name in table()["rules"]["not_one_state"]:
        assert country_of(name) is None, name
        assert mentions(f"so said {name}, at last") == set(), name


def test_the_table_holds_every_member_of_the_united_nations():
    """193 members, two observers, Taiwan and Kosovo."""
    states = table()["states"]
    assert len(states) == 197
    assert {"VAT", "PSE", "TWN", "XKX", "NRU", "TUV", "SSD", "MNE"} <= set(states)


@given(st.text(max_size=300))
def test_any_text_is_taken(text):
    """Look-ups never raise, and a name that is a state is also mentioned once it has a capital."""
    assert country_of(text) is None or isinstance(country_of(text), str)
    assert all(len(code) == 3 for code in mentions(text))


@pytest.mark.parametrize("piece", ["Norway ", "U.S.", "A.", "a'", "South ", "Democratic Republic of the ", "é", "\u0301"])
def test_hostile_texts_take_linear_time(piece):
    """A hundred thousand characters take well under a second."""
    hostile = piece * (100_000 // len(piece))
    begun = time.process_time()  # what others do on the machine does not count
    mentions(hostile)
    assert country_of(hostile) is None
    assert time.process_time() - begun < 1
