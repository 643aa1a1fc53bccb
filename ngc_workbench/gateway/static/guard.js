/* Stops large copies out of a session's page, tells the person how to ask for an export instead, and reports the size.
 *
 * This is no enforcement against the person at the screen: whoever controls the browser can switch it off, and what a screen
 * shows can be photographed. It keeps people from carrying data out by habit or by mistake, and leaves a trace when they try.
 * What enforces stands in the gateway. Served by it, and loaded before JupyterLab, so that nothing of an output comes first.
 *
 * A copy has three ways to the clipboard: the browser copies what is selected on the page; an editor hands over its own
 * selection, of which the page may hold the visible part alone; or a script writes by itself. The first two are measured when the
 * event begins, whatever is handed over is measured again in `setData`, and the third becomes a copy event.
 */
(() => {
  'use strict';
  const script = document.currentScript;
  const limit = Number(script.dataset.limit);
  const report = script.dataset.report;
  const danish = (navigator.language || '').toLowerCase().startsWith('da');
  const shownFor = 10000; // milliseconds
  let how = 'copy';
  let byScript = false;
  let notice = null;
  let hiding = 0;

  const text = (length) => {
    const locale = danish ? 'da-DK' : 'en-GB';
    const [count, most] = [length.toLocaleString(locale), limit.toLocaleString(locale)];
    return danish
      ? `Kopieringen blev stoppet: ${count} tegn, højst ${most} ad gangen. Læg resultatet i outbox, og bed om frigivelse i portalen. Forsøget er registreret.`
      : `The copy was stopped: ${count} characters, ${most} at most at a time. Put the result into the outbox and ask for its release in the portal. The attempt was recorded.`;
  };

  const show = (length) => {
    if (notice === null) {
      notice = document.createElement('div');
      notice.id = 'ngc-guard';
      notice.setAttribute('role', 'alert');
      notice.style.cssText =
        'position:fixed;z-index:2147483647;left:50%;bottom:2rem;transform:translateX(-50%);max-width:34rem;padding:.8rem 1.2rem;' +
        'background:#fff4d6;color:#1a1a1a;border:2px solid #8a5a00;border-radius:4px;font:15px/1.4 system-ui,sans-serif';
    }
    notice.lang = danish ? 'da' : 'en';
    notice.textContent = text(length);
    document.documentElement.append(notice);
    clearTimeout(hiding);
    hiding = setTimeout(() => notice.remove(), shownFor);
  };

  const stopped = (length) => {
    show(length);
    fetch(report, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ length, how }),
      credentials: 'omit',
      keepalive: true,
    }).catch(() => undefined); // the copy is stopped all the same
  };

  /** Characters that an editor would hand over: its selection, or without one the lines of its cursors. */
  const inEditor = (target) => {
    const element = target instanceof Element ? target : target && target.parentElement;
    const content = element && element.closest('.cm-content');
    const tile = content && content.cmTile; // CodeMirror's own mark on its element
    const view = tile && (tile.view || (tile.root && tile.root.view));
    if (!view) return 0;
    const ranges = view.state.selection.ranges;
    const selected = ranges.reduce((sum, range) => sum + range.to - range.from, 0);
    return selected || ranges.reduce((sum, range) => sum + view.state.doc.lineAt(range.from).length, 0);
  };

  /** Characters that are selected where the event happens: in a field, in an editor, or on the page. */
  const selected = (target) => {
    // Not every browser counts a field's selection among the page's.
    const field = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
    if (field) return (target.selectionEnd || 0) - (target.selectionStart || 0);
    return Math.max(inEditor(target), String(document.getSelection()).length);
  };

  const stop = (event, length) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    stopped(length);
  };

  for (const kind of ['copy', 'cut']) {
    window.addEventListener(
      kind,
      (event) => {
        how = kind;
        const length = byScript ? 0 : selected(event.target);
        if (length > limit) stop(event, length);
      },
      true,
    );
  }

  window.addEventListener(
    'dragstart',
    (event) => {
      how = 'drag';
      const carried = ['text/plain', 'text/uri-list'].map((type) => event.dataTransfer.getData(type).length);
      // A picture that is dragged out is a file, however short its address.
      const picture = event.target instanceof HTMLImageElement ? Math.max(event.target.src.length, limit + 1) : 0;
      const length = Math.max(picture, ...carried);
      if (length > limit) stop(event, length);
    },
    true,
  );

  // The browser's own menu of a picture saves and copies it; JupyterLab's opens all the same.
  window.addEventListener(
    'contextmenu',
    (event) => {
      if (event.target instanceof HTMLImageElement || event.target instanceof HTMLCanvasElement) event.preventDefault();
    },
    true,
  );

  const setData = DataTransfer.prototype.setData;
  DataTransfer.prototype.setData = function (type, data) {
    const length = String(data).length;
    if (length > limit) stopped(length);
    else setData.call(this, type, data);
  };

  // The browser's own way for scripts is closed by the page's policy; JupyterLab's Edit menu and buttons use it.
  if (navigator.clipboard) {
    navigator.clipboard.writeText = async (data) => {
      how = 'copy';
      const length = String(data).length;
      if (length > limit) {
        stopped(length);
        throw new DOMException('The copy is too large.', 'NotAllowedError');
      }
      const hand = (event) => {
        event.clipboardData.setData('text/plain', String(data));
        event.preventDefault();
        event.stopImmediatePropagation();
      };
      document.addEventListener('copy', hand, true);
      byScript = true;
      try {
        if (!document.execCommand('copy')) throw new DOMException('Nothing was copied.', 'NotAllowedError');
      } finally {
        byScript = false;
        document.removeEventListener('copy', hand, true);
      }
    };
  }
})();
