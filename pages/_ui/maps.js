// State maps: word x unit heat maps on canvases, with one cross-hair and one zoom over all of them.
const instances = new WeakMap()
const DRAG_PX = 5 // a mouse that moved less has clicked
const THIN_PX = 9 // a rectangle thinner than this leaves the other axis as it is
const CLOSEST = 4 // columns and rows that the keyboard zooms in to

export default function (component) {
  const { data, parentElement, setStateValue } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = { hash: null, stop: () => {}, unit: null, word: null, view: null, pressed: null }
    instances.set(parentElement, own)
  }
  const root = parentElement.querySelector(".maps")
  own.setStateValue = setStateValue
  own.dark = isDark(root)
  if (data !== own.bytes) {
    own.bytes = data
    own.stop()
    const before = own.head
    read(own, data)
    keepView(own, before)
    build(root, own)
    const leave = subscribe(
      own.head.group,
      (choice) => choice.stamp === own.head.stamp && follow(own, choice),
      (place) => place.stamp === own.head.stamp && point(own, place),
    )
    const exact = () => { takeExact(own); drawCrossHair(own) }
    bus.addEventListener("exact", exact)
    const sizes = new ResizeObserver(() => layOut(own))
    sizes.observe(root)
    own.stop = () => {
      leave()
      bus.removeEventListener("exact", exact)
      sizes.disconnect()
      clearTimeout(own.timer)
    }
    const last = lastChoice(own.head.group, own.head.stamp)
    own.word = last?.word ?? own.head.selectedWord
    own.unit = within(own, last?.unit ?? own.unit)
    takeExact(own)
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
  own.unitOf = own.head.order ?? Array.from({ length: own.head.nUnits }, (_, unit) => unit)
  own.rowOf = new Array(own.head.nUnits)
  own.unitOf.forEach((unit, row) => (own.rowOf[unit] = row))
  own.columnsOf = new Map()
  own.head.wordOfColumn.forEach((word, column) => {
    if (!own.columnsOf.has(word)) own.columnsOf.set(word, [column, column])
    own.columnsOf.get(word)[1] = column
  })
}

// Another layer keeps the zoom; another order of the units keeps its words; another text or model starts anew.
function keepView(own, before) {
  const { head, nColumns } = own
  const isSame = before && own.view && before.stamp === head.stamp
    && before.columns.length === nColumns && before.nUnits === head.nUnits
  if (!isSame) own.view = { from: 0, to: nColumns - 1, top: 0, bottom: head.nUnits - 1 }
  else if (String(before.order) !== String(head.order)) Object.assign(own.view, { top: 0, bottom: head.nUnits - 1 })
}

function takeExact(own) {
  const sent = window.unrolledExact?.[own.head.exact]
  const size = own.head.panels.length * own.nColumns * own.head.nUnits
  own.exact = sent?.length === size ? sent : null
}

function build(root, own) {
  root.replaceChildren()
  own.tip = element("div", "tip")
  own.tip.setAttribute("aria-hidden", "true")
  own.said = element("output", "said")
  own.said.setAttribute("aria-live", "polite")
  own.bar = element("div", "bar")
  own.panels = own.head.panels.map((about, index) => panelOf(own, about, index))
  root.append(own.bar, ...own.panels.map((panel) => panel.figure), own.said, own.tip)
  own.root = root
  own.width = 0
  own.pointed = null
  own.drag = null
  fillBar(own)
}

function panelOf(own, about, index) {
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
    "Arrow keys move the cross-hair, Enter chooses, plus and minus zoom, Escape shows all.")
  stage.append(heat, over)
  figure.append(caption, stage)
  const panel = { about, index, figure, caption, stage, value, ramp, heat, over, context: over.getContext("2d") }
  over.onpointerdown = (event) => onDown(own, panel, event)
  over.onpointermove = (event) => (own.drag ? onDrag(own, panel, event) : onMove(own, panel, event))
  over.onpointerup = () => onUp(own)
  over.onpointercancel = over.onlostpointercapture = () => endDrag(own)
  over.onpointerleave = () => {
    own.tip.style.display = "none"
    hover(own.head.group, own.head.stamp, { word: null })
  }
  over.onclick = (event) => {
    const place = hasMoved(own.pressed, event) ? null : placeAt(own, panel, event) // the click that ends a drag
    if (place) choose(own, place.column, place.unit, 0)
  }
  over.ondblclick = () => showAll(own)
  over.onkeydown = (event) => onKey(own, event)
  over.onfocus = () => speak(own)
  return panel
}

// Zoom ---------------------------------------------------------------------------------------------------------------

function fillBar(own) {
  const { from, to, top, bottom } = own.view
  own.bar.classList.toggle("zoomed", isZoomed(own))
  if (!isZoomed(own)) {
    own.bar.replaceChildren(element("span", "hint", "Drag across a map to zoom in on its words and units."))
    return
  }
  const count = (number) => number.toLocaleString("en")
  const range = (low, high) => (low === high ? count(low) : `${count(low)} to ${count(high)}`)
  const { columnName, nUnits } = own.head
  const parts = [
    to - from + 1 < own.nColumns ? `${columnName} ${range(from + 1, to + 1)} of ${count(own.nColumns)}` : `all ${columnName}`,
    bottom - top + 1 < nUnits ? `${count(bottom - top + 1)} of ${count(nUnits)} units` : "all units",
  ]
  const said = element("span", "", parts.join(", "))
  said.setAttribute("role", "status")
  const buttons = []
  if (to - from + 1 < own.nColumns) {
    buttons.push(button(`Earlier ${columnName}`, from > 0, () => shift(own, -1)))
    buttons.push(button(`Later ${columnName}`, to < own.nColumns - 1, () => shift(own, 1)))
  }
  buttons.push(button("Show all", true, () => { showAll(own); own.panels[0].over.focus() }))
  own.bar.replaceChildren(said, ...buttons)
}

function button(text, isEnabled, then) {
  const made = element("button", "", text)
  made.type = "button"
  made.disabled = !isEnabled
  made.onclick = then
  return made
}

function shift(own, side) {
  const { from, to } = own.view
  const wide = to - from + 1
  const start = Math.min(Math.max(from + side * Math.ceil(wide * 0.75), 0), own.nColumns - wide)
  const label = side < 0 ? 0 : 1
  zoomTo(own, { ...own.view, from: start, to: start + wide - 1 })
  const buttons = own.bar.querySelectorAll("button")
  if (!buttons[label].disabled) buttons[label].focus()
}

function showAll(own) {
  zoomTo(own, { from: 0, to: own.nColumns - 1, top: 0, bottom: own.head.nUnits - 1 })
}

function zoomTo(own, view) {
  own.view = view
  own.tip.style.display = "none"
  fillBar(own)
  layOut(own, true)
}

function dragged(own) {
  const { from, to, top, bottom } = own.view
  const { x0, y0, x, y } = own.drag
  const column = (at) => Math.min(Math.max(from + Math.floor((at - LEFT) / own.cellWidth), from), to)
  const row = (at) => Math.min(Math.max(top + Math.floor(at / own.cellHeight), top), bottom)
  const found = { ...own.view }
  if (Math.abs(x - x0) >= THIN_PX) Object.assign(found, { from: column(Math.min(x, x0)), to: column(Math.max(x, x0)) })
  if (Math.abs(y - y0) >= THIN_PX) Object.assign(found, { top: row(Math.min(y, y0)), bottom: row(Math.max(y, y0)) })
  return found
}

function hasMoved(pressed, event) {
  return pressed !== null && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > DRAG_PX
}

function onDown(own, panel, event) {
  own.pressed = { x: event.clientX, y: event.clientY }
  if (event.button !== 0 || event.pointerType === "touch") return // a finger scrolls the page
  const box = panel.over.getBoundingClientRect()
  const [x, y] = [event.clientX - box.left, event.clientY - box.top]
  if (x < LEFT || y > own.plotHeight) return
  own.drag = { x0: x, y0: y, x, y, moved: false }
  panel.over.setPointerCapture(event.pointerId)
}

function onDrag(own, panel, event) {
  const box = panel.over.getBoundingClientRect()
  own.drag.x = event.clientX - box.left
  own.drag.y = event.clientY - box.top
  own.drag.moved ||= Math.hypot(own.drag.x - own.drag.x0, own.drag.y - own.drag.y0) > DRAG_PX
  if (!own.drag.moved) return
  own.tip.style.display = "none"
  drawCrossHair(own)
}

function onUp(own) {
  if (!own.drag) return
  const view = own.drag.moved ? dragged(own) : null
  own.drag = null
  if (view) zoomTo(own, view)
}

function endDrag(own) {
  own.drag = null
  drawCrossHair(own)
}

function zoomBy(own, factor) {
  const { from, to, top, bottom } = own.view
  const column = (spanOf(own, own.word) ?? [Math.floor((from + to) / 2)]).at(-1)
  const row = own.unit === null ? Math.floor((top + bottom) / 2) : own.rowOf[own.unit]
  const [left, right] = around(column, (to - from + 1) * factor, own.nColumns)
  const [first, last] = around(row, (bottom - top + 1) * factor, own.head.nUnits)
  zoomTo(own, { from: left, to: right, top: first, bottom: last })
}

function around(middle, wanted, size) {
  const wide = Math.min(Math.max(Math.round(wanted), Math.min(CLOSEST, size)), size)
  const start = Math.min(Math.max(middle - Math.floor(wide / 2), 0), size - wide)
  return [start, start + wide - 1]
}

// A chosen word or unit outside of the zoom moves it there.
function reveal(own) {
  const view = { ...own.view }
  const span = spanOf(own, own.word)
  if (span && (span[1] < view.from || span[0] > view.to)) {
    ;[view.from, view.to] = around(span[1], view.to - view.from + 1, own.nColumns)
  }
  const row = own.unit === null ? null : own.rowOf[own.unit]
  if (row !== null && (row < view.top || row > view.bottom)) {
    ;[view.top, view.bottom] = around(row, view.bottom - view.top + 1, own.head.nUnits)
  }
  if (view.from !== own.view.from || view.top !== own.view.top) zoomTo(own, view)
  else drawCrossHair(own)
}

// Values and places --------------------------------------------------------------------------------------------------

function placeAt(own, panel, event) {
  const box = panel.over.getBoundingClientRect()
  const { from, to, top, bottom } = own.view
  const column = from + Math.floor((event.clientX - box.left - LEFT) / own.cellWidth)
  const row = top + Math.floor((event.clientY - box.top) / own.cellHeight)
  const isInside = column >= from && column <= to && row >= top && row <= bottom
  return isInside ? { column, unit: own.unitOf[row] } : null
}

// the number itself where it has come; before, what the byte of a cell stands for, whose ends also hold what lies beyond
function valueAt(own, panel, column, unit, digits) {
  const { kind, limit, isCut } = panel.about
  const { nUnits } = own.head
  if (own.exact) {
    return number(own.exact[(panel.index * own.nColumns + column) * nUnits + unit], digits, kind === "signed")
  }
  const byte = own.cells[(panel.index * nUnits + unit) * own.nColumns + column]
  if (kind !== "signed") return "≈ " + (byte / 255).toFixed(2)
  const value = ((byte - 128) / 127) * limit
  const places = Math.max(0, 2 - Math.floor(Math.log10(limit)))
  const sign = value > 0 ? "+" : value < 0 ? "−" : ""
  return (isCut && byte === 255 ? "≥ " : isCut && byte === 1 ? "≤ " : "≈ ") + sign + Math.abs(value).toFixed(places)
}

// as explorer_core.numerals.number: so many significant digits, a real minus
function number(value, digits, isSigned) {
  if (value === 0) return "0"
  const [rounded, power] = value.toExponential(digits - 1).split("e")
  const size = Number(power)
  const isPlain = size >= -4 && size < digits + 3
  const shown = isPlain ? Number(`${rounded}e${power}`).toFixed(Math.max(digits - 1 - size, 0)) : `${rounded}e${power}`
  return (isSigned && value > 0 ? "+" : "") + shown.replaceAll("-", "−")
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
    element("span", "exact", `${panel.about.name} ${valueAt(own, panel, place.column, place.unit, 6)}`),
  )
  if (own.head.orderValues) {
    own.tip.append(element("span", "order", `${own.head.orderName} ${own.head.orderValues[place.unit]}`))
  }
  own.tip.style.display = "flex"
  const box = own.root.getBoundingClientRect()
  const left = event.clientX - box.left + 14
  const width = own.tip.offsetWidth
  own.tip.style.left = Math.max(left + width > box.width ? left - width - 28 : left, 0) + "px"
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
  reveal(own)
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

function onKey(own, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return
  const zooms = { "+": () => zoomBy(own, 0.5), "=": () => zoomBy(own, 0.5), "-": () => zoomBy(own, 2),
    "−": () => zoomBy(own, 2), Escape: () => (own.drag ? endDrag(own) : showAll(own)) }
  if (zooms[event.key]) {
    event.preventDefault()
    zooms[event.key]()
    return
  }
  const span = spanOf(own, own.word) ?? [0, 0]
  let column = event.key === "ArrowLeft" ? span[0] : span[1]
  let row = own.rowOf[own.unit ?? own.unitOf[0]]
  const step = event.shiftKey ? 10 : 1
  if (event.key === "ArrowRight") column = Math.min(column + step, own.nColumns - 1)
  else if (event.key === "ArrowLeft") column = Math.max(column - step, 0)
  else if (event.key === "ArrowDown") row = Math.min(row + step, own.head.nUnits - 1)
  else if (event.key === "ArrowUp") row = Math.max(row - step, 0)
  else if (event.key === "Home") column = 0
  else if (event.key === "End") column = own.nColumns - 1
  else if (event.key !== "Enter") return
  event.preventDefault()
  own.pointed = null
  choose(own, column, own.unitOf[row], event.key === "Enter" ? 0 : 250)
  speak(own)
}

function speak(own) {
  const span = spanOf(own, own.word)
  if (!span || own.unit === null) return
  const values = own.panels.map((panel) => `${panel.about.name} ${valueAt(own, panel, span[1], own.unit, 3)}`)
  own.said.textContent = `word ${own.word + 1}, ${own.head.columns[span[1]]}, unit ${own.unit}: ${values.join(", ")}`
}
