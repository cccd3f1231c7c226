// Attention heads: a grid of small patterns, or one matrix of entries by entries with its exact numbers.
// A head clicked in the grid is shown at once from the grid's bytes, marked as rough, until its exact weights arrive.
const instances = new WeakMap()
const grids = (window.unrolledHeads ??= {}) // by group: what a matrix may show before the server has answered
const PATIENCE_MS = 5000
const LABEL_FONT = 12
const LONGEST_LABEL = 110
const GRID_LEFT = 52
const GRID_TOP = 36
const GAP = 4
const MATRIX_TOP = 8 // room for the upper half of the first label
const MAX_PLOT = 620
const MIN_PLOT = 160 // room for the names of both axes
const MAX_CELL = 40
const LISTED = 10

const CIVIDIS = ["#00204d", "#00336f", "#39486b", "#575c6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"]
const SIGNED = {
  light: ["#7a3300", "#d55e00", "#f3b483", "#f4f4f2", "#92c2e6", "#0072b2", "#003c63"],
  dark: ["#ffc79a", "#f08a3c", "#8a4a1c", "#22262e", "#1f567f", "#4aa3df", "#b4dcff"],
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = { stop: () => {} }
    instances.set(parentElement, own)
  }
  own.root = parentElement.querySelector(".heads")
  own.setTriggerValue = setTriggerValue
  own.dark = isDark(own.root)
  if (data !== own.bytes) {
    own.bytes = data
    own.stop()
    read(own, data)
    const part = own.head.kind === "grid" ? grid : matrix
    own.part = part
    build(own)
    const { group, stamp } = own.head
    const leave = subscribe(
      group,
      (choice) => choice.stamp === stamp && part.follow(own, choice),
      (place) => place.stamp === stamp && part.point(own, place),
    )
    const sizes = new ResizeObserver(() => layOut(own))
    sizes.observe(own.root)
    own.stop = () => { leave(); sizes.disconnect(); clearTimeout(own.timer) }
    part.begin(own, lastChoice(group, stamp))
  }
  layOut(own, true)
  return () => {
    own.stop()
    instances.delete(parentElement)
  }
}

function read(own, bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
  own.head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  const cells = bytes.slice(4 + length) // a copy of its own: floats must begin at a multiple of four
  own.cells = own.head.kind === "grid" ? cells : new Float32Array(cells.buffer)
}

function build(own) {
  own.tip = element("div", "tip")
  own.tip.setAttribute("aria-hidden", "true")
  own.said = element("output", "said")
  own.said.setAttribute("aria-live", "polite")
  own.figure = element("figure", own.head.kind === "grid" ? "grid" : own.head.unit ? "one spacious" : "one")
  const caption = element("figcaption")
  own.value = element("span", "value")
  own.title = element("span", "title", own.part.title(own))
  own.limit = own.head.limit ?? 1
  own.key = element("span", "key")
  scale(own)
  caption.append(own.title, own.value, own.key)
  const body = element("div", "body")
  own.stage = element("div", "stage")
  own.heat = element("canvas", "heat")
  own.over = element("canvas", "over")
  own.over.tabIndex = 0
  own.over.setAttribute("role", "img")
  own.over.setAttribute("aria-label", own.part.label(own))
  own.stage.append(own.heat, own.over)
  own.row = element("div", "row")
  body.append(own.stage)
  if (own.head.kind !== "grid") body.append(own.row)
  own.figure.append(caption, body)
  own.root.replaceChildren(own.figure, own.said, own.tip)
  own.over.onmousemove = (event) => own.part.onMove(own, event)
  own.over.onmouseleave = () => { own.tip.style.display = "none"; own.part.onLeave(own) }
  own.over.onclick = (event) => own.part.onClick(own, event)
  own.over.onkeydown = (event) => {
    if (!event.altKey && !event.ctrlKey && !event.metaKey && own.part.onKey(own, event)) event.preventDefault()
  }
  own.over.onfocus = () => own.part.speak(own)
  own.width = 0
}

// The printed scale: shares are coloured by their square root, so that weak attention is seen.
function scale(own) {
  const box = element("span", "scale")
  own.ramp = element("canvas", "ramp")
  box.append(own.ramp)
  const { kind, low, unit } = own.head
  const name = (value) => {
    const isTiny = value > 0 && value < 0.001
    return (isTiny ? value.toExponential(1) : String(Number(value.toPrecision(2)))).replace("-", "−")
  }
  const ticks = {
    signed: () => [[0, "−1"], [0.5, "0"], [1, "+1"]],
    size: () => [0, 0.5, 1].map((share) => [share, name(share * own.limit)]),
    log: () => [0, 0.5, 1].map((share) => [share, name(low * (own.limit / low) ** share)]),
  }[kind]?.() ?? [0, 0.25, 1].map((share) => [Math.sqrt(share), name(share * own.limit)])
  for (const [at, text] of ticks) {
    const tick = element("span", "tick", text)
    tick.style.left = at * 100 + "%"
    box.append(tick)
  }
  own.key.replaceChildren(element("span", "", unit || (kind === "signed" ? "cosine" : "attention")), box)
}

function layOut(own, force) {
  const width = own.root.clientWidth
  if (!width || (!force && Math.abs(width - own.width) < 1)) return
  own.width = width
  own.ratio = window.devicePixelRatio || 1
  own.fontName ??= getComputedStyle(own.root).fontFamily || "sans-serif"
  own.colors = table(own)
  own.part.size(own)
  for (const canvas of [own.heat, own.over]) {
    canvas.width = Math.round(own.canvasWidth * own.ratio)
    canvas.height = Math.round(own.canvasHeight * own.ratio)
    canvas.style.width = canvas.width / own.ratio + "px"
    canvas.style.height = canvas.height / own.ratio + "px"
  }
  const context = pen(own, own.heat)
  context.fillStyle = context.strokeStyle = getComputedStyle(own.root).color
  context.font = `${LABEL_FONT}px ${own.fontName}`
  own.part.paint(own, context)
  paintRamp(own)
  own.part.mark(own)
}

function pen(own, canvas) {
  const context = canvas.getContext("2d")
  context.setTransform(own.ratio, 0, 0, own.ratio, 0, 0)
  return context
}

function table(own) {
  const stops = own.head.kind === "signed" ? SIGNED[own.dark ? "dark" : "light"] : CIVIDIS
  const rgb = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)))
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const at = (byte / 255) * (rgb.length - 1)
    const low = Math.min(Math.floor(at), rgb.length - 2)
    const [red, green, blue] = rgb[low].map((part, index) => Math.round(part + (rgb[low + 1][index] - part) * (at - low)))
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0
  })
}

function picture(own, side, byteAt) {
  const small = new OffscreenCanvas(side, side)
  const image = new ImageData(side, side)
  const pixels = new Uint32Array(image.data.buffer)
  for (let at = 0; at < pixels.length; at++) {
    const byte = byteAt(at)
    if (byte >= 0) pixels[at] = own.colors[byte] // what is not there stays clear
  }
  small.getContext("2d").putImageData(image, 0, 0)
  return small
}

function paintRamp(own) {
  own.ramp.width = 256
  own.ramp.height = 1
  const image = new ImageData(256, 1)
  new Uint32Array(image.data.buffer).set(own.colors)
  own.ramp.getContext("2d").putImageData(image, 0, 0)
}

// two strokes, one of each tone, so that a frame shows on every colour
function outline(own, context, x, y, width, height) {
  context.lineWidth = 3
  context.strokeStyle = own.dark ? "rgba(0,0,0,.65)" : "rgba(255,255,255,.85)"
  context.strokeRect(x, y, width, height)
  context.lineWidth = 1.5
  context.strokeStyle = own.dark ? "#ffffff" : "#111111"
  context.strokeRect(x, y, width, height)
}

function fit(context, text, space) {
  if (context.measureText(text).width <= space) return text
  const letters = [...text]
  while (letters.length > 1 && context.measureText(letters.join("") + "…").width > space) letters.pop()
  return letters.join("") + "…"
}

function number(value, signed) {
  if (value === 0) return "0"
  value = Number(value.toPrecision(3))
  const size = Math.floor(Math.log10(Math.abs(value)))
  const shown = size < -4 ? Math.abs(value).toExponential(2) : Math.abs(value).toFixed(Math.max(2 - size, 0))
  return (value < 0 ? "−" : signed ? "+" : "") + shown.replace("-", "−")
}

// A round number that is not below a size; the server's `nice_limit`.
function niceLimit(largest) {
  if (!(largest > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(largest))
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((size) => largest <= size * power * (1 + 1e-6))
  return Number((step * power).toPrecision(2))
}

function showTip(own, event, lines) {
  own.tip.replaceChildren(...lines.map((text, at) => {
    const line = element(at ? "span" : "strong", "", text)
    if (!at) line.dir = "auto"
    return line
  }))
  own.tip.style.display = "flex"
  const box = own.root.getBoundingClientRect()
  const left = event.clientX - box.left + 14
  const width = own.tip.offsetWidth
  own.tip.style.left = (left + width > box.width ? left - width - 28 : left) + "px"
  own.tip.style.top = event.clientY - box.top + 16 + "px"
}

const grid = {
  title: (own) => `${own.head.nLayers} layers of ${own.head.nHeads} heads`,
  label: (own) =>
    `Attention of ${own.head.nLayers} layers with ${own.head.nHeads} heads each over ${own.head.nEntries} entries. ` +
    "Arrow keys choose a head.",
  begin(own, last) {
    own.chosen = last?.head ?? null
    own.pointed = null
    const { group, stamp, nHeads, side, nEntries } = own.head
    grids[group] = { stamp, nHeads, side, nEntries, cells: own.cells, asked: null }
  },
  follow(own, choice) {
    if (choice.head) own.chosen = choice.head
    grid.mark(own)
  },
  point: () => {},
  onLeave(own) {
    own.pointed = null
    grid.mark(own)
  },
  size(own) {
    const { nLayers, nHeads } = own.head
    const room = Math.min((own.width - GRID_LEFT - 4) / nHeads, Math.max(470 / nLayers, 26), 104)
    own.cell = Math.max(Math.floor(room), 8)
    own.canvasWidth = GRID_LEFT + own.cell * nHeads + 4
    own.canvasHeight = GRID_TOP + own.cell * nLayers + 4
  },
  paint(own, context) {
    const { nLayers, nHeads, side } = own.head
    const shown = own.cell - GAP
    context.imageSmoothingEnabled = side > shown * own.ratio
    context.imageSmoothingQuality = "high"
    for (let at = 0; at < nLayers * nHeads; at++) {
      const start = at * side * side
      const small = picture(own, side, (cell) => own.cells[start + cell])
      context.drawImage(small, ...grid.corner(own, Math.floor(at / nHeads), at % nHeads), shown, shown)
    }
    context.textBaseline = "middle"
    context.textAlign = "center"
    const every = Math.ceil(18 / own.cell)
    for (let head = 0; head < nHeads; head += every) {
      context.fillText(String(head + 1), GRID_LEFT + (head + 0.5) * own.cell - GAP / 2, GRID_TOP - 10)
    }
    context.fillText("head", GRID_LEFT + (own.cell * nHeads) / 2, 8)
    context.textAlign = "right"
    for (let layer = 0; layer < nLayers; layer++) {
      context.fillText(String(layer + 1), GRID_LEFT - 10, GRID_TOP + (layer + 0.5) * own.cell - GAP / 2)
    }
    context.translate(10, GRID_TOP + (own.cell * nLayers) / 2)
    context.rotate(-Math.PI / 2)
    context.textAlign = "center"
    context.fillText("layer", 0, 0)
  },
  corner: (own, layer, head) => [GRID_LEFT + head * own.cell, GRID_TOP + layer * own.cell],
  mark(own) {
    if (!own.cell) return
    const context = pen(own, own.over)
    context.clearRect(0, 0, own.canvasWidth, own.canvasHeight)
    const size = own.cell - GAP
    if (own.pointed) {
      context.globalAlpha = 0.55
      outline(own, context, ...grid.corner(own, ...own.pointed).map((at) => at - 1), size + 2, size + 2)
      context.globalAlpha = 1
    }
    if (own.chosen) outline(own, context, ...grid.corner(own, ...own.chosen).map((at) => at - 1.5), size + 3, size + 3)
    own.value.textContent = own.chosen ? grid.name(own.chosen) : ""
  },
  name: ([layer, head]) => `layer ${layer + 1}, head ${head + 1}`,
  note: (own, [layer, head]) => own.head.notes[layer * own.head.nHeads + head],
  placeAt(own, event) {
    const box = own.over.getBoundingClientRect()
    const layer = Math.floor((event.clientY - box.top - GRID_TOP) / own.cell)
    const head = Math.floor((event.clientX - box.left - GRID_LEFT) / own.cell)
    return layer >= 0 && layer < own.head.nLayers && head >= 0 && head < own.head.nHeads ? [layer, head] : null
  },
  onMove(own, event) {
    own.pointed = grid.placeAt(own, event)
    grid.mark(own)
    if (own.pointed) showTip(own, event, [grid.name(own.pointed), grid.note(own, own.pointed)])
    else own.tip.style.display = "none"
  },
  onClick(own, event) {
    const place = grid.placeAt(own, event)
    if (place) grid.choose(own, place, 0)
  },
  choose(own, place, patience) {
    own.chosen = place
    grids[own.head.group].asked = { head: place, at: performance.now() }
    publish(own.head.group, own.head.stamp, { head: place })
    clearTimeout(own.timer)
    own.timer = setTimeout(() => own.setTriggerValue("head", place), patience)
  },
  onKey(own, event) {
    let [layer, head] = own.chosen ?? [0, 0]
    if (event.key === "ArrowRight") head = Math.min(head + 1, own.head.nHeads - 1)
    else if (event.key === "ArrowLeft") head = Math.max(head - 1, 0)
    else if (event.key === "ArrowDown") layer = Math.min(layer + 1, own.head.nLayers - 1)
    else if (event.key === "ArrowUp") layer = Math.max(layer - 1, 0)
    else if (event.key === "Home") head = 0
    else if (event.key === "End") head = own.head.nHeads - 1
    else if (event.key !== "Enter") return false
    grid.choose(own, [layer, head], event.key === "Enter" ? 0 : 250)
    grid.speak(own)
    return true
  },
  speak(own) {
    if (own.chosen) own.said.textContent = `${grid.name(own.chosen)}: ${grid.note(own, own.chosen)}`
  },
}

const matrix = {
  title: (own) => own.head.title,
  label: (own) =>
    `${own.head.title}: ${own.head.entries.length} entries by themselves; rows ${own.head.rows}, columns ` +
    `${own.head.columns}. Arrow keys move, up and down choose the word.`,
  begin(own, last) {
    const { group, stamp, head, entries, wordOfEntry, selectedWord } = own.head
    own.n = entries.length
    own.rowsOf = new Map()
    wordOfEntry.forEach((word, entry) => {
      if (!own.rowsOf.has(word)) own.rowsOf.set(word, [entry, entry])
      own.rowsOf.get(word)[1] = entry
    })
    own.word = last?.word ?? selectedWord
    own.at = [own.rowsOf.get(own.word)?.[0] ?? 0, null]
    own.pointed = own.listed = null
    own.isRough = false
    if (!head) return
    const asked = grids[group]?.asked
    if (asked && String(asked.head) !== String(head) && performance.now() - asked.at < PATIENCE_MS) {
      matrix.sketch(own, asked.head) // the answer to a click before the last one
      return
    }
    if (asked) grids[group].asked = null
    if (String(last?.head) !== String(head)) publish(group, stamp, { head })
  },
  // A head as the grid has it: bytes of the square root of each weight, the largest of a block where it is pooled.
  sketch(own, head) {
    const known = grids[own.head.group]
    if (known?.stamp !== own.head.stamp || known.nEntries !== own.n) return
    const { side, nHeads, cells } = known
    const start = (head[0] * nHeads + head[1]) * side * side
    const block = Array.from({ length: own.n }, (_, at) => Math.floor(((at + 1) * side - 1) / own.n))
    own.cells = Float32Array.from({ length: own.n * own.n }, (_, at) =>
      (cells[start + block[Math.floor(at / own.n)] * side + block[at % own.n]] / 255) ** 2)
    own.isRough = true
    own.head.head = head
    own.listed = null
    own.limit = Math.min(niceLimit(own.cells.reduce((most, value) => Math.max(most, value), 0)), 1)
    own.title.textContent = `Layer ${head[0] + 1}, head ${head[1] + 1}`
    scale(own)
    if (own.width) layOut(own, true)
  },
  follow(own, choice) {
    if (choice.head && own.head.head && String(choice.head) !== String(own.head.head)) matrix.sketch(own, choice.head)
    if (choice.word === undefined || choice.word === own.word) return
    own.word = choice.word
    own.at = [own.rowsOf.get(own.word)?.[0] ?? 0, null]
    matrix.mark(own)
  },
  point(own, place) {
    const rows = place.word === null || place.word === undefined ? null : own.rowsOf.get(place.word)
    own.pointed = place.entry ?? (rows ? [rows[0], null] : null)
    matrix.mark(own)
  },
  onLeave(own) {
    hover(own.head.group, own.head.stamp, { word: null })
  },
  size(own) {
    const context = pen(own, own.heat)
    context.font = `${LABEL_FONT}px ${own.fontName}`
    own.labels = own.head.entries.map((text) => fit(context, text, LONGEST_LABEL))
    own.widest = Math.max(...own.labels.map((text) => context.measureText(text).width), 8)
    own.left = Math.ceil(own.widest) + 34
    const isWide = own.width > 560
    const room = (Math.min(own.width - (isWide ? 230 : 0) - own.left - 6, MAX_PLOT)) * own.ratio
    const whole = Math.min(Math.floor(room / own.n), Math.round(Math.max(MAX_CELL, MIN_PLOT / own.n) * own.ratio))
    own.cell = (whole * own.n >= 0.8 * room || own.n < 60 ? Math.max(whole, 1) : Math.max(room, 60) / own.n) / own.ratio
    own.plot = own.cell * own.n
    own.level = own.widest + 8 <= own.cell
    own.slope = own.level ? 0 : own.cell * Math.sin(Math.PI / 3) >= LABEL_FONT ? Math.PI / 3 : Math.PI / 2
    own.every = Math.max(1, Math.ceil((LABEL_FONT + 1) / own.cell))
    own.across = own.level ? 1 : Math.max(1, Math.ceil(LABEL_FONT / (own.cell * Math.sin(own.slope)) - 0.1))
    const below = own.labels.filter((_, at) => matrix.isShown(own, at, own.across))
    const longest = Math.max(...below.map((text) => context.measureText(text).width))
    own.foot = (own.level ? 18 : Math.ceil(longest * Math.sin(own.slope)) + 12) + 24
    own.canvasWidth = own.left + own.plot + 6
    own.canvasHeight = MATRIX_TOP + own.plot + own.foot + 4
  },
  isShown: (own, at, step) => at === own.n - 1 || (at % step === 0 && own.n - 1 - at >= step),
  paint(own, context) {
    const share = (value) => Math.min(Math.max(value, 0), 1)
    const { kind, low } = own.head
    const shareOf = {
      signed: (value) => share((value + 1) / 2),
      size: (value) => share(value / own.limit),
      log: (value) => share(Math.log(Math.max(value, low) / low) / Math.log(own.limit / low)),
    }[kind] ?? ((value) => Math.sqrt(share(value / own.limit)))
    const byteOf = (value) => Math.round(shareOf(value) * 255)
    context.imageSmoothingEnabled = own.cell * own.ratio < 1
    context.drawImage(picture(own, own.n, (at) => byteOf(own.cells[at])), own.left, MATRIX_TOP, own.plot, own.plot)
    const isShown = (at, step) => matrix.isShown(own, at, step)
    context.textBaseline = "middle"
    for (let at = 0; at < own.n; at++) {
      context.globalAlpha = own.head.wordOfEntry[at] < 0 ? 0.65 : 1
      const middle = (at + 0.5) * own.cell
      context.textAlign = "right"
      if (isShown(at, own.every)) context.fillText(own.labels[at], own.left - 8, MATRIX_TOP + middle)
      if (!isShown(at, own.across)) continue
      context.save()
      context.translate(own.left + middle, MATRIX_TOP + own.plot + (own.level ? 6 : 7))
      context.textBaseline = own.level ? "top" : "middle"
      if (own.level) context.textAlign = "center"
      context.rotate(-own.slope)
      context.fillText(own.labels[at], 0, 0)
      context.restore()
    }
    context.globalAlpha = 0.8
    context.textAlign = "center"
    context.fillText(own.head.columns, own.left + own.plot / 2, MATRIX_TOP + own.plot + own.foot - 6)
    context.translate(9, MATRIX_TOP + own.plot / 2)
    context.rotate(-Math.PI / 2)
    context.fillText(own.head.rows, 0, 0)
  },
  mark(own) {
    if (!own.cell) return
    const context = pen(own, own.over)
    context.clearRect(0, 0, own.canvasWidth, own.canvasHeight)
    const rows = own.rowsOf.get(own.word) ?? null
    const [row, column] = own.pointed ?? own.at
    if (rows && own.word >= 0) {
      context.globalAlpha = own.pointed ? 0.55 : 1
      outline(own, context, own.left - 1, MATRIX_TOP - 1 + rows[0] * own.cell, own.plot + 2, (rows[1] - rows[0] + 1) * own.cell + 2)
      context.globalAlpha = 1
    }
    if (column !== null) {
      outline(own, context, own.left + column * own.cell - 1, MATRIX_TOP - 1 + row * own.cell, own.cell + 2, own.cell + 2)
    } else if (!rows || row < rows[0] || row > rows[1]) {
      outline(own, context, own.left - 1, MATRIX_TOP - 1 + row * own.cell, own.plot + 2, own.cell + 2)
    }
    own.value.textContent = column === null ? "" : matrix.tell(own, row, column)
    own.figure.dataset.rough = String(own.isRough)
    matrix.list(own, row)
  },
  valueAt: (own, row, column) => own.cells[row * own.n + column],
  isThere: (own, row, column) => !Number.isNaN(matrix.valueAt(own, row, column)),
  say: (own, row, column) => matrix.isThere(own, row, column)
    ? (own.isRough ? "≈ " : "") + number(matrix.valueAt(own, row, column), own.head.kind === "signed")
    : "not read yet",
  tell(own, row, column) {
    const { entries } = own.head
    return `${entries[row].slice(0, 24)} → ${entries[column].slice(0, 24)}: ${matrix.say(own, row, column)}`
  },
  list(own, row) {
    if (row === own.listed) return
    own.listed = row
    const { entries, wordOfEntry, kind, listTitle } = own.head
    const isSigned = kind === "signed"
    const isShare = kind === "share"
    const order = Array.from({ length: own.n }, (_, at) => at)
      .filter((at) => matrix.isThere(own, row, at) && (!isSigned || at !== row))
    order.sort((one, other) => matrix.valueAt(own, row, other) - matrix.valueAt(own, row, one))
    const title = element("h5")
    const name = element("bdi", "", entries[row].slice(0, 40))
    title.append(listTitle.split("{}")[0], name, listTitle.split("{}")[1] ?? "")
    const items = element("ol")
    const shown = order.slice(0, LISTED)
    for (const at of shown) {
      const value = matrix.valueAt(own, row, at)
      const item = element("li", wordOfEntry[at] < 0 ? "special" : "")
      const track = element("span", "track")
      const bar = element("span", "bar")
      bar.style.width = Math.min(Math.abs(value) / (isSigned || isShare ? 1 : own.limit), 1) * 100 + "%"
      bar.style.background = value < 0 ? "#D55E00" : "#0072B2"
      track.append(bar)
      const label = element("span", "name")
      label.append(element("bdi", "", entries[at]))
      if (wordOfEntry[at] >= 0) label.append(element("small", "", ` ${wordOfEntry[at] + 1}`))
      item.append(label, element("span", "number", matrix.say(own, row, at)), track)
      items.append(item)
    }
    const rest = order.slice(LISTED)
    const total = rest.reduce((sum, at) => sum + matrix.valueAt(own, row, at), 0)
    const said = isShare ? `together ${number(total)}` : isSigned ? "are less like it" : "are weaker"
    const more = rest.length ? `${rest.length} others ${said}` : ""
    own.row.replaceChildren(title, items, element("p", "rest", more))
  },
  placeAt(own, event) {
    const box = own.over.getBoundingClientRect()
    const row = Math.floor((event.clientY - box.top - MATRIX_TOP) / own.cell)
    const column = Math.floor((event.clientX - box.left - own.left) / own.cell)
    return row >= 0 && row < own.n && column < own.n && event.clientX > box.left ? [row, column < 0 ? null : column] : null
  },
  onMove(own, event) {
    const place = matrix.placeAt(own, event)
    const word = place ? own.head.wordOfEntry[place[0]] : -1
    hover(own.head.group, own.head.stamp, { word: word < 0 ? null : word, entry: place })
    if (!place || place[1] === null || !matrix.isThere(own, ...place)) {
      own.tip.style.display = "none"
      return
    }
    const { entries, rows, columns } = own.head
    showTip(own, event, [
      matrix.say(own, ...place),
      `row: ${entries[place[0]].slice(0, 40)} (${rows})`,
      `column: ${entries[place[1]].slice(0, 40)} (${columns})`,
    ])
  },
  onClick(own, event) {
    const place = matrix.placeAt(own, event)
    if (place) matrix.choose(own, place, 0)
  },
  choose(own, place, patience) {
    own.at = place
    own.pointed = null
    const word = own.head.wordOfEntry[place[0]]
    if (word >= 0) {
      own.word = word
      publish(own.head.group, own.head.stamp, { word })
      clearTimeout(own.timer)
      own.timer = setTimeout(() => own.setTriggerValue("word", word), patience)
    }
    matrix.mark(own)
  },
  onKey(own, event) {
    let [row, column] = own.at
    const step = event.shiftKey ? 10 : 1
    if (event.key === "ArrowDown") row = Math.min(row + step, own.n - 1)
    else if (event.key === "ArrowUp") row = Math.max(row - step, 0)
    else if (event.key === "ArrowRight") column = column === null ? 0 : Math.min(column + step, own.n - 1)
    else if (event.key === "ArrowLeft") column = Math.max((column ?? 0) - step, 0)
    else if (event.key === "Home") column = 0
    else if (event.key === "End") column = own.n - 1
    else if (event.key !== "Enter") return false
    if (row !== own.at[0] || event.key === "Enter") matrix.choose(own, [row, column], event.key === "Enter" ? 0 : 250)
    else {
      own.at = [row, column]
      own.pointed = null
      matrix.mark(own)
    }
    matrix.speak(own)
    return true
  },
  speak(own) {
    const [row, column] = own.at
    own.said.textContent = column === null ? `row ${own.head.entries[row]}` : matrix.tell(own, row, column)
  },
}
