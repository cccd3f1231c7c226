// Charts over words: a line at the chosen word, a band over the chosen run, and a click on a point chooses its word.
// `own` is the strip; `own.data.charts` are the keys of its charts, which come and go as the page is drawn.

// The server thins words for the width it expects; on a narrower screen every second, third, ... is left out here.
function thinWords(plot, axis) {
  const [first, second] = axis.tickvals ?? []
  if (second === undefined) return
  const every = Math.ceil((axis.tickangle ? 14 : 40) / Math.max(axis.d2p(second) - axis.d2p(first), 1))
  if (every < 2 && !plot.unrolledThinned) return
  plot.unrolledThinned = true
  plot.querySelectorAll(`.${axis._id}tick`).forEach((tick, index) => {
    tick.style.visibility = index % every ? "hidden" : ""
  })
}

function overlay(frame, name, look) {
  let made = frame.querySelector(`:scope > .${name}`)
  if (!made) {
    made = element("div", name)
    made.style.cssText = "position:absolute;pointer-events:none;display:none;" + look
    frame.append(made)
  }
  return made
}

// only what has changed is written: a style that is set anew makes the page lay itself out again
function set(style, wanted) {
  for (const [name, value] of Object.entries(wanted)) if (style[name] !== value) style[name] = value
}

function putCursor(own, plot) {
  const layout = plot._fullLayout
  const frame = plot.querySelector(".svg-container")
  if (!layout?.xaxis || !layout._size || !frame) return
  const axis = layout.xaxis
  const [left, right] = [axis._offset, axis._offset + axis._length]
  const high = { top: layout._size.t + "px", height: layout._size.h + "px" }
  const cursor = overlay(frame, "unrolled-cursor", "width:0;border-left:1.5px solid rgba(120,125,135,.9);z-index:1")
  const x = axis._offset + axis.d2p(own.current ?? -1)
  const isInside = own.current !== undefined && own.current !== null && x >= left - 1 && x <= right + 1
  set(cursor.style, isInside ? { display: "block", left: x - 0.75 + "px", ...high } : { display: "none" })
  if (!own.span && !plot.unrolledBand) return
  plot.unrolledBand = true
  const band = overlay(frame, "unrolled-band", "background:rgba(120,125,135,.16)")
  if (!own.span) return set(band.style, { display: "none" })
  const from = Math.max(axis._offset + axis.d2p(own.span[0] - 0.5), left)
  const to = Math.min(axis._offset + axis.d2p(own.span[1] + 0.5), right)
  set(band.style, to > from ? { display: "block", left: from + "px", width: to - from + "px", ...high } : { display: "none" })
}

// Watches the page for the charts of a strip. Returns what moves their cursors and what ends the watch.
function linkCharts(own, onClick) {
  const linked = new Map()
  const plots = document.getElementsByClassName("js-plotly-plot") // live, so that looking costs next to nothing
  const nameOf = (plot) =>
    own.data.charts.find((key) => plot.closest(`.st-key-${CSS.escape(key)}`) !== null)
  const look = () => {
    for (const plot of plots) {
      if (linked.has(plot) || typeof plot.on !== "function" || !nameOf(plot)) continue
      linked.set(plot, true)
      plot.on("plotly_afterplot", () => {
        if (!linked.has(plot)) return
        putCursor(own, plot)
        for (const [name, axis] of Object.entries(plot._fullLayout ?? {})) {
          if (/^xaxis\d*$/.test(name) && axis.showticklabels) thinWords(plot, axis)
        }
      })
      plot.on("plotly_click", (event) => {
        const word = Math.round(event.points?.[0]?.x)
        if (linked.has(plot) && word >= 0 && word < own.data.words.length) onClick(word)
      })
      putCursor(own, plot)
    }
  }
  let waiting = 0
  const watcher = new MutationObserver(() => {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; look() })
  })
  watcher.observe(document.querySelector('[data-testid="stMain"]') ?? document.body, { childList: true, subtree: true })
  look()
  return {
    look,
    move: () => {
      for (const plot of linked.keys()) plot.isConnected ? putCursor(own, plot) : linked.delete(plot)
    },
    stop: () => {
      watcher.disconnect()
      cancelAnimationFrame(waiting)
      linked.clear()
    },
  }
}
