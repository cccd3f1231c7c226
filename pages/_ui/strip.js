// The word strip: words in reading order, under each a bar with its number, one of them chosen.
const instances = new WeakMap()

export default function (component) {
  const { data, parentElement, setStateValue } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = { view: "words", json: null, stop: () => {}, timer: 0 }
    instances.set(parentElement, own)
  }
  const root = parentElement.querySelector(".strip")
  own.send = (word) => {
    clearTimeout(own.timer)
    own.timer = setTimeout(() => setStateValue("word", word), own.patience)
  }
  const json = JSON.stringify(data)
  if (json !== own.json) {
    if (own.data?.stamp !== data.stamp && own.view === "tokens" && !data.tokens) own.view = "words"
    own.json = json
    own.data = data
    draw(root, own)
    own.stop()
    const leave = subscribe(
      data.group,
      (choice) => choice.stamp === own.data.stamp && choice.word !== undefined && mark(own, choice.word),
      (place) => place.stamp === own.data.stamp && glance(own, place.word),
    )
    const unlink = linkCharts(own)
    own.stop = () => { leave(); unlink() }
    const last = lastChoice(data.group, data.stamp)?.word
    mark(own, last ?? data.selected, last === undefined)
  }
  return () => {
    clearTimeout(own.timer)
    own.stop()
    instances.delete(parentElement)
  }
}

function choose(own, word, patience) {
  own.patience = patience
  publish(own.data.group, own.data.stamp, { word })
  own.send(word)
}

function draw(root, own) {
  const { data } = own
  root.replaceChildren()
  const head = element("div", "head")
  if (data.headline) {
    const line = element("p", "headline")
    const dot = element("span", "dot")
    dot.style.background = data.headline.color
    line.append(dot, element("strong", "", data.headline.label), element("span", "value", data.headline.value))
    if (data.headline.more) line.append(element("span", "more", data.headline.more))
    head.append(line)
  }
  if (data.tokens) head.append(viewSwitch(root, own))
  root.append(head)
  own.list = element("ol", own.view + (data.words.length > 60 ? " many" : ""))
  own.list.dir = data.dir
  own.list.setAttribute("aria-label", data.label)
  own.buttons = []
  own.ofWord = new Map()
  if (own.view === "tokens") data.tokens.forEach((token, pos) => own.list.append(tokenItem(own, token, pos)))
  else data.words.forEach((word, index) => own.list.append(wordItem(own, word, index)))
  for (const word of data.unread) own.list.append(element("li", "unread", word))
  if (data.unreadMore) own.list.append(element("li", "unread more", data.unreadMore))
  own.list.onkeydown = (event) => onKey(own, event)
  own.list.onmouseleave = () => hover(data.group, data.stamp, { word: null })
  root.append(own.list, legend(own))
  for (const note of data.notes) root.append(element("p", "note", note))
  own.current = undefined
}

function viewSwitch(root, own) {
  const group = element("div", "views")
  group.setAttribute("role", "group")
  group.setAttribute("aria-label", "Show words or tokens")
  for (const view of ["words", "tokens"]) {
    const button = element("button", "", view === "words" ? "Words" : "Tokens")
    button.type = "button"
    button.setAttribute("aria-pressed", String(own.view === view))
    button.onclick = () => {
      own.view = view
      draw(root, own)
      mark(own, lastChoice(own.data.group, own.data.stamp)?.word ?? own.data.selected)
      root.querySelector(`.views button[aria-pressed="true"]`)?.focus()
    }
    group.append(button)
  }
  return group
}

function wordItem(own, word, index) {
  const { data } = own
  const button = place(own, index, data.values[index], data.numbers[index])
  const shown = element("span", "word", word)
  shown.dir = "auto"
  if (data.unknown.includes(index)) shown.classList.add("unknown")
  button.prepend(shown)
  const what = data.unknown.includes(index) ? ", unknown to the model" : ""
  button.setAttribute("aria-label", `word ${index + 1}: ${word}${what}, ${data.numbers[index] ?? "no value"}`)
  const item = element("li")
  item.append(button)
  return item
}

function tokenItem(own, token, pos) {
  const { data } = own
  const item = element("li", token.special ? "special" : "")
  const value = data.tokenValues ? data.tokenValues[pos] : null
  const button = place(own, token.special ? -1 : token.word, value, data.tokenValues ? data.tokenNumbers[pos] : null)
  const shown = element("span", "word" + (token.unknown ? " unknown" : ""), token.text)
  shown.dir = "auto"
  button.prepend(shown)
  const what = token.special ? ", special token" : token.unknown ? ", unknown token" : `, of word ${token.word + 1}`
  button.setAttribute("aria-label", `token ${pos + 1}: ${token.text}${what}`)
  if (token.follows) item.classList.add("follows")
  item.append(button)
  return item
}

function place(own, word, value, number) {
  const button = element("button", "place")
  button.type = "button"
  button.tabIndex = -1
  if (value !== null && value !== undefined) {
    const { low, high, pivot, lowColor, highColor } = own.data.scale
    const track = element("span", "track")
    const bar = element("span", "bar")
    const share = (at) => Math.min(Math.max((at - low) / (high - low), 0), 1) * 100
    const from = Math.min(share(value), share(pivot))
    bar.style.bottom = from + "%"
    bar.style.height = Math.max(share(value), share(pivot)) - from + "%"
    bar.style.setProperty("--bar", value < pivot ? lowColor : highColor)
    const line = element("span", "pivot")
    line.style.bottom = share(pivot) + "%"
    track.append(bar, line)
    button.append(track, element("span", "number", number))
  }
  if (word < 0) {
    button.disabled = true
    return button
  }
  button.setAttribute("aria-pressed", "false")
  button.onclick = () => choose(own, word, 0)
  button.onmouseenter = () => hover(own.data.group, own.data.stamp, { word })
  button.dataset.at = own.buttons.length
  button.dataset.word = word
  own.buttons.push(button)
  if (!own.ofWord.has(word)) own.ofWord.set(word, [])
  own.ofWord.get(word).push(button)
  return button
}

function legend(own) {
  const { data } = own
  const line = element("p", "legend")
  const { low, high, pivot, lowColor, highColor, lowName, pivotName, highName, text } = data.scale
  const key = element("span", "key")
  const ramp = element("span", "ramp")
  const share = ((pivot - low) / (high - low)) * 100
  ramp.style.background = `linear-gradient(to right, ${lowColor} ${share}%, ${highColor} ${share}%)`
  key.append(element("span", "end", lowName), ramp, element("span", "end", highName))
  if (pivotName) key.append(element("span", "end", `middle ${pivotName}`))
  if (data.values.some((value) => value !== null)) line.append(element("span", "", text), key)
  if (own.view === "words" && data.unknown.length) line.append(sample("unknown", "unknown to the model"))
  if (own.view === "tokens") {
    if (data.tokens.some((token) => token.unknown)) line.append(sample("unknown", "unknown token"))
    if (data.tokens.some((token) => token.special)) line.append(sample("special", "special token, added by the model"))
    if (data.tokens.some((token) => token.follows)) line.append(element("span", "", "joined: pieces of one word"))
  }
  if (data.unread.length) line.append(sample("unread", "not read"))
  return line
}

function sample(kind, text) {
  const shown = element("span", "sample")
  shown.append(element("span", "mark " + kind, "abc"), element("span", "", text))
  return shown
}

function mark(own, word, isFirst = false) {
  if (own.current !== word) {
    for (const button of own.ofWord.get(own.current) ?? []) button.setAttribute("aria-pressed", "false")
    for (const button of own.ofWord.get(word) ?? []) button.setAttribute("aria-pressed", "true")
    own.current = word
  }
  const home = own.ofWord.get(word)?.[0] ?? own.buttons[0]
  if (own.home) own.home.tabIndex = -1
  own.home = home
  if (home) home.tabIndex = 0
  if (!isFirst && home && own.list.scrollHeight > own.list.clientHeight) reveal(own.list, home)
  own.moveCursors?.()
}

function reveal(list, button) {
  const [outer, inner] = [list.getBoundingClientRect(), button.getBoundingClientRect()]
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top + 8
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom + 8
}

function glance(own, word) {
  for (const button of own.list.querySelectorAll(".glance")) button.classList.remove("glance")
  for (const button of own.ofWord.get(word) ?? []) button.classList.add("glance")
}

function onKey(own, event) {
  const from = own.buttons.indexOf(event.target.closest("button"))
  if (from < 0 || event.altKey || event.ctrlKey || event.metaKey) return
  const forward = own.list.dir === "rtl" ? "ArrowLeft" : "ArrowRight"
  const back = own.list.dir === "rtl" ? "ArrowRight" : "ArrowLeft"
  const last = own.buttons.length - 1
  let to = null
  if (event.key === forward) to = Math.min(from + 1, last)
  else if (event.key === back) to = Math.max(from - 1, 0)
  else if (event.key === "Home") to = 0
  else if (event.key === "End") to = last
  else if (event.key === "ArrowDown") to = otherLine(own.buttons, from, 1)
  else if (event.key === "ArrowUp") to = otherLine(own.buttons, from, -1)
  if (to === null) return
  event.preventDefault()
  const word = Number(own.buttons[to].dataset.word)
  choose(own, word, 250) // the server hears of it when the keys rest
  own.home.tabIndex = -1
  own.home = own.buttons[to]
  own.home.tabIndex = 0
  own.home.focus()
}

function otherLine(buttons, from, step) {
  const here = buttons[from].getBoundingClientRect()
  let best = null
  let bestGap = Infinity
  let line = null
  for (let at = from + step; at >= 0 && at < buttons.length; at += step) {
    const box = buttons[at].getBoundingClientRect()
    if (Math.abs(box.top - here.top) < 4) continue
    if (line === null) line = box.top
    if (Math.abs(box.top - line) > 4) break
    const gap = Math.abs((box.left + box.right - here.left - here.right) / 2)
    if (gap < bestGap) [best, bestGap] = [at, gap]
  }
  return best
}

// The server thins words for the width it expects; on a narrower screen every second, third, ... is left out here.
function thinWords(plot, axis) {
  const [first, second] = axis.tickvals ?? []
  if (second === undefined) return
  const every = Math.ceil((axis.tickangle ? 14 : 40) / Math.max(axis.d2p(second) - axis.d2p(first), 1))
  plot.querySelectorAll(`.${axis._id}tick`).forEach((tick, index) => {
    tick.style.visibility = index % every ? "hidden" : ""
  })
}

// Charts named in `charts` get a line at the chosen word, and a click on one of their points chooses its word.
function linkCharts(own) {
  if (!own.data.charts.length) return () => {}
  const linked = new Map()
  const put = (plot) => {
    const layout = plot._fullLayout
    const frame = plot.querySelector(".svg-container")
    if (!layout?.xaxis || !layout._size || !frame) return
    let cursor = frame.querySelector(":scope > .unrolled-cursor")
    if (!cursor) {
      cursor = element("div", "unrolled-cursor")
      cursor.style.cssText =
        "position:absolute;width:0;border-left:1.5px solid rgba(120,125,135,.9);pointer-events:none;z-index:1"
      frame.append(cursor)
    }
    const axis = layout.xaxis
    const x = axis._offset + axis.d2p(own.current ?? -1)
    const inside = own.current !== undefined && own.current !== null && x >= axis._offset - 1 && x <= axis._offset + axis._length + 1
    cursor.style.display = inside ? "block" : "none"
    cursor.style.left = x - 0.75 + "px"
    cursor.style.top = layout._size.t + "px"
    cursor.style.height = layout._size.h + "px"
    for (const one of [layout.xaxis, layout.xaxis2]) if (one?.showticklabels) thinWords(plot, one)
  }
  own.moveCursors = () => linked.forEach((plot) => put(plot))
  const look = () => {
    for (const key of own.data.charts) {
      const plot = document.querySelector(`.st-key-${CSS.escape(key)} .js-plotly-plot`)
      if (!plot || typeof plot.on !== "function" || linked.get(key) === plot) continue
      linked.set(key, plot)
      plot.on("plotly_afterplot", () => put(plot))
      plot.on("plotly_click", (event) => {
        const word = Math.round(event.points?.[0]?.x)
        if (linked.get(key) === plot && word >= 0 && word < own.data.words.length) choose(own, word, 0)
      })
      put(plot)
    }
  }
  let waiting = 0
  const watcher = new MutationObserver(() => {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; look() })
  })
  watcher.observe(document.querySelector('[data-testid="stMain"]') ?? document.body, { childList: true, subtree: true })
  look()
  return () => {
    watcher.disconnect()
    cancelAnimationFrame(waiting)
    linked.clear()
    own.moveCursors = null
  }
}
