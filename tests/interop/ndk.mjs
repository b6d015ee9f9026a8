// A remote signer of NDK's (NIP-46) against our client, over `cdvm relay`.
// Environment: RELAY (URL), PEER (path of tests/interop/peer), CDVM (the program), NDK (folder with node_modules).
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRequire } from 'node:module'
const load = createRequire(process.env.NDK + '/')
globalThis.WebSocket ??= load('ws')
const ndkModule = load('@nostr-dev-kit/ndk')
const NDK = ndkModule.default
const { NDKPrivateKeySigner, NDKNip46Backend } = ndkModule
const { verifyEvent } = load('nostr-tools/pure')
const { npubEncode } = load('nostr-tools/nip19')

const { RELAY, PEER, CDVM } = process.env
const client = '1'.repeat(64)
const secret = 'once0nly'

function must(cond, what) {
  if (!cond) throw new Error(what)
}

// Not spawnSync: the signer lives in this process and has to answer meanwhile.
function run(program, args, options = {}, passphrase = '', until = null) {
  return new Promise((resolve) => {
    const p = spawn(program, args, options)
    p.stdio[3]?.end(passphrase)
    until?.then(() => p.kill())
    let out = '', err = ''
    p.stdout.on('data', (d) => (out += d))
    p.stderr.on('data', (d) => (err += d))
    p.on('close', (code) => resolve({ code, out, err }))
  })
}

const peer = (args) => run(PEER, args)
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// A home with one identity, as it lies there once its signer was met.
async function home(s) {
  const dir = mkdtempSync(join(tmpdir(), 'cdvm-ndk-'))
  const folder = join(dir, 'cdvm', 'identities')
  const sealed = await peer(['lock', client, 'long enough'])
  must(sealed.code === 0, sealed.err)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'away'), `npub = ${npubEncode(s.pubkey)}\nncryptsec = ${sealed.out}\nsigner = ${s.url}\n`)
  chmodSync(join(folder, 'away'), 0o600)
  return dir
}

// `cdvm ask` by that identity; `read` is what a seller of that name made of its request.
async function ask(s, name) {
  const dir = await home(s)
  const env = { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir, XDG_STATE_HOME: dir }
  const options = { env, cwd: dir, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] }
  const args = ['ask', '--relay', RELAY, '--policy', 'demo', '--offer', name, '--timeout', '10',
    '--identity', 'away', '--passphrase-fd', '3', 'a question']
  const seller = await shop(name)
  const asked = await run(CDVM, args, options, 'long enough\n', seller.visited)
  rmSync(dir, { recursive: true })
  return { asked, read: await seller.read() }
}

// A seller of that name; what it reads of the first request is there a moment later.
async function shop(name) {
  const p = spawn(PEER, ['sell', RELAY, name])
  let out = ''
  p.stdout.on('data', (d) => (out += d))
  await pause(300)
  return {
    visited: new Promise((resolve) => p.on('close', resolve)), // it has read one request
    async read() {
      await pause(300)
      p.kill()
      return out.trim()
    },
  }
}

// The program on a terminal of its own.
function terminal(dir) {
  const tmux = (...args) => execFileSync('tmux', ['-L', `cdvm-ndk-${process.pid}`, '-f', '/dev/null', ...args]).toString()
  const home = ['HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'].map((v) => `${v}=${dir}`)
  tmux('new-session', '-d', '-s', 't', '-x', '100', '-y', '30',
    ['env', 'LC_ALL=C.UTF-8', ...home, CDVM, '--relay', RELAY, '--policy', 'demo'].join(' '))
  const screen = () => tmux('capture-pane', '-p', '-t', 't')
  return {
    keys: (...names) => tmux('send-keys', '-t', 't', ...names),
    text: (s) => tmux('send-keys', '-t', 't', '-l', '--', s),
    paste(s) {
      tmux('set-buffer', '--', s)
      tmux('paste-buffer', '-p', '-t', 't')
    },
    screen,
    async shows(pattern) {
      for (let i = 0; i < 100; i++, await pause(100)) if (pattern.test(screen())) return
      throw new Error(`the screen does not come to show ${pattern}:\n${screen()}`)
    },
    stop: () => tmux('kill-server'),
  }
}

// From the screen of settings: a name, the address, a passphrase twice.
async function adds(t, url) {
  t.keys('6')
  await t.shows(/use a remote signer/)
  t.keys('j', 'j', 'j', 'Enter')
  await t.shows(/A name for it/)
  t.text('away')
  t.keys('Enter')
  await t.shows(/Its address/)
  t.paste(url)
  t.keys('Enter')
  for (const what of [/A passphrase for it/, /The same passphrase again/]) {
    await t.shows(what)
    t.text('long enough')
    t.keys('Enter')
  }
  await t.shows(/'away' is known here/)
}

// Chosen, and a machine started.
async function starts(t, name) {
  t.keys('k', 'k', 'Enter')
  await t.shows(/\(o\) away/)
  t.keys('1')
  await t.shows(new RegExp(name))
  t.keys('/')
  t.text(name)
  t.keys('Enter')
  t.keys('Enter')
  await t.shows(/Provider/)
  t.keys('Enter')
  await t.shows(/Your signer is asked/)
  t.keys('y')
}

const haveTmux = (process.env.PATH ?? '').split(':').some((d) => existsSync(join(d, 'tmux')))


const ndk = new NDK({ explicitRelayUrls: [RELAY] })
await ndk.connect(3000)

async function signer(allow) {
  const key = NDKPrivateKeySigner.generate()
  const backend = new NDKNip46Backend(ndk, key, async (p) => allow(p), [RELAY])
  backend.applyToken = async (_, token) => must(token === secret, `the secret is ${token}`)
  await backend.start()
  const user = await key.user()
  return { pubkey: user.pubkey, url: `bunker://${user.pubkey}?relay=${encodeURIComponent(RELAY)}` }
}

const tests = {
  async 'signs what our client asks for'() {
    const s = await signer(() => true)
    const r = await peer(['bunker', s.url, client])
    must(r.code === 0, r.err)
    const event = JSON.parse(r.out)
    must(event.pubkey === s.pubkey, 'another key')
    must(event.kind === 25931 && event.tags[0][1] === 'a "quoted" value', 'another event')
    must(verifyEvent(event), 'the signature')
  },
  async 'a refusal is an error of ours'() {
    const s = await signer((p) => p.method === 'connect' || p.method === 'get_public_key')
    const r = await peer(['bunker', s.url, client])
    must(r.code !== 0 && /signer/.test(r.err), `it went on: ${r.out}${r.err}`)
  },
  async 'introduces the customer of a job'() {
    const s = await signer(() => true)
    must((await peer(['bunker', s.url, client])).code === 0, 'the meeting')
    const { asked, read } = await ask(s, 'known')
    must(/request sent/.test(asked.err), asked.err)
    must(read === s.pubkey, `the seller read: ${read}`)
  },
  async 'without its word no request leaves'() {
    const s = await signer((p) => p.method !== 'sign_event')
    const { asked, read } = await ask(s, 'refused')
    must(asked.code === 77 && /nothing was sent/.test(asked.err), `${asked.code}: ${asked.err}`)
    must(read === '', `the seller read: ${read}`)
  },
  async 'is added on the screen, and introduces a job from there'() {
    if (!haveTmux) return 'tmux is not installed'
    const s = await signer(() => true)
    const dir = mkdtempSync(join(tmpdir(), 'cdvm-ndk-'))
    const seller = await shop('onscreen')
    const t = terminal(dir)
    try {
      await adds(t, `${s.url}&secret=${secret}`)
      const file = readFileSync(join(dir, 'cdvm', 'identities', 'away'), 'utf8')
      must(/^ncryptsec = ncryptsec1/m.test(file) && !file.includes(secret), `the file is ${file}`)
      await starts(t, 'onscreen')
      await t.shows(/request/i)
      const read = await seller.read()
      must(read === s.pubkey, `the seller read: ${read}\n${t.screen()}`)
    } finally {
      t.stop()
      rmSync(dir, { recursive: true })
    }
  },
}

for (const [name, test] of Object.entries(tests)) {
  try {
    const skipped = await test()
    console.log(`ok ndk: ${name}${skipped ? ` # SKIP ${skipped}` : ''}`)
  } catch (e) {
    console.log(`not ok ndk: ${name}\n# ${e.message.trim().split('\n').join('\n# ')}`)
  }
}
process.exit(0)
