// How the maps are drawn: sizes, colours, axes, cross-hair. What is in them and what a person does is in maps.js.
const LABEL_FONT = 12
const LEFT = 46 // px for the numbers of the units

const CIVIDIS = ["#00204d", "#00336f", "#39486b", "#575c6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"]
const SIGNED = {
  light: ["#7a3300", "#d55e00", "#f3b483", "#f4f4f2", "#92c2e6", "#0072b2", "#003c63"],
  dark: ["#ffc79a", "#f08a3c", "#8a4a1c", "#22262e", "#1f567f", "#4aa3df", "#b4dcff"],
}

// Sizes: cells are whole device pixels where there is room, so that no column is drawn wider than its neighbour.
function layOut(own, force) {
  const width = own.panels[0].figure.clientWidth
  if (!width || (!force && Math.abs(width - own.width) < 1)) return
  own.width = width
  own.ratio = window.devicePixelRatio || 1
  const full = measure(own, { from: 0, to: own.nColumns - 1, top: 0, bottom: own.head.nUnits - 1 })
  Object.assign(own, isZoomed(own) ? measure(own, own.view, full.plotHeight) : full)
  const least = full.plotHeight + full.foot // the page below stays where it is while a person zooms
  for (const panel of own.panels) {
    panel.stage.style.minHeight = least + "px"
    panel.caption.style.maxWidth = `max(${own.plotWidth}px, min(20rem, 100% - ${LEFT}px))` // its scale ends where the map does
    paint(own, panel)
  }
  drawCrossHair(own)
}

function measure(own, view, height) {
  const { ratio, width } = own
  const columns = view.to - view.from + 1
  const units = view.bottom - view.top + 1
  const room = (width - LEFT - 2) * ratio
  const whole = Math.min(Math.floor(room / columns), Math.round(64 * ratio))
  const wastes = columns > 100 && whole * columns < 0.85 * room // very many columns: room counts more than evenness
  const cellWidth = (columns > room || wastes ? room / columns : whole) / ratio
  const cellHeight = height
    ? Math.max(Math.floor((height * ratio) / units), 1) / ratio
    : units <= 520 * ratio ? Math.min(Math.max(Math.round((208 * ratio) / units), 1), 24 * ratio) / ratio : 520 / units
  const pen = own.panels[0].context
  pen.font = `${LABEL_FONT}px ${font(own)}`
  const labels = own.head.columns.slice(view.from, view.to + 1).map((text) => short(text, 14))
  const widest = Math.max(...labels.map((text) => pen.measureText(text).width), 8)
  const level = widest + 8 <= cellWidth
  const slanted = Math.PI / 3 // neighbours stay apart by cell width x sine of the slope: narrow columns stand upright
  const slope = level ? 0 : cellWidth * Math.sin(slanted) >= LABEL_FONT ? slanted : Math.PI / 2
  const every = level ? 1 : Math.max(1, Math.ceil(LABEL_FONT / (cellWidth * Math.sin(slope)) - 0.1))
  const foot = level ? 24 : Math.ceil(Math.min(widest, 110) * Math.sin(slope)) + 16
  const [plotWidth, plotHeight] = [cellWidth * columns, cellHeight * units]
  return { cellWidth, cellHeight, plotWidth, plotHeight, labels, level, slope, every, foot }
}

function isZoomed(own) {
  const { from, to, top, bottom } = own.view
  return from > 0 || top > 0 || to < own.nColumns - 1 || bottom < own.head.nUnits - 1
}

function font(own) {
  own.fontName ??= getComputedStyle(own.root).fontFamily || "sans-serif"
  return own.fontName
}

function short(text, longest) {
  const letters = [...text]
  return letters.length > longest ? letters.slice(0, longest - 1).join("") + "…" : text
}

function table(own, kind) {
  const stops = kind === "signed" ? SIGNED[own.dark ? "dark" : "light"] : CIVIDIS
  const rgb = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)))
  const colors = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    const share = kind === "signed" ? Math.max(byte - 1, 0) / 254 : byte / 255
    const at = share * (rgb.length - 1)
    const low = Math.min(Math.floor(at), rgb.length - 2)
    const [red, green, blue] = rgb[low].map((part, index) => Math.round(part + (rgb[low + 1][index] - part) * (at - low)))
    colors[byte] = (255 << 24) | (blue << 16) | (green << 8) | red
  }
  return colors
}

// One pixel a cell, rows in the order of the units; made once for a set of values and a theme, drawn at any zoom.
function pixelsOf(own, panel) {
  if (panel.pixels && panel.pixelsAreDark === own.dark) return panel.pixels
  const { nColumns } = own
  const nUnits = own.head.nUnits
  const colors = table(own, panel.about.kind)
  const image = new ImageData(nColumns, nUnits)
  const pixels = new Uint32Array(image.data.buffer)
  for (let row = 0; row < nUnits; row++) {
    const start = (panel.index * nUnits + own.unitOf[row]) * nColumns
    for (let column = 0; column < nColumns; column++) pixels[row * nColumns + column] = colors[own.cells[start + column]]
  }
  panel.pixels = new OffscreenCanvas(nColumns, nUnits)
  panel.pixels.getContext("2d").putImageData(image, 0, 0)
  panel.pixelsAreDark = own.dark
  paintRamp(panel, colors)
  return panel.pixels
}

function paint(own, panel) {
  const { ratio, view } = own
  const pixels = pixelsOf(own, panel)
  for (const canvas of [panel.heat, panel.over]) {
    canvas.width = Math.round((LEFT + own.plotWidth + tail(own)) * ratio)
    canvas.height = Math.round((own.plotHeight + own.foot) * ratio)
    canvas.style.width = canvas.width / ratio + "px"
    canvas.style.height = canvas.height / ratio + "px"
  }
  const context = panel.heat.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.imageSmoothingEnabled = own.cellWidth * ratio < 1 || own.cellHeight * ratio < 1
  const [columns, units] = [view.to - view.from + 1, view.bottom - view.top + 1]
  context.drawImage(pixels, view.from, view.top, columns, units, LEFT, 0, own.plotWidth, own.plotHeight)
  drawAxes(own, context)
}

function tail(own) {
  return Math.max(0, own.width - LEFT - own.plotWidth) // words slope to the left, the rest stays empty
}

function drawAxes(own, context) {
  const style = getComputedStyle(own.root)
  context.fillStyle = style.color
  context.strokeStyle = style.color
  context.font = `${LABEL_FONT}px ${font(own)}`
  context.textBaseline = "middle"
  context.textAlign = "right"
  for (const row of rowTicks(own)) {
    const y = (row - own.view.top + 0.5) * own.cellHeight
    context.fillText(String(own.unitOf[row]), LEFT - 8, Math.min(Math.max(y, 6), own.plotHeight - 6))
    context.globalAlpha = 0.5
    context.fillRect(LEFT - 5, Math.round(y), 4, 1)
    context.globalAlpha = 1
  }
  context.save()
  context.translate(7, own.plotHeight / 2)
  context.rotate(-Math.PI / 2)
  context.textAlign = "center"
  context.globalAlpha = 0.8
  if (own.plotHeight > 40) context.fillText("unit", 0, 0)
  context.restore()
  own.labels.forEach((label, index) => drawLabel(own, context, label, index))
}

function drawLabel(own, context, label, index) {
  const last = own.labels.length - 1
  if (index !== last && (index % own.every !== 0 || last - index < own.every)) return
  const x = LEFT + (index + 0.5) * own.cellWidth
  context.save()
  context.globalAlpha = 0.5
  context.fillRect(Math.round(x), own.plotHeight + 1, 1, 3)
  context.globalAlpha = own.head.wordOfColumn[own.view.from + index] < 0 ? 0.6 : 1
  context.translate(x, own.plotHeight + 7)
  context.textBaseline = own.level ? "top" : "middle"
  context.textAlign = own.level ? "center" : "right"
  if (own.slope && own.slope < 1.5) context.translate(2, 3)
  context.rotate(-own.slope)
  // a sloping label of the first columns may not leave the canvas
  const space = own.level ? own.cellWidth : Math.min((x - 4) / Math.max(Math.cos(own.slope), 0.01), 110)
  context.fillText(fit(context, label, space), 0, 0)
  context.restore()
}

function fit(context, text, space) {
  if (context.measureText(text).width <= space) return text
  const letters = [...text]
  while (letters.length > 1 && context.measureText(letters.join("") + "…").width > space) letters.pop()
  return letters.join("") + "…"
}

// Rows that are labelled: at round numbers of the rows, about eight of them, and more where rows are tall.
function rowTicks(own) {
  const { top, bottom } = own.view
  const units = bottom - top + 1
  const least = Math.max(units / 8, 1)
  const step = own.cellHeight >= 15 ? 1 : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].find((size) => size >= least) ?? 1024
  const ticks = []
  for (let row = Math.ceil(top / step) * step; row <= bottom; row += step) {
    if (row === bottom || bottom - row >= step / 2) ticks.push(row)
  }
  if (ticks.at(-1) !== bottom) ticks.push(bottom)
  return ticks
}

function paintRamp(panel, colors) {
  panel.ramp.width = 254
  panel.ramp.height = 1
  const image = new ImageData(254, 1)
  const pixels = new Uint32Array(image.data.buffer)
  for (let at = 0; at < 254; at++) pixels[at] = colors[at + 1]
  panel.ramp.getContext("2d").putImageData(image, 0, 0)
}

function drawCrossHair(own) {
  if (!own.cellWidth) return
  const pointed = own.pointed
  const atWord = pointed ? pointed.word : own.word
  const span = pointed && pointed.column !== undefined ? [pointed.column, pointed.column] : spanOf(own, atWord)
  const unit = pointed && pointed.unit !== undefined ? pointed.unit : own.unit
  for (const panel of own.panels) {
    const { context } = panel
    context.setTransform(own.ratio, 0, 0, own.ratio, 0, 0)
    context.clearRect(0, 0, panel.over.width, panel.over.height)
    const chosen = spanOf(own, own.word)
    if (chosen) frameColumns(own, context, chosen, !pointed)
    if (pointed && span) frameColumns(own, context, span, true)
    if (unit !== null && unit !== undefined) frameUnit(own, context, unit)
    if (own.drag?.moved) frameDrag(own, context)
    panel.value.textContent =
      span && unit !== null && unit !== undefined ? valueAt(own, panel, span[1], unit, 3) : ""
  }
}

function frameColumns(own, context, span, strong) {
  const [from, to] = [Math.max(span[0], own.view.from), Math.min(span[1], own.view.to)]
  if (from > to) return
  const x = LEFT + (from - own.view.from) * own.cellWidth
  const width = (to - from + 1) * own.cellWidth
  context.globalAlpha = strong ? 1 : 0.55
  outline(own, context, x - 1, 1, width + 2, own.plotHeight + 2)
  context.globalAlpha = 1
}

function frameUnit(own, context, unit) {
  const row = own.rowOf[unit]
  if (row < own.view.top || row > own.view.bottom) return
  const height = Math.max(own.cellHeight, 1)
  outline(own, context, LEFT - 5, (row - own.view.top) * own.cellHeight - 1, own.plotWidth + 7, height + 2)
}

function frameDrag(own, context) {
  const { from, to, top, bottom } = dragged(own)
  const x = LEFT + (from - own.view.from) * own.cellWidth
  const y = (top - own.view.top) * own.cellHeight
  const [width, height] = [(to - from + 1) * own.cellWidth, (bottom - top + 1) * own.cellHeight]
  context.fillStyle = own.dark ? "rgba(255,255,255,.22)" : "rgba(0,0,0,.18)"
  context.fillRect(x, y, width, height)
  outline(own, context, x, y, width, height)
}

// two strokes, one of each tone, so that the frame shows on every colour of the map
function outline(own, context, x, y, width, height) {
  context.lineWidth = 3
  context.strokeStyle = own.dark ? "rgba(0,0,0,.65)" : "rgba(255,255,255,.8)"
  context.strokeRect(x, y, width, height)
  context.lineWidth = 1.25
  context.strokeStyle = own.dark ? "#ffffff" : "#111111"
  context.strokeRect(x, y, width, height)
}
