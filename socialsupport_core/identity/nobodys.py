"""What is nobody's own by the look of it: mailboxes of whoever is on duty, and what people type in place of a contact.

The words are those of common use in a dozen languages, after RFC 2142; a tenant may have others.
"""

import re
from collections.abc import Set

ROLES = frozenset(
    """
    abuse accounting accounts admin administration administrator all billing bookings careers commercial contact
    contact-us contactus customer.service customercare customerservice enquiries enquiry feedback finance frontdesk
    hello help helpdesk hostmaster hr info information inquiries inquiry invoice invoices jobs logistics mail
    mailer-daemon marketing media news newsletter no-reply no.reply no_reply noc noreply office operations order orders
    payments payroll postmaster press privacy procurement purchase purchasing reception recruiting reservations returns
    root sales secretariat security service servicedesk shipping shop staff store support team warehouse webmaster

    anfrage auskunft bestellung bestellungen buchhaltung buero buro einkauf empfang kanzlei kontakt kundendienst
    kundenservice personal praxis rechnung rechnungen rezeption sekretariat verkauf versand vertrieb verwaltung
    werkstatt zentrale

    administracion almacen atencion atencioncliente atencionalcliente ayuda cobranzas compras comercial contabilidad
    contacto correo facturacion informacion informes mostrador oficina pedidos recepcion reservas rrhh secretaria
    servicio soporte tienda ventas

    administracao atendimento cobranca contabilidade contato diretoria escritorio faleconosco faturamento financeiro
    loja ouvidoria recepcao rh sac suporte vendas

    accueil achats administratif boutique commande commandes comptabilite direction facturation magasin reservation
    secretaire serviceclient

    acquisti amministrazione assistenza commerciale contatti contabilita fatturazione fatture informazioni negozio
    ordini prenotazioni ricezione segreteria servizioclienti ufficio vendite

    administratie bestellingen boekhouding facturen inkoop klantenservice receptie verkoop winkel

    biuro faktury handlowy kadry ksiegowosc obsluga rekrutacja sklep sprzedaz zamowienia

    bokning ekonomi faktura kansli kontor kundservice kundeservice myynti asiakaspalvelu order ordre post salg
    toimisto

    destek bilgi iletisim muhasebe musteri satis siparis

    fakturace info objednavky obchod podpora prodej recepce ucetni uctarna iroda ertekesites ugyfelszolgalat penzugy

    buhgalteria ofis otdel prodazhi priem zakaz zakazy
    """.split()  # noqa: SIM905 - a list of a line each would be three hundred lines
)
"""Local parts of mailboxes that are read by whoever is on duty."""
ALONE = frozenset(
    "all bilgi correo direction hello hr mail media news order ordre personal post press rh root sac shop staff store team".split()  # noqa: SIM905, E501
)
"""Those that are part of people's own addresses too: they count only as the whole."""
_FAMILY = re.compile(r"(?<![a-z])(?:fam(?:iglia|ilia|ilien?|ilj|ille|ily)?|rodina|rodzina)(?![a-z])")
PLACEHOLDERS = frozenset(
    """
    anonymous asdf aucun dummy email example fake guest ingenbekannt kein keine keineemail keinemail na nao naoinformado
    naotem n/a nada name nessuno nessuna niemand ninguno nobody noemail nomail none noone notiene notprovided null
    qwerty sample semail sememail sincorreo sinemail test tester testing teste undefined unknown user username
    yourname youremail your.email your.name no-email no_email no.email sin-correo sem-email
    """.split()  # noqa: SIM905
)
"""Local parts that people and programs write where they have no address."""
_PARTS = re.compile(r"[._\-]+|\d{1,2}$")
SAME, RUN = 7, 8  # digits at the end of a telephone number
_RUNS = {digits[at : at + RUN] for digits in ("1234567890", "9876543210") for at in range(len(digits) - RUN + 1)}


def is_role(address: str, words: Set[str]) -> bool:
    """`info@…`, and `info2@…`, `info.berlin@…`, `uk-sales@…` too; `words` are the roles."""
    local = address.partition("@")[0].partition("+")[0].lower()
    if local in words or local.isalpha():
        return local in words
    parts = [part for part in _PARTS.split(local) if part]
    if not words or not parts or parts == [local]:
        return False
    return any(part in words and part not in ALONE for part in (parts[0], parts[-1]))


def is_family(address: str) -> bool:
    """`familie.meyer@…`, `family@…`."""
    return _FAMILY.search(address.partition("@")[0].lower()) is not None


def is_placeholder(kind: str, value: str) -> bool:
    """Whether this is what somebody writes who has no such thing, or does not want to tell it."""
    return _is_no_mailbox(value) if kind == "email" else kind == "phone" and _is_no_number(value)


def _is_no_mailbox(address: str) -> bool:
    local, _, domain = address.lower().partition("@")
    if local in PLACEHOLDERS or (len(local) > 2 and len(set(local)) == 1):
        return True
    return len(local) <= 3 and local == domain.partition(".")[0]  # a@a.com


def _is_no_number(number: str) -> bool:
    """Nothing but zeros, seven times one digit at the end, or a run of eight."""
    digits = number.partition(";")[0].removeprefix("+")
    ends_in_one = len(digits) >= SAME and len(set(digits[-SAME:])) == 1
    return not digits.strip("0") or ends_in_one or digits[-RUN:] in _RUNS
