// The word strip: words in reading order, under each a bar with its number, one of them or a run of them chosen.
const instances = new WeakMap()
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[\ud802\ud803\ud83a\ud83b]/
const BAR_REM = { few: 2.6, many: 2 } // height of the track, as in strip.css
const MANY = 60 // words; above this they are set smaller
const CHUNK = 120 // words of a long text in one list: the browser lays out only the lists that are seen

export default function (component) {
  const { data, parentElement, setStateValue } = component
  let own = instances.get(parentElement)
  if (!own) {
    own = { view: "words", json: null, timers: {}, leave: () => {}, current: undefined, span: null, anchor: null, drag: null }
    instances.set(parentElement, own)
  }
  own.setStateValue = setStateValue
  const json = JSON.stringify(data)
  if (json !== own.json) show(own, parentElement.querySelector(".strip"), data, json)
  return () => {
    Object.values(own.timers).forEach(clearTimeout)
    own.leave()
    own.charts?.stop()
    instances.delete(parentElement)
  }
}

function show(own, root, data, json) {
  if (data.view) own.view = data.view
  if (own.view === "tokens" && !data.tokens) own.view = "words"
  const isSame = own.data?.stamp === data.stamp
  if (!isSame) own.anchor = own.drag = null // the same words may come anew in the middle of a drag
  // the same text with other bars stays where a person reads it, and in their hand
  const isHeld = isSame && own.list.contains(root.getRootNode().activeElement)
  const top = isSame ? own.list.scrollTop : 0
  Object.assign(own, { json, data })
  draw(root, own)
  own.list.scrollTop = top
  own.leave()
  own.leave = subscribe(
    data.group,
    (choice) => choice.stamp === own.data.stamp && follow(own, choice),
    (place) => place.stamp === own.data.stamp && glance(own, place.word),
  )
  if (!own.charts && data.charts.length) own.charts = linkCharts(own, (word) => choose(own, word, 0, true))
  const last = lastChoice(data.group, data.stamp)
  markSpan(own, last?.span ?? null)
  mark(own, last?.word ?? data.selected, last?.word === undefined)
  if (!isSame && data.reveals && own.home) reveal(own, own.home)
  if (isHeld) own.home?.focus({ preventScroll: true })
}

// Choosing ----------------------------------------------------------------------------------------------------------

function tell(own, field, value, patience) {
  clearTimeout(own.timers[field])
  own.timers[field] = setTimeout(() => own.setStateValue(field, value), patience)
}

function choose(own, word, patience, keepsSpan = false) {
  const lets = own.span && !keepsSpan
  own.anchor = word
  publish(own.data.group, own.data.stamp, lets ? { word, span: null } : { word })
  if (lets) tell(own, "span", null, patience)
  tell(own, "word", word, patience)
}

function chooseSpan(own, span, patience) {
  publish(own.data.group, own.data.stamp, { span })
  tell(own, "span", span, patience)
}

function between(one, other) {
  return [Math.min(one, other), Math.max(one, other)]
}

function wordOf(event) {
  const word = event.target.closest?.(".place")?.dataset.word
  return word === undefined ? null : Number(word)
}

function listen(own) {
  const { list, data } = own
  if (own.isPointed) point(own, null) // a list that is replaced under the mouse says no more that it was left
  list.onclick = (event) => {
    const word = wordOf(event)
    if (word === null) return
    if (event.shiftKey && data.spans) chooseSpan(own, between(own.anchor ?? own.current ?? word, word), 0)
    else choose(own, word, 0)
  }
  list.onpointerover = (event) => {
    const word = wordOf(event)
    point(own, word)
    if (own.drag) drag(own, event, word)
  }
  list.onpointerleave = () => point(own, null)
  list.onkeydown = (event) => onKey(own, event)
  if (!data.spans) return
  list.onpointerdown = (event) => {
    const word = wordOf(event)
    if (word === null || event.pointerType !== "mouse" || event.button !== 0 || event.shiftKey) return // a finger scrolls
    own.drag = { from: word, to: word }
    window.addEventListener("pointerup", () => endDrag(own), { once: true })
  }
  list.onpointermove = (event) => {
    if (!own.drag) return
    const box = list.getBoundingClientRect()
    if (event.clientY > box.bottom - 12) list.scrollTop += 12
    else if (event.clientY < box.top + 12) list.scrollTop -= 12
  }
}

function point(own, word) {
  own.isPointed = word !== null
  hover(own.data.group, own.data.stamp, { word })
}

function drag(own, event, word) {
  if (!(event.buttons & 1)) return endDrag(own)
  if (word === null || word === own.drag.to) return
  own.drag.to = word
  own.anchor = own.drag.from
  publish(own.data.group, own.data.stamp, { span: word === own.drag.from ? null : between(own.drag.from, word) })
}

function endDrag(own) {
  const { drag } = own
  own.drag = null
  if (drag && drag.to !== drag.from) tell(own, "span", own.span, 0)
}

function onKey(own, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return
  if (event.key === "Escape" && own.span) return chooseSpan(own, null, 0)
  const from = own.buttons.indexOf(event.target.closest("button"))
  const to = from < 0 ? null : placeAfter(own, from, event.key)
  if (to === null) return
  event.preventDefault()
  const [before, word] = [from, to].map((at) => Number(own.buttons[at].dataset.word))
  // the server hears of it when the keys rest
  if (event.shiftKey && own.data.spans) chooseSpan(own, between((own.anchor ??= before), word), 250)
  else choose(own, word, 250)
  setHome(own, own.buttons[to])
  own.home.focus()
  if (event.shiftKey) reveal(own, own.home)
}

function placeAfter(own, from, key) {
  const last = own.buttons.length - 1
  const [back, forward] = own.list.dir === "rtl" ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"]
  if (key === forward) return Math.min(from + 1, last)
  if (key === back) return Math.max(from - 1, 0)
  if (key === "Home") return 0
  if (key === "End") return last
  if (key === "ArrowDown") return otherLine(own.buttons, from, 1)
  return key === "ArrowUp" ? otherLine(own.buttons, from, -1) : null
}

function otherLine(buttons, from, step) {
  const here = buttons[from].getBoundingClientRect()
  let best = null
  let bestGap = Infinity
  let line = null
  for (let at = from + step; at >= 0 && at < buttons.length; at += step) {
    const box = buttons[at].getBoundingClientRect()
    if (Math.abs(box.bottom - here.bottom) < 4) continue
    if (line === null) line = box.bottom
    if (Math.abs(box.bottom - line) > 4) break
    const gap = Math.abs((box.left + box.right - here.left - here.right) / 2)
    if (gap < bestGap) [best, bestGap] = [at, gap]
  }
  return best
}

// Showing what is chosen ----------------------------------------------------------------------------------------------

function follow(own, choice) {
  if (choice.span !== undefined) markSpan(own, choice.span)
  if (choice.word !== undefined) mark(own, choice.word)
  own.charts?.move()
}

function mark(own, word, isFirst = false) {
  if (own.current === word) return
  for (const button of own.ofWord.get(own.current) ?? []) button.setAttribute("aria-pressed", "false")
  for (const button of own.ofWord.get(word) ?? []) button.setAttribute("aria-pressed", "true")
  own.current = word
  const home = own.ofWord.get(word)?.[0] ?? own.buttons[0]
  setHome(own, home)
  if (!isFirst && home) reveal(own, home)
  own.charts?.move()
}

function setHome(own, home) {
  if (own.home) own.home.tabIndex = -1
  own.home = home
  if (home) home.tabIndex = 0
}

function markSpan(own, span) {
  const before = own.span
  own.span = span
  const has = (run, word) => run !== null && word >= run[0] && word <= run[1]
  const dress = (word) => {
    for (const button of own.ofWord.get(word) ?? []) {
      button.classList.toggle("run", has(span, word))
      button.classList.toggle("first", span !== null && word === span[0])
      button.classList.toggle("last", span !== null && word === span[1])
    }
  }
  const touched = [before, span].filter((run) => run !== null)
  for (const run of touched) {
    for (let word = run[0]; word <= run[1]; word++) {
      const isInner = has(before, word) && has(span, word) && ![...before, ...span].includes(word)
      if (!isInner) dress(word)
    }
  }
  if (own.hint) own.hint.textContent = span === null ? "Drag over words to select a run" : runName(span)
}

function runName([first, last]) {
  if (first === last) return `Word ${first + 1} selected as a run; a click lets go`
  return `Words ${first + 1} to ${last + 1} selected; a click lets go`
}

function reveal({ list }, button, again = true) {
  if (list.scrollHeight <= list.clientHeight) return
  const [outer, inner] = [list.getBoundingClientRect(), button.getBoundingClientRect()]
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top + 8
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom + 8
  else return
  if (again) requestAnimationFrame(() => reveal({ list }, button, false)) // lists not seen before have their size now
}

function glance(own, word) {
  for (const button of own.glanced) button.classList.remove("glance")
  own.glanced = own.ofWord.get(word) ?? []
  for (const button of own.glanced) button.classList.add("glance")
}

// Drawing -------------------------------------------------------------------------------------------------------------

function draw(root, own) {
  const { data } = own
  const head = element("div", "head")
  if (data.headline) head.append(headline(data.headline))
  if (data.tokens && !data.view) head.append(viewSwitch(root, own))
  const isMany = data.words.length > MANY
  own.list = element("div", `list ${own.view}${isMany ? " many" : ""}`)
  own.list.dir = data.dir
  own.list.style.setProperty("--low", data.scale.lowColor)
  own.list.style.setProperty("--high", data.scale.highColor)
  Object.assign(own, { buttons: [], ofWord: new Map(), glanced: [], home: null, current: undefined, span: null })
  own.barRem = BAR_REM[isMany ? "many" : "few"]
  own.unknown = new Set(data.unknown)
  own.mixesWays = data.dir === "rtl" || RIGHT_TO_LEFT.test(data.words.join(""))
  const [shown, make] = own.view === "tokens" ? [data.tokens, tokenItem] : [data.words, wordItem]
  const size = shown.length > 2 * CHUNK ? CHUNK : shown.length
  let items = null
  shown.forEach((one, at) => {
    if (at % size === 0) {
      items = element("ol", size === CHUNK ? "chunk" : "")
      items.start = at + 1
      items.setAttribute("aria-label", size === CHUNK ? `${data.label}, from ${at + 1}` : data.label)
      own.list.append(items)
    }
    items.append(make(own, one, at))
  })
  for (const word of data.unread) items.append(element("li", "unread", word))
  if (data.unreadMore) items.append(element("li", "unread more", data.unreadMore))
  listen(own)
  root.replaceChildren(head, own.list, legend(own), ...data.notes.map((note) => element("p", "note", note)))
}

function headline({ label, value, color, more }) {
  const line = element("p", "headline")
  const dot = element("span", "dot")
  dot.style.background = color
  line.append(dot, element("strong", "", label), element("span", "value", value))
  if (more) line.append(element("span", "more", more))
  return line
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
      const { current, span } = own
      own.view = view
      draw(root, own)
      markSpan(own, span)
      mark(own, current)
      root.querySelector('.views button[aria-pressed="true"]')?.focus()
    }
    group.append(button)
  }
  return group
}

function wordItem(own, word, at) {
  const isUnknown = own.unknown.has(at)
  const number = own.data.numbers[at]
  const name = `word ${at + 1}: ${word}${isUnknown ? ", unknown to the model" : ""}, ${number ?? "no value"}`
  const item = element("li")
  item.append(place(own, word, at, own.data.values[at], number, name, isUnknown))
  return item
}

function tokenItem(own, token, at) {
  const { tokenValues, tokenNumbers } = own.data
  const value = tokenValues ? tokenValues[at] : null
  const number = tokenValues ? tokenNumbers[at] : null
  const what = token.special ? "special token" : (token.unknown ? "unknown token " : "") + `of word ${token.word + 1}`
  const name = `token ${at + 1}: ${token.text}, ${what}${number === null ? "" : ", " + number}`
  const item = element("li", (token.special ? "special" : "") + (token.follows ? " follows" : ""))
  item.append(place(own, token.text, token.special ? -1 : token.word, value, number, name, token.unknown))
  return item
}

function place(own, text, word, value, number, name, isUnknown) {
  const button = element("button", "place")
  button.type = "button"
  button.tabIndex = -1
  button.setAttribute("aria-label", name)
  const shown = element("span", isUnknown ? "word unknown" : "word", text)
  if (own.mixesWays) shown.dir = "auto"
  button.append(shown)
  if (value !== null) button.append(bar(own, value))
  else if (number !== null) button.append(emptyTrack(own)) // a word keeps its height, so that nothing below it moves
  if (number !== null) button.append(number)
  if (word < 0) {
    button.disabled = true
    return button
  }
  button.setAttribute("aria-pressed", "false")
  button.dataset.word = word
  own.buttons.push(button)
  const others = own.ofWord.get(word)
  if (others) others.push(button)
  else own.ofWord.set(word, [button])
  return button
}

// Track and bar are one element, to keep long texts quick: the track is what its border leaves of it.
function bar(own, value) {
  const { low, high, pivot } = own.data.scale
  const share = (at) => Math.min(Math.max((at - low) / (high - low), 0), 1) * own.barRem
  const isLow = value < pivot
  let [foot, top] = isLow ? [share(value), share(pivot)] : [share(pivot), share(value)]
  if (top - foot < 0.125) isLow ? (foot = Math.max(top - 0.125, 0)) : (top = Math.min(foot + 0.125, own.barRem))
  if (top - foot < 0.125) isLow ? (top = foot + 0.125) : (foot = top - 0.125)
  const made = element("span", isLow ? "bar low" : "bar high")
  made.style.borderWidth = `${(own.barRem - top).toFixed(4)}rem 0 ${foot.toFixed(4)}rem`
  return made
}

function emptyTrack(own) {
  const made = element("span", "bar")
  made.style.borderTopWidth = `${own.barRem}rem`
  return made
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
  const values = own.view === "tokens" ? data.tokenValues : data.values
  if (values?.some((value) => value !== null)) line.append(element("span", "", text), key)
  if (own.view === "words" && data.unknown.length) line.append(sample("unknown", "unknown to the model"))
  if (own.view === "tokens") {
    if (data.tokens.some((token) => token.unknown)) line.append(sample("unknown", "unknown token"))
    if (data.tokens.some((token) => token.special)) line.append(sample("special", "special token, added by the model"))
    if (data.tokens.some((token) => token.follows)) line.append(element("span", "", "joined: pieces of one word"))
  }
  if (data.unread.length) line.append(sample("unread", "not read"))
  own.hint = null
  if (data.spans && data.words.length > 1) {
    own.hint = element("output", "hint", "Drag over words to select a run")
    own.hint.setAttribute("aria-live", "polite")
    line.append(own.hint)
  }
  return line
}

function sample(kind, text) {
  const shown = element("span", "sample")
  shown.append(element("span", "mark " + kind, "abc"), element("span", "", text))
  return shown
}
