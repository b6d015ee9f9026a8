// A remote signer of NDK's (NIP-46) against our client, over `cdvm relay`.
// Environment: RELAY (URL), PEER (path of tests/interop/peer), CDVM (the program), NDK (folder with node_modules).
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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

function must(cond, what) {
  if (!cond) throw new Error(what)
}

// Not spawnSync: the signer lives in this process and has to answer meanwhile.
function run(program, args, options = {}, passphrase) {
  return new Promise((resolve) => {
    const p = spawn(program, args, options)
    p.stdio[3]?.end(passphrase)
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
  const args = ['ask', '--relay', RELAY, '--policy', 'demo', '--offer', name, '--timeout', '3',
    '--identity', 'away', '--passphrase-fd', '3', 'a question']
  const seller = spawn(PEER, ['sell', RELAY, name])
  let read = ''
  seller.stdout.on('data', (d) => (read += d))
  await pause(500)
  const asked = await run(CDVM, args, options, 'long enough\n')
  await pause(500)
  seller.kill()
  rmSync(dir, { recursive: true })
  return { asked, read: read.trim() }
}

async function signer(allow) {
  const ndk = new NDK({ explicitRelayUrls: [RELAY] })
  const key = NDKPrivateKeySigner.generate()
  await ndk.connect(3000)
  const backend = new NDKNip46Backend(ndk, key, async (p) => allow(p), [RELAY])
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
}

for (const [name, test] of Object.entries(tests)) {
  try {
    await test()
    console.log(`ok ndk: ${name}`)
  } catch (e) {
    console.log(`not ok ndk: ${name}\n# ${e.message.trim().split('\n').join('\n# ')}`)
  }
}
process.exit(0)
