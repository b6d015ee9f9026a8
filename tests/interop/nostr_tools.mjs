// nostr-tools against `cdvm relay` and against our encryption and gift wraps.
// Environment: RELAY, BLOBS (URLs), PEER (path of tests/interop/peer).
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
const load = createRequire(process.env.MODULES + '/')
const WebSocket = load('ws')
const { generateSecretKey, getPublicKey, finalizeEvent } = load('nostr-tools/pure')
const { Relay, useWebSocketImplementation } = load('nostr-tools/relay')
const nip11 = load('nostr-tools/nip11')
const nip44 = load('nostr-tools/nip44')
const nip49 = load('nostr-tools/nip49')
const nip59 = load('nostr-tools/nip59')
const nipb7 = load('nostr-tools/nipb7')
useWebSocketImplementation(WebSocket)

const { RELAY, BLOBS, PEER } = process.env
const hex = (b) => Buffer.from(b).toString('hex')
const now = () => Math.floor(Date.now() / 1000)
const me = generateSecretKey(), you = generateSecretKey()
const mine = getPublicKey(me), yours = getPublicKey(you)
const note = (text, more = {}) =>
  finalizeEvent({ kind: 1, created_at: now(), tags: [], content: text, ...more }, me)

function peer(args, input) {
  const r = spawnSync(PEER, args, { input, maxBuffer: 1 << 26 })
  if (r.status !== 0) throw new Error(`peer ${args[0]}: ${r.stderr}`)
  return r.stdout.toString()
}

async function connect(key) {
  const relay = await Relay.connect(RELAY)
  if (key) relay.onauth = async (t) => finalizeEvent(t, key)
  return relay
}

function ask(relay, filter, ms = 5000) {
  return new Promise((resolve, reject) => {
    const events = []
    const timer = setTimeout(() => reject(new Error('no EOSE')), ms)
    const sub = relay.subscribe([filter], {
      onevent: (e) => events.push(e),
      oneose: () => { clearTimeout(timer); sub.close(); resolve(events) },
      onclose: (why) => { clearTimeout(timer); resolve(Object.assign(events, { why })) },
    })
  })
}

function must(cond, what) {
  if (!cond) throw new Error(what)
}

const tests = {
  async 'NIP-49: both ways'() {
    const word = 'a\u0301 \u1e9b\u0323 passphrase'
    const theirs = nip49.encrypt(me, word, 16, 0x01)
    must(peer(['unlock', word], theirs) === hex(me), 'ours does not open theirs')
    const ours = peer(['lock', hex(me), word.normalize('NFD')])
    must(hex(nip49.decrypt(ours, word)) === hex(me), 'theirs does not open ours')
  },
  async 'publishes and queries'() {
    const r = await connect()
    const e = note('from nostr-tools \u{1f98a} \u2028 "quoted" \\')
    await r.publish(e)
    const got = await ask(r, { ids: [e.id] })
    must(got.length === 1 && got[0].content === e.content && got[0].sig === e.sig, 'not the same event')
    r.close()
  },
  async 'receives live events'() {
    const r = await connect(), w = await connect()
    const e = note('live')
    const seen = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('nothing came')), 5000)
      r.subscribe([{ authors: [mine], since: now() - 1 }], { onevent: (x) => x.id === e.id && resolve() })
    })
    await w.publish(e)
    await seen
    r.close(); w.close()
  },
  async 'counts'() {
    const r = await connect()
    const key = generateSecretKey()
    for (let i = 0; i < 3; i++)
      await r.publish(finalizeEvent({ kind: 1, created_at: now(), tags: [], content: `${i}` }, key))
    must((await r.count([{ authors: [getPublicKey(key)] }], {})) === 3, 'wrong count')
    r.close()
  },
  async 'reads the information document'() {
    const info = await nip11.fetchRelayInformation(RELAY)
    must(info.supported_nips.includes(42) && info.limitation.max_message_length > 65536, 'incomplete')
  },
  async 'replaces and deletes'() {
    const r = await connect()
    const a = note('a', { kind: 30078, tags: [['d', 'x']], created_at: now() - 9 })
    const b = note('b', { kind: 30078, tags: [['d', 'x']] })
    await r.publish(a); await r.publish(b)
    let got = await ask(r, { kinds: [30078], authors: [mine] })
    must(got.length === 1 && got[0].id === b.id, 'not replaced')
    await r.publish(note('', { kind: 5, tags: [['e', b.id]] }))
    got = await ask(r, { kinds: [30078], authors: [mine] })
    must(got.length === 0, 'not deleted')
    r.close()
  },
  async 'refuses what is broken'() {
    const r = await connect()
    const e = { ...note('x'), sig: '0'.repeat(128) }
    let refused = ''
    await r.publish(e).catch((why) => { refused = String(why) })
    must(refused.includes('invalid'), `'${refused}'`)
    r.close()
  },
  async 'gift wraps are unreadable without AUTH'() {
    const r = await connect()
    await r.publish(nip59.wrapEvent({ kind: 14, content: 'hi', tags: [['p', yours]] }, me, yours))
    const got = await ask(r, { kinds: [1059], '#p': [yours] })
    must(got.length === 0 && /auth-required/.test(got.why), `'${got.why}'`)
    r.close()
  },
  async 'authenticates and reads its gift wrap'() {
    const r = await connect(you)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await r.auth(async (t) => finalizeEvent(t, you)).catch(() => {})
    const got = await ask(r, { kinds: [1059], '#p': [yours] })
    must(got.length >= 1, `nothing came: ${got.why}`)
    must(nip59.unwrapEvent(got[0], you).content === 'hi', 'wrong content')
    r.close()
  },
  async 'NIP-44: theirs to ours and ours to theirs'() {
    const key = nip44.getConversationKey(me, yours)
    for (const n of [1, 31, 32, 33, 256, 257, 1000, 40000, 65408]) {
      const text = 'x'.repeat(n - 1) + '!'
      const theirs = nip44.encrypt(text, key)
      must(peer(['decrypt', hex(you), mine], theirs) === text, `theirs, ${n} bytes`)
      must(nip44.decrypt(peer(['encrypt', hex(you), mine], text), key) === text, `ours, ${n} bytes`)
    }
  },
  async 'NIP-44: we read their long form'() {
    const key = nip44.getConversationKey(me, yours)
    const text = 'y'.repeat(70000)
    must(peer(['decrypt', hex(you), mine], nip44.encrypt(text, key)) === text, 'extended length')
  },
  async 'NIP-59: theirs to ours'() {
    const wrap = nip59.wrapEvent({ kind: 14, content: 'to C', tags: [['p', yours]] }, me, yours)
    const rumor = JSON.parse(peer(['unwrap', hex(you)], JSON.stringify(wrap)))
    must(rumor.content === 'to C' && rumor.pubkey === mine, 'wrong rumor')
  },
  async 'NIP-59: ours to theirs'() {
    const wrap = JSON.parse(peer(['wrap', hex(me), yours], 'from C'))
    const rumor = nip59.unwrapEvent(wrap, you)
    must(rumor.content === 'from C' && rumor.pubkey === mine, 'wrong rumor')
  },
  async 'blobs: uploads, downloads, deletes'() {
    const sign = async (t) => finalizeEvent(t, me)
    const onAuth = (server, sha256) => nipb7.createUploadAuth(sign, sha256, { servers: server })
    const blob = new Blob([Buffer.alloc(300000, 7)])
    const made = await nipb7.uploadBlob(BLOBS, blob, { auth: true, onAuth })
    must(made.size === 300000, `size ${made.size}`)
    const back = Buffer.from(await (await nipb7.downloadBlob(BLOBS, made.sha256)).arrayBuffer())
    must(back.equals(Buffer.alloc(300000, 7)), 'other bytes')
    const onDelete = (server, sha256) => nipb7.createDeleteAuth(sign, sha256, { servers: server })
    await nipb7.deleteBlob(BLOBS, made.sha256, { auth: true, onAuth: onDelete })
    must(!(await nipb7.hasBlob(BLOBS, made.sha256)), 'still there')
  },
}

for (const [name, run] of Object.entries(tests))
  try {
    await run()
    console.log(`ok nostr-tools: ${name}`)
  } catch (e) {
    console.log(`not ok nostr-tools: ${name}`)
    console.log(`# ${e && e.message ? e.message : e}`)
  }
process.exit(0)
