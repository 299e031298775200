"use strict";
(function () {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 40rem)");
  const config = { responsive: true, displayModeBar: false, doubleClick: "reset+autosize" };

  function ground() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    return { ink: of("--ink"), soft: of("--soft"), grid: of("--grid"), panel: of("--panel"),
             line: of("--line") };
  }

  function axis(given, colours) {
    const title = given.title ? { ...given.title, font: { size: 12, color: colours.soft } } : undefined;
    return { ...given, title, gridcolor: colours.grid, linecolor: colours.line,
             zerolinecolor: colours.line, tickfont: { size: narrow.matches ? 10 : 12 } };
  }

  function inked(trace, ink) {
    if (!trace.meta || !trace.meta.ink) {
      return trace;
    }
    return trace.mode === "markers"
      ? { ...trace, marker: { ...trace.marker, line: { ...trace.marker.line, color: ink } } }
      : { ...trace, line: { ...trace.line, color: ink } };
  }

  // Where there is little width the legend is high, and what is drawn shall not be low for that.
  function legendRoom(data, layout) {
    const named = data.filter((trace) => trace.showlegend !== false).length;
    return narrow.matches && layout.showlegend !== false && named > 3 ? 16 * named : 0;
  }

  function shown(figure) {
    const colours = ground();
    const data = figure.data.map((trace) => inked(trace, colours.ink));
    const layout = {
      ...figure.layout,
      height: figure.layout.height + legendRoom(data, figure.layout),
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colours.ink, family: "system-ui, sans-serif", size: 12 },
      margin: { l: narrow.matches ? 46 : 64, r: 12, t: 34, b: 48 },
      legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", traceorder: "normal", font: { size: 11 } },
      hoverlabel: { bgcolor: colours.panel, bordercolor: colours.line,
                    font: { color: colours.ink, size: 12 } },
      dragmode: narrow.matches ? false : "zoom",
      xaxis: axis(figure.layout.xaxis, colours),
      yaxis: axis(figure.layout.yaxis, colours),
    };
    return { data, layout };
  }

  function draw(element) {
    const source = document.getElementById(element.dataset.of);
    const { data, layout } = shown(JSON.parse(source.textContent));
    element.dataset.drawn = "yes";
    return Plotly.react(element, data, layout, config);
  }

  function visible(element) {
    const folded = element.closest("details");
    return !folded || folded.open;
  }

  function drawAll(again) {
    for (const element of document.querySelectorAll(".chart")) {
      if (visible(element) && (again || !element.dataset.drawn)) {
        draw(element);
      }
    }
  }

  for (const folded of document.querySelectorAll("details")) {
    folded.addEventListener("toggle", () => drawAll(false));
  }
  dark.addEventListener("change", () => drawAll(true));
  narrow.addEventListener("change", () => drawAll(true));
  drawAll(false);
})();
