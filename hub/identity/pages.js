// The two pages that the demo's identity provider draws itself: nothing on them is fetched from anywhere.

const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 "IBM Plex Sans", system-ui, "Segoe UI", Roboto, sans-serif; color: #1a1a1a; background: #eef3f7; }
.demo { background: #ffc400; color: #1a1a1a; text-align: center; padding: .5rem 1rem; font-weight: 600; }
main { max-width: 46rem; margin: 3rem auto; padding: 2.5rem; background: #fff; border-top: 6px solid #0059b3; box-shadow: 0 2px 12px rgba(0, 40, 80, .12); }
h1 { margin: 0 0 .25rem; font-size: 1.9rem; line-height: 1.2; }
p { margin: .25rem 0 1rem; }
[lang=en] { color: #505050; }
ul { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: .75rem; }
button { width: 100%; min-height: 4.75rem; text-align: left; font: inherit; padding: .8rem 1rem; background: #fff; border: 1px solid #747474; border-radius: 4px; cursor: pointer; }
button:hover { background: #f0f6fc; border-color: #0059b3; }
button:focus-visible { outline: 4px solid #747474; outline-offset: 2px; }
button strong { display: block; font-size: 1.1rem; color: #0059b3; }
button span { display: block; font-size: .9rem; color: #3d3d3d; }
footer { max-width: 46rem; margin: 0 auto 3rem; padding: 0 2.5rem; color: #505050; font-size: .9rem; }
@media (max-width: 40rem) { main { margin: 0; padding: 1.5rem; } footer { padding: 1.5rem; } }
`;

const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

const page = (title, main) => `<!doctype html>
<html lang="da">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · DEMO</title><style>${STYLE}</style></head>
<body>
<div class="demo" role="note">DEMO – opdigtede personer og data · invented people and data</div>
<main>${main}</main>
<footer>Her svarer MitID i drift. · In production MitID answers here.</footer>
</body></html>`;

export const choosePage = (people, uid, token) =>
  page(
    'Log på · Log in',
    `<h1>Log på NGC Workbench</h1>
<p lang="en">Log in to NGC Workbench</p>
<p>Vælg, hvem du vil være. <span lang="en">Choose who you want to be.</span></p>
<form method="post" action="/choose/${escape(uid)}">
<input type="hidden" name="token" value="${escape(token)}">
<ul>${people
      .map(
        (person) => `<li><button name="person" value="${escape(person.name)}">
<strong>${escape(person.full_name)} (${escape(person.name)})</strong><span>${escape(person.title)}</span></button></li>`,
      )
      .join('')}</ul></form>`,
  );

export const errorPage = (message) =>
  page('Fejl · Error', `<h1>Log-in lykkedes ikke</h1><p lang="en">Log-in failed</p><p role="alert">${escape(message)}</p>`);
