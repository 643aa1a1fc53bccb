// Draws Bokeh figures in JupyterLab from their document's JSON. No output brings a script of its own:
// BokehJS is served beside this file, and a figure that asks to run code is not drawn.
//
// JupyterLab loads extensions as containers of webpack's module federation. This one is small enough to be written
// by hand, so that what is served is what stands in version control.
(() => {
  "use strict";
  const MEDIA = "application/vnd.ngc.bokeh+json";
  const PARTS = ["bokeh", "bokeh-gl", "bokeh-widgets", "bokeh-tables"];
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  let shared = {};
  let library;

  function script(part) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = `${here}${part}.min.js`;
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${part} can't be loaded`));
      document.head.appendChild(element);
    });
  }

  // In order, since the later parts register with the first; once a page, again after a failure.
  function bokeh() {
    library ??= PARTS.reduce((before, part) => before.then(() => script(part)), Promise.resolve()).catch((error) => {
      library = undefined;
      throw error;
    });
    return library.then(() => window.Bokeh);
  }

  // CustomJS and its kin hold JavaScript that Bokeh would run in this page.
  function runsCode(value) {
    if (Array.isArray(value)) return value.some(runsCode);
    if (value === null || typeof value !== "object") return false;
    if (typeof value.name === "string" && value.type === "object" && value.name.startsWith("CustomJS")) return true;
    return Object.values(value).some(runsCode);
  }

  // Of all versions that the page shares, any will do: the class is only a frame for a node.
  async function widgets() {
    const versions = Object.values(shared["@lumino/widgets"] ?? {});
    return (await versions[0].get())();
  }

  function extension({ Widget }) {
    class Figure extends Widget {
      async renderModel(model) {
        this.clear();
        const item = model.data[MEDIA];
        if (runsCode(item)) {
          this.node.textContent = "This figure holds JavaScript of its own (CustomJS) and is not drawn.";
          return;
        }
        try {
          this.views = await (await bokeh()).embed.embed_item(item, this.node);
        } catch (error) {
          this.node.textContent = `This figure can't be drawn: ${error.message}.`;
        }
      }

      clear() {
        this.views?.clear?.();
        this.views = undefined;
        this.node.textContent = "";
      }

      dispose() {
        if (!this.isDisposed) this.clear();
        super.dispose();
      }
    }

    return {
      id: "ngc-bokeh:figure",
      description: "Draws Bokeh figures from their data.",
      rank: 0,
      dataType: "json",
      rendererFactory: { safe: true, mimeTypes: [MEDIA], createRenderer: () => new Figure() },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB["ngc-bokeh"] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const found = extension(await widgets());
      return () => ({ __esModule: true, default: found });
    },
  };
})();
