"""How a refusal reads: a page in Danish and English for a person, a message for JupyterLab to show.

JupyterLab shows the field `message` of a failed call in its dialog. `reason` is the name of the rule, as it stands in
the audit log and in docs/gateway-policy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from aiohttp import web

from ngc_workbench.errors import Refused
from ngc_workbench.gateway import headers
from ngc_workbench.gateway.paused import Paused

_PAGE = """<!doctype html>
<html lang="da">
<head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 10vh auto; padding: 0 1rem; color: #1a1a1a; }}
h1 {{ font-size: 1.5rem; }}
section + section {{ border-top: 1px solid #bbb; margin-top: 1.5rem; }}
small {{ color: #555; }}
</style></head>
<body>
<main>
<section>
<h1>Det går ikke herfra</h1>
<p>{danish}</p>
<p><a href="{portal}" target="_top">Gå til portalen</a></p>
</section>
<section lang="en">
<h1>{title}</h1>
<p>{what}</p>
<p>{remedy}</p>
<p><a href="{portal}" target="_top">Go to the portal</a></p>
</section>
<p><small>{reason}</small></p>
</main>
</body>
</html>
"""

_DANISH = {
    "page.outside_frame": "En session vises kun inde i portalens side. Åbn den fra portalen.",
    "files.download": "Filer forlader ikke en session ved download. Læg filen i outbox, og bed om frigivelse i portalen.",
    "files.view": "Filer vises ikke på egne sider. Læg filen i outbox, og bed om frigivelse i portalen.",
    "nbconvert.export": "Notebooks omdannes ikke til download. Læg den i outbox uden resultater, og bed om frigivelse i portalen.",
    "archive.download": "Mapper forlader ikke en session som arkiv. Læg filerne i outbox, og bed om frigivelse i portalen.",
    "session.none": "Her kører ingen session. Start den fra portalen.",
    "session.page": "Sessionen kan ikke vise JupyterLab. Vent et øjeblik, og genindlæs siden; ellers stop sessionen i portalen, og start den igen.",
    "frontend.no_such_file": "JupyterLab har ikke den fil. Genindlæs siden fra portalen.",
    "session.silent": "Sessionen svarer ikke lige nu. Vent et øjeblik, eller start den igen fra portalen.",
}
_DANISH_ELSE = "Adgangen er lukket. Spørg dit datastøttecenter, hvis du har brug for den."


def wants_page(request_headers: Mapping[str, str]) -> bool:
    """Whether a person is looking: the browser opens a page, or says that it wants HTML before anything else."""
    destination = request_headers.get("Sec-Fetch-Dest", "")
    if destination:
        return destination in ("document", "iframe", "frame", "object", "embed")
    return request_headers.get("Accept", "").startswith("text/html")


def answer(refused: Refused, request_headers: Mapping[str, str], portal: str, status: int = 403) -> web.Response:
    """The refusal, as a page or as JSON with `message` and `reason`."""
    if wants_page(request_headers):
        text = _PAGE.format(
            title="Refused" if status == 403 else "Not available",
            danish=escape(refused.danish if isinstance(refused, Paused) else _DANISH.get(refused.reason, _DANISH_ELSE)),
            what=escape(refused.what),
            remedy=escape(refused.remedy),
            portal=escape(portal, quote=True),
            reason=escape(refused.reason),
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=headers.own_page(portal))
    body = {"message": str(refused), "reason": refused.reason}
    return web.json_response(body, status=status, headers=headers.own_data())
