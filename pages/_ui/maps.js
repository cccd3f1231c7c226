// State maps: word x unit heat maps on canvases, with one cross-hair over all of them.
const instances = new WeakMap()
const LABEL_FONT = 12
const LEFT = 40

const CIVIDIS = ["#00204d", "#00336f", "#39486b", "#575c6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"]
const SIGNED = {
  light: ["#7a3300", "#d55e00", "#f3b483", "#f4f4f2", "#92c2e6", "#0072b2", "#003c63"],
  dark: ["#ffc79a", "#f08a3c", "#8a4a1c", "#22262e", "#1f567f", "#4aa3df", "#b4dcff"],
}

export default function (component) {
  const { data, parentElement, setStateValue } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = { hash: null, stop: () => {}, unit: null, word: null }
    instances.set(parentElement, own)
  }
  const root = parentElement.querySelector(".maps")
  own.setStateValue = setStateValue
  own.dark = isDark(root)
  if (data !== own.bytes) {
    own.bytes = data
    own.stop()
    read(own, data)
    build(root, own)
    const leave = subscribe(
      own.head.group,
      (choice) => choice.stamp === own.head.stamp && follow(own, choice),
      (place) => place.stamp === own.head.stamp && point(own, place),
    )
    const sizes = new ResizeObserver(() => layOut(own))
    sizes.observe(root)
    own.stop = () => { leave(); sizes.disconnect(); clearTimeout(own.timer) }
    const last = lastChoice(own.head.group, own.head.stamp)
    own.word = last?.word ?? own.head.selectedWord
    own.unit = within(own, last?.unit ?? own.unit)
  }
  layOut(own, true)
  return () => {
    own.stop()
    instances.delete(parentElement)
  }
}

function within(own, unit) {
  return unit !== null && unit !== undefined && unit >= 0 && unit < own.head.nUnits ? unit : null
}

function read(own, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  own.head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  own.cells = bytes.subarray(4 + length)
  own.nColumns = own.head.columns.length
  own.columnsOf = new Map()
  own.head.wordOfColumn.forEach((word, column) => {
    if (!own.columnsOf.has(word)) own.columnsOf.set(word, [column, column])
    own.columnsOf.get(word)[1] = column
  })
}

function build(root, own) {
  root.replaceChildren()
  own.tip = element("div", "tip")
  own.tip.setAttribute("aria-hidden", "true")
  own.said = element("output", "said")
  own.said.setAttribute("aria-live", "polite")
  own.panels = own.head.panels.map((about, index) => {
    const figure = element("figure")
    const caption = element("figcaption")
    const title = element("span", "title", about.title)
    const value = element("span", "value")
    const key = element("span", "key")
    const ramp = element("canvas", "ramp")
    const ends = about.kind === "signed" ? [signedName(-about.limit), signedName(about.limit)] : ["0", "1"]
    key.append(element("span", "", ends[0]), ramp, element("span", "", ends[1] + (about.unit ? " " + about.unit : "")))
    caption.append(title, value, key)
    const stage = element("div", "stage")
    const heat = element("canvas", "heat")
    const over = element("canvas", "over")
    over.tabIndex = 0
    over.setAttribute("role", "img")
    over.setAttribute("aria-label",
      `${about.title}: ${own.nColumns} columns of ${own.head.nUnits} units, from ${ends[0]} to ${ends[1]}. ` +
      "Arrow keys move the cross-hair, Enter chooses.")
    stage.append(heat, over)
    figure.append(caption, stage)
    const panel = { about, index, figure, value, ramp, heat, over, context: over.getContext("2d") }
    over.onmousemove = (event) => onMove(own, panel, event)
    over.onmouseleave = () => { own.tip.style.display = "none"; hover(own.head.group, own.head.stamp, { word: null }) }
    over.onclick = (event) => {
      const place = placeAt(own, panel, event)
      if (place) choose(own, place.column, place.unit, 0)
    }
    over.onkeydown = (event) => onKey(own, event)
    over.onfocus = () => speak(own)
    root.append(figure)
    return panel
  })
  root.append(own.said, own.tip)
  own.root = root
  own.width = 0
  own.pointed = null
}

// Sizes: cells are whole device pixels where there is room, so that no column is drawn wider than its neighbour.
function layOut(own, force) {
  const width = own.panels[0].figure.clientWidth
  if (!width || (!force && Math.abs(width - own.width) < 1)) return
  own.width = width
  const ratio = window.devicePixelRatio || 1
  const room = (width - LEFT - 2) * ratio
  const columns = own.nColumns
  const whole = Math.min(Math.floor(room / columns), Math.round(64 * ratio))
  const wastes = columns > 100 && whole * columns < 0.85 * room // very many columns: room counts more than evenness
  own.cellWidth = (columns > room || wastes ? room / columns : whole) / ratio
  const units = own.head.nUnits
  own.cellHeight = units <= 520 * ratio ? Math.min(Math.max(Math.round((208 * ratio) / units), 1), 24 * ratio) / ratio : 520 / units
  own.plotWidth = own.cellWidth * columns
  own.plotHeight = own.cellHeight * units
  own.ratio = ratio
  const measure = own.panels[0].context
  measure.font = `${LABEL_FONT}px ${font(own)}`
  own.labels = own.head.columns.map((text) => short(text, 14))
  const widest = Math.max(...own.labels.map((text) => measure.measureText(text).width), 8)
  own.level = widest + 8 <= own.cellWidth
  const slanted = Math.PI / 3 // neighbours stay apart by cell width x sine of the slope: narrow columns stand upright
  own.slope = own.level ? 0 : own.cellWidth * Math.sin(slanted) >= LABEL_FONT ? slanted : Math.PI / 2
  own.every = own.level ? 1 : Math.max(1, Math.ceil(LABEL_FONT / (own.cellWidth * Math.sin(own.slope)) - 0.1))
  own.foot = own.level ? 24 : Math.ceil(Math.min(widest, 110) * Math.sin(own.slope)) + 16
  for (const panel of own.panels) paint(own, panel)
  drawCrossHair(own)
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

function paint(own, panel) {
  const { ratio, nColumns } = own
  const nUnits = own.head.nUnits
  const colors = table(own, panel.about.kind)
  const small = new OffscreenCanvas(nColumns, nUnits)
  const image = new ImageData(nColumns, nUnits)
  const pixels = new Uint32Array(image.data.buffer)
  const start = panel.index * nColumns * nUnits
  for (let at = 0; at < pixels.length; at++) pixels[at] = colors[own.cells[start + at]]
  small.getContext("2d").putImageData(image, 0, 0)
  for (const canvas of [panel.heat, panel.over]) {
    canvas.width = Math.round((LEFT + own.plotWidth + tail(own)) * ratio)
    canvas.height = Math.round((own.plotHeight + own.foot) * ratio)
    canvas.style.width = canvas.width / ratio + "px"
    canvas.style.height = canvas.height / ratio + "px"
  }
  const context = panel.heat.getContext("2d")
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.imageSmoothingEnabled = own.cellWidth * ratio < 1 || own.cellHeight * ratio < 1
  context.drawImage(small, LEFT, 0, own.plotWidth, own.plotHeight)
  drawAxes(own, context)
  paintRamp(panel, colors, ratio)
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
  const units = own.head.nUnits
  for (const unit of unitTicks(units)) {
    const y = (unit + 0.5) * own.cellHeight
    context.fillText(String(unit), LEFT - 8, Math.min(Math.max(y, 6), own.plotHeight - 6))
    context.globalAlpha = 0.5
    context.fillRect(LEFT - 5, Math.round(y), 4, 1)
    context.globalAlpha = 1
  }
  context.save()
  context.translate(8, own.plotHeight / 2)
  context.rotate(-Math.PI / 2)
  context.textAlign = "center"
  context.globalAlpha = 0.8
  context.fillText("unit", 0, 0)
  context.restore()
  for (let column = 0; column < own.nColumns; column++) {
    const isLast = column === own.nColumns - 1
    if (!isLast && (column % own.every !== 0 || own.nColumns - 1 - column < own.every)) continue
    const x = LEFT + (column + 0.5) * own.cellWidth
    context.save()
    context.globalAlpha = 0.5
    context.fillRect(Math.round(x), own.plotHeight + 1, 1, 3)
    context.globalAlpha = own.head.wordOfColumn[column] < 0 ? 0.6 : 1
    context.translate(x, own.plotHeight + 7)
    context.textBaseline = own.level ? "top" : "middle"
    context.textAlign = own.level ? "center" : "right"
    if (own.slope && own.slope < 1.5) context.translate(2, 3)
    context.rotate(-own.slope)
    // a sloping label of the first columns may not leave the canvas
    const space = own.level ? own.cellWidth : Math.min((x - 4) / Math.max(Math.cos(own.slope), 0.01), 110)
    context.fillText(fit(context, own.labels[column], space), 0, 0)
    context.restore()
  }
}

function fit(context, text, space) {
  if (context.measureText(text).width <= space) return text
  const letters = [...text]
  while (letters.length > 1 && context.measureText(letters.join("") + "…").width > space) letters.pop()
  return letters.join("") + "…"
}

function unitTicks(units) {
  if (units <= 8) return Array.from({ length: units }, (_, unit) => unit)
  const step = [2, 4, 8, 16, 32, 64, 128, 256, 512].find((size) => units / size <= 8) ?? 1024
  const ticks = []
  for (let unit = 0; unit < units - step / 2; unit += step) ticks.push(unit)
  return [...ticks, units - 1]
}

function paintRamp(panel, colors, ratio) {
  panel.ramp.width = 254
  panel.ramp.height = 1
  const image = new ImageData(254, 1)
  const pixels = new Uint32Array(image.data.buffer)
  for (let at = 0; at < 254; at++) pixels[at] = colors[at + 1]
  panel.ramp.getContext("2d").putImageData(image, 0, 0)
}

function placeAt(own, panel, event) {
  const box = panel.over.getBoundingClientRect()
  const column = Math.floor((event.clientX - box.left - LEFT) / own.cellWidth)
  const unit = Math.floor((event.clientY - box.top) / own.cellHeight)
  const isInside = column >= 0 && column < own.nColumns && unit >= 0 && unit < own.head.nUnits
  return isInside ? { column, unit } : null
}

// what the byte of a cell stands for; the ends of a scale that is cut also hold what lies beyond
function valueAt(own, panel, column, unit) {
  const byte = own.cells[(panel.index * own.head.nUnits + unit) * own.nColumns + column]
  const { kind, limit, isCut } = panel.about
  if (kind !== "signed") return "≈ " + (byte / 255).toFixed(2)
  const value = ((byte - 128) / 127) * limit
  const digits = Math.max(0, 2 - Math.floor(Math.log10(limit)))
  const sign = value > 0 ? "+" : value < 0 ? "−" : ""
  return (isCut && byte === 255 ? "≥ " : isCut && byte === 1 ? "≤ " : "≈ ") + sign + Math.abs(value).toFixed(digits)
}

function signedName(value) {
  return (value > 0 ? "+" : "−") + String(Math.abs(value))
}

function onMove(own, panel, event) {
  const place = placeAt(own, panel, event)
  if (!place) {
    own.tip.style.display = "none"
    hover(own.head.group, own.head.stamp, { word: null })
    return
  }
  const word = own.head.wordOfColumn[place.column]
  hover(own.head.group, own.head.stamp, { word: word < 0 ? null : word, column: place.column, unit: place.unit })
  const name = element("strong", "", short(own.head.columns[place.column], 40))
  name.dir = "auto"
  own.tip.replaceChildren(
    name,
    element("span", "", `${word < 0 ? "special token" : "word " + (word + 1)}, unit ${place.unit}`),
    element("span", "", `${panel.about.name} ${valueAt(own, panel, place.column, place.unit)}`),
  )
  own.tip.style.display = "flex"
  const box = own.root.getBoundingClientRect()
  const left = event.clientX - box.left + 14
  const width = own.tip.offsetWidth
  own.tip.style.left = (left + width > box.width ? left - width - 28 : left) + "px"
  own.tip.style.top = event.clientY - box.top + 16 + "px"
}

function point(own, place) {
  own.pointed = place.word === null || place.word === undefined ? null : place
  if (place.column !== undefined) own.pointed = place
  drawCrossHair(own)
}

function follow(own, choice) {
  if (choice.word !== undefined) own.word = choice.word
  if (choice.unit !== undefined && choice.unit !== null) own.unit = within(own, choice.unit)
  drawCrossHair(own)
}

function choose(own, column, unit, patience) {
  const word = own.head.wordOfColumn[column]
  own.unit = unit
  publish(own.head.group, own.head.stamp, { word: word < 0 ? own.word : word, unit })
  clearTimeout(own.timer)
  own.timer = setTimeout(() => own.setStateValue("place", [own.word, unit]), patience)
}

function spanOf(own, word) {
  return word === null || word === undefined ? null : own.columnsOf.get(word) ?? null
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
    panel.value.textContent =
      span && unit !== null && unit !== undefined ? valueAt(own, panel, span[1], unit) : ""
  }
}

function frameColumns(own, context, [from, to], strong) {
  const x = LEFT + from * own.cellWidth
  const width = (to - from + 1) * own.cellWidth
  context.globalAlpha = strong ? 1 : 0.55
  outline(own, context, x - 1, 1, width + 2, own.plotHeight + 2)
  context.globalAlpha = 1
}

function frameUnit(own, context, unit) {
  const height = Math.max(own.cellHeight, 1)
  outline(own, context, LEFT - 5, unit * own.cellHeight - 1, own.plotWidth + 7, height + 2)
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

function onKey(own, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return
  const span = spanOf(own, own.word) ?? [0, 0]
  let column = event.key === "ArrowLeft" ? span[0] : span[1]
  let unit = own.unit ?? 0
  const step = event.shiftKey ? 10 : 1
  if (event.key === "ArrowRight") column = Math.min(column + step, own.nColumns - 1)
  else if (event.key === "ArrowLeft") column = Math.max(column - step, 0)
  else if (event.key === "ArrowDown") unit = Math.min(unit + step, own.head.nUnits - 1)
  else if (event.key === "ArrowUp") unit = Math.max(unit - step, 0)
  else if (event.key === "Home") column = 0
  else if (event.key === "End") column = own.nColumns - 1
  else if (event.key !== "Enter") return
  event.preventDefault()
  own.pointed = null
  choose(own, column, unit, event.key === "Enter" ? 0 : 250)
  speak(own)
}

function speak(own) {
  const span = spanOf(own, own.word)
  if (!span || own.unit === null) return
  const values = own.panels.map((panel) => `${panel.about.name} ${valueAt(own, panel, span[1], own.unit)}`)
  own.said.textContent = `word ${own.word + 1}, ${own.head.columns[span[1]]}, unit ${own.unit}: ${values.join(", ")}`
}
