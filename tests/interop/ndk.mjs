// A remote signer of NDK's (NIP-46) against our client, over `cdvm relay`.
// Environment: RELAY (URL), PEER (path of tests/interop/peer), NDK (folder with node_modules).
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
const load = createRequire(process.env.NDK + '/')
globalThis.WebSocket ??= load('ws')
const ndkModule = load('@nostr-dev-kit/ndk')
const NDK = ndkModule.default
const { NDKPrivateKeySigner, NDKNip46Backend } = ndkModule
const { verifyEvent } = load('nostr-tools/pure')

const { RELAY, PEER } = process.env
const client = '1'.repeat(64)

function must(cond, what) {
  if (!cond) throw new Error(what)
}

// Not spawnSync: the signer lives in this process and has to answer meanwhile.
function peer(args) {
  return new Promise((resolve) => {
    const p = spawn(PEER, args)
    let out = '', err = ''
    p.stdout.on('data', (d) => (out += d))
    p.stderr.on('data', (d) => (err += d))
    p.on('close', (code) => resolve({ code, out, err }))
  })
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
